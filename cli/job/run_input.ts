import { join } from "node:path";
import type { Deps } from "../deps.ts";
import { unreadable } from "../files/read_file.ts";

/** Opens what `--input` names: a file of this machine, or our own standard input for `-`. */
export async function openInput({ io, cwd }: Deps, path: string): Promise<ReadableStream<Uint8Array>> {
  if (path === "-") return io.stdin.readable;
  try {
    const file = await Deno.open(join(path.startsWith("/") ? "" : cwd(), path));
    if ((await file.stat()).isDirectory) {
      file.close();
      throw new Deno.errors.IsADirectory();
    }
    return file.readable;
  } catch (error) {
    throw unreadable(path, error);
  }
}
