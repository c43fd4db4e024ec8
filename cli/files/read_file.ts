/** Files that the user has named, and what can be wrong with them. */
import { dirname } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { isFileError, isFull, why } from "../../stack/file_error.ts";
import { typed } from "../../stack/shell.ts";
import { quotePath } from "../../stack/text.ts";

/** Reads one that has a text. */
export async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Opens one of any size. */
export async function openFile(path: string): Promise<ReadableStream<Uint8Array>> {
  try {
    const file = await Deno.open(path);
    if ((await file.stat()).isDirectory) {
      file.close();
      throw new Deno.errors.IsADirectory();
    }
    return file.readable;
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

/** The error of a place that can't be written to. */
export function unwritable(path: string, cause: unknown): MpiError {
  return new MpiError("usage", `Cannot write to ${quotePath(path)}: ${why(cause)}`, {
    hint: isFull(cause) ? `${typed("df", "-h", dirname(path))}  # shows its space` : typed("ls", "-ld", path),
    cause,
  });
}

/** Does something with a place that the user has named: what the file system does not allow is no defect of ours. */
export async function writing<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw isFileError(error) ? unwritable(path, error) : error;
  }
}
