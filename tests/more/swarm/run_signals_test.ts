import assert from "node:assert/strict";
import { containers, hostNames, jobProcesses, noProcess, onNodes } from "../../support/nodes.ts";
import { eventually, expectOk, IMPLEMENTATIONS, openWorld, type RunOptions } from "../../support/swarm.ts";
import { KEYS, openTerminal } from "../../support/terminal.ts";

/** The clients: the first in PATH, and Debian's older one, which passes no signal on to a plugin. */
const CLIENTS = ["docker", "/usr/bin/docker"];

const STUBBORN = 'trap "" INT TERM; echo here; while :; do sleep 1; done';
const POLITE = 'trap "echo bye; exit 0" INT; echo here; while :; do sleep 0.1; done';

for (const mpi of IMPLEMENTATIONS) {
  Deno.test(`a run that is stopped in any way must leave no process on any node: ${mpi}`, async (t) => {
    await using world = await openWorld({ mpi });
    await using _cluster = await world.cluster(2);
    const settled = () => noProcess(world);
    const run = (options: RunOptions, ...args: string[]) => world.docker(["mpi", "run", ...args], options);

    /** Starts a run and waits until all ranks have said that they are here. */
    const start = async (script: string, docker: string, ...flags: string[]) => {
      const args = ["mpi", "run", ...flags, "sh", "-c", script];
      const child = world.spawn(args, { docker, stdin: "piped" });
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      while (text.split("here").length - 1 < 3) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended with ${JSON.stringify(text)}: ${await new Response(child.stderr).text()}`);
        text += value;
      }
      const rest = async () => {
        for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
        return text;
      };
      const ended = async () => {
        const [status, stdout, stderr] = await Promise.all([child.status, rest(), new Response(child.stderr).text()]);
        await child.stdin.close().catch(() => {});
        return { code: status.code, stdout, stderr };
      };
      return { pid: child.pid, kill: (signal: Deno.Signal) => child.kill(signal), ended };
    };

    /** The same in a terminal, with a program that only KILL ends. */
    const stubborn = async () => {
      // Without the trap the shell would answer with a status of its own.
      const line = `trap : INT; docker mpi run sh -c '${STUBBORN}'; exit $?`;
      const session = await openTerminal(line, { cwd: world.project, env: { DOCKER_CONFIG: world.config } });
      await session.shows(/here[^]*here[^]*here/);
      return session;
    };

    await t.step("SIGINT without a terminal: the program ends by itself, and what it says last arrives", async () => {
      const job = await start(POLITE, "docker");
      job.kill("SIGINT");
      const { code, stdout } = await job.ended();
      assert.equal(code, 130);
      assert.equal(stdout, "here\n".repeat(3) + "bye\n".repeat(3));
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("a program that ignores INT and TERM is killed", async () => {
      const job = await start(STUBBORN, "docker");
      job.kill("SIGTERM");
      const { code, stdout } = await job.ended();
      assert.deepEqual([code, stdout], [130, "here\n".repeat(3)]);
      assert.deepEqual(await jobProcesses(world), []);
    });

    for (const docker of CLIENTS) {
      await t.step(`Ctrl-C in a terminal, ${docker}`, async () => {
        // Without the trap the shell would answer with a status of its own.
        const line = `trap : INT; ${docker} mpi run sh -c '${POLITE}'; exit $?`;
        await using session = await openTerminal(line, { cwd: world.project, env: { DOCKER_CONFIG: world.config } });
        await session.shows(/here[^]*here[^]*here/);
        await session.type(KEYS.ctrlC);
        await session.shows(/bye[^]*bye[^]*bye/);
        assert.equal(await session.end(), 130);
        assert.deepEqual(await jobProcesses(world), []);
      });

      await t.step(`the client is killed, ${docker}`, async () => {
        const job = await start(STUBBORN, docker);
        job.kill("SIGKILL");
        await settled();
        await job.ended();
      });
    }

    await t.step("Ctrl-C twice ends it at once", async () => {
      await using session = await stubborn();
      await session.type(KEYS.ctrlC);
      await new Promise((resolve) => setTimeout(resolve, 400));
      await session.type(KEYS.ctrlC);
      assert.equal(await session.end(), 130);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("three times leaves it at once, also where a node hangs", async () => {
      await using session = await stubborn();
      const hanging = (await containers(world)).get("worker-1") ?? "";
      await expectOk(world.docker(["pause", hanging]));
      try {
        for (let press = 0; press < 3; press++) {
          await session.type(KEYS.ctrlC);
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        await session.shows(/got 3 SIGTERM\/SIGINTs, forcefully exiting/);
        assert.equal(await session.end(), 1);
      } finally {
        await expectOk(world.docker(["unpause", hanging]));
      }
      await settled();
      await eventually("worker-1 in the list", async () => (await hostNames(world)).includes("worker-1"));
    });

    await t.step("the plugin itself is killed", async () => {
      const job = await start(STUBBORN, "docker");
      const found = await new Deno.Command("pgrep", { args: ["-P", `${job.pid}`] }).output();
      const plugin = Number(new TextDecoder().decode(found.stdout).trim().split("\n")[0]);
      Deno.kill(plugin, "SIGKILL");
      assert.notEqual((await job.ended()).code, 0);
      await settled();
    });

    await t.step("what starts on a busy node when its job has been swept up ends at once", async () => {
      const worker = (await containers(world)).get("worker-1") ?? "";
      const late = (...words: string[]) =>
        expectOk(world.docker(["exec", worker, ...words], { seconds: 10 })).then(({ stdout }) => stdout);
      await late("mpi_sweep", "run-late");
      await late("env", "MPI_JOB=run-late", "mpi_feed", "run-late");
      await assert.rejects(late("mpi_relay", "run-late", "sleep", "600"), /status 143/);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("many leave nothing behind", async () => {
      const master = (await containers(world)).get("master") ?? "";
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
