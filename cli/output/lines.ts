/**
 * Cuts a byte stream into lines, as they come; a last line without a line feed counts.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { linesOf } from "./lines.ts";
 *
 * const lines = await Array.fromAsync(linesOf(new Blob(["one\r\ntwo\nthree"]).stream()));
 * assert.deepEqual(lines, ["one", "two", "three"]);
 * ```
 */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  // It would drop a byte order mark wherever a chunk starts with one.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest.replace(/\r$/, "");
}
