import type { Job } from "../../stack/master/jobs.ts";

/** A job as programs read it. */
export interface JobRow {
  Id: string;
  State: string;
  Ranks?: number;
  Nodes: string[];
  CreatedAt: string;
  StartedAt?: string;
  EndedAt?: string;
  /** How long it has run. */
  Seconds?: number;
  Status?: number;
  Reason: string;
  Command: string[];
  WorkingDir: string;
  Attempt: number;
  Retries: number;
  /** What of its output is kept, the most that is, and what was dropped beyond it. */
  LogBytes: number;
  LogLimit: number;
  LogDropped: number;
}

/** Gives what programs read, with keys as Docker writes them. */
export function describeJob(job: Job): JobRow {
  const at = (seconds: number) => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    Id: job.id,
    State: job.state,
    ...(job.ranks === undefined ? {} : { Ranks: job.ranks }),
    Nodes: job.nodes,
    CreatedAt: at(job.created),
    ...(job.started === undefined ? {} : { StartedAt: at(job.started) }),
    ...(job.ended === undefined ? {} : { EndedAt: at(job.ended) }),
    ...(job.duration === undefined ? {} : { Seconds: job.duration }),
    ...(job.status === undefined ? {} : { Status: job.status }),
    Reason: job.reason,
    Command: job.program,
    WorkingDir: job.directory,
    Attempt: job.attempt,
    Retries: job.retries,
    LogBytes: job.logBytes,
    LogLimit: job.logLimit,
    LogDropped: job.logDropped,
  };
}

/**
 * Writes a time span with its two largest units.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { elapsed } from "./job_row.ts";
 *
 * assert.deepEqual([7, 65, 3600, 200_000].map(elapsed), ["7s", "1m5s", "1h0m", "2d7h"]);
 * ```
 */
export function elapsed(seconds: number): string {
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  if (days > 0) return `${days}d${hours % 24}h`;
  if (hours > 0) return `${hours}h${minutes % 60}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
