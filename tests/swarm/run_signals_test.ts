/** What ends a run: the user, the client's death, the loss of a node. */
import assert from "node:assert/strict";
import { POLITE, runInTerminal, SLEEP, startJob } from "../support/job.ts";
import { containerOf, jobProcesses, noProcess } from "../support/nodes.ts";
import { expectOk, openWorld } from "../support/swarm.ts";
import { KEYS } from "../support/terminal.ts";

const RANKS = 3;

Deno.test("a run that is stopped must leave no process on any node", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.shared(RANKS - 1);

  await t.step("SIGINT without a terminal: the program ends by itself, and what it says last arrives", async () => {
    const job = await startJob(world, POLITE, RANKS);
    job.kill("SIGINT");
    const { code, stdout } = await job.ended();
    assert.deepEqual([code, stdout], [130, "here\n".repeat(RANKS) + "bye\n".repeat(RANKS)]);
    assert.deepEqual(await jobProcesses(world), []);
  });

  await t.step("Ctrl-C in a terminal", async () => {
    await using session = await runInTerminal(world, POLITE);
    await session.type(KEYS.ctrlC);
    await session.shows(/bye[^]*bye[^]*bye/);
    assert.equal(await session.end(), 130);
    assert.deepEqual(await jobProcesses(world), []);
  });

  await t.step("the client is killed", async () => {
    const job = await startJob(world, SLEEP, RANKS);
    job.kill("SIGKILL");
    await noProcess(world);
    await job.ended();
  });

  await t.step("a node that is lost ends the run, and is named", async () => {
    const job = await startJob(world, SLEEP, RANKS);
    await expectOk(world.docker(["kill", await containerOf(world, "worker-2")]));
    const { code, stderr } = await job.ended();
    assert.notEqual(code, 0);
    assert.match(stderr, /docker mpi run: Lost during the run: worker-2\n/);
    await noProcess(world);
  });
});
