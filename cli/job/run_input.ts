import type { Deps } from "../deps.ts";
import { openFile } from "../files/read_file.ts";

/** Opens what `--input` names: a file of this machine, or our own standard input for `-`. */
export async function openInput({ io }: Deps, path: string): Promise<ReadableStream<Uint8Array>> {
  return path === "-" ? io.stdin.readable : await openFile(path);
}
