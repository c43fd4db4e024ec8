/** That a box is what it says: apart from the machine, and gone with whoever asked for it. */
import assert from "node:assert/strict";
import { cacheFolder } from "./cache.ts";
import { poll, run } from "./command.ts";
import { commandLines } from "./processes.ts";
import { BOX, boxNeeds } from "./words.ts";

const ignore = boxNeeds() !== undefined;

/** What this box could leave on the machine: its devices, its mounts, processes that have a word in their command line. */
async function traces(word: string): Promise<string[]> {
  const devices = (await run(["ip", "-brief", "link"])).stdout.split("\n").map((line) => line.split(/[\s@]/)[0]!);
  const mounts = (await Deno.readTextFile("/proc/self/mounts")).split("\n").map((line) => line.split(" ")[1] ?? "");
  const folders = [`${cacheFolder()}/box`, "/mnt"];
  return [
    ...devices.filter((name) => name === "vxlan42" || name === "tap0"),
    ...mounts.filter((path) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`))),
    ...(await commandLines()).map(({ words }) => words).filter((words) => words.includes(word)),
  ].sort();
}

/** The process that waits in the box; the second command keeps its shell from becoming `sleep`, which has no word. */
const WAITING = ["bash", "-c", "sleep 60; :"];

/** Makes a device, a mount and a process, under a word that stands nowhere else, and waits. */
function waiting(word: string): string {
  const [shell, flag, script] = WAITING;
  return `ip link add vxlan42 type vxlan id 42 dstport 4789 dev lo && mount -t tmpfs tmpfs /mnt &&
    echo ready && ${shell} ${flag} '${script}' ${word}`;
}

Deno.test({
  name:
    "a box gives its command's streams and status, a network of its own with a way out, and no engine of the user's",
  ignore,
  fn: async () => {
    const script = 'read line; echo "got $line"; echo oops >&2; hostname; ls /sys/class/net; ls -A /srv; ' +
      'echo "engine ${DOCKER_HOST-}"; exit 3';
    const words = ["sh", "-c", `echo hello | DOCKER_HOST=tcp://192.0.2.1 "$0" sh -c '${script}'`, BOX];
    const stdout = "got hello\nbox\nlo\ntap0\nengine \n";
    assert.deepEqual(await run(words), { code: 3, stdout, stderr: "oops\n" });
  },
});

Deno.test({
  name: "a box that is in a box is refused, and so is one without a command",
  ignore,
  fn: async () => {
    const nested = await run([BOX, BOX, "true"]);
    assert.equal(nested.code, 75);
    assert.match(nested.stderr, /^box: this is in a box already, with its data in \S+\n {2}hint: exit\n$/);
    const empty = await run([BOX]);
    assert.equal(empty.code, 75);
    assert.match(empty.stderr, /^box: a command is needed\n {2}hint: \S+ bash\n$/);
  },
});

for (const victim of ["the box", "its caller"]) {
  Deno.test({
    name: `nothing is left of a box when ${victim} is killed`,
    ignore,
    fn: async () => {
      const word = `word-${crypto.randomUUID()}`;
      const before = await traces(word);
      const caller = new Deno.Command("sh", {
        // Not the last command of the shell, which would become it.
        args: ["-c", `"$1" bash -c "$2" & echo $!; wait`, "sh", BOX, waiting(word)],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = caller.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let said = "";
      while (!said.includes("ready")) {
        const { value, done } = await reader.read();
        assert.ok(!done, `the box ended after saying ${JSON.stringify(said)}`);
        said += value;
      }
      const process = [...WAITING, word].join(" ");
      const runs = async () => (await commandLines()).some(({ words }) => words === process);
      await poll("the process in the box", runs, { seconds: 10 });
      Deno.kill(victim === "the box" ? Number(said.split("\n")[0]) : caller.pid, "SIGKILL");
      const gone = async () => (await traces(word)).join("\n") === before.join("\n");
      await poll("all traces of the box to go", gone, { seconds: 10 });
      await reader.cancel();
      await caller.status;
    },
  });
}
