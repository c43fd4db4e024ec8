import { MpiError } from "../errors.ts";
import { shellQuote, typed } from "../shell.ts";
import type { SshConnection } from "../ssh/ssh.ts";
import { brokenOff, type ComparedEntry } from "./copy.ts";
import { splitWords } from "./words.ts";

/** A file, folder or link on a node. */
export interface RemoteEntry extends ComparedEntry {
  /** SHA-256 of a file, in hexadecimal. */
  sum: string;
}

/** Takes what a node sends. */
export interface Receiver {
  /** First all that comes; a path is empty for what was asked for itself. */
  list(entries: readonly RemoteEntry[]): Promise<void>;
  /** Then the bytes of all files, one after the other. */
  bytes(chunk: Uint8Array): Promise<void>;
}

/**
 * Brings a file, or a folder with all that is in it, from a node.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Streams } from "../ssh/ssh.ts";
 * import { getFiles } from "./get_files.ts";
 *
 * const list = ["f", "644", "5", "1700000000.5", "(its sum)", "a.txt", ""].map((word) => `${word}\0`).join("");
 * const run = async (_command: string, { stdout }: Streams) => {
 *   await stdout(new TextEncoder().encode(`ok\n${list.length}\n${list}hello`));
 *   return { status: 0 };
 * };
 * const capture = () => Promise.resolve({ status: 0, stdout: "", stderr: "" });
 * const master = { tunnelled: false, run, capture, shell: capture, close: () => {} };
 * const got: string[] = [];
 * await getFiles(master, "worker-1", "out", {
 *   list: async ([entry]) => void got.push(`${entry?.path}, ${entry?.size} bytes`),
 *   bytes: async (chunk) => void got.push(new TextDecoder().decode(chunk)),
 * });
 * assert.deepEqual(got, ["a.txt, 5 bytes", "hello"]);
 * ```
 *
 * @param master A connection to the master.
 * @param node The node's name.
 * @param path The path there, from `/project`.
 * @param to Takes what comes.
 * @throws {MpiError} `not-found` if there is no such node or file, or one can't be read; `cluster` if it breaks off.
 */
export async function getFiles(master: SshConnection, node: string, path: string, to: Receiver): Promise<void> {
  const head = headReader();
  const decoder = new TextDecoder();
  let stderr = "";
  const { status } = await master.run(`exec ${shellQuote(["mpi_cp", "get", node, path])}`, {
    async stdout(chunk) {
      if (head.list !== undefined) return await to.bytes(chunk);
      const rest = head.take(chunk);
      if (head.list === undefined) return;
      await to.list(head.list);
      if (rest.length > 0) await to.bytes(rest);
    },
    stderr: (chunk) => Promise.resolve(void (stderr += decoder.decode(chunk, { stream: true }))),
  });
  if (head.list !== undefined) return;
  const [, why] = /^failed (?:- )?(.*)$/m.exec(head.text()) ?? [];
  if (why !== undefined) {
    throw new MpiError("not-found", `Not copied from ${node}: ${why}`, {
      hint: why.startsWith("No node ") ? "docker mpi hosts" : lookHint(node, path),
    });
  }
  throw brokenOff(status, stderr);
}

function lookHint(node: string, path: string): string {
  return `docker mpi exec --host ${typed(node)} ls -l ${typed(path)}`;
}

/** What comes before the bytes: a word, a length, a list of so many bytes. */
function headReader() {
  let bytes = new Uint8Array();
  const text = () => new TextDecoder().decode(bytes.subarray(0, 1000));
  const reader = {
    list: undefined as RemoteEntry[] | undefined,
    text,
    /** Gives what comes after the head. */
    take(chunk: Uint8Array): Uint8Array {
      const before = bytes;
      bytes = new Uint8Array(before.length + chunk.length);
      bytes.set(before);
      bytes.set(chunk, before.length);
      const [head = "", length] = /^ok\n(\d{1,9})\n/.exec(text()) ?? [];
      const end = head.length + Number(length);
      if (length === undefined || bytes.length < end) return new Uint8Array();
      reader.list = readEntries(new TextDecoder().decode(bytes.subarray(head.length, end)));
      return bytes.subarray(end);
    },
  };
  return reader;
}

/** Seven words an entry, as `mpi_files get` says them. */
function readEntries(text: string): RemoteEntry[] {
  const words = splitWords(text);
  const entries: RemoteEntry[] = [];
  for (let at = 0; at + 7 <= words.length; at += 7) {
    const [type, mode, size, mtime, sum, path, link] = words.slice(at, at + 7) as [string, ...string[]] & string[];
    if (type !== "f" && type !== "d" && type !== "l") continue;
    const time = Math.floor(Number(mtime) * 1000);
    entries.push({
      type,
      mode: parseInt(mode!, 8),
      size: Number(size),
      mtime: time,
      sum: sum!,
      path: path!,
      link: link!,
    });
  }
  return entries;
}
