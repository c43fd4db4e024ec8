/** That a lab leaves nothing on the machine, however it ends. */
import assert from "node:assert/strict";
import { must, poll, run } from "../engine/command.ts";
import { recordedBox } from "../engine/box.ts";
import { commandLines } from "../engine/processes.ts";
import { namesAt, recorded, removeLeftovers } from "../engine/traces.ts";
import { VARIABLE } from "./lab.ts";
import { labNeeds } from "./start.ts";

const ignore = await labNeeds() !== undefined;
const program = new URL("main.ts", import.meta.url).pathname;

/** Runs `./dev lab ARGS…`, with the lab in that folder. */
async function lab(args: string[], folder = "") {
  return await run([Deno.execPath(), "run", "-A", program, ...args], { env: { [VARIABLE]: folder }, seconds: 120 });
}

/** Starts a lab by hand, beside what labs there are, and returns its folder. */
async function up(time = "10m"): Promise<string> {
  const { code, stdout, stderr } = await lab(["up", "1", "--for", time, "--another"]);
  assert.equal(code, 0, stderr);
  return /^export MPI_LAB=(\S+)$/m.exec(stdout)?.[1] ?? "";
}

/** All that says this lab's name, or lives in one of its network namespaces. */
async function traces(folder: string, networks: string[]): Promise<string[]> {
  const { id, tag } = namesAt(folder);
  const found = [
    await must(["ip", "-oneline", "link", "show"]),
    await must(["iptables-save"]),
    await must(["find", "/sys/fs/cgroup", "/var/tmp", "-maxdepth", "4", "-path", `*${tag}*`]).catch(() => ""),
  ].flatMap((text) => text.split("\n").filter((line) => line.includes(`mpi-${id}`) || line.includes(tag)));
  for (const { pid, words } of await commandLines()) {
    const network = await Deno.readLink(`/proc/${pid}/ns/net`).catch(() => "");
    const mounts = await Deno.readTextFile(`/proc/${pid}/mountinfo`).catch(() => "");
    if (networks.includes(network) || words.includes(tag) || mounts.includes(tag)) found.push(words);
  }
  return found;
}

async function networksOf(folder: string): Promise<string[]> {
  const boxes = await Promise.all(["switch", "client", "host1"].map((name) => recordedBox(`${folder}/${name}`)));
  return await Promise.all(boxes.map((box) => Deno.readLink(`/proc/${box!.pid}/ns/net`)));
}

Deno.test({
  name: "a lab by hand: up, ls, exec, kill, start, and down leaves nothing",
  ignore,
  fn: async () => {
    const folder = await up();
    const networks = await networksOf(folder);
    assert.ok((await traces(folder, networks)).length > 10);
    assert.match((await lab(["ls"], folder)).stdout, /^host1 +198\.19\.0\.1 +up +\S+ +ready, leader +0$/m);
    assert.equal((await lab(["exec", "host1", "sh", "-c", "hostname; exit 3"], folder)).stdout, "host1\n");
    assert.equal((await lab(["exec", "host1", "sh", "-c", "exit 3"], folder)).code, 3);
    assert.equal((await lab(["exec", "client", "hostname", "-I"], folder)).stdout.split(" ")[0], "198.19.0.253");
    assert.equal((await lab(["kill", "host1"], folder)).code, 0);
    assert.match((await lab(["ls"], folder)).stdout, /^host1 +198\.19\.0\.1 +dead +- +- +-$/m);
    assert.match((await lab(["exec", "host1", "true"], folder)).stderr, /hint: \.\/dev lab start host1/);
    assert.equal((await lab(["start", "host1"], folder)).code, 0);
    networks.push(...await networksOf(folder));
    const down = await lab(["down"], folder);
    assert.equal(down.code, 0, down.stderr);
    assert.deepEqual(await traces(folder, networks), []);
  },
});

Deno.test({
  name: "a lab ends with the process that keeps it, and the next command removes what is left",
  ignore,
  fn: async () => {
    const folder = await up();
    const networks = await networksOf(folder);
    const keeper = (await recorded(namesAt(folder)))!.owner;
    const boxes = await Promise.all(["switch", "client", "host1"].map((name) => recordedBox(`${folder}/${name}`)));
    Deno.kill(keeper.pid, "SIGKILL");
    const gone = async () => (await Promise.all(boxes.map((box) => box!.isAlive()))).every((alive) => !alive);
    await poll("the boxes to end with their keeper", gone, { seconds: 10 });
    await removeLeftovers();
    // Where another run is at it already, ours leaves it to that.
    const none = async () => (await traces(folder, networks)).length === 0;
    await poll(`the last trace of ${folder} to go`, none, { seconds: 30 });
  },
});

Deno.test({
  name: "a lab by hand ends when its time is up",
  ignore,
  fn: async () => {
    const folder = await up("0.5m");
    const networks = await networksOf(folder);
    const gone = async () => (await Deno.stat(folder).catch(() => undefined)) === undefined;
    await poll("the lab to end by itself", gone, { seconds: 60 });
    assert.deepEqual(await traces(folder, networks), []);
  },
});
