import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { why } from "../../stack/file_error.ts";
import type { CopySource } from "../../stack/master/copy.ts";
import { typed } from "../../stack/shell.ts";
import { quote, quotePath } from "../../stack/text.ts";
import type { ArchiveEntry } from "./tar.ts";

/** A file, folder or link of this machine. */
export interface LocalEntry extends ArchiveEntry {
  /** Where it is. */
  file: string;
}

/** What a copy sends. */
export interface LocalSources {
  /** What was asked for. */
  sources: CopySource[];
  /** All of it, as in the archive; folders before what is in them. */
  entries: LocalEntry[];
}

/**
 * Looks at all that is to be sent.
 *
 * @param paths As the user gave them.
 * @throws {MpiError} `usage` if something is missing, can't be read, or is no file, folder or link.
 */
export async function readSources(paths: readonly string[]): Promise<LocalSources> {
  const found: LocalSources = { sources: [], entries: [] };
  for (const [number, path] of paths.entries()) {
    const entries = await readTree(path, String(number));
    const name = sourceName(path);
    const same = found.sources.findIndex((other) => other.name === name && name !== "");
    if (same >= 0) {
      throw new MpiError(
        "usage",
        `Both ${quotePath(paths[same]!)} and ${quotePath(path)} would be ${quote(name)} there`,
        {
          hint: "copy them one after the other, to different destinations",
        },
      );
    }
    found.sources.push({ type: entries[0]!.type === "d" ? "d" : "f", name });
    for (const entry of entries) found.entries.push(entry);
  }
  return found;
}

/**
 * The name that a path has in an existing folder; empty where only its contents go into that, as with `cp -r`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sourceName } from "./local_files.ts";
 *
 * assert.equal(sourceName("data/in/"), "in");
 * assert.equal(sourceName("data/."), "");
 * ```
 */
export function sourceName(path: string): string {
  const name = basename(path);
  return name === "." || name === ".." ? "" : name;
}

/**
 * Reads a file, or a folder with all that is below it.
 *
 * @param root The path; a link is taken as a link, unless a slash follows.
 * @param name Its path in the archive.
 * @param wanted Says of what is below, by its path from the root, whether it is wanted.
 * @param behind Whether something in a folder may be wanted that is not wanted itself; the folder comes with that.
 */
export async function readTree(
  root: string,
  name: string,
  wanted: (path: string) => boolean = () => true,
  behind = false,
): Promise<LocalEntry[]> {
  const entries: LocalEntry[] = [];
  // A link with a slash behind it is what it points to.
  const base = /[/\\]\.?$/.test(root) ? await Deno.realPath(root).catch(() => root) : root;
  const fileAt = (below: string) => below === "" ? base : join(base, below);
  async function add(below: string): Promise<LocalEntry> {
    const entry = await describe(fileAt(below), below === "" ? name : name === "" ? below : `${name}/${below}`);
    entries.push(entry);
    return entry;
  }
  // The unwanted are the folders on the way, outermost first, that come only if something in them does.
  async function look(folder: string, unwanted: string[]): Promise<void> {
    for (const child of await list(fileAt(folder))) {
      const path = folder === "" ? child.name : `${folder}/${child.name}`;
      if (wanted(path)) {
        for (const above of unwanted.splice(0)) await add(above);
        if ((await add(path)).type === "d") await look(path, []);
      } else if (behind && child.isFolder) {
        unwanted.push(path);
        await look(path, unwanted);
        if (unwanted.at(-1) === path) unwanted.pop();
      }
    }
  }
  if ((await add("")).type === "d") await look("", []);
  return entries;
}

async function list(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const children: { name: string; isFolder: boolean }[] = [];
    for await (const { name, isDirectory } of Deno.readDir(folder)) children.push({ name, isFolder: isDirectory });
    return children.sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    throw unreadable(folder, error);
  }
}

async function describe(file: string, path: string): Promise<LocalEntry> {
  const info = await Deno.lstat(file).catch((error) => {
    throw unreadable(file, error);
  });
  const type = info.isFile ? "f" : info.isDirectory ? "d" : info.isSymlink ? "l" : undefined;
  if (type === undefined) {
    const kind = info.isFifo ? "named pipe" : info.isSocket ? "socket" : "device";
    throw new MpiError(
      "usage",
      `${quotePath(file)} is a ${kind}: only files, folders and symbolic links can be copied`,
      {
        hint: "leave it out, or remove it",
      },
    );
  }
  return {
    file,
    path,
    type,
    mode: (info.mode ?? (type === "d" ? 0o755 : 0o644)) & 0o7777,
    size: type === "f" ? info.size : 0,
    mtime: Math.floor(info.mtime?.getTime() ?? 0),
    link: type === "l" ? await Deno.readLink(file) : "",
  };
}

function unreadable(file: string, error: unknown): MpiError {
  const missing = error instanceof Deno.errors.NotFound;
  return new MpiError("usage", `Cannot read ${quotePath(file)}: ${missing ? "there is no such file" : why(error)}`, {
    hint: missing
      ? "ls -l  # shows what is here; NODE:PATH names a file of a node, such as master:results.txt"
      : typed("ls", "-ld", file),
    cause: error,
  });
}

/** Files of up to so many bytes are opened before it is their turn, so many at a time. */
const SMALL = 128 * 1024;
const AHEAD = 32;

/** How much of a larger one is read at once. */
const CHUNK = 1024 * 1024;

/**
 * Gives the entries with the bytes of the files, and in the end `sums`: each file's digest, size and path.
 *
 * @param entries What to send.
 * @param sent Called with the number of bytes, as they are taken.
 */
export async function* withSums(
  entries: readonly LocalEntry[],
  sent: (bytes: number) => void,
): AsyncGenerator<ArchiveEntry> {
  const files = entries.filter(({ type }) => type === "f");
  const sums: string[] = [];
  const ahead = smallFiles(files.filter(({ size }) => size <= SMALL));
  for (const entry of entries) {
    if (entry.type !== "f") {
      yield entry;
      continue;
    }
    const hash = createHash("sha256");
    const source = entry.size <= SMALL
      ? await ahead.next().then(({ value }) => value as Uint8Array[])
      : chunksOf(entry);
    yield { ...entry, body: checked(entry, source, hash, sent) };
    sums.push(`${hash.digest("hex")} ${entry.size} ${entry.path}\0`);
  }
  const bytes = new TextEncoder().encode(sums.join(""));
  yield { path: "sums", type: "f", mode: 0o600, size: bytes.length, mtime: 0, link: "", body: [bytes] };
}

/** Has the next files read while one is sent. */
async function* smallFiles(files: readonly LocalEntry[]): AsyncGenerator<Uint8Array[]> {
  const read = (entry: LocalEntry) => {
    const bytes = Deno.readFile(entry.file).then(
      (all) => [all],
      (error) => Promise.reject(unreadable(entry.file, error)),
    );
    bytes.catch(() => {}); // it is told when it is its turn
    return bytes;
  };
  const ahead = files.slice(0, AHEAD).map(read);
  for (let next = AHEAD; ahead.length > 0; next++) {
    yield await ahead.shift()!;
    if (next < files.length) ahead.push(read(files[next]!));
  }
}

async function* chunksOf(entry: LocalEntry): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(entry.file).catch((error) => {
    throw unreadable(entry.file, error);
  });
  while (true) {
    const chunk = new Uint8Array(CHUNK);
    const length = await file.read(chunk);
    if (length === null) return;
    yield chunk.subarray(0, length);
  }
}

/** Passes the bytes of a file on, as long as they are as many as it had. */
async function* checked(
  { file, size }: LocalEntry,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
  sent: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > size) break;
    hash.update(chunk);
    sent(chunk.length);
    yield chunk;
  }
  if (total === size) return;
  throw new MpiError("usage", `${quotePath(file)} changed while it was copied: it had ${size} bytes`, {
    hint: "copy it again when nothing writes to it",
  });
}
