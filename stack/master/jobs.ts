import { MpiError } from "../errors.ts";
import type { SshConnection } from "../ssh/ssh.ts";
import { closest } from "../suggest.ts";
import { brief, quote } from "../text.ts";
import { splitWords } from "./words.ts";

/**
 * How a job is.
 *
 * - `queued`: waits for free slots
 * - `running`
 * - `completed`: ended with status 0
 * - `failed`: ended with another one
 * - `cancelled`: ended by a user
 * - `lost`: the master was restarted while it ran, and nobody knows its end
 */
export type JobState = "queued" | "running" | "completed" | "failed" | "cancelled" | "lost";

/** A job that the master keeps. */
export interface Job {
  /** Eight hexadecimal digits. */
  id: string;
  /** How it is. */
  state: JobState;
  /** The status of its program, once it has ended. */
  status?: number;
  /** Why it ended as it did, in words; empty where the status says all. */
  reason: string;
  /** The program and its arguments. */
  program: string[];
  /** The working directory. */
  directory: string;
  /** How many ranks it has, once it runs. */
  ranks?: number;
  /** The names of its nodes, once it runs. */
  nodes: string[];
  /** When it was asked for, in seconds since 1970, as all times by the master's clock. */
  created: number;
  /** When its program first started. */
  started?: number;
  /** When it ended. */
  ended?: number;
  /** How long it has run so far, or ran, in seconds. */
  duration?: number;
  /** Which attempt this is, or was; the first is 1. */
  attempt: number;
  /** How many more attempts a lost node may cost. */
  retries: number;
  /** Length of what is kept of its output, in bytes, with the marks of whose each line is. */
  logBytes: number;
  /** The most that is kept. */
  logLimit: number;
  /** How many bytes beyond that were dropped. */
  logDropped: number;
}

const STATES: ReadonlySet<string> = new Set(["queued", "running", "completed", "failed", "cancelled", "lost"]);

/**
 * Reads the list that `mpi_job ls` prints: keys and values, each ended by a zero byte, an empty key behind each job.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseJobs } from "./jobs.ts";
 *
 * const [job] = parseJobs("now\x00100\0\0id\x003f9c02ab\0state\0running\0started\x0090\0program\x006c7300\0\0");
 * assert.deepEqual([job?.id, job?.program, job?.duration], ["3f9c02ab", ["ls"], 10]);
 * ```
 *
 * @returns The jobs, the newest first.
 */
export function parseJobs(text: string): Job[] {
  const groups: Record<string, string>[] = [{}];
  const words = text.split("\0");
  for (let at = 0; at < words.length - 1; at++) {
    const key = words[at]!;
    if (key === "") groups.push({});
    else groups.at(-1)![key] = words[++at]!;
  }
  const now = Number(groups[0]!["now"]);
  const jobs = groups.slice(1).filter(({ id }) => id !== undefined).map((facts) => jobOf(facts, now));
  return jobs.sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1));
}

function jobOf(facts: Record<string, string>, now: number): Job {
  const number = (key: string) => facts[key] === undefined ? undefined : Number(facts[key]);
  const [started, ended] = [number("started"), number("ended")];
  const state = facts["state"] ?? "";
  const until = ended ?? (state === "running" ? now : undefined);
  return {
    id: facts["id"]!,
    state: STATES.has(state) ? state as JobState : "lost",
    ...optional("status", number("status")),
    reason: facts["reason"] ?? "",
    program: words(facts["program"] ?? ""),
    directory: facts["dir"] ?? "",
    ...optional("ranks", number("np")),
    nodes: (facts["nodes"] ?? "").split(",").filter((name) => name !== ""),
    created: number("created") ?? 0,
    ...optional("started", started),
    ...optional("ended", ended),
    ...optional("duration", started === undefined || until === undefined ? undefined : Math.max(0, until - started)),
    attempt: number("attempt") ?? 1,
    retries: number("retries") ?? 0,
    logBytes: number("log") ?? 0,
    logLimit: number("limit") ?? 0,
    logDropped: number("dropped") ?? 0,
  };
}

function optional<K extends string>(key: K, value: number | undefined): { [key in K]?: number } {
  return value === undefined ? {} : { [key]: value } as { [key in K]?: number };
}

/** Words in hexadecimal: they can have any bytes. */
function words(hex: string): string[] {
  return splitWords(new TextDecoder().decode(Uint8Array.fromHex(hex)));
}

/**
 * Asks the master for its jobs.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { listJobs } from "./jobs.ts";
 *
 * const run = () => Promise.resolve({ status: 0 });
 * const stdout = "now\x00100\0\0id\x003f9c02ab\0state\0queued\0\0";
 * const capture = () => Promise.resolve({ status: 0, stdout, stderr: "" });
 * const [job] = await listJobs({ tunnelled: false, run, capture, shell: run, close: () => {} });
 * assert.deepEqual([job?.id, job?.state], ["3f9c02ab", "queued"]);
 * ```
 *
 * @param master A connection to it.
 * @returns The jobs, the newest first.
 * @throws {MpiError} `cluster` if the master can't list them.
 */
export async function listJobs(master: SshConnection): Promise<Job[]> {
  const { status, stdout, stderr } = await master.capture("exec mpi_job ls");
  if (status === 0) return parseJobs(stdout);
  throw new MpiError("cluster", `The master can't list its jobs: ${brief(stderr.trim(), 200) || `status ${status}`}`, {
    hint: "docker mpi logs  # shows what the master says",
  });
}

/**
 * Finds the job that is meant: by its id, or by a beginning that no other has.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chooseJob, parseJobs } from "./jobs.ts";
 *
 * const jobs = parseJobs("now\x00100\0\0id\x003f9c02ab\0\0id\x003b000000\0\0");
 * assert.equal(chooseJob(jobs, "3f").id, "3f9c02ab");
 * assert.throws(() => chooseJob(jobs, "3"), /More than one job begins with "3": 3b000000, 3f9c02ab/);
 * ```
 *
 * @param jobs All there are.
 * @param word What was said.
 * @throws {MpiError} `not-found` if there is none, or more than one.
 */
export function chooseJob(jobs: readonly Job[], word: string): Job {
  const found = jobs.filter(({ id }) => word !== "" && id.startsWith(word));
  if (found.length === 1) return found[0]!;
  const ids = (some: readonly Job[]) =>
    some.slice(0, 5).map(({ id }) => id).join(", ") + (some.length > 5 ? ", …" : "");
  if (found.length > 1) {
    throw new MpiError("not-found", `More than one job begins with ${quote(word)}: ${ids(found)}`, {
      hint: "docker mpi jobs  # lists them",
    });
  }
  const near = closest(word, jobs.map(({ id }) => id));
  const there = jobs.length === 0 ? "there are none" : `there are: ${ids(jobs)}`;
  throw new MpiError("not-found", `No job ${quote(word)} on this cluster; ${there}`, {
    hint: near === undefined ? "docker mpi jobs  # lists them" : `did you mean "${near}"?`,
  });
}

/**
 * Whether a job has ended, as far as anybody knows.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { hasEnded, parseJobs } from "./jobs.ts";
 *
 * const jobs = parseJobs("now\x00100\0\0id\0a\0state\0queued\0\0id\0b\0state\0lost\0\0");
 * assert.deepEqual(jobs.map((job) => [job.id, hasEnded(job)]), [["a", false], ["b", true]]);
 * ```
 *
 * @returns `false` for `queued` and `running`, `true` for all else.
 */
export function hasEnded({ state }: Job): boolean {
  return state !== "queued" && state !== "running";
}

/**
 * The error of a job whose end nobody knows.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { lostJob } from "./jobs.ts";
 *
 * const { code, hint } = lostJob("3f9c02ab");
 * assert.equal(code, "cluster");
 * assert.equal(hint, "docker mpi jobs logs 3f9c02ab  # shows what it had printed");
 * ```
 *
 * @param id The job's id.
 * @returns An error `cluster`.
 */
export function lostJob(id: string): MpiError {
  return new MpiError("cluster", `Job ${id} was lost: the master was restarted, or its keeper killed, while it ran`, {
    hint: `docker mpi jobs logs ${id}  # shows what it had printed`,
  });
}
