/** The main promises on several hosts: ranks on all of them, a clear end when one is lost, no image that only one has. */
import assert from "node:assert/strict";
import { END_SECONDS, lostNodes, SLEEP, startJob } from "../support/job.ts";
import { measured, stopwatch } from "../support/measured.ts";
import { nodes } from "../support/nodes.ts";
import { failure, parts, project } from "../support/projects.ts";
import { type Ended, expectOk } from "../support/swarm.ts";
import { labTest } from "./mod.ts";
import { places } from "./places.ts";
import { openSeededWorld } from "./world.ts";

const WORKERS = 5;

/** The run ended because of one of these nodes, and says so. */
function assertLost({ code, stderr }: Ended, possible: string[]): void {
  assert.notEqual(code, 0);
  const lost = lostNodes(stderr);
  assert.ok(lost.length > 0 && lost.every((name) => possible.includes(name)), stderr);
}

labTest("an image that one host alone has is refused with the remedy, and nothing is made", async (lab) => {
  await using world = await openSeededWorld(lab);
  await using dir = await project("name: mpitest-alone\nimage: mpitest-alone:latest\nworkers: 2\n");
  await expectOk(world.docker(["tag", world.image, "mpitest-alone:latest"]));
  assert.deepEqual(
    await world.docker(["mpi", "deploy", "--progress", "quiet"], { cwd: dir.path }),
    failure(
      'docker mpi deploy: Image "mpitest-alone:latest" is on this engine only, and nodes may start on 3 hosts: ' +
        "host1, host2, host3\n" +
        "hint: docker mpi deploy --push --image registry.example.org/mpitest-alone  # takes it to a registry of yours; " +
        "--resolve-image never if every host has it already\n",
    ),
  );
  assert.deepEqual(await parts(world, "mpitest-alone"), []);
});

labTest("ranks run on every host, and a run that loses a node ends and names it", async (lab, t) => {
  await using world = await openSeededWorld(lab);
  // It goes with the lab.
  await using _cluster = await world.shared(WORKERS);
  const where = await places(lab, world);

  await t.step("hello comes from ranks on all three hosts", async () => {
    const { stdout, stderr } = await expectOk(world.docker(["mpi", "run", "./mpi_hello_world"]));
    assert.equal(stderr, "");
    const said = [...stdout.matchAll(/^Hello from rank (\d) of 6 on (\S+)$/gm)].map(([, rank, node]) => ({
      rank,
      node,
    }));
    assert.deepEqual(said.map(({ rank }) => rank).sort(), ["0", "1", "2", "3", "4", "5"]);
    const hosts = new Set(said.map(({ node }) => where.get(node!)?.name));
    assert.deepEqual([...hosts].sort(), ["host1", "host2", "host3"]);
  });

  await t.step("a worker's container is killed", async () => {
    const job = await startJob(world, SLEEP, WORKERS + 1);
    const worker = (await nodes(world)).get("worker-2")!;
    const time = stopwatch();
    await expectOk(worker.docker(["kill", worker.id]));
    assertLost(await job.ended(END_SECONDS), ["worker-2"]);
    measured("a run ends when a worker of it is killed", time(), 10);
  });

  await t.step("a host is cut off", async () => {
    const now = await places(lab, world);
    const host = lab.hosts.find((each) => each !== lab.manager && each !== now.get("master"))!;
    const there = [...now].filter(([, place]) => place === host).map(([name]) => name).sort();
    // The worker that was killed may not be back.
    const job = await startJob(world, ["--hosts", `master,${there.join()}`, ...SLEEP], 1 + there.length);
    const time = stopwatch();
    await host.cut();
    try {
      assertLost(await job.ended(END_SECONDS), there);
      measured("a run ends when a host of it is cut off", time(), 10);
    } finally {
      await host.heal();
    }
  });
});
