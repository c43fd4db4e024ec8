/** What a size looks like, with blanks around it. */
export const SIZE = "^\\s*\\d+(\\.\\d+)?\\s*([kmgtKMGT]([iI]?[bB])?|[bB])?\\s*$";

const UNITS = ["b", "k", "m", "g", "t"];

/**
 * Reads a size as Docker writes it: a number with an optional unit `b`, `k`, `m`, `g` or `t`, powers of 1024.
 *
 * `512m`, `512M`, `512MB` and `512MiB` are the same; a fraction of a byte is dropped.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseSize } from "./size.ts";
 *
 * assert.equal(parseSize("512m"), 536_870_912);
 * assert.equal(parseSize("1.5 GB"), 1_610_612_736);
 * assert.equal(parseSize("lots"), undefined);
 * ```
 *
 * @param text What was written.
 * @returns The size in bytes, or nothing if the text is no size.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?$/i.exec(text.trim());
  if (!match) return undefined;
  const power = UNITS.indexOf((match[2] ?? "b").toLowerCase());
  const bytes = Math.floor(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Writes a size with the largest unit that divides it, so that {@linkcode parseSize} gives the same number back.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatSize } from "./size.ts";
 *
 * assert.equal(formatSize(1_073_741_824), "1g");
 * assert.equal(formatSize(1_610_612_736), "1536m");
 * assert.equal(formatSize(1000), "1000b");
 * ```
 *
 * @param bytes A whole number of bytes, 0 or more.
 */
export function formatSize(bytes: number): string {
  let power = 0;
  let amount = bytes;
  while (amount > 0 && amount % 1024 === 0 && power < UNITS.length - 1) {
    amount /= 1024;
    power++;
  }
  return `${amount}${UNITS[power]}`;
}
