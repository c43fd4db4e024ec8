import { visible } from "./text.ts";

/**
 * Quotes words for a shell, so that each arrives byte for byte.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shellQuote } from "./shell.ts";
 *
 * assert.equal(shellQuote(["echo", "it's", "$HOME"]), "'echo' 'it'\\''s' '$HOME'");
 * ```
 */
export function shellQuote(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/**
 * Shows words as a person types them into a shell: quoted where they have to be.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { typed } from "./shell.ts";
 *
 * assert.equal(typed("ls", "-l", "my keys/bob.pub"), "ls -l 'my keys/bob.pub'");
 * ```
 */
export function typed(...words: readonly string[]): string {
  return visible(words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote([word])).join(" "));
}
