/** What ends a run: the user, the client's death, the loss of a node. */
import assert from "node:assert/strict";
import { interrupt, killClient, killPlugin, pressCtrlC, SLEEP, startJob } from "../support/job.ts";
import { containerOf, noProcess } from "../support/nodes.ts";
import { expectOk, openWorld } from "../support/swarm.ts";

const RANKS = 3;

Deno.test("a run that is stopped must leave no process on any node", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.shared(RANKS - 1);

  await t.step("SIGINT without a terminal", () => interrupt(world));

  await t.step("Ctrl-C in a terminal", () => pressCtrlC(world));

  await t.step("the client is killed", () => killClient(world));

  await t.step("the plugin is killed", () => killPlugin(world));

  await t.step("a node that is lost ends the run, and is named", async () => {
    const job = await startJob(world, SLEEP, RANKS);
    await expectOk(world.docker(["kill", await containerOf(world, "worker-2")]));
    const { code, stderr } = await job.ended();
    assert.notEqual(code, 0);
    assert.match(stderr, /docker mpi run: Lost during the run: worker-2 \(rank 2\)\n/);
    await noProcess(world);
  });
});
