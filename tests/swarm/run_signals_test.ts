/** What ends a run: the user, the client's death, the loss of a node. */
import assert from "node:assert/strict";
import { startJob } from "../support/job.ts";
import { containers, jobProcesses, noProcess } from "../support/nodes.ts";
import { expectOk, openWorld } from "../support/swarm.ts";
import { KEYS, openTerminal } from "../support/terminal.ts";

const POLITE = 'trap "echo bye; exit 0" INT; echo here; while :; do sleep 0.1; done';
const RANKS = 3;

Deno.test("a run that is stopped must leave no process on any node", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.shared(RANKS - 1);

  await t.step("SIGINT without a terminal: the program ends by itself, and what it says last arrives", async () => {
    const job = await startJob(world, ["sh", "-c", POLITE], RANKS);
    job.kill("SIGINT");
    const { code, stdout } = await job.ended();
    assert.deepEqual([code, stdout], [130, "here\n".repeat(RANKS) + "bye\n".repeat(RANKS)]);
    assert.deepEqual(await jobProcesses(world), []);
  });

  await t.step("Ctrl-C in a terminal", async () => {
    // Without the trap the shell would answer with a status of its own.
    const line = `trap : INT; docker mpi run sh -c '${POLITE}'; exit $?`;
    await using session = await openTerminal(line, { cwd: world.project, env: { DOCKER_CONFIG: world.config } });
    await session.shows(/here[^]*here[^]*here/);
    await session.type(KEYS.ctrlC);
    await session.shows(/bye[^]*bye[^]*bye/);
    assert.equal(await session.end(), 130);
    assert.deepEqual(await jobProcesses(world), []);
  });

  await t.step("the client is killed", async () => {
    const job = await startJob(world, ["sh", "-c", "echo here; sleep 600"], RANKS);
    job.kill("SIGKILL");
    await noProcess(world);
    await job.ended();
  });

  await t.step("a node that is lost ends the run, and is named", async () => {
    const job = await startJob(world, ["sh", "-c", "echo here; sleep 600"], RANKS);
    await expectOk(world.docker(["kill", (await containers(world)).get("worker-2") ?? ""]));
    const { code, stderr } = await job.ended();
    assert.notEqual(code, 0);
    assert.match(stderr, /docker mpi run: Lost during the run: worker-2\n/);
    await noProcess(world);
  });
});
