/**
 * What went wrong, as one of a closed set, so that the command line can give each its exit status.
 *
 * - `usage`: the command line is wrong
 * - `settings`: `mpi.yaml` or an `MPI_*` variable is wrong
 * - `engine`: no Docker engine answers, or it refuses
 * - `swarm`: the engine is in no swarm, or is no manager of it
 * - `not-found`: no such cluster, node or image
 * - `conflict`: something of that name exists and is not ours, or is in the way
 * - `build`: an image could not be built
 * - `cluster`: the cluster was made and does not work
 * - `ssh`: the master can't be reached, or refuses, or is not who it should be
 * - `timeout`: a wait came to its limit
 * - `cancelled`: the user interrupted
 */
export type MpiErrorCode =
  | "usage"
  | "settings"
  | "engine"
  | "swarm"
  | "not-found"
  | "conflict"
  | "build"
  | "cluster"
  | "ssh"
  | "timeout"
  | "cancelled";

/** What an {@linkcode MpiError} carries besides its message. */
export interface MpiErrorOptions {
  /** What to do about it: one line that works when pasted, or says where to look. */
  hint?: string;
  /** The error that this one explains; shown with `--debug` only. */
  cause?: unknown;
}

/**
 * An error that a user can act on: it says what failed and with what value, and its hint says what would be right.
 *
 * Anything else that is thrown is a defect of this program.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MpiError } from "./errors.ts";
 *
 * const error = new MpiError("not-found", 'No cluster "cfd" in this swarm', {
 *   hint: "docker mpi ls",
 * });
 * assert.equal(error.code, "not-found");
 * assert.equal(error.hint, "docker mpi ls");
 * ```
 */
export class MpiError extends Error {
  /** `MpiError`, as it shows in a stack trace. */
  override readonly name = "MpiError";
  /** Which of the closed set. */
  readonly code: MpiErrorCode;
  /** What to do about it, if there is something. */
  readonly hint: string | undefined;

  /**
   * Makes an error that tells the user what failed and what would be right.
   *
   * @param code Which of the closed set.
   * @param message Sentence case, no full stop, strings quoted, current and wanted state.
   * @param options Hint and cause.
   */
  constructor(code: MpiErrorCode, message: string, options: MpiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}
