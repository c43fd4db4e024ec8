import { createHash, type Hash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import type { Receiver, RemoteEntry } from "../../stack/master/get_files.ts";
import { typed } from "../../stack/shell.ts";
import { quotePath } from "../../stack/text.ts";
import { writing } from "./read_file.ts";

/** Files that come from a node, beside the place that they are for until all is there and checked. */
export interface ReceivedFiles extends Receiver, AsyncDisposable {
  /** Renames all into place. */
  place(): Promise<void>;
}

/**
 * Begins to take what comes.
 *
 * @param destination As the user gave it.
 * @param name The name in an existing folder; empty: the contents go into that.
 * @param onBytes Called with the number of bytes, as they come.
 */
export function receiveFiles(destination: string, name: string, onBytes: (bytes: number) => void): ReceivedFiles {
  let entries: readonly RemoteEntry[] = [];
  let [stage, target] = ["", ""];
  let writer: FileWriter | undefined;
  const files: ReceivedFiles = {
    async list(all) {
      entries = all;
      checkEntries(entries);
      const into = await Deno.stat(destination).catch(() => undefined);
      target = await findTarget(destination, into, name, entries[0]!);
      stage = await Deno.makeTempDir({
        dir: into?.isDirectory ? destination : dirname(destination),
        prefix: ".docker-mpi-cp.",
      });
      for (const { type, path } of entries) if (type === "d") await Deno.mkdir(at(stage, path));
      writer = fileWriter(stage, entries.filter(({ type }) => type === "f"), onBytes);
      await writer.take(new Uint8Array()); // those that are empty
    },
    bytes: async (chunk) => await writer?.take(chunk),
    async place() {
      writer?.requireAll();
      // Links come last: nothing is written through one.
      for (const { type, path, link } of entries) if (type === "l") await Deno.symlink(link, at(stage, path));
      await checkWay(at(stage, ""), target);
      const there = await moveInto(at(stage, ""), target);
      for (const entry of entries.toReversed()) {
        const folder = join(target, entry.path);
        if (entry.type === "d" && !there.has(folder)) await finishFolder(folder, entry);
      }
    },
    async [Symbol.asyncDispose]() {
      await writer?.close();
      if (stage !== "") await Deno.remove(stage, { recursive: true }).catch(() => {});
    },
  };
  return {
    ...files,
    list: (all) => writing(destination, () => files.list(all)),
    bytes: (chunk) => writing(destination, () => files.bytes(chunk)),
    place: () => writing(destination, () => files.place()),
  };
}

const at = (folder: string, path: string) => join(folder, "0", path);

/** A node may be in strange hands: no name leads out of the folder, and nothing is in what is no folder. */
export function checkEntries(entries: readonly RemoteEntry[]): void {
  const folders = new Set<string>();
  for (const [number, { type, path }] of entries.entries()) {
    const steps = path.split("/");
    const parent = steps.slice(0, -1).join("/");
    const bad = number === 0
      ? path !== ""
      : steps.some((step) => /^\.{0,2}$/.test(step) || Deno.build.os === "windows" && /[\\:]/.test(step)) ||
        !folders.has(parent) || folders.has(path);
    if (bad) {
      throw new MpiError("cluster", `The node sent a file name that can't be taken: ${quotePath(path)}`, {
        hint: "docker mpi ps",
      });
    }
    if (type === "d") folders.add(path);
  }
  if (entries.length === 0) throw new MpiError("cluster", "The node sent an empty list", { hint: "docker mpi ps" });
}

async function findTarget(
  destination: string,
  into: Deno.FileInfo | undefined,
  name: string,
  root: RemoteEntry,
): Promise<string> {
  // What goes into a link to a directory goes into that directory.
  if (into?.isDirectory) return name === "" ? await Deno.realPath(destination) : join(destination, name);
  const refuse = (why: string, hint: string) => new MpiError("usage", why, { hint });
  if (into !== undefined && (root.type === "d" || /[/\\]$/.test(destination))) {
    throw refuse(`${quotePath(destination)} is not a directory`, typed("ls", "-ld", destination));
  }
  const folder = root.type !== "d" && /[/\\]$/.test(destination) ? destination : dirname(destination);
  if (!await Deno.stat(folder).then((info) => info.isDirectory, () => false)) {
    throw refuse(`There is no directory ${quotePath(folder)}`, typed("mkdir", "-p", folder));
  }
  return join(dirname(destination), basename(destination));
}

interface FileWriter {
  take(chunk: Uint8Array): Promise<void>;
  requireAll(): void;
  close(): Promise<void>;
}

/** Cuts a stream into the files that it has, and compares each with its digest. */
function fileWriter(stage: string, files: readonly RemoteEntry[], onBytes: (bytes: number) => void): FileWriter {
  let next = 0;
  let open: { entry: RemoteEntry; file: Deno.FsFile; hash: Hash; left: number } | undefined;
  async function begin(entry: RemoteEntry) {
    const file = await Deno.open(at(stage, entry.path), { write: true, createNew: true, mode: 0o600 });
    open = { entry, file, hash: createHash("sha256"), left: entry.size };
  }
  async function end({ entry, file, hash }: NonNullable<typeof open>) {
    open = undefined;
    await file.utime(Date.now() / 1000, entry.mtime / 1000);
    file.close();
    if (hash.digest("hex") !== entry.sum) {
      throw new MpiError("cluster", `${quotePath(entry.path || "The file")} changed while it was copied`, {
        hint: "copy it again when nothing writes to it",
      });
    }
    if (Deno.build.os !== "windows") await Deno.chmod(at(stage, entry.path), entry.mode);
  }
  return {
    async take(chunk) {
      let rest = chunk;
      while (open !== undefined || next < files.length) {
        if (open === undefined) await begin(files[next++]!);
        const current = open!;
        const part = rest.subarray(0, current.left);
        for (let sent = 0; sent < part.length;) sent += await current.file.write(part.subarray(sent));
        current.hash.update(part);
        current.left -= part.length;
        onBytes(part.length);
        rest = rest.subarray(part.length);
        if (current.left > 0) return;
        await end(current);
      }
    },
    requireAll() {
      if (open === undefined && next === files.length) return;
      throw new MpiError("cluster", "The copy broke off before all was there", {
        hint: "docker mpi hosts  # lists the nodes there are",
      });
    },
    close: () => Promise.resolve(open?.file.close()),
  };
}

const isFolder = (path: string) => Deno.lstat(path).then((info) => info.isDirectory, () => false);

/** Throws before anything is renamed, if a file and a folder would meet. */
async function checkWay(from: string, to: string): Promise<void> {
  if (!await Deno.lstat(to).then(() => true, () => false)) return;
  const [folder, over] = [await isFolder(from), await isFolder(to)];
  if (folder !== over) {
    throw new MpiError("usage", `${quotePath(to)} is ${over ? "a directory" : "not a directory"}`, {
      hint: typed("ls", "-ld", to),
    });
  }
  if (folder) { for await (const { name } of Deno.readDir(from)) await checkWay(join(from, name), join(to, name)); }
}

/** Renames; folders that are there stay, and take what is in the others. Gives those. */
async function moveInto(from: string, to: string, there = new Set<string>()): Promise<Set<string>> {
  if (await isFolder(from) && await isFolder(to)) {
    there.add(join(to, ""));
    for (const { name } of await Array.fromAsync(Deno.readDir(from))) {
      await moveInto(join(from, name), join(to, name), there);
    }
  } else await Deno.rename(from, to);
  return there;
}

/** A folder gets its permissions and its time when nothing comes into it any more. */
async function finishFolder(folder: string, { mode, mtime }: RemoteEntry): Promise<void> {
  await Deno.utime(folder, Date.now() / 1000, mtime / 1000);
  if (Deno.build.os !== "windows") await Deno.chmod(folder, mode);
}
