/** Files that the user has named. */
import { MpiError } from "../../stack/errors.ts";
import { typed } from "../../stack/shell.ts";
import { brief, quotePath } from "../../stack/text.ts";

/** Reads one that has a text. */
export async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The error of a file that can't be read. */
export function unreadable(path: string, cause: unknown): MpiError {
  return new MpiError("usage", `Cannot read ${quotePath(path)}: ${why(cause)}`, {
    hint: typed("ls", "-ld", path),
    cause,
  });
}

/** Why a file can't be read, in a few words. */
export function why(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "you may not";
  return brief(error instanceof Error ? error.message : String(error), 200);
}
