/** What becomes of a run over several hosts when it, its client or a rank ends, and what its streams carry. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { POLITE, startJob, STUBBORN } from "../../support/job.ts";
import { measured, stopwatch } from "../../support/measured.ts";
import { hostNames, jobProcesses, nodes, noProcess, onNodes } from "../../support/nodes.ts";
import { eventually, expectOk, IMPLEMENTATIONS, type World } from "../../support/swarm.ts";
import { KEYS, openTerminal } from "../../support/terminal.ts";
import { labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";

const RANKS = 6;
const MB = 1_000_000;

/** Waits until nothing of a job is left on any node, and notes how long that took. */
async function settles(world: World, event: string, limit: number): Promise<void> {
  const time = stopwatch();
  await noProcess(world, 30);
  measured(event, time(), limit);
}

/** Bytes that no two places have alike. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** Runs a program and takes its output in pieces: 100 MB are too much for a string. */
async function stream(world: World, args: string[], take: (bytes: Uint8Array) => void): Promise<number> {
  const child = world.spawn(["mpi", "run", ...args]);
  const errors = new Response(child.stderr).text();
  for await (const bytes of child.stdout) take(bytes);
  const { code } = await child.status;
  assert.equal(code, 0, await errors);
  return code;
}

for (const mpi of IMPLEMENTATIONS) {
  labTest(`a run over several hosts ends as it should, and its streams lose nothing: ${mpi}`, async (lab, t) => {
    await using world = await openLabWorld(lab, mpi);
    await using _cluster = await world.cluster(RANKS - 1);
    const run = (...args: string[]) => world.docker(["mpi", "run", ...args]);
    const shell = (script: string, ...flags: string[]) => run(...flags, "sh", "-c", script);

    await t.step(
      "one rank fails: the run ends with its status, the others end too, the message names rank and node",
      async () => {
        const others = (what: string) => `if [ $MPI_RANK = 3 ]; then ${what}; fi; sleep 600`;
        const cases: [what: string, args: string[], status: number, message: RegExp][] = [
          ["exits with 3", ["sh", "-c", others("exit 3")], 3, /Rank 3 on worker-3 ended with status 3\n$/],
          [
            "dies by SIGSEGV",
            ["sh", "-c", others("kill -SEGV $$")],
            139,
            /Rank 3 on worker-3 was ended by signal 11 \(SEGV\)\n$/,
          ],
          [
            "calls MPI_Abort(7)",
            ["./mpi_probe", "abort", "3", "7"],
            7,
            /Rank 3 on worker-3 called MPI_Abort, status 7\n$/,
          ],
          [
            "exits without MPI_Finalize",
            ["./mpi_probe", "leave", "3", "5"],
            5,
            /Rank 3 on worker-3 ended with status 5\n$/,
          ],
        ];
        for (const [what, args, status, message] of cases) {
          const time = stopwatch();
          const { code, stderr } = await run(...args);
          measured(`a run ends when a rank ${what}`, time(), 15);
          assert.equal(code, status, `${what}: ${stderr}`);
          assert.match(stderr, message, what);
          assert.deepEqual(await jobProcesses(world), [], what);
        }
        const two = await shell("case $MPI_RANK in 4) exit 5 ;; 1) sleep 0.5; exit 6 ;; esac; sleep 600");
        assert.equal(two.code, 5, two.stderr);
        assert.match(two.stderr, /Rank 4 on worker-4 ended with status 5\n$/);
      },
    );

    await t.step("what a rank says before it calls MPI_Abort arrives", async () => {
      for (let round = 0; round < 5; round++) {
        const { stderr } = await run("./mpi_probe", "abort", "4", "9");
        assert.match(stderr, /^rank 4 gives up$/m);
      }
    });

    await t.step("the client is killed", async () => {
      const job = await startJob(world, STUBBORN, RANKS);
      job.kill("SIGKILL");
      await settles(world, "nothing is left of a run whose client was killed", 15);
      await job.ended();
    });

    await t.step("the client's connection drops", async () => {
      const job = await startJob(world, STUBBORN, RANKS);
      await lab.client.cut();
      try {
        await settles(world, "nothing is left of a run whose client was cut off", 15);
      } finally {
        await lab.client.heal();
      }
      const { code, stderr } = await job.ended();
      assert.equal(code, 125);
      assert.match(stderr, /docker mpi run: The connection to the master at \S+ was lost\n/);
    });

    await t.step("Ctrl-C once: status 130, and last words arrive", async () => {
      const job = await startJob(world, POLITE, RANKS);
      const time = stopwatch();
      job.kill("SIGINT");
      const { code, stdout } = await job.ended();
      measured("a run ends on Ctrl-C", time(), 15);
      assert.deepEqual([code, stdout], [130, "here\n".repeat(RANKS) + "bye\n".repeat(RANKS)]);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("a program that ignores SIGTERM is killed after a grace period, on all nodes", async () => {
      const job = await startJob(world, STUBBORN, RANKS);
      const time = stopwatch();
      job.kill("SIGINT");
      const { code } = await job.ended();
      measured("a program that ignores INT and TERM is killed", time(), 20);
      assert.equal(code, 130);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("Ctrl-C three times returns at once", async () => {
      const line = `exec ${[...lab.enter, "docker"].join(" ")} mpi run sh -c 'trap "" INT TERM; echo here; sleep 600'`;
      const env = { ...world.place.env, DOCKER_CONFIG: world.config };
      await using session = await openTerminal(line, { cwd: world.project, env });
      for (let rank = 0; rank < RANKS; rank++) await session.shows(/here/);
      const time = stopwatch();
      for (const _press of [1, 2, 3]) {
        await session.type(KEYS.ctrlC);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      assert.equal(await session.end(5), 1);
      measured("the third Ctrl-C returns", time(), 5);
      await settles(world, "nothing is left after the third Ctrl-C", 15);
    });

    await t.step("100 MB piped in reach rank 0, also on another node; the others read the end", async () => {
      const stdin = noise(100 * MB);
      const digest = createHash("sha1").update(stdin).digest("hex");
      const empty = createHash("sha1").update("").digest("hex");
      for (const hosts of ["master,worker-1,worker-2,worker-3", "worker-3,master,worker-1,worker-2"]) {
        const args = ["mpi", "run", "--hosts", hosts, "sh", "-c", "echo $MPI_RANK $(sha1sum)"];
        const time = stopwatch();
        const { stdout } = await expectOk(world.docker(args, { stdin, seconds: 120 }));
        measured(`100 MB reach rank 0 on ${hosts.split(",")[0]}`, time());
        assert.deepEqual(stdout.trim().split("\n").sort(), [
          `0 ${digest} -`,
          ...[1, 2, 3].map((rank) => `${rank} ${empty} -`),
        ]);
      }
      // Who reads and isn't rank 0, and nothing at all to read.
      const { stdout } = await expectOk(shell("[ $MPI_RANK != 2 ] || wc -c"));
      assert.equal(stdout, "0\n");
    });

    await t.step("100 MB of lines from six ranks at once: every byte arrives, no line is torn", async () => {
      const lines = 170_000;
      const script = `i=$MPI_RANK; yes "rank $i $(printf %080d 0) end $i" | head -n ${lines}`;
      const count = Array.from({ length: RANKS }, () => 0);
      let rest = "";
      const decoder = new TextDecoder();
      await using memory = watchMemory(world);
      const time = stopwatch();
      await stream(world, ["sh", "-c", script], (bytes) => {
        const text = rest + decoder.decode(bytes);
        const whole = text.lastIndexOf("\n") + 1;
        rest = text.slice(whole);
        for (const line of text.slice(0, whole).split("\n").slice(0, -1)) {
          const match = /^rank (\d) 0{80} end (\d)$/.exec(line);
          assert.ok(match !== null && match[1] === match[2], `a torn line: ${line}`);
          count[Number(match[1])]!++;
        }
      });
      measured("100 MB of lines arrive", time());
      assert.equal(rest, "");
      assert.deepEqual(count, Array.from({ length: RANKS }, () => lines));
      const kilobytes = await memory.peak();
      assert.ok(kilobytes > 1000 && kilobytes < 100_000, `the master's job took ${kilobytes} KB`);
    });

    await t.step("100 MB without a line end: every byte arrives", async () => {
      const each = 17 * MB;
      const count = new Map<number, number>();
      const script = `head -c ${each} /dev/zero | tr '\\0' $MPI_RANK`;
      await stream(world, ["sh", "-c", script], (bytes) => {
        for (const byte of bytes) count.set(byte, (count.get(byte) ?? 0) + 1);
      });
      const digits = Array.from({ length: RANKS }, (_, rank) => ["0".charCodeAt(0) + rank, each]);
      assert.deepEqual([...count].sort(), digits);
    });

    await t.step("a reader that takes nothing slows the program, and memory stays bounded", async () => {
      const child = world.spawn(["mpi", "run", "sh", "-c", "yes"]);
      const reader = child.stdout.getReader();
      await reader.read();
      await using memory = watchMemory(world);
      await new Promise((resolve) => setTimeout(resolve, 4000));
      const kilobytes = await memory.peak();
      assert.ok(kilobytes > 1000 && kilobytes < 100_000, `the master's job took ${kilobytes} KB`);
      child.kill("SIGKILL");
      await reader.cancel();
      await child.stderr.cancel();
      await child.status;
      await settles(world, "nothing is left of a run whose reader went", 15);
    });

    await t.step("a worker refuses, or hangs: left out within 15 s, and never a silent hang", async () => {
      const hanging = (await nodes(world)).get("worker-1")!;
      await expectOk(hanging.docker(["pause", hanging.id]));
      try {
        const time = stopwatch();
        const { code, stderr } = await run("hostname");
        measured("a run on a node that hangs ends, or leaves it out", time(), 15);
        if (code !== 0) assert.match(stderr, /docker mpi run: Lost during the run: worker-1 \(rank 1\)\n/);
        await eventually("worker-1 off the list", async () => !(await hostNames(world)).includes("worker-1"), 15);
        const { stdout } = await expectOk(run("hostname"));
        assert.ok(!stdout.includes("worker-1\n"), stdout);
      } finally {
        await expectOk(hanging.docker(["unpause", hanging.id]));
      }
      await eventually("worker-1 on the list", async () => (await hostNames(world)).includes("worker-1"), 30);

      const refusing = (await nodes(world)).get("worker-2")!;
      const restarts = "mv /run/mpi/authorized_keys /run/mpi/away; pkill -f '[s]shd.*notty'; true";
      await expectOk(refusing.docker(["exec", refusing.id, "sh", "-c", restarts]));
      await eventually("worker-2 off the list", async () => !(await hostNames(world)).includes("worker-2"), 10);
      await expectOk(run("hostname"));
      const back = "mv /run/mpi/away /run/mpi/authorized_keys";
      await expectOk(refusing.docker(["exec", refusing.id, "sh", "-c", back]));
      await eventually("worker-2 on the list", async () => (await hostNames(world)).includes("worker-2"), 30);
    });
  });
}

/** Looks at the memory of mpi_run and mpi_relay on all nodes again and again, until asked for the most that one had, in KB. */
function watchMemory(world: World): AsyncDisposable & { peak(): Promise<number> } {
  let [over, most] = [false, 0];
  const line = "ps -C mpi_run,mpi_relay -o rss= | sort -n | tail -1";
  const watching = (async () => {
    while (!over) {
      most = Math.max(most, ...Object.values(await onNodes(world, line)).map(Number));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  const end = async () => {
    over = true;
    await watching;
  };
  return { peak: async () => (await end(), most), [Symbol.asyncDispose]: end };
}
