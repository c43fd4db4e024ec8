/** Stack files of generated settings, read by the real `docker stack config`: it needs no engine, but a client of 25 or later. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { MpiError } from "../../stack/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../stack/json.ts";
import { resolveSettings, type Settings } from "../../stack/settings/settings.ts";
import { explainStack } from "../../stack/stackfile/explain.ts";
import { markServices } from "../../stack/stackfile/ownership.ts";
import { formatStack, renderStack, type StackFile, type StackKeys } from "../../stack/stackfile/stack_file.ts";
import { composeFaults, interpolate } from "../support/compose.ts";
import { type Client, clients } from "../support/plugin_cli.ts";
import { checkAll } from "../support/property.ts";
import { brokenText, rightText, treeOf } from "../support/settings_texts.ts";

const KEYS: StackKeys = {
  userPublic: "ssh-ed25519 AAAA $USER@{{home}}",
  clusterPublic: "ssh-ed25519 BBBB",
  masterHostPublic: "ssh-ed25519 CCCC",
  workerHostPublic: "ssh-ed25519 DDDD",
  clusterSecret: "hello_cluster_key-0123456789ab",
  masterHostSecret: "hello_master_host-0123456789ab",
  workerHostSecret: "hello_worker_host-0123456789ab",
};

/** The first client that has the command. */
async function reader(): Promise<Client | undefined> {
  const found = await clients();
  const able = await Promise.all(found.map(async (client) => {
    const { stdout } = await new Deno.Command(client.path, { args: ["stack", "config", "--help"] }).output();
    return new TextDecoder().decode(stdout).includes("--compose-file") ? client : undefined;
  }));
  return able.find((client) => client !== undefined);
}

const client = await reader();
/** Part of a test's name that says why it is skipped. */
const why = client === undefined ? " (no docker command here has it: 25.0 and later do)" : "";

/** What Docker makes of a stack file. */
async function stackConfig(text: string): Promise<{ code: number; out: string; err: string }> {
  const command = new Deno.Command(client!.path, {
    args: ["stack", "config", "--compose-file", "-"],
    clearEnv: true,
    env: { HOME: "/nonexistent" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  await using process = command.spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await process.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** Prints a stack file. */
type Printer = (stack: StackFile, settings: Settings) => string;

const plain: Printer = (stack) => formatStack(stack);
const explained: Printer = (stack, settings) => explainStack({ stack, own: stack }, settings.name, "1.0.0");

/** The stack file of an `mpi.yaml`; nothing if that is refused. */
async function stackOf(text: string, print = plain): Promise<string | undefined> {
  try {
    const settings = await resolveSettings({ directory: "/home/ada/hello", file: { path: "mpi.yaml", text } });
    return print(renderStack({ settings, workers: settings.workers ?? 3, keys: KEYS, version: "1.0.0" }), settings);
  } catch (error) {
    if (error instanceof MpiError) return undefined;
    throw error;
  }
}

function variables(stack: JsonObject, service: string): [string, Json][] {
  const { environment } = (stack["services"] as Record<string, JsonObject>)[service]!;
  return isJsonObject(environment) ? Object.entries(environment) : [];
}

Deno.test({
  name: `docker stack config takes the stack file of any right mpi.yaml, and every value arrives${why}`,
  ignore: client === undefined,
  fn: () =>
    checkAll(150, rightText, async ({ text }) => {
      const sent = await stackOf(text);
      assert.ok(sent !== undefined);
      const { code, out, err } = await stackConfig(sent);
      assert.deepEqual({ code, err }, { code: 0, err: "" });
      // Docker prints YAML 1.1, where these end a line; the reader here knows YAML 1.2.
      if (/[\u2028\u2029\x85]/.test(out)) return;
      const got = parse(out, { schema: "failsafe" }) as JsonObject;
      const key = new Map(variables(got, "master")).get("MPI_AUTHORIZED_KEYS");
      assert.equal(key, 'ssh-ed25519 AAAA $USER@{{"{{"}}home}}');
      for (const service of ["master", "worker"]) {
        const seen = new Map(variables(got, service));
        for (const [name, value] of variables(JSON.parse(sent), service)) {
          // Docker prints a text wrong that begins with a line end.
          if (String(value).startsWith("\n")) continue;
          assert.equal(seen.get(name), interpolate(String(value)), name);
        }
      }
    }),
});

Deno.test({
  name: `docker stack config makes the same of the file that is explained${why}`,
  ignore: client === undefined,
  fn: () =>
    checkAll(60, rightText, async ({ text }) => {
      const [sent, shown] = await Promise.all([plain, explained].map((print) => stackOf(text, print)));
      assert.deepEqual(await stackConfig(shown!), await stackConfig(sent!));
    }),
});

Deno.test({
  name: `docker stack config takes what our own reader of compose files takes${why}`,
  ignore: client === undefined,
  fn: async () => {
    const texts = brokenText.filter((text) => text.includes("stack"));
    let taken = 0;
    await checkAll(600, texts, async (text) => {
      const sent = await stackOf(text);
      if (sent === undefined || composeFaults(sent).length > 0) return;
      taken++;
      const { code, err } = await stackConfig(sent);
      assert.deepEqual({ code, err }, { code: 0, err: "" });
    });
    assert.ok(taken >= 30, `only ${taken} files were taken`);
  },
});

/** What `docker stack config` makes of several files, one laid over the other. */
async function merged(...files: JsonObject[]): Promise<Json> {
  const folder = await Deno.makeTempDir();
  try {
    const args = files.flatMap((_, index) => ["-c", `${folder}/${index}.yml`]);
    for (const [index, file] of files.entries()) {
      await Deno.writeTextFile(`${folder}/${index}.yml`, JSON.stringify(file));
    }
    const command = new Deno.Command(client!.path, {
      args: ["stack", "config", ...args],
      env: { USER: "" },
      clearEnv: true,
    });
    const { code, stdout, stderr } = await command.output();
    assert.equal(code, 0, `${new TextDecoder().decode(stderr)} of ${JSON.stringify(files)}`);
    return sorted(parse(new TextDecoder().decode(stdout).replaceAll(folder, ""), { schema: "failsafe" }) as Json);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Docker sorts some lists and doubles what stands twice in others. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) {
    const items = new Map(value.map(sorted).map((item) => [JSON.stringify(item), item]));
    return [...items].sort(([a], [b]) => a < b ? -1 : 1).map(([, item]) => item);
  }
  if (!isJsonObject(value)) return value;
  // Of several files Docker loses the keys of the user's own, and writes a network without more words in two ways.
  const kept = Object.entries(value).filter(([key]) => !key.startsWith("x-"));
  const entries = kept.map(([key, each]): [string, Json] => [
    key,
    ["command", "entrypoint", "test"].includes(key) ? each : each === "null" ? {} : sorted(each),
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}

/** What Docker's own merge does otherwise than the compose specification, or not at all: see docs/settings.md. */
function differs(fragment: JsonObject): boolean {
  const text = JSON.stringify(fragment);
  // A health check's words are appended there, `null` removes nothing; an empty text or list, `false` and 0 count as not said.
  return /"test":|:(null|false|0|""|\[\]|\{\})|[^\x20-\x7e]|\\/.test(text);
}

Deno.test({
  name: `stack: merges as Docker merges files${why}`,
  ignore: client === undefined,
  fn: async () => {
    let tried = 0;
    await checkAll(400, rightText, async ({ said: { stack = {}, ...said } }) => {
      if (differs(stack) || tried >= 40) return;
      tried++;
      const text = JSON.stringify(treeOf(said)).replaceAll("\ufffd", "");
      const settings = await resolveSettings({ directory: "/home/ada/hello", file: { path: "mpi.yaml", text } });
      const render = (stack: JsonObject) =>
        renderStack({ settings: { ...settings, stack }, workers: 3, keys: KEYS, version: "1.0.0" });
      // Docker adds no label of ours to the user's own services.
      const { services, ...others } = stack;
      const marked = isJsonObject(services) ? { services: markServices(services, settings.name) } : {};
      const over = { version: "3.8", ...others, ...marked };
      assert.deepEqual(await merged(render(stack)), await merged(render({}), over));
    });
    assert.ok(tried >= 30, `only ${tried} were tried`);
  },
});

/** By hand: what laid over each other shows a rule, and one of Docker's own differences. */
const OVER: Record<string, [over: JsonObject, same: boolean]> = {
  "a mount in place of another": [{ volumes: ["more:/data:ro"] }, true],
  "more mounts": [{ volumes: ["data:/more", { type: "tmpfs", target: "/dev/shm", tmpfs: { size: 5 } }] }, true],
  "variables as a list": [{ environment: ["A=1", "MPI_X=2"] }, true],
  "labels and deploy": [{ labels: ["a=b"], deploy: { labels: { c: "d" }, restart_policy: { delay: "5s" } } }, true],
  "a command": [{ command: ["sleep", "1"], entrypoint: ["env"] }, true],
  "a health check": [{ healthcheck: { interval: "5s", retries: 5 } }, true],
  "a health check's command": [{ healthcheck: { test: ["CMD", "true"] } }, false],
  "capabilities": [{ cap_drop: ["ALL", "MKNOD"], cap_add: ["SYS_PTRACE"] }, true],
  "a network more": [{ networks: ["lan"] }, true],
  "a secret more": [{ secrets: ["token"] }, true],
  "a port more": [{ ports: ["2300:80"] }, true],
  "a port of the same number for something else": [{ ports: ["2222:80"] }, false],
  "a secret in two places": [{ secrets: ["token", { source: "token", target: "other" }] }, false],
  "a switch that is off": [{ init: false }, false],
};

for (const [name, [service, same]] of Object.entries(OVER)) {
  Deno.test({
    name: `stack: ${name}: ${same ? "as Docker merges files" : "not as Docker does, and documented"}${why}`,
    ignore: client === undefined,
    fn: async () => {
      const text = "volumes: ['data:/data']\n";
      const settings = await resolveSettings({ directory: "/home/ada/hello", file: { path: "mpi.yaml", text } });
      const stack: JsonObject = {
        services: { master: service },
        volumes: { more: {} },
        networks: { lan: {} },
        secrets: { token: { external: true } },
      };
      const render = (stack: JsonObject) =>
        renderStack({ settings: { ...settings, stack }, workers: 3, keys: KEYS, version: "1.0.0" });
      const [ours, docker] = [await merged(render(stack)), await merged(render({}), { version: "3.8", ...stack })];
      if (same) assert.deepEqual(ours, docker);
      else assert.notDeepEqual(ours, docker);
    },
  });
}
