import assert from "node:assert/strict";
import { interrupt, killClient, pressCtrlC, runInTerminal, startJob, STUBBORN } from "../../support/job.ts";
import { containerOf, hostNames, jobProcesses, noProcess, onNodes } from "../../support/nodes.ts";
import { clientsToTest } from "../../support/plugin_cli.ts";
import { eventually, expectOk, IMPLEMENTATIONS, openWorld, type RunOptions } from "../../support/swarm.ts";
import { KEYS } from "../../support/terminal.ts";

/** The clients: older ones pass no signal on to a plugin. */
const CLIENTS = (await clientsToTest()).map(({ path }) => path);

const RANKS = 3;

/** A program that says so when it is interrupted, and goes on. */
const DEAF = ["sh", "-c", 'trap "echo heard" INT; trap "" TERM; echo here; while :; do sleep 0.1; done'];

for (const mpi of IMPLEMENTATIONS) {
  Deno.test(`a run that is stopped in any way must leave no process on any node: ${mpi}`, async (t) => {
    await using world = await openWorld({ mpi });
    await using _cluster = await world.cluster(RANKS - 1);
    const run = (options: RunOptions, ...args: string[]) => world.docker(["mpi", "run", ...args], options);

    await t.step("SIGINT without a terminal", () => interrupt(world));

    await t.step("a program that ignores INT and TERM is killed", async () => {
      const job = await startJob(world, STUBBORN, RANKS);
      job.kill("SIGTERM");
      const { code, stdout } = await job.ended();
      assert.deepEqual([code, stdout], [130, "here\n".repeat(RANKS)]);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("who ends within five seconds of an interrupt may, and who does not is killed then", async () => {
      const slow = 'trap "sleep 3; echo bye; exit 0" INT; echo here; while :; do sleep 0.1; done';
      const ends = await startJob(world, ["sh", "-c", slow], RANKS);
      const stays = await startJob(world, STUBBORN, RANKS);
      for (const job of [ends, stays]) job.kill("SIGINT");
      const [polite, stubborn] = await Promise.all([ends.ended(15), stays.ended(15)]);
      assert.deepEqual([polite.code, polite.stdout], [130, "here\n".repeat(RANKS) + "bye\n".repeat(RANKS)]);
      assert.deepEqual([stubborn.code, stubborn.stdout], [130, "here\n".repeat(RANKS)]);
      assert.deepEqual(await jobProcesses(world), []);
    });

    for (const docker of CLIENTS) {
      await t.step(`Ctrl-C in a terminal, ${docker}`, () => pressCtrlC(world, docker));

      await t.step(`the client is killed, ${docker}`, () => killClient(world, docker));
    }

    await t.step("Ctrl-C twice ends it at once", async () => {
      await using session = await runInTerminal(world, DEAF);
      await session.type(KEYS.ctrlC);
      await session.shows(/heard/);
      await session.type(KEYS.ctrlC);
      assert.equal(await session.end(), 130);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("three times leaves it at once, also where a node hangs", async () => {
      await using session = await runInTerminal(world, STUBBORN);
      const hanging = await containerOf(world, "worker-1");
      await expectOk(world.docker(["pause", hanging]));
      try {
        // Presses that come together count once.
        await eventually("the third counts", async () => {
          await session.type(KEYS.ctrlC);
          return await session.shows(/got 3 SIGTERM\/SIGINTs, forcefully exiting/, 0.2).then(() => true, () => false);
        });
        assert.equal(await session.end(), 1);
      } finally {
        await expectOk(world.docker(["unpause", hanging]));
      }
      await noProcess(world);
      await eventually("worker-1 in the list", async () => (await hostNames(world)).includes("worker-1"));
    });

    await t.step("the plugin itself is killed", async () => {
      const job = await startJob(world, STUBBORN, RANKS);
      const found = await new Deno.Command("pgrep", { args: ["-P", `${job.pid}`] }).output();
      const plugin = Number(new TextDecoder().decode(found.stdout).trim().split("\n")[0]);
      Deno.kill(plugin, "SIGKILL");
      assert.notEqual((await job.ended()).code, 0);
      await noProcess(world);
    });

    await t.step("what starts on a busy node when its job has been swept up ends at once", async () => {
      const worker = await containerOf(world, "worker-1");
      const late = (...words: string[]) =>
        expectOk(world.docker(["exec", worker, ...words], { seconds: 10 })).then(({ stdout }) => stdout);
      await late("mpi_sweep", "run-late");
      await late("env", "MPI_JOB=run-late", "mpi_feed", "run-late");
      await assert.rejects(late("mpi_relay", "run-late", "sleep", "600"), /status 143/);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("many leave nothing behind", async () => {
      const master = await containerOf(world, "master");
      const line = "ps -e --no-headers | wc -l; ls /proc/[0-9]*/fd 2>/dev/null | grep -c '^[0-9]'";
      const count = async () =>
        (await world.docker(["exec", master, "sh", "-c", line])).stdout.trim().split("\n").map(Number);
      const before = await count();
      for (let round = 0; round < 10; round++) {
        await Promise.all([
          run({}, "sh", "-c", "exit 0"),
          run({}, "sh", "-c", "exit 1"),
          run({ stdin: "x" }, "--hosts", "worker-1", "cat"),
        ]);
      }
      const after = await count();
      before.forEach((number, index) =>
        assert.ok(Math.abs((after[index] ?? 0) - number) <= 10, `${before} → ${after}`)
      );
      assert.deepEqual(await jobProcesses(world), []);
      const left = await onNodes(world, "ls /run/mpi/jobs /run/mpi/ranks");
      for (const names of Object.values(left)) assert.doesNotMatch(names, /run-/);
    });
  });
}
