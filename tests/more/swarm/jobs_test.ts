/** Jobs on a real swarm: what outlives whom, what is kept of it, and whose turn it is. */
import assert from "node:assert/strict";
import { containerOf, hostNames, jobProcesses, onNode, onNodes } from "../../support/nodes.ts";
import { POLITE, SLEEP, startJob } from "../../support/job.ts";
import {
  type Ended,
  eventually,
  expectOk,
  IMPLEMENTATIONS,
  openWorld,
  type RunOptions,
  type World,
} from "../../support/swarm.ts";

const JOBS_VOLUME = `stack:
  services:
    master: { volumes: ["jobs:/var/lib/mpi/jobs"] }
  volumes: { jobs: {} }
`;

/** The words of a test, on one world. */
function speak(world: World) {
  const mpi = (...args: string[]) => world.docker(["mpi", ...args]);
  const run = (...args: string[]) => mpi("run", ...args);
  const shell = (script: string, ...flags: string[]) => run(...flags, "sh", "-c", script);
  /** Starts a job and gives its id. */
  const start = async (args: string[], options: RunOptions = {}) => {
    const { stdout } = await expectOk(world.docker(["mpi", "run", "--detach", ...args], options));
    assert.match(stdout, /^[0-9a-f]{8}\n$/);
    return stdout.trim();
  };
  const inspect = async (id: string) => JSON.parse((await expectOk(mpi("jobs", "inspect", id))).stdout)[0];
  const logs = async (id: string, ...flags: string[]) => await expectOk(mpi("jobs", "logs", ...flags, id));
  const shows = (id: string, text: string, times = 1) =>
    eventually(`"${text}" in the log`, async () => (await logs(id)).stdout.split(text).length > times);
  const is = (id: string, state: string) =>
    eventually(`the job to be ${state}`, async () => (await inspect(id)).State === state);
  return { mpi, run, shell, start, inspect, logs, shows, is };
}

const lines = ({ stdout }: Ended) => stdout.trim().split("\n").sort();

for (const implementation of IMPLEMENTATIONS) {
  Deno.test(`jobs outlive their clients, and all of what they print is kept: ${implementation}`, async (t) => {
    await using world = await openWorld({ mpi: implementation });
    await using _cluster = await world.cluster(2);
    const { mpi, run, shell, start, inspect, logs, shows, is } = speak(world);

    await t.step("a job: its list, its log by rank, its status", async () => {
      const script = 'echo "out $MPI_RANK"; echo "err $MPI_RANK" >&2; printf half; [ -e go ] || sleep 600; exit 3';
      const id = await start(["-n", "2", "sh", "-c", script]);
      await shows(id, "out", 2);
      const { stdout } = await expectOk(mpi("jobs"));
      const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ";
      const row = `${id}   running   2       2       ${time}   \\d+s +sh -c 'echo "out \\$MPI_RANK"; echo "err …`;
      assert.match(stdout, new RegExp(`^ID +STATE +RANKS +NODES +STARTED +DURATION +STATUS +COMMAND\n${row}\n$`));
      assert.equal((await expectOk(mpi("jobs", "ls", "-q"))).stdout, `${id}\n`);
      await onNodes(world, "touch /project/go");
      await expectOk(mpi("jobs", "cancel", id));
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("its log by rank and with labels; attach and wait end with its status", async () => {
      // Open MPI ends the other rank as soon as one has failed.
      const script =
        "echo out $MPI_RANK; echo err $MPI_RANK >&2; printf half; until [ -e /project/end ]; do sleep 0.1; done; exit 3";
      const id = await start(["-n", "2", "sh", "-c", script]);
      await shows(id, "out", 2);
      await eventually("both ranks' words", async () => (await logs(id)).stderr.split("err").length > 2);
      await onNodes(world, "touch /project/end");
      const waited = await mpi("jobs", "wait", id.slice(0, 5));
      assert.deepEqual(waited, { code: 3, stdout: "", stderr: "" });
      const labelled = await logs(id, "--label");
      assert.deepEqual(lines(labelled), ["0: half", "0: out 0", "1: half", "1: out 1"]);
      assert.match(
        labelled.stderr,
        /^[01]: err [01]\n[01]: err [01]\ndocker mpi run: Rank [01] on \S+ ended with status 3\n$/,
      );
      assert.deepEqual(await logs(id, "--rank", "1"), { code: 0, stdout: "out 1\nhalf", stderr: "err 1\n" });
      const attached = await mpi("jobs", "attach", id);
      assert.equal(attached.code, 3);
      assert.equal(attached.stdout.length, "out 0\nout 1\nhalfhalf".length);
      const { State, Status, Reason, Ranks, Nodes, Command } = await inspect(id);
      assert.deepEqual([State, Status, Ranks, Nodes], ["failed", 3, 2, ["master", "worker-1"]]);
      assert.match(Reason, /^Rank [01] on (master|worker-1) ended with status 3$/);
      assert.deepEqual(Command.slice(0, 2), ["sh", "-c"]);
      assert.deepEqual(await mpi("jobs", "rm", id), { code: 0, stdout: `${id}\n`, stderr: "" });
      const gone = await mpi("jobs", "logs", id);
      assert.equal(gone.code, 1);
      assert.match(gone.stderr, new RegExp(`^docker mpi jobs logs: No job "${id}" on this cluster; there are: `));
      const longer = (await expectOk(mpi("run", "--detach", "sleep", "600"))).stdout.trim();
      assert.deepEqual(await mpi("jobs", "rm", "-f", longer), { code: 0, stdout: `${longer}\n`, stderr: "" });
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("run with labels, and with a file for each rank", async () => {
      assert.deepEqual(lines(await expectOk(shell("echo a; printf b", "--label"))), [
        ...["0: a", "0: b", "1: a", "1: b", "2: a", "2: b"],
      ]);
      const { stdout } = await expectOk(shell('echo "rank $MPI_RANK"; printf end', "--output", "out"));
      assert.equal(stdout, "");
      for (const rank of [0, 1, 2]) {
        assert.equal(await Deno.readTextFile(`${world.project}/out/rank-${rank}.out`), `rank ${rank}\nend`);
      }
      const again = await shell("true", "--output", "out");
      assert.equal(again.code, 125);
      assert.match(again.stderr, /Cannot write the ranks' output to "out": it has "rank-\d.out" in it\n/);
    });

    await t.step("variables from a file, and input that is there before the job starts", async () => {
      await Deno.writeTextFile(`${world.project}/job.env`, "# some\nA=1 2\nB=from file\n");
      const id = await start(["-n", "1", "--env-file", "job.env", "-e", "B=x", "sh", "-c", 'echo "$A,$B"']);
      await mpi("jobs", "wait", id);
      assert.equal((await logs(id)).stdout, "1 2,x\n");
      const bytes = crypto.getRandomValues(new Uint8Array(60_000));
      await Deno.writeFile(
        `${world.project}/input`,
        new Uint8Array(Array.from({ length: 50 }, () => [...bytes]).flat()),
      );
      const sum = await start(["-n", "2", "--input", "input", "sh", "-c", "wc -c"]);
      assert.equal((await mpi("jobs", "wait", sum)).code, 0);
      assert.deepEqual(lines(await logs(sum)), ["0", "3000000"]);
      const piped = await expectOk(
        world.docker(["mpi", "run", "--detach-on-disconnect", "-n", "1", "--input", "-", "cat"], {
          stdin: "by pipe\n",
        }),
      );
      assert.equal(piped.stdout, "by pipe\n");
      const missing = await run("--detach", "--input", "nothing", "cat");
      assert.deepEqual(missing, {
        code: 125,
        stdout: "",
        stderr: `docker mpi run: Cannot read "nothing": it does not exist\nhint: ls -ld nothing\n`,
      });
    });

    await t.step("what can't start is told at once, and is no job", async () => {
      const before = (await mpi("jobs", "-q")).stdout;
      const { code, stdout, stderr } = await run("--detach", "./missing");
      assert.deepEqual([code, stdout], [127, ""]);
      assert.match(stderr, /^docker mpi run: Program ".\/missing" does not exist in \/project on the master\nhint: /);
      assert.equal((await run("--detach", "--hosts", "worker-9", "true")).code, 125);
      assert.equal((await mpi("jobs", "-q")).stdout, before);
    });

    await t.step("beyond its limit the log says so, and up to there nothing is missing", async () => {
      const id = await start(["-n", "1", "--log-limit", "10k", "sh", "-c", "seq 10000; exit 5"]);
      assert.equal((await mpi("jobs", "wait", id)).code, 5);
      const { stdout, stderr } = await logs(id);
      const numbers = stdout.trim().split("\n").map(Number);
      assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
      const { LogDropped } = await inspect(id);
      const marks = (some: number[]) => some.map((number) => `o0:${number}\n`).join("").length;
      const all = Array.from({ length: 10_000 }, (_, index) => index + 1);
      assert.equal(marks(numbers) + LogDropped, marks(all));
      assert.ok(marks(numbers) > 10_000, `${marks(numbers)} bytes are kept`);
      assert.equal(
        stderr,
        "docker mpi run: The job's log has its 10240 bytes: what the program prints from now on is dropped\n" +
          "docker mpi run: Rank 0 on master ended with status 5\n" +
          `docker mpi run: ${LogDropped} bytes of output were dropped, beyond the limit of 10240 bytes\n`,
      );
    });

    await t.step("cancel lets the program end by itself, as Ctrl-C does", async () => {
      const id = await start(POLITE);
      await shows(id, "here", 3);
      assert.deepEqual(await mpi("jobs", "cancel", id), { code: 0, stdout: `${id}\n`, stderr: "" });
      assert.equal((await logs(id)).stdout, "here\n".repeat(3) + "bye\n".repeat(3));
      const { State, Status } = await inspect(id);
      assert.deepEqual([State, Status], ["cancelled", 130]);
      assert.deepEqual(await jobProcesses(world), []);
      const again = await mpi("jobs", "cancel", id);
      assert.deepEqual([again.code, again.stderr.split("\n")[0]], [
        1,
        `docker mpi jobs cancel: Job ${id} does not run: it is cancelled`,
      ]);
    });

    await t.step("a run that may be left: Ctrl-C ends it, the loss of the client does not", async () => {
      const cancelled = await startJob(world, ["--detach-on-disconnect", ...POLITE], 3);
      cancelled.kill("SIGINT");
      const { code, stdout } = await cancelled.ended();
      assert.deepEqual([code, stdout], [130, "here\n".repeat(3) + "bye\n".repeat(3)]);

      const script = "echo here; until [ -e /project/over ]; do sleep 0.1; done; echo over; exit 4";
      const left = await startJob(world, ["--detach-on-disconnect", "-n", "1", "sh", "-c", script], 1);
      left.kill("SIGKILL");
      await left.ended();
      const id = (await mpi("jobs", "-q")).stdout.split("\n")[0]!;
      await is(id, "running");
      const attached = mpi("jobs", "attach", id);
      await onNodes(world, "touch /project/over");
      assert.deepEqual(await attached, {
        code: 4,
        stdout: "here\nover\n",
        stderr: "docker mpi run: Rank 0 on master ended with status 4\n",
      });
    });

    await t.step("a program's own failure is no reason to run it again", async () => {
      const { code, stdout } = await run("--retries", "3", "-n", "1", "sh", "-c", "echo once; exit 6");
      assert.deepEqual([code, stdout], [6, "once\n"]);
    });

    await t.step("its directory can be a relative one", async () => {
      await onNodes(world, "mkdir -p /project/inner");
      const id = await start(["-n", "1", "-w", "inner", "pwd"]);
      assert.equal((await mpi("jobs", "wait", id)).code, 0);
      assert.equal((await logs(id)).stdout, "/project/inner\n");
    });

    await t.step("a job that lost a node runs again on those that are left", async () => {
      const size = implementation === "mpich" ? "$PMI_SIZE" : "$OMPI_COMM_WORLD_SIZE";
      const script = `echo "try of ${size}"; [ "${size}" = 3 ] && sleep 600; echo end`;
      const id = await start(["--retries", "2", "sh", "-c", script]);
      await shows(id, "try of 3", 3);
      await expectOk(world.docker(["kill", await containerOf(world, "worker-2")]));
      assert.equal((await mpi("jobs", "wait", id)).code, 0);
      const { stdout, stderr } = await logs(id);
      assert.equal(stdout, "try of 3\n".repeat(3) + stdout.slice(-"try of 2\nend\n".length * 2));
      assert.equal(stdout.split("end").length - 1, 2);
      assert.match(
        stderr,
        /Lost during the run: worker-2 \(rank 2\)\n.*\ndocker mpi run: Runs again on the nodes that are left, retry 1 of 2\n/,
      );
      const { State, Attempt, Nodes } = await inspect(id);
      assert.deepEqual([State, Attempt, Nodes], ["completed", 2, ["master", "worker-1"]]);
      await eventually("worker-2 in the list", async () => (await hostNames(world)).length === 3);
    });

    await t.step("one that is cancelled before it runs again does not", async () => {
      const id = await start(["--retries", "2", "sh", "-c", "echo here; sleep 600"]);
      await shows(id, "here", 3);
      await expectOk(world.docker(["kill", await containerOf(world, "worker-2")]));
      const told = `until grep -q 'Runs again' /var/lib/mpi/jobs/${id}/log; do :; done; mpi_job signal ${id} INT`;
      await onNode(world, "master", told);
      assert.equal((await mpi("jobs", "wait", id)).code, 130);
      assert.deepEqual([(await inspect(id)).State, (await inspect(id)).Attempt], ["cancelled", 1]);
      await eventually("worker-2 in the list", async () => (await hostNames(world)).length === 3);
    });
  });
}

Deno.test("runs that share slots are told, or wait their turn", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(2);
  const { mpi, run, start, inspect, logs, shows, is } = speak(world);
  const until = (file: string) => ["sh", "-c", `echo here; until [ -e /project/${file} ]; do sleep 0.1; done`];
  const release = (file: string) => onNodes(world, `touch /project/${file}`);

  await t.step("two runs on the same slots: the second one is told, and runs", async () => {
    const id = await start(["-n", "2", ...until("one")]);
    await shows(id, "here", 2);
    assert.deepEqual(await run("-n", "1", "echo", "x"), {
      code: 0,
      stdout: "x\n",
      stderr: `docker mpi run: Shares slots on master with job ${id}, "sh", which slows both\n` +
        "hint: docker mpi run --queue  # waits for free slots\n",
    });
    const free = await run("-n", "1", "--hosts", "worker-2", "hostname");
    assert.deepEqual(free, { code: 0, stdout: "worker-2\n", stderr: "" });
    const queued = await run("-n", "1", "--queue", "hostname");
    assert.deepEqual(queued, { code: 0, stdout: "worker-2\n", stderr: "" });
    await release("one");
    await mpi("jobs", "wait", id);
  });

  await t.step("who waits goes in turn, may leave, and is not held up by what crashed", async () => {
    const here = await startJob(world, until("two"), 3); // a run without a job has slots as well
    const [first, leaves, last] = [
      await start(["--queue", ...until("three")]),
      await start(["--queue", "true"]),
      await start(["--queue", "-n", "1", "true"]),
    ];
    for (const id of [first, leaves, last]) await is(id, "queued");
    assert.deepEqual(await logs(first), {
      code: 0,
      stdout: "",
      stderr: 'docker mpi run: Waits its turn: slots are in use by a run of "sh"\n',
    });
    assert.match((await logs(last)).stderr, /in use by a run of "sh", 2 waiting before it\n$/);
    const impatient = world.spawn(["mpi", "run", "--queue", "true"], { stdin: "piped" });
    const err = impatient.stderr.pipeThrough(new TextDecoderStream()).getReader();
    assert.match((await err.read()).value ?? "", /Waits its turn: .*, 3 waiting before it\n/);
    impatient.kill("SIGINT");
    assert.equal((await impatient.status).code, 130);
    await Promise.all([err.cancel(), impatient.stdout.cancel(), impatient.stdin.close()]);
    await expectOk(mpi("jobs", "cancel", leaves));
    await release("two");
    await here.ended();
    await shows(first, "here", 3);
    assert.equal((await inspect(last)).State, "queued");
    // The first one's mpi_run dies without a chance to tidy up.
    await onNodes(world, `pkill -KILL -f '^/usr/bin/perl .*/mpi_run --words .*/${first}/' || :`);
    await is(last, "completed");
    await is(first, "failed");
    await onNodes(world, `touch /project/three`);
  });
});

Deno.test("a job that the master's end has taken is shown as lost, where a volume keeps it", async () => {
  await using world = await openWorld();
  await Deno.writeTextFile(`${world.project}/mpi.yaml`, JOBS_VOLUME, { append: true });
  {
    await using _cluster = await world.cluster(1);
    const { mpi, start, logs, shows, is } = speak(world);
    const id = await start(SLEEP);
    await shows(id, "here", 2);
    const master = await containerOf(world, "master");
    await expectOk(world.docker(["kill", master]));
    await eventually("another master", async () => (await mpi("jobs")).code === 0, 60);
    await is(id, "lost");
    assert.equal((await logs(id)).stdout, "here\nhere\n");
    const waited = await mpi("jobs", "wait", id);
    assert.deepEqual(waited, {
      code: 125,
      stdout: "",
      stderr:
        `docker mpi jobs wait: Job ${id} was lost: the master was restarted, or its keeper killed, while it ran\n` +
        `hint: docker mpi jobs logs ${id}  # shows what it had printed\n`,
    });
    assert.equal((await mpi("jobs", "rm", "--all")).stdout, `${id}\n`);
  }
  await eventually("the volume to go", async () => (await world.docker(["volume", "rm", "mpitest_jobs"])).code === 0);
});
