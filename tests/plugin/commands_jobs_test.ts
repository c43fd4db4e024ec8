/** Commands of jobs that outlive their client: what they print, their status, and what they tell the master. */
import assert from "node:assert/strict";
import { commandWorld } from "../support/command_world.ts";
import { end, type Session } from "../support/fake_master.ts";

const words = (...words: string[]) => new TextEncoder().encode(words.map((word) => `${word}\0`).join("")).toHex();
const RUNNING = { id: "3f9c02ab", state: "running", created: "900", started: "940", np: "4", nodes: "master,worker-1" };
const ENDED = { id: "aa000000", state: "failed", created: "800", started: "800", ended: "830", status: "3" };

/** A master that keeps these jobs, and answers other commands as told. */
const keeping =
  (jobs: Record<string, string>[], other: (session: Session) => void | Promise<void> = () => {}) =>
  (session: Session) => {
    if (session.command !== "exec mpi_job ls") return other(session);
    const facts = (job: Record<string, string>) =>
      Object.entries(job).map(([key, value]) => `${key}\0${value}\0`).join("");
    end(session.stream, { out: `now\x001000\0\0${jobs.map((job) => `${facts(job)}\0`).join("")}` });
  };

const JOBS = [{ ...RUNNING, program: words("./solver", "a b") }, { ...ENDED, program: words("sh") }];

Deno.test("jobs lists what the master keeps, as a table, as JSON, by id; the shell completes ids", async () => {
  await using world = await commandWorld(keeping(JOBS));
  const table = [
    "ID         STATE     RANKS   NODES   STARTED                DURATION   STATUS   COMMAND",
    "3f9c02ab   running   4       2       1970-01-01T00:15:40Z   1m0s                ./solver 'a b'",
    "aa000000   failed                    1970-01-01T00:13:20Z   30s        3        sh",
    "",
  ];
  for (const line of ["jobs", "jobs ls", "jobs --cluster hello list"]) {
    assert.deepEqual(await world.mpi(line), { code: 0, out: table.join("\n"), err: "" });
  }
  assert.deepEqual(await world.mpi("jobs -q"), { code: 0, out: "3f9c02ab\naa000000\n", err: "" });
  assert.equal((await world.mpi("jobs --filter state=failed -q ls")).out, "aa000000\n", "flags before a command count");
  const [job] = (await world.mpi("jobs ls --format json")).out.split("\n").map((line) => JSON.parse(line || "{}"));
  assert.deepEqual([job.Id, job.Command, job.Seconds], ["3f9c02ab", ["./solver", "a b"], 60]);
  assert.deepEqual(JSON.parse((await world.mpi("jobs inspect aa 3")).out).map((each: { Id: string }) => each.Id), [
    "aa000000",
    "3f9c02ab",
  ]);
  assert.equal((await world.mpi("jobs inspect -f {{.State}}:{{.Ranks}} 3")).out, "running:4\n");
  assert.deepEqual((await world.mpi("__complete mpi jobs logs 3")).out, "3f9c02ab\trunning, ./solver a b\n:4\n");
  assert.match((await world.mpi("__complete mpi jobs w")).out, /^wait\t/);
});

Deno.test("jobs rm --force ends first what still runs", async () => {
  await using world = await commandWorld(keeping(JOBS, ({ stream }) => end(stream)));
  assert.deepEqual(await world.mpi("jobs rm --force aa 3f"), { code: 0, out: "aa000000\n3f9c02ab\n", err: "" });
  const asked = world.master.commands.filter((command) => !command.endsWith(" ls"));
  assert.deepEqual(asked.map((command) => command.replace("exec mpi_job ", "")), [
    "signal 3f9c02ab TERM",
    "wait 3f9c02ab",
    "rm aa000000",
    "rm 3f9c02ab",
  ]);
  assert.deepEqual(await world.mpi("jobs rm --all --force"), { code: 0, out: "3f9c02ab\naa000000\n", err: "" });
});

Deno.test("a master that can't list its jobs is not one without jobs", async () => {
  await using world = await commandWorld(({ stream }) =>
    end(stream, { err: "bash: mpi_job: not found\n", status: 127 })
  );
  for (const command of ["jobs", "jobs rm --all", "jobs logs 3f"]) {
    const { code, out, err } = await world.mpi(command);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /: The master can't list its jobs: bash: mpi_job: not found\nhint: docker mpi logs {2}#/);
  }
});

Deno.test("jobs that are named wrongly, or are not in the state for it, are told with a way out", async () => {
  await using world = await commandWorld(keeping(JOBS));
  assert.deepEqual(await world.mpi("jobs logs 3f9c02ba"), {
    code: 1,
    out: "",
    err: 'docker mpi jobs logs: No job "3f9c02ba" on this cluster; there are: 3f9c02ab, aa000000\n' +
      'hint: did you mean "3f9c02ab"?\n',
  });
  assert.equal((await world.mpi("jobs wait none")).code, 125); // 1 could be the job's
  assert.deepEqual(await world.mpi("jobs cancel aa"), {
    code: 1,
    out: "",
    err: "docker mpi jobs cancel: Job aa000000 does not run: it is failed\nhint: docker mpi jobs inspect aa000000\n",
  });
  assert.deepEqual(await world.mpi("jobs rm aa 3f"), {
    code: 1,
    out: "",
    err: "docker mpi jobs rm: Job 3f9c02ab is running: only what has ended can be removed\n" +
      "hint: docker mpi jobs cancel 3f9c02ab\n",
  });
  assert.equal((await world.mpi("jobs rm")).code, 125);
  assert.deepEqual(world.master.commands.filter((command) => command !== "exec mpi_job ls"), []);
  assert.match(
    (await world.mpi("jobs lgos")).err,
    /^docker: unknown command: docker mpi jobs lgos\nDid you mean "logs"\?\n/,
  );
});

Deno.test("run --detach sends all before it prints an id, and nothing where that can't be", async () => {
  let received = "";
  await using world = await commandWorld(async ({ stream, command }) => {
    assert.equal(command, "exec mpi_job start");
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) received += chunk;
    end(stream, received.includes("./missing") ? { err: "no such program\n", status: 127 } : {});
  });
  const { code, out, err } = await world.mpi("run -d --retries 2 --log-limit 1m -n 3 --input - ./x y", {
    stdin: "input",
  });
  assert.deepEqual([code, err], [0, ""]);
  const asked = `--id\0${out.trim()}\0--retries\x002\0--limit\x001048576\0--input\0--\0--np\x003\0--\0./x\0y\0`;
  assert.equal(received, `${asked.length}\n${asked}5\ninput0\n`);
  assert.deepEqual(await world.mpi("run --detach ./missing"), { code: 127, out: "", err: "no such program\n" });
  for (const flags of ["-d --output out", "-d --label", "--log-limit 1g"]) {
    const refused = await world.mpi(`run ${flags} ./x`);
    assert.deepEqual([refused.code, refused.out], [125, ""]);
    assert.match(refused.err, /^docker mpi run: .* contradict each other.*\nhint: /);
  }
});

Deno.test("who is attached is told that a job goes on when the connection is lost, and how to go on", async () => {
  await using world = await commandWorld(keeping(JOBS, async ({ command, stream, drop }) => {
    assert.equal(command, "exec mpi_job log 3f9c02ab --follow");
    stream.write("o0:a line\ne0:an error\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
    drop();
  }));
  const { port } = world.master.target;
  assert.deepEqual(await world.mpi("jobs attach --label 3f"), {
    code: 125,
    out: "0: a line\n",
    err: `0: an error\ndocker mpi jobs attach: The connection to the master at 127.0.0.1:${port} was lost; ` +
      "job 3f9c02ab goes on\nhint: docker mpi jobs attach 3f9c02ab\n",
  });
});

Deno.test("Ctrl-C where a job is attached cancels it, and its status is ours; a lost terminal does not", async () => {
  for (const [source, status] of [["SIGINT", 130], ["SIGHUP", 125]] as const) {
    const log = Promise.withResolvers<void>();
    let over = false;
    await using world = await commandWorld((session) =>
      keeping(
        [{ ...(over ? { ...ENDED, status: "130" } : RUNNING), id: "3f9c02ab", program: "" }],
        async ({ command, stream }) => {
          if (command === "exec mpi_job signal 3f9c02ab INT") {
            end(stream);
            over = true;
            log.resolve();
          } else {
            attached.resolve();
            await log.promise;
            end(stream);
          }
        },
      )(session)
    );
    const attached = Promise.withResolvers<void>();
    const { code } = await world.mpi("jobs attach 3f", {
      during: (interrupt) => void attached.promise.then(() => interrupt(source)),
    });
    assert.equal(code, status);
    assert.equal(world.master.commands.includes("exec mpi_job signal 3f9c02ab INT"), source === "SIGINT");
    log.resolve();
  }
});
