/** Our use of the user's docker command, with a stand-in for it where its doing matters. No engine is needed. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type IncomingMessage, request } from "node:http";
import { dialer } from "../../cli/docker/dial_stdio.ts";
import { dockerCommand } from "../../cli/docker/docker.ts";
import { cancelled } from "../../cli/signals.ts";
import { clientsToTest } from "../support/plugin_cli.ts";

const folder = await Deno.makeTempDir({ prefix: "docker-mpi-docker-" });
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

/** Makes a stand-in for docker of a shell script. */
async function standIn(script: string): Promise<string> {
  const path = `${folder}/docker-${crypto.randomUUID()}`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

async function docker(script: string, signal = new AbortController().signal) {
  return dockerCommand({ command: await standIn(script), globals: ["--context", "a b"], signal });
}

Deno.test("docker gets the user's global flags first, and what it prints comes back", async () => {
  const cli = await docker('for a; do echo "<$a>"; done; echo oops >&2; exit 3');
  const lines: string[] = [];
  const result = await cli.run(["stack", "ls"], { onLine: (line) => lines.push(line) });
  assert.deepEqual(result, { code: 3, stdout: "", stderr: "oops\n" });
  assert.deepEqual(lines.sort(), ["<--context>", "<a b>", "<ls>", "<stack>", "oops"]);
  assert.equal((await cli.run([])).stdout, "<--context>\n<a b>\n");
});

Deno.test("docker gets a variable, unless the user has set it", async () => {
  const cli = await docker('echo "$MPI_TEST_ENV $HOME"');
  const env = { MPI_TEST_ENV: "ours", HOME: "ours" };
  assert.equal((await cli.run([], { env })).stdout, `ours ${Deno.env.get("HOME")}\n`);
});

Deno.test("docker in another directory has the user's own paths all the same", async () => {
  const command = await standIn('pwd; for a; do echo "$a"; done; echo "$DOCKER_CERT_PATH"');
  const globals = ["--tlskey=key.pem", "--config", "conf", "-H", "ssh://a"];
  const cli = dockerCommand({ command, globals, signal: new AbortController().signal });
  const [here, there] = [Deno.cwd(), await Deno.realPath(folder)];
  const before = Deno.env.get("DOCKER_CERT_PATH");
  Deno.env.set("DOCKER_CERT_PATH", "certs");
  try {
    const lines = async (cwd: string) => (await cli.run(["ls"], { cwd })).stdout.trimEnd().split("\n");
    assert.deepEqual(await lines(there), [
      ...[there, `--tlskey=${here}/key.pem`, `--config=${here}/conf`, "-H", "ssh://a", "ls", `${here}/certs`],
    ]);
    assert.deepEqual(await lines(here), [here, ...globals, "ls", "certs"]);
  } finally {
    if (before === undefined) Deno.env.delete("DOCKER_CERT_PATH");
    else Deno.env.set("DOCKER_CERT_PATH", before);
  }
});

Deno.test("docker waits for who takes its lines, and ends when that one gives up", async () => {
  const cli = await docker("echo $$; while :; do echo a line that nobody has asked for; done");
  const lines: string[] = [];
  const taking = cli.run([], {
    async onLine(line) {
      lines.push(line);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (lines.length === 5) throw new Error("enough");
    },
  });
  await assert.rejects(taking, { message: "enough" });
  assert.equal(lines.length, 5);
  for (let looks = 0; isAlive(Number(lines[0])); looks++) {
    assert.ok(looks < 100, "docker goes on");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

Deno.test("docker reads what it is given: text, bytes, a stream, or nothing; also if it reads only a part", async () => {
  const cli = await docker("wc -c");
  const many = new Uint8Array(300_000);
  for (const [stdin, count] of [["é", 2], [many, 300_000], [ReadableStream.from([many, many]), 600_000]] as const) {
    assert.equal((await cli.run([], { stdin })).stdout.trim(), `${count}`);
  }
  assert.equal((await cli.run([])).stdout.trim(), "0");
  assert.equal((await (await docker("exit 4")).run([], { stdin: new Uint8Array(9_000_000) })).code, 4);
});

Deno.test("docker sees no empty DOCKER_HOST or DOCKER_CONTEXT", async () => {
  const before = ["DOCKER_HOST", "DOCKER_CONTEXT"].map((name) => [name, Deno.env.get(name)] as const);
  for (const [name] of before) Deno.env.set(name, "");
  try {
    const { stdout } = await (await docker("env | grep -c '^DOCKER_[HC]O[SN]T'")).run([]);
    assert.equal(stdout, "0\n");
  } finally {
    for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  }
});

Deno.test("docker ends when it is told to, and the reason is thrown", async () => {
  for (const whose of ["the user's", "the caller's"]) {
    const controller = new AbortController();
    const cli = whose === "the user's"
      ? await docker("exec sleep 60", controller.signal)
      : await docker("exec sleep 60");
    const run = cli.run([], { signal: controller.signal });
    setTimeout(() => controller.abort(cancelled("SIGTERM")), 100);
    const begin = Date.now();
    await assert.rejects(run, { code: "cancelled" });
    assert.ok(Date.now() - begin < 5000);
  }
});

Deno.test("docker that has heard Ctrl-C itself is given time to tidy up, and is told again if it has not", async () => {
  for (const [script, least, most] of [["sleep 0.3 & wait", 0, 900], ["exec sleep 60", 900, 5000]] as const) {
    const controller = new AbortController();
    const run = (await docker(script, controller.signal)).run([]);
    const begin = Date.now();
    controller.abort(cancelled("SIGINT"));
    await assert.rejects(run, { code: "cancelled" });
    const took = Date.now() - begin;
    assert.ok(took >= least && took < most, `${script}: ${took}`);
  }
});

Deno.test("docker that is started after an interrupt, to tidy up, runs to its end", async () => {
  const signal = AbortSignal.abort(cancelled("SIGINT"));
  assert.equal((await (await docker("echo tidy", signal)).run([])).stdout, "tidy\n");
});

Deno.test("a docker command that isn't there is an error with a remedy", async () => {
  const cli = dockerCommand({ command: "/nowhere/docker", globals: [], signal: new AbortController().signal });
  const error = {
    code: "engine",
    message: 'Cannot start the docker command "/nowhere/docker"',
    hint: "install Docker's command line, or put it into PATH",
  };
  for (const start of [() => cli.run([]), () => cli.attach([])]) {
    await assert.rejects(async () => await start(), error);
  }
});

Deno.test("attach gives the status of docker", async () => {
  assert.equal(await (await docker("exit 42")).attach([]), 42);
});

/** An engine that echoes, on a socket of its own. */
async function withEngine(test: (host: string) => Promise<void>): Promise<void> {
  const path = `${folder}/${crypto.randomUUID().slice(0, 8)}.sock`;
  const engine = Deno.serve({ path, transport: "unix", onListen: () => {} }, async (asked) => {
    if (asked.method === "POST") return Response.json({ got: (await asked.arrayBuffer()).byteLength });
    const drip = async function* () {
      for (const part of ["one ", "two ", "three"]) {
        yield new TextEncoder().encode(part);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    return asked.url.endsWith("/stream") ? new Response(ReadableStream.from(drip())) : new Response(asked.url);
  });
  try {
    await test(`unix://${path}`);
  } finally {
    await engine.shutdown();
  }
}

async function ask(agent: ReturnType<typeof dialer>["agent"], method: string, path: string, body?: Uint8Array) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request({ agent, host: "docker", method, path }, resolve).on("error", reject);
  asked.end(body && Buffer.from(body));
  const chunks: string[] = [];
  for await (const chunk of await promise) chunks.push(`${chunk}`);
  return chunks;
}

/** How many children of ours are connections. */
async function connections(): Promise<number> {
  const ps = await new Deno.Command("ps", { args: ["-o", "args=", "--ppid", `${Deno.pid}`] }).output();
  return new TextDecoder().decode(ps.stdout).split("\n").filter((line) => line.includes("dial-stdio")).length;
}

for (const { path: command, version } of await clientsToTest()) {
  Deno.test(`docker ${version} carries requests, streams and bodies to the engine, and is gone at the end`, () =>
    withEngine(async (host) => {
      const { agent, close } = dialer({ command, globals: ["-H", host] });
      assert.match((await ask(agent, "GET", "/version")).join(""), /\/version$/);
      assert.match((await ask(agent, "GET", "/info")).join(""), /\/info$/);
      assert.equal(await connections(), 1, "a connection is used again");
      assert.deepEqual(await ask(agent, "GET", "/stream"), ["one ", "two ", "three"]);
      const sent = await ask(agent, "POST", "/build", new Uint8Array(2_000_000));
      assert.deepEqual(JSON.parse(sent.join("")), { got: 2_000_000 });
      const many = await Promise.all(Array.from({ length: 5 }, (_, i) => ask(agent, "GET", `/${i}`)));
      assert.deepEqual(many.map((answer) => answer.join("").at(-1)), ["0", "1", "2", "3", "4"]);
      await close();
      assert.equal(await connections(), 0);
    }));

  Deno.test(`docker ${version} says why there is no engine`, async () => {
    const { agent, close } = dialer({ command, globals: ["-H", "unix:///nowhere.sock"] });
    await assert.rejects(ask(agent, "GET", "/version"), /unix \/nowhere\.sock.*no such file/);
    await close();
    assert.equal(await connections(), 0);
  });
}
