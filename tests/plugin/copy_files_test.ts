/** What a copy reads here and puts here: real files, whose names, permissions and times are of all kinds. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { folderNames, requireOwnNames } from "../../cli/files/copy.ts";
import { ignoredBy } from "../../cli/files/ignore.ts";
import { readSources, readTree, withSums } from "../../cli/files/local_files.ts";
import { receiveFiles } from "../../cli/files/received_files.ts";
import { tarStream } from "../../cli/files/tar.ts";
import type { RemoteEntry } from "../../stack/master/get_files.ts";
import { quotePath } from "../../stack/text.ts";
import { root, sh } from "../support/plugin_cli.ts";
import { checkAll } from "../support/property.ts";

async function folder() {
  const path = await Deno.makeTempDir({ prefix: "mpi-copy-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A file, link or folder: its path, kind, permissions, time, and what it has. */
type State = [path: string, kind: string, mode: number, mtime: number, content: string];

async function stateOf(root: string, below = ""): Promise<State[]> {
  const path = join(root, below);
  const { isFile, isSymlink, mode, mtime } = await Deno.lstat(path);
  const time = mtime!.getTime();
  if (isSymlink) return [[below, "link", 0, 0, await Deno.readLink(path)]];
  if (isFile) return [[below, "file", mode! & 0o7777, time, (await Deno.readFile(path)).toHex()]];
  const names = (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
  const children = await Promise.all(names.map((name) => stateOf(root, join(below, name))));
  return [[below, "folder", mode! & 0o7777, time, ""], ...children.flat()];
}

const name = fc.oneof(
  fc.constantFrom("-rf", "--", "new\nline", " ", "a b", "ü", "é", "漢🦕", "*", "$(x)", "'\"", "sums", "0", "..x"),
  fc.stringMatching(/^[^/\0.\ud800-\udfff]{1,40}$/),
  fc.stringMatching(/^[a-z]{200}$/),
);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const leaf = fc.oneof(
  fc.record({
    size: fc.constantFrom(0, 1, 511, 512, 513, 10_000, 300_000),
    mode: fc.constantFrom(0o644, 0o755, 0o400, 0o600),
    time,
  }),
  fc.record({ link: fc.constantFrom("x", "../..", "/nowhere", "a b\n") }),
);
interface Tree {
  size?: number;
  link?: string;
  mode?: number;
  time?: number;
  children?: Record<string, Tree>;
}
const tree: fc.Arbitrary<Tree> = fc.letrec<{ node: Tree; folder: Tree }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, leaf, tie("folder")),
  folder: fc.record({
    children: fc.dictionary(name, tie("node"), { maxKeys: 5 }),
    mode: fc.constantFrom(0o755, 0o700),
    time,
  }),
})).folder;

async function make(path: string, { size, link, mode, time, children }: Tree): Promise<void> {
  if (link !== undefined) return await Deno.symlink(link, path);
  if (children === undefined) await Deno.writeFile(path, new Uint8Array(size!).map((_, at) => at % 251));
  else await Deno.mkdir(path);
  for (const [name, child] of Object.entries(children ?? {})) await make(join(path, name), child);
  await Deno.chmod(path, mode!);
  await Deno.utime(path, time! / 1000, time! / 1000);
}

Deno.test("tar unpacks what a copy sends as it is here, and the sums are right", async () => {
  await checkAll(40, tree, async (tree) => {
    await using here = await folder();
    await make(`${here.path}/from`, tree);
    await Deno.mkdir(`${here.path}/to`);
    const { entries } = await readSources([`${here.path}/from`]);
    let sent = 0;
    const options = ["--extract", "--no-same-owner", "--preserve-permissions", "--delay-directory-restore"];
    const tar = new Deno.Command("tar", { args: [...options, "--directory", `${here.path}/to`], stdin: "piped" })
      .spawn();
    await ReadableStream.from(tarStream(withSums(entries, (bytes) => sent += bytes))).pipeTo(tar.stdin);
    assert.equal((await tar.status).code, 0);
    assert.deepEqual(await stateOf(`${here.path}/to/0`), await stateOf(`${here.path}/from`));
    const sums = (await Deno.readTextFile(`${here.path}/to/sums`)).split("\0").slice(0, -1);
    const files = entries.filter(({ type }) => type === "f");
    const right = files.map(async ({ file, path, size }) =>
      `${createHash("sha256").update(await Deno.readFile(file)).digest("hex")} ${size} ${path}`
    );
    assert.deepEqual(sums, await Promise.all(right));
    assert.equal(sent, files.reduce((sum, { size }) => sum + size, 0));
  });
});

/** What a node would say and send of a folder. */
async function asSent(root: string): Promise<{ entries: RemoteEntry[]; bytes: Uint8Array }> {
  const { entries } = await readSources([root]);
  const contents = await Promise.all(
    entries.map(({ type, file }) => type === "f" ? Deno.readFile(file) : new Uint8Array()),
  );
  return {
    bytes: new Uint8Array(await new Blob(contents).arrayBuffer()),
    entries: entries.map((entry, number) => ({
      ...entry,
      path: entry.path.slice("0/".length),
      sum: createHash("sha256").update(contents[number]!).digest("hex"),
    })),
  };
}

Deno.test("what a node sends is here as it is there, however it is cut", async () => {
  await checkAll(40, fc.tuple(tree, fc.integer({ min: 700, max: 70_000 })), async ([tree, step]) => {
    await using here = await folder();
    await make(`${here.path}/from`, tree);
    const { entries, bytes } = await asSent(`${here.path}/from`);
    {
      await using files = receiveFiles(`${here.path}/to`, "from", () => {});
      await files.list(entries);
      for (let at = 0; at < bytes.length; at += step) await files.bytes(bytes.subarray(at, at + step));
      await files.place();
    }
    assert.deepEqual(await stateOf(`${here.path}/to`), await stateOf(`${here.path}/from`));
    assert.deepEqual((await stateOf(here.path)).filter(([path]) => path.includes("docker-mpi")), []);
  });
});

Deno.test("a copy that breaks off, or has another digest, leaves what was there", async () => {
  await using here = await folder();
  const at = (path: string) => `${here.path}/${path}`;
  await Deno.mkdir(at("from"));
  await Deno.writeTextFile(at("from/a"), "new a");
  await Deno.writeTextFile(at("from/b"), "new b");
  await Deno.mkdir(at("to"));
  await Deno.writeTextFile(at("to/a"), "old");
  const { entries, bytes } = await asSent(at("from"));
  const take = async (bytes: Uint8Array) => {
    await using files = receiveFiles(at("to"), "", () => {});
    await files.list(entries);
    await files.bytes(bytes);
    await files.place();
  };
  await assert.rejects(take(bytes.subarray(0, 9)), { message: "The copy broke off before all was there" });
  await assert.rejects(take(bytes.with(7, 0)), { message: '"b" changed while it was copied' });
  assert.deepEqual((await stateOf(at("to"))).map(([path]) => path), ["", "a"]);
  assert.equal(await Deno.readTextFile(at("to/a")), "old");
  await take(bytes);
  assert.equal(await Deno.readTextFile(at("to/a")) + await Deno.readTextFile(at("to/b")), "new anew b");
});

Deno.test("what can't be copied is refused by name", async () => {
  await using here = await folder();
  const at = (path: string) => `${here.path}/${path}`;
  await new Deno.Command("mkfifo", { args: [at("pipe")] }).output();
  using _socket = Deno.listen({ transport: "unix", path: at("socket") });
  for (const [path, kind] of [["pipe", "named pipe"], ["socket", "socket"]] as const) {
    const message = `${quotePath(at(path))} is a ${kind}: only files, folders and symbolic links can be copied`;
    await assert.rejects(readSources([at(path)]), { code: "usage", message });
  }
  await assert.rejects(readSources([at("missing")]), {
    message: `Cannot read ${quotePath(at("missing"))}: there is no such file`,
  });
  await Deno.mkdir(at("d"));
  await Deno.writeTextFile(at("d/pipe"), "");
  await Deno.remove(at("pipe"));
  await Deno.writeTextFile(at("pipe"), "");
  await assert.rejects(readSources([at("pipe"), at("d/pipe")]), { message: /would be "pipe" there$/ });
});

Deno.test("a file that changes while it is sent is told, and not sent half", async () => {
  await using here = await folder();
  for (const size of [1000, 3_000_000]) {
    const file = `${here.path}/${size}`;
    await Deno.writeFile(file, new Uint8Array(size));
    const { entries } = await readSources([file]);
    for (const now of [size - 1, size + 1]) {
      await Deno.writeFile(file, new Uint8Array(now));
      const all = Array.fromAsync(tarStream(withSums(entries, () => {})));
      await assert.rejects(all, { message: `${quotePath(file)} changed while it was copied: it had ${size} bytes` });
    }
  }
});

Deno.test("a folder and a file don't replace each other here", async () => {
  await using here = await folder();
  const at = (path: string) => `${here.path}/${path}`;
  await Deno.mkdir(at("from/x"), { recursive: true });
  await Deno.mkdir(at("to"));
  await Deno.writeTextFile(at("to/x"), "file");
  const { entries } = await asSent(at("from"));
  await using files = receiveFiles(at("to"), "", () => {});
  await files.list(entries);
  await assert.rejects(files.place(), { message: `${quotePath(at("to/x"))} is not a directory` });
  assert.equal(await Deno.readTextFile(at("to/x")), "file");
});

Deno.test("what is not ignored is found in folders that are, and brings these along", async () => {
  await using here = await folder();
  const at = (path: string) => `${here.path}/${path}`;
  for (const path of ["data/deep", "data/more", "src"]) await Deno.mkdir(at(path), { recursive: true });
  for (const path of ["data/big", "data/deep/small", "data/deep/big", "data/more/big", "src/a.c", "z"]) {
    await Deno.writeTextFile(at(path), "");
  }
  const read = async (rules: string, behind: boolean) => {
    const ignored = ignoredBy(rules);
    return (await readTree(here.path, "", (path) => !ignored(path), behind)).map(({ path }) => path);
  };
  const rules = "data\n!data/deep/small\n";
  assert.deepEqual(await read(rules, true), ["", "data", "data/deep", "data/deep/small", "src", "src/a.c", "z"]);
  assert.deepEqual(await read("data\n", false), ["", "src", "src/a.c", "z"]);
});

Deno.test("what two nodes have under one name is not taken into one place", () => {
  const take = (...from: string[]) =>
    requireOwnNames(from.map((each) => {
      const [node, path] = each.split(":");
      return { node, path: path! };
    }));
  take("worker-1:log", "worker-2:other", "all:log");
  take("worker-1:out/.", "worker-2:out/.");
  assert.throws(() => take("worker-1:a/log", "worker-2:b/log"), {
    code: "usage",
    message: 'Both "worker-1:a/log" and "worker-2:b/log" would be "log" here',
    hint: "copy them one after the other, to different destinations; all:FILE DIR takes it from every node",
  });
});

Deno.test("every node gets a folder of its name, and no name leads elsewhere", () => {
  const names = ["master", "worker-7", "worker-rack-1", "worker-n1.example.org"];
  assert.deepEqual(folderNames(names.map((name) => ({ name }))), names);
  for (const name of ["..", "worker-../x", "worker-", ""]) {
    assert.throws(() => folderNames([{ name: "master" }, { name }]), {
      code: "cluster",
      message: `The master lists a node whose name can be no folder's here: "${name}"`,
    });
  }
});

Deno.test("what is in a folder goes through a link to one", async () => {
  await using here = await folder();
  await make(`${here.path}/from`, { children: { a: { size: 3, mode: 0o644, time: 0 } }, mode: 0o755, time: 0 });
  await Deno.mkdir(`${here.path}/real`);
  await Deno.symlink("real", `${here.path}/link`);
  const { entries, bytes } = await asSent(`${here.path}/from`);
  await using files = receiveFiles(`${here.path}/link`, "", () => {});
  await files.list(entries);
  await files.bytes(bytes);
  await files.place();
  assert.equal((await Deno.stat(`${here.path}/real/a`)).size, 3);
});

Deno.test("on a node, what is in a folder goes through a link to one as well; what has a name does so by itself", async () => {
  await using here = await folder();
  await Deno.mkdir(`${here.path}/real`);
  await Deno.symlink("real", `${here.path}/link`);
  const program =
    "use lib shift; use Place; print join ' ', map { Place::target($ARGV[0], 'dir', {name => $_}) } '', 'a'";
  const { out, err } = await sh("perl", [
    "-e",
    program,
    `${root}/images/rootfs/usr/local/lib/mpi`,
    `${here.path}/link/`,
  ]);
  assert.deepEqual([out, err], [`${await Deno.realPath(here.path)}/real ${here.path}/link/a`, ""]);
});

Deno.test("a place that can't be written to is told as such", async () => {
  await using here = await folder();
  await make(`${here.path}/from`, { size: 3, mode: 0o644, time: 0 });
  const { entries } = await asSent(`${here.path}/from`);
  await using files = receiveFiles("/proc/self", "from", () => {});
  await assert.rejects(files.list(entries), {
    code: "usage",
    message: 'Cannot write to "/proc/self": it does not exist',
    hint: "ls -ld /proc/self",
  });
});
