/** Control characters, what can't be seen, what turns the direction of text, and halves of characters. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Shows what can't be seen, so that no text from elsewhere moves the cursor or looks like another.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { visible } from "./text.ts";
 *
 * assert.equal(visible("\x1b[31mred\n"), "\\u001b[31mred\\u000a");
 * assert.equal(visible("\x1b[31mred\n", "\n"), "\\u001b[31mred\n");
 * ```
 *
 * @param text Any text.
 * @param keep Characters that are fine where the text goes.
 */
export function visible(text: string, keep = ""): string {
  return text.replace(UNSEEN, (char) => keep.includes(char) ? char : escaped(char));
}

function escaped(char: string): string {
  const hex = char.codePointAt(0)!.toString(16).padStart(4, "0");
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex}`;
}

/**
 * Shows a text in one line, cut to a bearable length.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { brief } from "./text.ts";
 *
 * assert.equal(brief("a\ttext"), "a\\u0009text");
 * assert.equal(brief("a long text", 8), "a lon...");
 * ```
 *
 * @param text Any text.
 * @param most How many characters are bearable.
 */
export function brief(text: string, most = 60): string {
  return visible(cut(text, most));
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3).replace(/[\ud800-\udbff]$/, "")}...` : text;
}

/**
 * Quotes a value for a message: in one line, visible, and cut to a bearable length.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { quote } from "./text.ts";
 *
 * assert.equal(quote("a\tb\x1b"), '"a\\tb\\u001b"');
 * ```
 *
 * @param text The value.
 */
export function quote(text: string): string {
  return visible(JSON.stringify(cut(text, 60)));
}

/**
 * Quotes a path for a message: whole, unless it is longer than any that is meant.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { quotePath } from "./text.ts";
 *
 * const path = `/home/ada/${"d".repeat(100)}`;
 * assert.equal(quotePath(path), `"${path}"`);
 * assert.equal(quotePath("my keys\n"), '"my keys\\n"');
 * ```
 *
 * @param path The path; one of more than 300 characters is cut.
 */
export function quotePath(path: string): string {
  return visible(JSON.stringify(cut(path, 300)));
}

/**
 * Names some of many, so that a line stays a line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { some } from "./text.ts";
 *
 * assert.equal(some(["a", "b"]), "a, b");
 * assert.equal(some(["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
 * ```
 *
 * @param names All of them.
 */
export function some(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
