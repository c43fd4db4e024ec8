/** A cluster that is not whole: `status` and `doctor` say so by their status, with the reason and a remedy. */
import assert from "node:assert/strict";
import { eventually, expectOk, openWorld } from "../../support/swarm.ts";
import { KEYS, openTerminal } from "../../support/terminal.ts";

Deno.test("a cluster that is not whole must be told by its reason and a remedy, and once more when it is whole", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(2);
  const mpi = (...args: string[]) => world.docker(["mpi", ...args]);
  const update = (...args: string[]) =>
    expectOk(world.docker(["service", "update", "--detach", ...args, "mpitest_worker"]));

  await t.step("workers that find no host", async () => {
    await update("--constraint-add", "node.labels.mpitest==none", "--update-parallelism", "0");
    await eventually("both have gone", async () => /: 1 of 3 nodes answer$/m.test((await mpi("status")).stdout));
    const { code, stdout } = await mpi("status");
    assert.equal(code, 1);
    assert.match(stdout, /^State {6}not whole: 1 of 3 nodes answer$/m);
    assert.match(
      stdout,
      /\nworker-1, worker-2: no suitable node \(scheduling constraints not satisfied on 1 node\)\nhint: docker node ls /,
    );
    const doctor = await mpi("doctor");
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /^PROBLEM {3}Nodes {6}worker-1, worker-2: no suitable node .*\nhint: docker node ls /m);
  });

  await t.step("--watch shows it whole as soon as it is", async () => {
    await using session = await openTerminal(
      "exec docker mpi status --watch --format '{{.Healthy}} {{.Answering}}'",
      { cwd: world.project, env: { DOCKER_CONFIG: world.config } },
    );
    await session.shows(/^false 1\r\n/m);
    await update("--constraint-rm", "node.labels.mpitest==none");
    await session.shows(/^true 3\r\n/m, 30);
    await session.type(KEYS.ctrlC);
    assert.equal(await session.end(), 130);
    assert.equal((await mpi("status")).code, 0);
  });

  await t.step("a worker that is stuck runs, and does not answer", async () => {
    const id = (await expectOk(world.docker(["ps", "-q", "--filter", "name=mpitest_worker.2."]))).stdout.trim();
    // All but the container's first process.
    const signal = (name: string) => world.docker(["exec", id, "sh", "-c", `kill -${name} -1`]);
    await expectOk(signal("STOP"));
    try {
      await eventually("it does not answer", async () => (await mpi("status")).code === 1);
      const { stdout } = await mpi("status");
      assert.match(stdout, /^worker-2: .*\nhint: docker mpi logs mpitest /m);
    } finally {
      await expectOk(signal("CONT"));
    }
    await eventually("it answers again", async () => (await mpi("status")).code === 0, 60);
  });
});
