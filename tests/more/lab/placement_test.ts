/** Where nodes run, and how many ranks each takes, on hosts that differ. */
import assert from "node:assert/strict";
import { failure, parts, project } from "../../support/projects.ts";
import { eventually, expectOk, rows } from "../../support/swarm.ts";
import { type Host, labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";

/**
 * Leaves a host the first CPU only, as far as its containers go, until the end of the block.
 *
 * @returns Nothing where control groups are not of version 1: there the lab's have no cpuset.
 */
async function oneCpu({ name }: Host): Promise<AsyncDisposable | undefined> {
  const root = "/sys/fs/cgroup/cpuset";
  if (!await Deno.stat(`${root}/cpuset.cpus`).then(() => true, () => false)) return undefined;
  const group = `${root}/${Deno.env.get("BOX_GROUP")}-${name}`;
  await Deno.mkdir(group, { recursive: true });
  await Deno.writeTextFile(`${group}/cpuset.mems`, await Deno.readTextFile(`${root}/cpuset.mems`));
  // Containers of a host that lost power leave their groups, which may never have more than the host's.
  const inner = (await Array.fromAsync(Deno.readDir(group))).filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => `${group}/${name}`);
  const limit = async (groups: string[], cpus: string) => {
    for (const each of groups) await Deno.writeTextFile(`${each}/cpuset.cpus`, cpus);
  };
  await limit([...inner, group], "0");
  return { [Symbol.asyncDispose]: async () => await limit([group], await Deno.readTextFile(`${root}/cpuset.cpus`)) };
}

labTest("nodes run where they are to, and have slots as their hosts have CPUs", async (lab, t) => {
  await using world = await openLabWorld(lab);
  await using dir = await project(`name: mpitest\nimage: ${world.place.image}\n`);
  const mpi = (...words: string[]) => world.docker(["mpi", ...words], { cwd: dir.path, seconds: 120 });
  const deploy = (...flags: string[]) => mpi("deploy", "--progress", "quiet", ...flags);
  const nodes = async () =>
    rows(await expectOk(mpi("hosts", "--format", "json"))).map(({ Name, Slots, Host }) => `${Name} ${Slots} ${Host}`);
  await using _end = { [Symbol.asyncDispose]: async () => void await mpi("rm", "mpitest") };
  const cpus = navigator.hardwareConcurrency;

  await t.step("a label that no host has, and too many for their hosts: told before anything is made", async () => {
    assert.deepEqual(
      await deploy("--worker-constraint", "node.labels.rack == 7"),
      failure(
        'docker mpi deploy: The workers find no host: none meets "node.labels.rack == 7"; there are host1, host2, host3\n' +
          "hint: docker node update --label-add rack=7 host1  # gives a host that label\n",
      ),
    );
    assert.deepEqual(
      await deploy("--workers", "5", "--max-per-node", "1"),
      failure(
        "docker mpi deploy: The workers find no place: 5, at most 1 on each of 3 hosts\n" +
          "hint: docker mpi deploy --workers 3  # as many as fit; deploy --max-per-node 2 lets more be on a host\n",
      ),
    );
    assert.deepEqual(await parts(world, "mpitest"), []);
  });

  await t.step("the master on one host, workers on labelled ones, two on each", async () => {
    const label = (change: string) =>
      Promise.all(
        ["host2", "host3"].map((host) => expectOk(world.docker(["node", "update", ...change.split(" "), host]))),
      );
    await label("--label-add mpitest=yes");
    try {
      const where = [
        "--master-constraint",
        "node.hostname==host1",
        "--worker-constraint",
        "node.labels.mpitest == yes",
      ];
      await expectOk(deploy("--workers", "4", "--max-per-node", "2", ...where));
      const found = await nodes();
      assert.equal(found[0], "master 1 host1");
      assert.deepEqual(found.slice(1).map((node) => node.split(" ")[2]).sort(), ["host2", "host2", "host3", "host3"]);
      const { code, stderr } = await mpi("scale", "5");
      assert.deepEqual([code, stderr.split("\n")[0]], [
        1,
        "docker mpi scale: The workers find no place: 5, at most 2 on each of 2 hosts",
      ]);
    } finally {
      await label("--label-rm mpitest");
    }
    await expectOk(mpi("rm", "mpitest"));
  });

  await t.step("one on each host, with a rank for each CPU that it may use", async () => {
    await using limited = await oneCpu(lab.hosts[1]!);
    const second = limited === undefined ? cpus : 1;
    await expectOk(deploy("--per-node", "--slots", "auto", "--master-constraint", "node.hostname == host1"));
    assert.deepEqual(await nodes(), [
      `master ${cpus} host1`,
      `worker-host1 ${cpus} host1`,
      `worker-host2 ${second} host2`,
      `worker-host3 ${cpus} host3`,
    ]);
    const ran = (await expectOk(mpi("run", "hostname"))).stdout.trim().split("\n").sort();
    const each = (name: string, ranks: number) => Array.from({ length: ranks }, () => name);
    assert.deepEqual(ran, [
      ...[...each("master", cpus), ...each("worker-host1", cpus)],
      ...[...each("worker-host2", second), ...each("worker-host3", cpus)],
    ]);
    // A host that was without power in an earlier test can be without logs for a while.
    const logged = async () => /^worker-host3 \| Server listening/m.test((await mpi("logs")).stdout);
    await eventually("the logs of the last host", logged, 60);
    assert.deepEqual(
      await mpi("scale", "5"),
      failure(
        'docker mpi scale: Cluster "mpitest" has one worker on each host: it grows with the swarm\n' +
          "hint: docker swarm join-token worker  # adds a host; " +
          "docker mpi rm mpitest && docker mpi deploy --cluster mpitest --workers 5\n",
        125,
      ),
    );
    assert.match((await deploy("--workers", "3")).stderr, /has one worker on each host, and can't get 3 workers while/);
  });

  await t.step("a quota counts by its whole CPUs, at least one", async () => {
    const limit = 'stack: { services: { worker: { deploy: { resources: { limits: { cpus: "0.5" } } } } } }\n';
    await Deno.writeTextFile(`${dir.path}/mpi.yaml`, limit, { append: true });
    await expectOk(deploy("--slots", "auto", "--master-constraint", "node.hostname == host1"));
    const workers = (await nodes()).slice(1);
    assert.deepEqual(workers, ["worker-host1 1 host1", "worker-host2 1 host2", "worker-host3 1 host3"]);
  });
});
