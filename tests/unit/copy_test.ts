/** The client's side of a copy: which words go to the master, and what becomes of what it answers. */
import assert from "node:assert/strict";
import { sourceName } from "../../cli/files/local_files.ts";
import { checkEntries } from "../../cli/files/received_files.ts";
import type { MpiError } from "../../stack/errors.ts";
import { compareFiles, parsePlace, putFiles, requireComplete } from "../../stack/master/copy.ts";
import { getFiles, type RemoteEntry } from "../../stack/master/get_files.ts";
import { packWords } from "../../stack/master/words.ts";
import type { SshConnection } from "../../stack/ssh/ssh.ts";

/** A master that takes all of its input and answers with some text; gives what it was asked. */
function master(answer: string | Uint8Array, { until, status = 0 }: { until?: string; status?: number } = {}) {
  const asked = { command: "", input: "" };
  const connection = {
    async run(command: string, { stdin, stdout }) {
      asked.command = command;
      const bytes = typeof answer === "string" ? new TextEncoder().encode(answer) : answer;
      const reader = stdin?.getReader();
      // What follows the words waits for the answer to them.
      const first = await reader?.read();
      asked.input += new TextDecoder().decode(first?.value);
      const at = until === undefined ? bytes.length : until.length;
      await stdout(bytes.subarray(0, at));
      while (until !== undefined) {
        const { value, done } = await reader!.read();
        if (done) break;
        asked.input += new TextDecoder().decode(value);
      }
      if (at < bytes.length) await stdout(bytes.subarray(at));
      return { status };
    },
  } satisfies Partial<SshConnection>;
  return { asked, connection: connection as unknown as SshConnection };
}

const request = { nodes: undefined, destination: "in/", sources: [{ type: "d", name: "data" }] } as const;
async function* archive() {
  yield new TextEncoder().encode("ARCHIVE");
}

for (
  const [text, node, path] of [
    ["data", undefined, "data"],
    ["master:results.txt", "master", "results.txt"],
    ["worker-3:", "worker-3", "."],
    ["all:a:b", "all", "a:b"],
    ["./a:b", undefined, "./a:b"],
    ["/a:b", undefined, "/a:b"],
    ["C:\\data", undefined, "C:\\data"],
    [":a", undefined, ":a"],
    ["master:a\nb", "master", "a\nb"],
  ] as const
) {
  Deno.test(`parsePlace() of ${JSON.stringify(text)}`, () => assert.deepEqual(parsePlace(text), { node, path }));
}

Deno.test("sourceName() is that of cp -r", () => {
  const names = ["a/b", "a/b/", "-rf", ".", "..", "a/.", "a/..", "/"].map(sourceName);
  assert.deepEqual(names, ["b", "b", "-rf", "", "", "", "", ""]);
});

Deno.test("putFiles() sends the archive when the nodes are ready", async () => {
  const { asked, connection } = master("ready\ndone\n", { until: "ready\n" });
  assert.deepEqual(await putFiles(connection, request, archive), { failed: [], entered: [] });
  assert.equal(asked.command, "exec mpi_cp put");
  assert.equal(asked.input, "17\nall\x001\0in/\0d\0data\0ARCHIVE");
});

Deno.test("putFiles() sends nothing where a node is not ready, and tells which", async () => {
  const { asked, connection } = master('failed worker-2 there is no directory "in/"\nentered worker-9\ndone\n');
  const outcome = await putFiles(connection, { ...request, nodes: ["master", "worker-2"] }, () => assert.fail());
  assert.deepEqual(outcome, {
    failed: [{ node: "worker-2", why: 'there is no directory "in/"' }],
    entered: ["worker-9"],
  });
  assert.ok(asked.input.startsWith("29\nmaster,worker-2\0"), asked.input);
});

Deno.test("putFiles() says what failed here, not that the copy was cut off", async () => {
  const { connection } = master("ready\nfailed master the copy was cut off\ndone\n", { until: "ready\n" });
  // deno-lint-ignore require-yield
  const broken = async function* () {
    await Promise.resolve();
    throw new Error("a file changed");
  };
  await assert.rejects(putFiles(connection, request, broken), { message: "a file changed" });
});

Deno.test("putFiles() takes an end without a word for a failure, and an image without mpi_cp for an old one", async () => {
  await assert.rejects(putFiles(master("").connection, request, archive), { code: "cluster", message: /broke off/ });
  await assert.rejects(putFiles(master("", { status: 127 }).connection, request, archive), {
    hint: "docker mpi deploy --build",
  });
});

Deno.test("requireComplete() puts the nodes of one reason into one line", () => {
  const failed = [["worker-1", "lost"], ["worker-2", "No space left on device"], ["worker-3", "lost"]];
  const outcome = { failed: failed.map(([node, why]) => ({ node: node!, why: why! })), entered: ["worker-4"] };
  assert.throws(() => requireComplete(outcome), {
    code: "cluster",
    message: "Not copied to worker-1, worker-3: lost\nNot copied to worker-2: No space left on device\n" +
      "Not copied to worker-4: came while the others were copied to",
  });
  requireComplete({ failed: [], entered: [] });
});

Deno.test("requireComplete() hints at what makes the next try succeed", () => {
  const hint = (why: string): string | undefined => {
    try {
      requireComplete({ failed: [{ node: "worker-1", why }], entered: [] });
    } catch (error) {
      return (error as MpiError).hint;
    }
    return undefined;
  };
  assert.equal(hint('there is no directory "it\'s"'), "docker mpi exec --all mkdir -p 'it'\\''s'");
  assert.equal(hint("No space left on device"), "docker mpi exec --host worker-1 df -h  # shows its space");
});

Deno.test("compareFiles() asks for each entry and gathers what any node lacks", async () => {
  const { asked, connection } = master("node master\nnode worker-1 1 0\nnode worker-2 1\ndone\n");
  const entries = [
    { path: "a b", type: "f", mode: 0o644, size: 3, mtime: 1500, link: "" },
    { path: "l", type: "l", mode: 0o777, size: 0, mtime: 0, link: "a b" },
  ] as const;
  const difference = await compareFiles(connection, "/project", entries);
  assert.deepEqual(difference, { nodes: ["worker-1", "worker-2"], missing: [0, 1] });
  const words = "/project\0a b\0f\x00644\x003\x001.500\0\0l\0l\x00777\x000\x000.000\0a b\0";
  assert.equal(asked.input, `${words.length}\n${words}`);
});

Deno.test("getFiles() gives the list, then the bytes, however they are cut", async () => {
  const words = packWords(["f", "644", "3", "12.3456789", "abc", "", ""]);
  const all = new Uint8Array([...new TextEncoder().encode("ok\n"), ...words, ...new TextEncoder().encode("one")]);
  for (let cut = 0; cut <= all.length; cut++) {
    const said: string[] = [];
    const connection = {
      async run(_: string, { stdout }: Parameters<SshConnection["run"]>[1]) {
        await stdout(all.slice(0, cut));
        await stdout(all.slice(cut));
        return { status: 0 };
      },
    } as unknown as SshConnection;
    await getFiles(connection, "master", "x", {
      list: (entries) => Promise.resolve(void said.push(JSON.stringify(entries))),
      bytes: (chunk) => Promise.resolve(void said.push(new TextDecoder().decode(chunk))),
    });
    assert.deepEqual(JSON.parse(said[0]!), [
      { type: "f", mode: 0o644, size: 3, mtime: 12345, sum: "abc", path: "", link: "" },
    ]);
    assert.equal(said.slice(1).join(""), "one");
  }
});

Deno.test("getFiles() tells what a node has not", async () => {
  const receiver = { list: () => assert.fail(), bytes: () => assert.fail() };
  const { asked, connection } = master('failed there is no "it\'s"\n');
  await assert.rejects(getFiles(connection, "worker-1", "it's", receiver), {
    message: 'Not copied from worker-1: there is no "it\'s"',
    hint: "docker mpi exec --host worker-1 ls -l 'it'\\''s'",
  });
  assert.equal(asked.command, "exec 'mpi_cp' 'get' 'worker-1' 'it'\\''s'");
});

const entry = (type: "f" | "d" | "l", path: string): RemoteEntry => ({
  type,
  path,
  mode: 0o644,
  size: 0,
  mtime: 0,
  link: type === "l" ? "/etc" : "",
  sum: "",
});

for (const path of ["..", "../x", "/etc/x", "a/../../x", "a//x", "l/x", "f/x", "nowhere/x", ".", "", "a"]) {
  Deno.test(`a node can't send a file named ${JSON.stringify(path)}`, () => {
    const others = [entry("d", ""), entry("d", "a"), entry("l", "l"), entry("f", "f")];
    assert.throws(() => checkEntries([...others, entry("f", path)]), { code: "cluster" });
  });
}

Deno.test("a node can send what is in a folder", () => {
  checkEntries([entry("d", ""), entry("d", "a"), entry("f", "a/..b"), entry("f", "-rf"), entry("f", "new\nline")]);
  assert.throws(() => checkEntries([]), { code: "cluster" });
  assert.throws(() => checkEntries([entry("f", "x")]), { code: "cluster" });
});
