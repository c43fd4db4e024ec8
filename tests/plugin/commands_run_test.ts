/** Commands that run something, on the cluster or here: its streams and status, and what interrupts do. */
import assert from "node:assert/strict";
import type { EngineInfo } from "../../stack/engine/swarm.ts";
import { commandWorld } from "../support/command_world.ts";
import { end, type Session } from "../support/fake_master.ts";

/** What `mpi_run --read` reads: its words, and the program's input. */
function readRequest(text: string): { words: string[]; input: string } {
  const [length = ""] = text.split("\n", 1);
  const rest = text.slice(length.length + 1);
  return { words: rest.slice(0, Number(length)).split("\0").slice(0, -1), input: rest.slice(Number(length)) };
}

Deno.test("run carries stdin, stdout, stderr and the program's own status", async () => {
  let words: string[] = [];
  await using world = await commandWorld(({ stream }) => {
    let text = "";
    stream.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
    stream.on("end", () => {
      const request = readRequest(text);
      words = request.words;
      end(stream, { out: `got ${request.input}`, err: "warned\n", status: 42 });
    });
  });
  const ended = await world.mpi("run -n 4 ./solver --steps 3", { stdin: "data\n" });
  assert.deepEqual(ended, { code: 42, out: "got data\n", err: "warned\n" });
  assert.deepEqual(world.master.commands, ["exec mpi_run --read"]);
  const [, job = "", ...others] = words;
  assert.match(job, /^run-[0-9a-f]{8}$/);
  assert.deepEqual(others, ["--stdin", "--np", "4", "--", "./solver", "--steps", "3"]);
});

Deno.test("run passes the first interrupt on, and the second more firmly", async () => {
  const started = Promise.withResolvers<void>();
  let program: Session["stream"] | undefined;
  let job: string | undefined;
  await using world = await commandWorld(({ command, stream }) => {
    if (command?.includes("mpi_cancel")) {
      end(stream);
      if (command.endsWith("TERM")) end(program!, { status: 143 });
      return;
    }
    program = stream;
    stream.on("data", (chunk: Uint8Array) => {
      job ??= /run-[0-9a-f]+/.exec(new TextDecoder().decode(chunk))?.[0];
      started.resolve();
    });
  });
  const ended = await world.mpi("run ./solver", {
    during: (interrupt) =>
      void started.promise.then(async () => {
        interrupt("SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 300));
        interrupt("SIGINT");
      }),
  });
  assert.deepEqual(ended, { code: 143, out: "", err: "" });
  assert.deepEqual(world.master.commands.slice(1), [`exec mpi_cancel ${job} INT`, `exec mpi_cancel ${job} TERM`]);
});

Deno.test("run says that the connection was lost, with a status that no program has", async () => {
  await using world = await commandWorld(({ drop }) => drop());
  const { code, err } = await world.mpi("run ./solver");
  assert.equal(code, 125);
  assert.match(err, /^docker mpi run: The connection to the master at 127\.0\.0\.1:\d+ was lost\nhint: /);
});

Deno.test("exec runs on the master, a node or all, and ends when interrupted", async () => {
  const started = Promise.withResolvers<void>();
  await using world = await commandWorld(({ command, stream }) => {
    if (command?.includes("sleep")) started.resolve();
    else end(stream, { out: "ok\n", status: 3 });
  });
  for (const line of ["exec ls -l", "exec --all ls -l", "exec --host worker-1 ls -l"]) {
    assert.deepEqual(await world.mpi(line), { code: 3, out: "ok\n", err: "" });
  }
  assert.deepEqual(
    world.master.commands,
    ["master", "all", "worker-1"].map((where) => `exec 'mpi_exec' '${where}' '--' 'ls' '-l'`),
  );
  assert.deepEqual(await world.mpi("exec --all --host worker-1 ls"), {
    code: 125,
    out: "",
    err: "docker mpi exec: --all and --host worker-1 contradict each other\nhint: leave one of them out\n",
  });
  const interrupted = await world.mpi("exec sleep 60", {
    during: (interrupt) => void started.promise.then(() => interrupt("SIGINT")),
  });
  assert.deepEqual(interrupted, { code: 130, out: "", err: "docker mpi exec: Cancelled\n" });
});

Deno.test("login without a terminal is a shell on the master, which ends with whoever started it", async () => {
  const started = Promise.withResolvers<void>();
  await using world = await commandWorld(() => started.resolve());
  const ended = await world.mpi("login", {
    during: (interrupt) => void started.promise.then(() => interrupt("SIGHUP")),
  });
  assert.deepEqual(ended, { code: 130, out: "", err: "docker mpi login: Cancelled\n" });
  assert.deepEqual(world.master.commands, ["exec bash -l"]);
});

Deno.test("login --print shows an ssh command that pins the host key, and logs in nowhere", async () => {
  await using world = await commandWorld();
  const { code, out } = await world.mpi("login --print");
  assert.equal(code, 0);
  assert.match(
    out,
    /^ssh -i \S+\/id_ed25519 -p \d+ -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=\S+\/known_hosts -o HostKeyAlias=hello mpi@127\.0\.0\.1\n$/,
  );
  assert.equal(world.master.attempts, 0);
});

Deno.test("dev runs a command on this directory, as this user, with its own status", async () => {
  await using world = await commandWorld();
  const [uid, gid] = [Deno.uid(), Deno.gid()];
  const asRoot = " --env OMPI_ALLOW_RUN_AS_ROOT=1 --env OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1";
  const users = {
    same: `--user ${uid}:${gid} --env HOME=/tmp${uid === 0 ? asRoot : ""}`,
    remapped: `--userns=host --user ${uid}:${gid} --env HOME=/tmp${uid === 0 ? asRoot : ""}`,
    "root-is-caller": `--user 0:0 --env HOME=/tmp${asRoot}`,
  };
  for (const [known, user] of Object.entries(users)) {
    world.swarm.info = { ...world.swarm.info, users: known as EngineInfo["users"] };
    const asked: string[] = [];
    const attach = (args: string) => {
      asked.push(args.replace(/=docker-mpi-dev-[0-9a-f]{8} /, "=NAME "));
      return 42;
    };
    const { code, out } = await world.mpi("dev --image hello:latest mpicc -o x x.c", { attach });
    assert.deepEqual([code, out], [42, ""]);
    assert.deepEqual(asked, [
      `run --rm --name=NAME --interactive --init --shm-size=1g ${user} ` +
      `--mount type=bind,"source=${world.folder}",target=/project --workdir /project hello:latest mpicc -o x x.c`,
    ]);
  }
  const far = await world.mpi("dev", { local: false });
  assert.equal(far.code, 125);
  assert.match(far.err, /^docker mpi dev: The engine at "unix:\S+" can't see the files of this machine\nhint: /);
});
