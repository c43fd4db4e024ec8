import { MpiError } from "../../stack/errors.ts";
import { quote } from "../../stack/text.ts";
import { readText } from "./read_file.ts";

/**
 * Reads a file of variables in Docker's format: `KEY=VALUE` in a line, taken as it is, without quotes; empty lines and those
 * that begin with `#` count for nothing.
 *
 * Docker also takes a bare `KEY` and the value that this machine has. That is refused: the plugin may not read variables.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseEnvFile } from "./env_file.ts";
 *
 * assert.deepEqual(parseEnvFile("# tuning\nOMP_NUM_THREADS=2\nNAME=a b \n", "my.env"), { OMP_NUM_THREADS: "2", NAME: "a b " });
 * ```
 *
 * @param text What the file has.
 * @param path Its name, for messages.
 */
export function parseEnvFile(text: string, path: string): Record<string, string> {
  const lines = text.replace(/^\ufeff/, "").split("\n").map((line) => line.replace(/\r$/, "").trimStart());
  const entries = lines.flatMap((line, index) => {
    if (line === "" || line.startsWith("#")) return [];
    const at = line.indexOf("=");
    const key = at < 0 ? line : line.slice(0, at);
    if (at > 0 && !/\s/.test(key)) return [[key, line.slice(at + 1)]];
    const fault = at < 0 ? "has no value" : "is no name of a variable";
    throw new MpiError("usage", `${path}:${index + 1}: ${quote(key)} ${fault}, want KEY=VALUE`, {
      hint: "the format is that of docker run --env-file, without variables of this machine",
    });
  });
  return Object.fromEntries(entries);
}

/** Reads several files; of a variable that more than one has, the last counts. */
export async function readEnvFiles(paths: readonly string[]): Promise<Record<string, string>> {
  const files = await Promise.all(paths.map(async (path) => parseEnvFile(await readText(path), path)));
  return Object.assign({}, ...files);
}
