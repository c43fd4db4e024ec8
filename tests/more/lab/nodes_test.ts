/** What becomes of a cluster, and of what runs on it, when its containers and hosts go. */
import assert from "node:assert/strict";
import { END_SECONDS, lostNodes, SLEEP, startJob } from "../../support/job.ts";
import { measured, stopwatch } from "../../support/measured.ts";
import { hostNames, nodeNames, nodes, noProcess } from "../../support/nodes.ts";
import { eventually, expectOk, IMPLEMENTATIONS, type World } from "../../support/swarm.ts";
import { type Host, type Lab, labTest } from "../../lab/mod.ts";
import { places } from "../../lab/places.ts";
import { openLabWorld } from "../../lab/world.ts";

const WORKERS = 5;
const ALL = nodeNames(WORKERS);

/** Waits for a state of the hostfile, looking often; gives the seconds that it took. */
async function listed(world: World, what: string, is: (names: string[]) => boolean, seconds = 60): Promise<number> {
  const time = stopwatch();
  let names: string[] = [];
  await eventually(`the hostfile to be ${what}`, async () => is(names = await hostNames(world)), seconds)
    .catch((error) => Promise.reject(new Error(`${error.message}; it has ${names}`)));
  return time();
}

const complete = (names: string[]) => names.join() === ALL.join();

/** A host with workers, but neither the master nor the swarm's manager; and the names of its nodes. */
async function victim(lab: Lab, world: World): Promise<{ host: Host; names: string[] }> {
  const where = await places(lab, world);
  const host = lab.hosts.find((host) => host !== lab.manager && host !== where.get("master"));
  const names = [...where].filter(([, place]) => place === host).map(([name]) => name).sort();
  assert.ok(host !== undefined && names.length > 0, "every host has nodes");
  return { host, names };
}

const without = (names: string[]) => ALL.filter((name) => !names.includes(name));

for (const mpi of IMPLEMENTATIONS) {
  labTest(`nodes and hosts that go leave the list and end what ran there, and come back: ${mpi}`, async (lab, t) => {
    await using world = await openLabWorld(lab, mpi);
    await using _cluster = await world.cluster(WORKERS);
    const run = (...args: string[]) => world.docker(["mpi", "run", ...args]);

    await t.step("a worker's container is killed, cluster idle", async () => {
      const worker = (await nodes(world)).get("worker-3")!;
      await expectOk(worker.docker(["kill", worker.id]));
      const gone = await listed(world, "without worker-3", (names) => !names.includes("worker-3"), 10);
      measured("a killed worker leaves the hostfile", gone, 2);
      measured("its successor enters", await listed(world, "complete", complete));
    });

    await t.step("a worker is killed during a run: the run ends and names it, the next one works", async () => {
      const job = await startJob(world, SLEEP, ALL.length);
      const worker = (await nodes(world)).get("worker-2")!;
      const time = stopwatch();
      await expectOk(worker.docker(["kill", worker.id]));
      const { code, stderr } = await job.ended(END_SECONDS);
      measured("a run ends when a worker of it is killed", time(), 10);
      assert.notEqual(code, 0);
      assert.match(stderr, /docker mpi run: Lost during the run: worker-2 \(rank 2\)\n/);
      const { stdout } = await expectOk(run("hostname"));
      assert.ok(stdout.includes("master\n") && stdout.includes("worker-5\n"), stdout);
      await listed(world, "complete", complete);
      await noProcess(world, 15);
    });

    // Before any host is cut off: after it healed, a master that started there found workers missing in the DNS for up to
    // 35 s, and a restart of the manager's engine cost a run a node on another host.
    await t.step("the master's container is killed: the same client goes on, host key and all", async () => {
      const master = (await nodes(world)).get("master")!;
      await expectOk(master.docker(["kill", master.id]));
      const another = async () => (await nodes(world)).get("master")?.id;
      await eventually("another master", async () => ![undefined, master.id].includes(await another()), 60);
      const time = stopwatch();
      await listed(world, "complete", complete);
      measured("the hostfile is complete after the master's start", time(), 15);
      // The swarm's manager may not have heard yet that it runs.
      let said = "";
      const runs = async () => {
        const { code, stdout, stderr } = await run("hostname");
        said = stdout.trim().split("\n").sort().join() + stderr;
        return code === 0;
      };
      await eventually("a run to work", runs, 30).catch((error) =>
        Promise.reject(new Error(`${error.message}: ${said}`))
      );
      measured("a run works after the master's start", time(), 15);
      assert.equal(said, [...ALL].sort().join());
      const login = await expectOk(world.docker(["mpi", "login", "--print"]));
      assert.match(login.stdout, /StrictHostKeyChecking/i);
    });

    await t.step("a manager's engine restarts: what runs on other hosts goes on", async () => {
      const where = await places(lab, world);
      const others = [...where].filter(([, host]) => host !== lab.manager).map(([name]) => name);
      // A master on the manager's host would go with its engine.
      if (!others.includes("master")) {
        await expectOk(
          world.docker([
            "service",
            "update",
            "--constraint-add",
            "node.hostname!=host1",
            "--detach=false",
            "mpitest_master",
          ], { seconds: 120 }),
        );
        await listed(world, "complete", complete);
      }
      const usable = [...await places(lab, world)].filter(([, host]) => host !== lab.manager).map(([name]) => name)
        .sort();
      const script = "echo here; for i in $(seq 20); do sleep 1; done; echo done $(hostname)";
      const job = await startJob(world, ["--hosts", usable.join(), "sh", "-c", script], usable.length);
      await lab.manager.restartEngine();
      const { code, stdout, stderr } = await job.ended(90);
      assert.equal(code, 0, stderr);
      assert.deepEqual(stdout.match(/done \S+/g)?.sort(), usable.map((name) => `done ${name}`).sort());
      await lab.ready();
      await listed(world, "complete", complete);
    });

    await t.step("a host loses power: its nodes leave, the run ends, the swarm moves the tasks", async () => {
      const { host, names } = await victim(lab, world);
      const job = await startJob(world, SLEEP, ALL.length);
      const time = stopwatch();
      await host.kill();
      const [, { code, stderr }] = await Promise.all([
        listed(world, `without ${names}`, (list) => !list.some((name) => names.includes(name)), END_SECONDS).then(() =>
          measured("the nodes of a host that lost power leave the hostfile", time(), 10)
        ),
        job.ended(END_SECONDS).finally(() => measured("a run ends when a host of it loses power", time(), 15)),
      ]);
      assert.notEqual(code, 0);
      const lost = lostNodes(stderr);
      assert.ok(lost.length > 0 && lost.every((name) => names.includes(name)), stderr);
      const rest = (await expectOk(run("--hosts", without(names).join(), "hostname"))).stdout.trim().split("\n").sort();
      assert.deepEqual(rest, without(names).sort());
      await listed(world, "complete", complete, 120);
      measured("the swarm has moved the nodes of a host that lost power", time());
      await host.start();
      await lab.ready();
      await noProcess(world, 15);
    });

    await t.step("a host is cut off and healed: no stale address stays", async () => {
      const { host, names } = await victim(lab, world).catch(async () => {
        // After the last step this host has no node: the swarm moves none back by itself.
        await expectOk(
          world.docker(["service", "update", "--force", "--detach=false", "mpitest_worker"], { seconds: 120 }),
        );
        await listed(world, "complete", complete);
        return await victim(lab, world);
      });
      const job = await startJob(world, SLEEP, ALL.length);
      const time = stopwatch();
      await host.cut();
      const [, { code, stderr }] = await Promise.all([
        listed(world, `without ${names}`, (list) => !list.some((name) => names.includes(name)), END_SECONDS).then(() =>
          measured("the nodes of a host that is cut off leave the hostfile", time(), 10)
        ),
        job.ended(END_SECONDS).finally(() => measured("a run ends when a host of it is cut off", time(), 15)),
      ]);
      assert.notEqual(code, 0);
      const lost = lostNodes(stderr);
      assert.ok(lost.length > 0 && lost.every((name) => names.includes(name)), stderr);
      await listed(world, "complete", complete, 120);
      await host.heal();
      await lab.ready();
      await noProcess(world, 30);
      await listed(world, "complete", complete);
      const { stdout } = await expectOk(run("hostname"));
      assert.deepEqual(stdout.trim().split("\n").sort(), [...ALL].sort());
    });
  });
}
