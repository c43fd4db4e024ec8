/** What the file system says, in words for a user: what it does not allow is no defect of ours. */
import { brief } from "./text.ts";

/**
 * Whether an error is one of the file system's.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isFileError } from "./file_error.ts";
 *
 * const error = await Deno.readTextFile("/no/such/file").catch((thrown) => thrown);
 * assert.ok(isFileError(error));
 * assert.ok(!isFileError(new Error("There is no such cluster")));
 * ```
 *
 * @param error What was thrown.
 */
export function isFileError(error: unknown): error is Error {
  return error instanceof Error && /\(os error \d+\)/.test(error.message);
}

/**
 * Whether an error says that a disk has no room left.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isFull } from "./file_error.ts";
 *
 * assert.ok(isFull(new Error("No space left on device (os error 28): write")));
 * assert.ok(!isFull(new Error("Read-only file system (os error 30): write")));
 * ```
 *
 * @param error What was thrown.
 */
export function isFull(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("No space left");
}

/**
 * Why a file can't be read or written, in a few words.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { why } from "./file_error.ts";
 *
 * assert.equal(why(new Deno.errors.NotFound("No such file or directory (os error 2): open 'a'")), "it does not exist");
 * assert.equal(why(new Error("Too many open files (os error 24): open 'a'")), "Too many open files");
 * ```
 *
 * @param error What was thrown; of one that is not among the usual, what it says, without number and path.
 * @returns The end of a sentence, in one line, cut to 200 characters.
 */
export function why(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "you may not";
  return brief(error instanceof Error ? error.message.replace(/ \(os error.*$/s, "") : String(error), 200);
}
