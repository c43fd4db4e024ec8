/** Jobs over several hosts: what becomes of them when their client, its connection, or a host goes. */
import assert from "node:assert/strict";
import { startJob } from "../../support/job.ts";
import { measured, stopwatch } from "../../support/measured.ts";
import { hostNames, nodes, onNodes } from "../../support/nodes.ts";
import { eventually, expectOk, type World } from "../../support/swarm.ts";
import { type Lab, labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";

const WORKERS = 5;
const LINES = 300;
const until = (file: string) =>
  `for i in $(seq ${LINES}); do echo "line $i"; done; until [ -e /project/${file} ]; do sleep 0.1; done; echo end`;

/** A host with workers, but neither the master nor the swarm's manager; and the names of the nodes on the others. */
async function victim(lab: Lab, world: World) {
  const found = await nodes(world);
  const on = await Promise.all(lab.hosts.map(async (host) => {
    const { stdout } = await world.docker(["ps", "-q", "--no-trunc"], { env: host.env });
    return { host, names: [...found].filter(([, { id }]) => stdout.includes(id)).map(([name]) => name) };
  }));
  const lost = on.find(({ host, names }) => host !== lab.manager && names.length > 0 && !names.includes("master"));
  assert.ok(lost !== undefined, "no host has workers alone");
  return { lost, left: [...found.keys()].filter((name) => !lost.names.includes(name)).sort() };
}

/** What each rank printed must be all of it, in its order. */
function assertWhole(labelled: string, ranks: number): void {
  const whole = [...Array.from({ length: LINES }, (_, index) => `line ${index + 1}`), "end"];
  const lines = labelled.trim().split("\n").map((line) => line.split(": "));
  for (let rank = 0; rank < ranks; rank++) {
    assert.deepEqual(lines.filter(([label]) => label === `${rank}`).map(([, line]) => line), whole, `rank ${rank}`);
  }
  assert.equal(lines.length, ranks * whole.length);
}

labTest("jobs outlive their client, its connection, and hosts that they don't use", async (lab, t) => {
  await using world = await openLabWorld(lab);
  await using _cluster = await world.cluster(WORKERS);
  const mpi = (...args: string[]) => world.docker(["mpi", ...args]);
  const start = async (...args: string[]) =>
    (await expectOk(world.docker(["mpi", "run", "--detach", ...args]))).stdout.trim();
  const release = (file: string) => onNodes(world, `touch /project/${file}`);

  await t.step("the connection drops: the job goes on, and is there to be attached again", async () => {
    const job = await startJob(world, ["--detach-on-disconnect", "-n", "4", "sh", "-c", `echo here; ${until("a")}`], 4);
    await lab.client.cut();
    const { code, stderr } = await job.ended().finally(() => lab.client.heal());
    assert.equal(code, 125);
    const said =
      /The connection to the master at \S+ was lost; job (\w+) goes on\nhint: docker mpi jobs attach (\w+)\n$/;
    const [, id = "", hint] = said.exec(stderr) ?? assert.fail(stderr);
    assert.equal(id, hint);
    const attached = mpi("jobs", "attach", "--label", id);
    await release("a");
    const ended = await expectOk(attached);
    assertWhole(ended.stdout.replace(/^\d: here\n/gm, ""), 4);
  });

  await t.step("the client goes, and a host: who didn't use it ends with the full log, others run again", async () => {
    const { lost, left } = await victim(lab, world);
    const elsewhere = await start("--hosts", left.join(","), "sh", "-c", until("b"));
    const everywhere = await start("--retries", "1", "sh", "-c", until("b"));
    await eventually("both jobs to run", async () => {
      const { stdout } = await mpi("jobs", "logs", "--label", everywhere);
      return stdout.split(`line ${LINES}\n`).length > WORKERS + 1;
    });
    await lab.client.cut();
    const time = stopwatch();
    await lost.host.kill();
    try {
      await eventually("the host's nodes to go", async () => (await hostNames(world)).length === left.length, 30);
      measured("jobs hear of a host that is lost", time(), 15);
    } finally {
      await lab.client.heal();
    }
    await eventually("a second attempt", async () => {
      const [job] = JSON.parse((await mpi("jobs", "inspect", everywhere)).stdout || "[{}]");
      return job.Attempt === 2 && job.Nodes?.length === left.length;
    });
    await release("b");
    for (const id of [elsewhere, everywhere]) assert.equal((await mpi("jobs", "wait", id)).code, 0);
    assertWhole((await expectOk(mpi("jobs", "logs", "--label", elsewhere))).stdout, left.length);
    const second = await expectOk(mpi("jobs", "logs", "--label", everywhere));
    for (const rank of left.keys()) assert.ok(second.stdout.includes(`${rank}: end\n`), `rank ${rank}`);
    assert.match(
      second.stderr,
      /Lost during the run: .*\n.*\n.*: Runs again on the nodes that are left, retry 1 of 1\n/,
    );
    await lost.host.start();
    await lab.ready();
  });
});
