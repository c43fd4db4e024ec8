import { MpiError } from "../errors.ts";
import type { SshConnection } from "../ssh/ssh.ts";
import { brief } from "../text.ts";
import { packWords } from "./words.ts";

/** A place that a copy is from or to. */
export interface Place {
  /** A node, or `all`; none: not said. */
  node: string | undefined;
  /** The path there. */
  path: string;
}

/**
 * Takes `NODE:PATH` apart. What has a slash before the colon is a path, and so is a drive of Windows.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePlace } from "./copy.ts";
 *
 * assert.deepEqual(parsePlace("worker-3:out/a.txt"), { node: "worker-3", path: "out/a.txt" });
 * assert.deepEqual(parsePlace("./a:b"), { node: undefined, path: "./a:b" });
 * ```
 */
export function parsePlace(text: string): Place {
  const [, node, path = ""] = /^([^/\\:]{2,}):(.*)$/s.exec(text) ?? [];
  return node === undefined ? { node: undefined, path: text } : { node, path: path || "." };
}

/** One of the files or folders that a copy was asked for. */
export interface CopySource {
  /** `d` for a folder, `f` for all else. */
  type: "d" | "f";
  /** The name to have in an existing folder; empty: its contents go into that. */
  name: string;
}

/** What goes where. */
export interface PutRequest {
  /** Names of nodes; none: all. */
  nodes: readonly string[] | undefined;
  /** Whether the others have it already, so that one that comes meanwhile lacks it. */
  ofAll?: boolean;
  /** Where to, from `/project`. */
  destination: string;
  /** In the archive, each is the entry of its number: `0`, `1/a.txt`. */
  sources: readonly CopySource[];
}

/** Which nodes have not all of it. */
export interface Outcome {
  /** By name, or `-` for none, with the reason. */
  failed: { node: string; why: string }[];
  /** Those that came while it was under way. */
  entered: string[];
}

/**
 * Brings an archive to nodes: sent once, the master hands it on to all at once.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Streams } from "../ssh/ssh.ts";
 * import { putFiles } from "./copy.ts";
 *
 * const received: string[] = [];
 * const run = async (_command: string, { stdin, stdout }: Streams) => {
 *   await stdout(new TextEncoder().encode("ready\n"));
 *   for await (const text of stdin!.pipeThrough(new TextDecoderStream())) received.push(text);
 *   await stdout(new TextEncoder().encode("failed worker-2 No space left on device\ndone\n"));
 *   return { status: 0 };
 * };
 * const capture = () => Promise.resolve({ status: 0, stdout: "", stderr: "" });
 * const master = { tunnelled: false, run, capture, shell: capture, close: () => {} };
 * const request = { nodes: undefined, destination: "out/", sources: [{ type: "f" as const, name: "a.txt" }] };
 * const archive = [new TextEncoder().encode("(an archive)")];
 * const outcome = await putFiles(master, request, () => ReadableStream.from(archive));
 * assert.deepEqual(outcome, { failed: [{ node: "worker-2", why: "No space left on device" }], entered: [] });
 * assert.equal(received.at(-1), "(an archive)");
 * ```
 *
 * @param master A connection to it.
 * @param request What goes where.
 * @param archive Called when all nodes can take it: a tar archive, with `sums` as its last entry. Without these a node takes
 * nothing of it.
 * @returns Which nodes have not all of it; see {@linkcode requireComplete}.
 * @throws {MpiError} `cluster` if the master breaks off; and what reading the archive throws.
 */
export async function putFiles(
  master: SshConnection,
  request: PutRequest,
  archive: () => AsyncIterable<Uint8Array>,
): Promise<Outcome> {
  const { nodes, destination, sources } = request;
  const mustBeFolder = sources.length > 1 || destination.endsWith("/");
  const names = nodes === undefined ? "all" : `${request.ofAll ? "all:" : ""}${nodes.join(",")}`;
  const words = [names, mustBeFolder ? "1" : "", destination];
  words.push(...sources.flatMap(({ type, name }) => [type, name]));
  const ready = Promise.withResolvers<boolean>();
  const outcome: Outcome = { failed: [], entered: [] };
  let failure: unknown;
  async function* input() {
    yield packWords(words);
    try {
      if (await ready.promise) yield* archive();
    } catch (error) {
      failure = error; // the end of input without sums is the end of the copy
    }
  }
  const end = await readLines(master, "exec mpi_cp put", ReadableStream.from(input()), (line) => {
    if (line === "ready") ready.resolve(true);
    else readOutcome(line, outcome);
  }).finally(() => ready.resolve(false));
  if (failure !== undefined) throw failure;
  requireEnd(end);
  return outcome;
}

/** What is to be compared with what nodes have. */
export interface ComparedEntry {
  /** From the directory, with slashes. */
  path: string;
  /** File, directory or symbolic link. */
  type: "f" | "d" | "l";
  /** Permissions. */
  mode: number;
  /** Bytes. */
  size: number;
  /** When it was changed, in milliseconds. */
  mtime: number;
  /** Where a link points to; otherwise empty. */
  link: string;
}

/** What nodes lack. */
export interface Difference {
  /** The nodes that lack something. */
  nodes: string[];
  /** The numbers of all entries that one of them lacks. */
  missing: number[];
}

/**
 * Asks all nodes which files they don't have as described: by size, time and permissions.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Streams } from "../ssh/ssh.ts";
 * import { compareFiles } from "./copy.ts";
 *
 * const run = async (_command: string, { stdout }: Streams) => {
 *   await stdout(new TextEncoder().encode("node worker-1 \nnode worker-2 0\ndone\n"));
 *   return { status: 0 };
 * };
 * const capture = () => Promise.resolve({ status: 0, stdout: "", stderr: "" });
 * const master = { tunnelled: false, run, capture, shell: capture, close: () => {} };
 * const entry = { path: "a.txt", type: "f" as const, mode: 0o644, size: 3, mtime: 1_700_000_000_000, link: "" };
 * assert.deepEqual(await compareFiles(master, "/project", [entry]), { nodes: ["worker-2"], missing: [0] });
 * ```
 *
 * @param master A connection to the master.
 * @param directory Where the files are on each node.
 * @param entries What is to be there; their numbers, from 0, are their places in this list.
 * @returns The nodes that lack something, and what any of them lacks, in ascending order.
 * @throws {MpiError} `cluster` if a node can't say.
 */
export async function compareFiles(
  master: SshConnection,
  directory: string,
  entries: readonly ComparedEntry[],
): Promise<Difference> {
  const words = [directory];
  for (const { path, type, mode, size, mtime, link } of entries) {
    words.push(path, type, mode.toString(8), String(size), seconds(mtime), link);
  }
  const outcome: Outcome = { failed: [], entered: [] };
  const [nodes, missing]: [string[], Set<number>] = [[], new Set()];
  const end = await readLines(master, "exec mpi_cp diff", ReadableStream.from([packWords(words)]), (line) => {
    const [, node = "", numbers = ""] = /^node (\S+) ?([\d ]*)$/.exec(line) ?? [];
    if (node === "") return readOutcome(line, outcome);
    if (numbers !== "") nodes.push(node);
    for (const number of numbers.split(" ").filter(Boolean)) missing.add(Number(number));
  });
  requireEnd(end);
  requireComplete(outcome);
  return { nodes, missing: [...missing].sort((a, b) => a - b) };
}

/**
 * Runs a command on the master, and brings what it made to all workers.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Streams } from "../ssh/ssh.ts";
 * import { buildThere } from "./copy.ts";
 *
 * const run = async (_command: string, { stdout, stderr }: Streams) => {
 *   await stderr(new TextEncoder().encode("mpicc -o hello hello.c\n"));
 *   await stdout(new TextEncoder().encode("done\n"));
 *   return { status: 2 };
 * };
 * const capture = () => Promise.resolve({ status: 0, stdout: "", stderr: "" });
 * const master = { tunnelled: false, run, capture, shell: capture, close: () => {} };
 * let said = "";
 * const status = await buildThere(master, "make", async (chunk) => void (said += new TextDecoder().decode(chunk)));
 * assert.deepEqual([status, said], [2, "mpicc -o hello hello.c\n"]);
 * ```
 *
 * @param master A connection to it.
 * @param command A line for its shell.
 * @param say Takes what it prints.
 * @returns The command's status; if that is not 0, nothing was brought.
 * @throws {MpiError} `cluster` if the master breaks off, or a worker did not get all of it.
 */
export async function buildThere(
  master: SshConnection,
  command: string,
  say: (chunk: Uint8Array) => Promise<void>,
): Promise<number> {
  const outcome: Outcome = { failed: [], entered: [] };
  const take = (line: string) => readOutcome(line, outcome);
  const end = await readLines(master, "exec mpi_cp build", ReadableStream.from([packWords([command])]), take, say);
  requireEnd({ ...end, status: 0 });
  requireComplete(outcome);
  return end.status;
}

/**
 * Makes an error of an outcome that is not complete.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requireComplete } from "./copy.ts";
 *
 * requireComplete({ failed: [], entered: [] });
 * const failed = ["worker-1", "worker-2"].map((node) => ({ node, why: "No space left on device" }));
 * assert.throws(
 *   () => requireComplete({ failed, entered: [] }),
 *   /Not copied to worker-1, worker-2: No space left on device/,
 * );
 * ```
 *
 * @throws {MpiError} `cluster`, with each node and its reason; `not-found` if a node that was named is not there.
 */
export function requireComplete({ failed, entered }: Outcome): void {
  if (failed.some(({ node }) => node === "-")) {
    throw new MpiError("not-found", failed[0]!.why, { hint: "docker mpi hosts" });
  }
  const reasons = Map.groupBy(failed, ({ why }) => why);
  const lines = [...reasons].map(([why, of]) => `Not copied to ${of.map(({ node }) => node).join(", ")}: ${why}`);
  if (entered.length > 0) lines.push(`Not copied to ${entered.join(", ")}: came while the others were copied to`);
  if (lines.length > 0) throw new MpiError("cluster", lines.join("\n"), { hint: hintFor(failed) });
}

function hintFor(failed: Outcome["failed"]): string {
  const first = failed[0];
  const lacking = /^there is no directory "(.*)"$/.exec(first?.why ?? "")?.[1];
  if (lacking !== undefined) return `docker mpi exec --all mkdir -p '${lacking.replaceAll("'", "'\\''")}'`;
  if (/^the destination is/.test(first?.why ?? "")) {
    return "DIR/. copies what is in DIR, whether the destination is there or not; a file goes to FOLDER/ or FOLDER/NAME";
  }
  if (/No space left/.test(first?.why ?? "")) return `docker mpi exec --host ${first?.node} df -h  # shows its space`;
  return "docker mpi hosts  # lists the nodes there are; what is copied again replaces what is there";
}

/** How `mpi_cp` ended. */
interface LinesEnd {
  status: number;
  /** Whether it came to its end, and did not break off. */
  done: boolean;
  /** What else it said. */
  stderr: string;
}

/** Runs a command of ours on the master that answers line by line, until `done`. */
async function readLines(
  master: SshConnection,
  command: string,
  stdin: ReadableStream<Uint8Array>,
  take: (line: string) => void,
  say?: (chunk: Uint8Array) => Promise<void>,
): Promise<LinesEnd> {
  let [text, stderr, done] = ["", "", false];
  const [out, err] = [new TextDecoder(), new TextDecoder()];
  const { status } = await master.run(command, {
    stdin,
    stdout(chunk) {
      const lines = (text + out.decode(chunk, { stream: true })).split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        if (line === "done") done = true;
        else take(line);
      }
      return Promise.resolve();
    },
    stderr: say ?? ((chunk) => Promise.resolve(void (stderr += err.decode(chunk, { stream: true })))),
  });
  return { status, done, stderr };
}

function requireEnd({ status, done, stderr }: LinesEnd): void {
  if (!done) throw brokenOff(status, stderr);
}

/**
 * The error of a copy that the master did not bring to its end.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { brokenOff } from "./copy.ts";
 *
 * assert.equal(brokenOff(137, "Killed\n").message, "The copy broke off on the master, status 137: Killed");
 * ```
 *
 * @param status What the command there ended with.
 * @param stderr What it said.
 */
export function brokenOff(status: number, stderr: string): MpiError {
  if (status === 127) {
    return new MpiError("cluster", "The cluster's image is of a version of docker mpi that can't copy files", {
      hint: "docker mpi deploy --build",
    });
  }
  return new MpiError("cluster", `The copy broke off on the master, status ${status}: ${brief(stderr.trim(), 200)}`, {
    hint: "docker mpi logs --tail 20  # shows what the nodes said",
  });
}

function readOutcome(line: string, outcome: Outcome): void {
  const [, what, node = "", why = ""] = /^(failed|entered) (\S+) ?(.*)$/s.exec(line) ?? [];
  if (what === "failed") outcome.failed.push({ node, why });
  if (what === "entered") outcome.entered.push(node);
}

/**
 * Milliseconds as seconds, as `stat` on a node prints them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { seconds } from "./copy.ts";
 *
 * assert.equal(seconds(1500), "1.500");
 * assert.equal(seconds(-1), "-0.001");
 * ```
 */
export function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
