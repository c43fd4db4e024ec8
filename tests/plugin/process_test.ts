/** Signals, statuses and streams of the process, under each docker command of this machine. No engine is needed. */
import assert from "node:assert/strict";
import { type InterruptSource, watchInterrupts } from "../../cli/signals.ts";
import { type Client, clientsToTest, installProbe, sh, tempConfig } from "../support/plugin_cli.ts";

const config = await tempConfig();
const { env } = config;
Deno.test.beforeAll(() => installProbe(config.path));
Deno.test.afterAll(async () => await config[Symbol.asyncDispose]());

const CTRL_C = "\x03";
const THIRD = "got 3 SIGTERM/SIGINTs, forcefully exiting";

/** A command that was started and says that it waits. */
interface Waiting {
  child: Deno.ChildProcess;
  /** Process id of the plugin. */
  plugin: number;
  /** Types on its terminal. */
  type(keys: string): Promise<void>;
  /** Waits until it says something; gives whether it did in time. */
  says(what: string, seconds: number): Promise<boolean>;
  /** Waits for its end, and gives its status and all that it printed since. */
  end(): Promise<{ code: number; text: string }>;
}

/** Starts `docker mpi wait`: on a terminal of its own, or with pipes. */
async function start({ path }: Client, terminal: boolean, ...flags: string[]): Promise<Waiting> {
  const words = ["mpi", "wait", ...flags];
  // `exec`: some shells stay, are interrupted as well, and end with that instead of the command's status.
  const [command, args] = terminal
    ? ["script", ["--quiet", "--return", "--command", ["exec", path, ...words].join(" "), "/dev/null"]]
    : [path, words];
  const child = new Deno.Command(command, { args, env, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
  const limit = setTimeout(() => kill(child, "SIGKILL"), 30_000);
  const writer = child.stdin.getWriter();
  let text = "";
  const read = (async () => {
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) text += part;
  })();
  const says = async (what: string | RegExp, seconds: number) => {
    for (let tries = seconds * 50; tries > 0; tries--) {
      if (text.search(what) >= 0) return true;
      if (await Promise.race([read.then(() => true), pause(20)])) break;
    }
    return text.search(what) >= 0;
  };
  if (!await says(/waiting \d+\s/, 30)) throw new Error(`ended before it waited: ${text}`);
  return {
    child,
    plugin: Number(/waiting (\d+)/.exec(text)?.[1]),
    type: (keys) => writer.write(new TextEncoder().encode(keys)),
    says,
    async end() {
      await read;
      const { code } = await child.status;
      clearTimeout(limit);
      await writer.close().catch(() => {});
      return { code, text };
    },
  };
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended.
  }
}

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(resolve, ms, undefined));

/** Whether a process ends within some seconds. */
async function ends(pid: number, seconds: number): Promise<boolean> {
  for (let tries = seconds * 10; tries > 0; tries--) {
    if (!await Deno.stat(`/proc/${pid}`).then(() => true, () => false)) return true;
    await pause(100);
  }
  return false;
}

for (const accepts of [true, false]) {
  Deno.test(`docker that goes ${accepts ? "after" : "before"} it took our connection stops the command`, async () => {
    const path = `${config.path}/${crypto.randomUUID().slice(0, 8)}.sock`;
    const listener = Deno.listen({ transport: "unix", path });
    const { promise, resolve } = Promise.withResolvers<InterruptSource>();
    const unwatch = watchInterrupts(resolve, { pluginSocket: path, plugin: true });
    const connection = accepts ? await listener.accept() : await pause(100);
    connection?.close();
    listener.close();
    assert.equal(await Promise.race([promise, pause(3000)]), "docker");
    unwatch();
  });
}

for (const client of await clientsToTest()) {
  const { version, major } = client;
  // Clients since 25 tell the plugin of signals that it does not get itself.
  const tells = major >= 25;

  Deno.test(`docker ${version}: Ctrl-C on a terminal ends with 130`, async () => {
    const waiting = await start(client, true);
    await waiting.type(CTRL_C);
    const { code, text } = await waiting.end();
    assert.equal(code, 130);
    assert.equal(text.match(/docker mpi wait: Cancelled/g)?.length, 1, text);
    assert.ok(await ends(waiting.plugin, 1));
  });

  Deno.test(`docker ${version}: Ctrl-C three times ends what does not end by itself`, async () => {
    const waiting = await start(client, true, "--stubborn");
    for (const press of [1, 2, 3]) {
      // A machine that is busy can make two presses one; a person presses again.
      let tries = 5;
      do await waiting.type(CTRL_C); while (
        !await waiting.says(press < 3 ? `interrupt ${press}` : THIRD, 2) && --tries
      );
    }
    const { code, text } = await waiting.end();
    assert.equal(code, 1, text);
    if (tells) assert.equal(text.split(THIRD).length, 2, text);
    assert.ok(await ends(waiting.plugin, 3));
  });

  // Older clients tell nobody, and wait.
  for (const signal of tells ? ["SIGINT", "SIGTERM"] as const : []) {
    Deno.test(`docker ${version}: ${signal} to docker alone ends with 130`, async () => {
      const waiting = await start(client, false);
      kill(waiting.child, signal);
      assert.equal((await waiting.end()).code, 130);
      assert.ok(await ends(waiting.plugin, 1));
    });
  }

  Deno.test(`docker ${version}: three signals to docker alone leave no process`, async () => {
    // Old clients leave the plugin behind, which then ends since they have gone.
    const waiting = await start(client, false, ...(tells ? ["--stubborn"] : []));
    for (let strike = 0; strike < 3; strike++) {
      kill(waiting.child, "SIGINT");
      await pause(200);
    }
    assert.equal((await waiting.end()).code, 1);
    assert.ok(await ends(waiting.plugin, 3));
  });

  Deno.test(`docker ${version}: when docker is killed the plugin ends too`, async () => {
    const waiting = await start(client, false);
    kill(waiting.child, "SIGKILL");
    await waiting.end();
    assert.ok(await ends(waiting.plugin, 3));
  });

  Deno.test(`docker ${version}: SIGTERM to the plugin ends with 130`, async () => {
    const waiting = await start(client, false);
    Deno.kill(waiting.plugin, "SIGTERM");
    assert.equal((await waiting.end()).code, 130);
  });

  Deno.test(`docker ${version}: a command's own status, and a defect's`, async () => {
    for (const code of [0, 7, 137, 255]) {
      assert.equal((await sh(client.path, ["mpi", "status", `${code}`], env)).code, code);
    }
    const defect = await sh(client.path, ["mpi", "fail"], env);
    const err = "docker mpi fail: TypeError: something is undefined\n" +
      "hint: this is a defect of docker mpi, please report it, with what --debug adds\n";
    assert.deepEqual(defect, { code: 70, out: "", err });
    assert.match((await sh(client.path, ["mpi", "fail", "--debug"], env)).err, /\n {4}at .*probe_cli\.ts/);
  });

  Deno.test(`docker ${version}: all of a long output arrives, at a slow reader too`, async () => {
    const { out } = await sh("bash", ["-c", `'${client.path}' mpi flood 3000000 | (sleep 0.3; wc -c)`], env);
    assert.equal(out.trim(), "3000000");
  });

  Deno.test(`docker ${version}: the endpoint is what docker resolves`, async () => {
    const where = async (args: string[], more: Record<string, string> = {}) =>
      await sh(client.path, [...args, "mpi", "where"], { ...env, ...more });
    assert.equal((await where(["-H", "unix:///a"])).out, "unix:///a\n");
    assert.equal((await where(["-H", "tcp://10.0.0.1:2375"])).out, "tcp://10.0.0.1:2375\n");
    assert.equal((await where([], { DOCKER_HOST: "unix:///b" })).out, "unix:///b\n");
    await sh(client.path, ["context", "create", "mpi", "--docker", "host=unix:///c"], env);
    assert.equal((await where(["--context", "mpi"], { DOCKER_HOST: "unix:///b" })).out, "unix:///c\n");
    assert.equal((await where([], { DOCKER_HOST: "", DOCKER_CONTEXT: "mpi" })).out, "unix:///c\n");
    const gone = await where([], { DOCKER_HOST: "", DOCKER_CONTEXT: "gone" });
    await sh(client.path, ["context", "rm", "-f", "mpi"], env);
    assert.deepEqual([gone.code, gone.out], [1, ""]);
    assert.match(gone.err, /gone/);
  });

  Deno.test(`docker ${version}: --config says where contexts, headers and keys are`, async () => {
    await using other = await tempConfig();
    await installProbe(other.path);
    await sh(client.path, ["--config", other.path, "context", "create", "mpi", "--docker", "host=unix:///d"], env);
    await sh(client.path, ["--config", other.path, "context", "use", "mpi"], env);
    const file = `${other.path}/config.json`;
    const written = JSON.parse(await Deno.readTextFile(file));
    await Deno.writeTextFile(file, JSON.stringify({ ...written, HttpHeaders: { "X-Site": "north" } }));
    const where = async (more: Record<string, string>) =>
      JSON.parse((await sh(client.path, ["--config", other.path, "mpi", "where", "--all"], { ...env, ...more })).out);
    const bare = { DOCKER_HOST: "", DOCKER_CONTEXT: "" };
    assert.deepEqual(await where(bare), ["unix:///d", other.path, { "X-Site": "north" }]);
    assert.deepEqual(await where({ ...bare, DOCKER_CUSTOM_HEADERS: "a=1,b=2" }), [
      "unix:///d",
      other.path,
      { a: "1", b: "2" },
    ]);
  });
}
