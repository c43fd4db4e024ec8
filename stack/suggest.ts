/**
 * Finds the word that was probably meant.
 *
 * A slip is a letter left out, put in, changed or swapped with its neighbour. One slip is allowed for every three
 * letters, and always one, so that short words are not "corrected" into something else.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { closest } from "./suggest.ts";
 *
 * assert.equal(closest("wrokers", ["image", "workers"]), "workers");
 * assert.equal(closest("colour", ["image", "workers"]), undefined);
 * ```
 *
 * @param word What was written.
 * @param candidates What could have been; of two equally near the first wins.
 * @returns The nearest candidate, or nothing if none is near.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    // Words whose lengths differ by more than that are further apart, whatever they hold.
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const slips = countSlips(lower, candidate.toLowerCase());
    if (slips < least) [best, least] = [candidate, slips];
  }
  return best;
}

/** The Damerau-Levenshtein distance, in its form where no part is changed twice. */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let slips = Math.min(last[j - 1]! + (same ? 0 : 1), last[j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) slips = Math.min(slips, beforeLast[j - 2]! + 1);
      row.push(slips);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
