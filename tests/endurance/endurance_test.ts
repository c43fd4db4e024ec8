/**
 * Runs in a row while containers are killed and hosts cut off at random: each one succeeds or fails clearly, none hangs, and
 * nothing is left over. MPI_TEST_ROUNDS=10 is short.
 */
import assert from "node:assert/strict";
import { tell } from "../box/tell.ts";
import { measured, stopwatch } from "../support/measured.ts";
import { hostNames, nodes, noProcess } from "../support/nodes.ts";
import { eventually, expectOk, type World } from "../support/swarm.ts";
import { type Lab, labTest } from "../lab/mod.ts";
import { openLabWorld } from "../lab/world.ts";

const ROUNDS = Number(Deno.env.get("MPI_TEST_ROUNDS") || "100");
const WORKERS = 6;

/** Seconds between two kills, from the end of one cut to the next, and of a cut. */
const [KILL, QUIET, CUT] = [4, 15, 10];

/** A run takes this much, and a host that is gone is noticed after some seconds. */
const LIMIT = 40;

/** How a run may fail here: it says which node was lost. */
const CLEAR =
  /^docker mpi run: Lost during the run: (worker-\d+ \(ranks? [\d, -]+\)(, )?)+\nhint: docker mpi hosts {2}# .*\n$/m;

const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)];

/** Does something again and again, with a pause, until the signal; says what it did. */
async function keepOn(signal: AbortSignal, seconds: number, act: () => Promise<string | undefined>): Promise<void> {
  while (!signal.aborted) {
    await pause(seconds, signal);
    if (signal.aborted) return;
    const did = await act();
    if (did !== undefined) tell(`  ${did}`);
  }
}

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** Kills any worker's container. */
async function killWorker(world: World): Promise<string | undefined> {
  const workers = [...await nodes(world)].filter(([name]) => name !== "master");
  const [name, worker] = pick(workers) ?? [];
  if (worker === undefined) return undefined;
  await worker.docker(["kill", worker.id]); // it may be gone by now
  return `killed ${name}`;
}

/** Cuts off any host but the manager and that of the master, for a while. */
async function cutHost(lab: Lab, world: World, signal: AbortSignal): Promise<string | undefined> {
  const hosts = await Promise.all(lab.hosts.map(async (host) => {
    const { stdout } = await world.docker(["ps", "--format", "{{.Names}}"], { env: host.env });
    return { host, keep: host === lab.manager || stdout.includes("mpitest_master") };
  }));
  const { host } = pick(hosts.filter(({ keep }) => !keep)) ?? {};
  if (host === undefined) return undefined;
  await host.cut();
  await pause(CUT, signal);
  await host.heal();
  return `cut ${host.name} off for ${CUT} s`;
}

/** How many processes the master has, and how many open files. */
async function counts(world: World): Promise<[processes: number, files: number]> {
  const master = (await nodes(world)).get("master")!;
  const line = "ls -d /proc/[0-9]* | wc -l; ls /proc/[0-9]*/fd 2>/dev/null | grep -c '^[0-9]'";
  const { stdout } = await expectOk(master.docker(["exec", master.id, "sh", "-c", line]));
  const [processes = NaN, files = NaN] = stdout.trim().split("\n").map(Number);
  return [processes, files];
}

labTest(`${ROUNDS} runs in a row end, whatever is killed or cut off meanwhile`, async (lab) => {
  await using world = await openLabWorld(lab);
  await using _cluster = await world.cluster(WORKERS);
  const complete = () =>
    eventually("the hostfile to be complete", async () => (await hostNames(world)).length === WORKERS + 1, 120);
  await expectOk(world.docker(["mpi", "run", "hostname"]));
  const before = await counts(world);
  const controller = new AbortController();
  const chaos = [
    keepOn(controller.signal, KILL, () => killWorker(world)),
    keepOn(controller.signal, QUIET, () => cutHost(lab, world, controller.signal)),
  ];
  let [succeeded, longest] = [0, 0];
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const time = stopwatch();
      const script = "echo here; sleep 1; echo done";
      const { code, stdout, stderr } = await world.docker(["mpi", "run", "sh", "-c", script], { seconds: LIMIT });
      longest = Math.max(longest, time());
      tell(`  run ${round}: status ${code} after ${time().toFixed(1)} s ${stderr.split("\n")[0]}`);
      if (code === 0) {
        succeeded++;
        assert.equal(stdout.split("here\n").length, stdout.split("done\n").length, stdout);
        assert.ok(stdout.includes("done\n"), "a run that succeeds has done something");
      } else assert.match(stderr, CLEAR, `run ${round}, status ${code}`);
    }
  } finally {
    controller.abort();
    await Promise.all(chaos);
  }
  measured(`the longest of ${ROUNDS} runs amid failures, of which ${succeeded} succeeded`, longest, LIMIT);
  await lab.mend();
  await complete();
  await noProcess(world);
  await expectOk(world.docker(["mpi", "run", "hostname"]));
  const after = await counts(world);
  before.forEach((count, index) =>
    assert.ok(Math.abs(after[index]! - count) <= 10, `${before} before, ${after} after`)
  );
});
