/** What the file system says, in words for a user: what it does not allow is no defect of ours. */
import { brief } from "./text.ts";

/** Whether an error is one of the file system's. */
export function isFileError(error: unknown): error is Error {
  return error instanceof Error && /\(os error \d+\)/.test(error.message);
}

/** Whether an error says that a disk has no room left. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("No space left");
}

/** Why a file can't be read or written, in a few words. */
export function why(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "you may not";
  return brief(error instanceof Error ? error.message.replace(/ \(os error.*$/s, "") : String(error), 200);
}
