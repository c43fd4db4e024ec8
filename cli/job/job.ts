/** A job from the client's side: started, followed, cancelled. */
import { MpiError } from "../../stack/errors.ts";
import { withinLimit } from "../../stack/limit.ts";
import { chooseJob, type Job, listJobs, lostJob } from "../../stack/master/jobs.ts";
import { untilAborted } from "../../stack/master/master.ts";
import { packWords } from "../../stack/master/words.ts";
import type { SshConnection } from "../../stack/ssh/ssh.ts";
import { findCluster, onMaster } from "../cluster_context.ts";
import type { Completer } from "../command_line/command.ts";
import type { Deps } from "../deps.ts";
import { onTheMaster } from "../output/terminal.ts";
import type { InterruptSource } from "../signals.ts";
import { jobOutput, type OutputOptions } from "./job_output.ts";
import { inPieces, startingWith } from "./run_request.ts";

/** How long a job that was told to end may take, in milliseconds: its nodes can be lost at that very time. */
const END_MS = 120_000;

/** How a job is started. */
export interface JobOptions {
  /** How often it is run again after a node was lost. */
  retries?: number | undefined;
  /** The most of its output that is kept, in bytes. */
  logLimit?: number | undefined;
}

/**
 * Starts a job, once all of its input has been brought to the master.
 *
 * @param words Those of `mpi_run`.
 * @returns Its id; none: it couldn't be started, and why has been said.
 */
export async function startJob(
  deps: Deps,
  master: SshConnection,
  words: readonly string[],
  { retries, logLimit }: JobOptions,
  input: ReadableStream<Uint8Array> | undefined,
): Promise<string | undefined> {
  const id = crypto.randomUUID().slice(0, 8);
  const own = [
    ...["--id", id],
    ...(retries === undefined ? [] : ["--retries", String(retries)]),
    ...(logLimit === undefined ? [] : ["--limit", String(logLimit)]),
    ...(input === undefined ? [] : ["--input"]),
  ];
  const stdin = startingWith(packWords([...own, "--", ...words]), input && inPieces(input));
  const { status } = await untilAborted(deps.signal, master, () =>
    master.run(onTheMaster(deps, "mpi_job start"), {
      stdin,
      stdout: () => Promise.resolve(),
      stderr: (chunk) => deps.io.stderr.write(chunk),
    }));
  deps.status = status;
  return status === 0 ? id : undefined;
}

/** How long the end of the process that started us may take to show, after its socket closed, in milliseconds. */
const MOMENT = 100;

/** Whether an interrupt means that the user's terminal or client has gone, and no wish. */
async function isDisconnect(source: InterruptSource, parent: number): Promise<boolean> {
  if (source === "SIGHUP") return true;
  if (source !== "docker") return false;
  await new Promise((resolve) => setTimeout(resolve, MOMENT));
  return Deno.ppid !== parent;
}

/**
 * Shows what a job prints until it ends, and ends with its status. Ctrl-C cancels it; where the client or its connection goes,
 * the job goes on.
 */
export async function attachJob(deps: Deps, master: SshConnection, id: string, options: OutputOptions): Promise<void> {
  const parent = Deno.ppid;
  const interrupt = async (count: number, source: InterruptSource) => {
    if (await isDisconnect(source, parent)) return master.close();
    await signalJob(master, id, count === 1 ? "INT" : "TERM").catch(() => {
      // The connection is gone; following the job says so itself.
    });
  };
  const unsubscribe = deps.interrupts.subscribe((count, source) => void interrupt(count, source));
  try {
    const output = await jobOutput(deps, options);
    await master.run(`exec mpi_job log ${id} --follow`, {
      stdout: (chunk) => output.take(chunk),
      stderr: (chunk) => deps.io.stderr.write(chunk),
    });
    await output.end();
    deps.status = statusOf(await jobById(master, id));
  } catch (error) {
    throw error instanceof MpiError && error.code === "ssh" ? leftBehind(id, error) : error;
  } finally {
    unsubscribe();
  }
}

function leftBehind(id: string, cause: MpiError): MpiError {
  return new MpiError("ssh", `${cause.message}; job ${id} goes on`, { hint: `docker mpi jobs attach ${id}`, cause });
}

/** Sends a job a signal: `INT` lets its program end by itself for a few seconds, `TERM` does not. */
export async function signalJob(master: SshConnection, id: string, signal: "INT" | "TERM"): Promise<void> {
  await master.capture(`exec mpi_job signal ${id} ${signal}`);
}

/** Waits until a job has ended, and gives it as it is then. */
export async function waitForJob(master: SshConnection, id: string): Promise<Job> {
  await master.capture(`exec mpi_job wait ${id}`);
  return await jobById(master, id);
}

/**
 * Waits until a job that was told to end has done so.
 *
 * @throws {MpiError} `timeout` if it does not in two minutes; the connection is closed then.
 */
export async function waitForEnd(master: SshConnection, id: string, signal: AbortSignal): Promise<void> {
  const late = () =>
    new MpiError("timeout", `Job ${id} was told to end, and has not within ${END_MS / 1000} s`, {
      hint: `docker mpi jobs cancel --force ${id}  # tells it again; docker mpi status shows whether its nodes answer`,
    });
  const wait = (signal: AbortSignal) => untilAborted(signal, master, () => waitForJob(master, id));
  await withinLimit({ timeout: END_MS, signal }, wait, late);
}

async function jobById(master: SshConnection, id: string): Promise<Job> {
  return chooseJob(await listJobs(master), id);
}

/** The status of a job that has ended. */
export function statusOf(job: Job): number {
  if (job.status === undefined) throw lostJob(job.id);
  return job.status;
}

/** Completes the ids of all jobs, with what they are. */
export function jobIds(deps: Deps): Completer {
  return async (_, flags) => {
    const jobs = await onMaster(deps, await findCluster(deps, flags.get("--cluster")), listJobs);
    return jobs.map(({ id, state, program }) => [id, `${state}, ${program.join(" ")}`]);
  };
}
