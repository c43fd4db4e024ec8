/** What no word can have: the end of each. */
const END = "\0";

/**
 * Packs words as the programs on the nodes read them: their length in bytes and a line end, then the words.
 *
 * They don't go by a command line, where all of it is one argument of the shell there, and so limited to 128 KB.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { packWords } from "./words.ts";
 *
 * assert.equal(new TextDecoder().decode(packWords(["ä", ""])), "4\nä\0\0");
 * ```
 */
export function packWords(words: readonly string[]): Uint8Array {
  const bytes = new TextEncoder().encode(words.map((word) => word + END).join(""));
  const length = new TextEncoder().encode(`${bytes.length}\n`);
  const packed = new Uint8Array(length.length + bytes.length);
  packed.set(length);
  packed.set(bytes, length.length);
  return packed;
}

/**
 * Takes the words in a text apart, each of which ends with a zero byte.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { splitWords } from "./words.ts";
 *
 * assert.deepEqual(splitWords("a b\0\0"), ["a b", ""]);
 * assert.deepEqual(splitWords("whole\0half"), ["whole"]);
 * ```
 *
 * @param text What a program on a node has said.
 * @returns The words; what comes after the last zero byte is none.
 */
export function splitWords(text: string): string[] {
  return text.split(END).slice(0, -1);
}
