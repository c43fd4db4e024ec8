import { visible } from "../../stack/text.ts";

/**
 * Renders rows as Docker renders tables: bare columns, three blanks between them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderTable } from "./table.ts";
 *
 * assert.equal(renderTable(["NAME", "WORKERS"], [["hello", "5"]]), "NAME    WORKERS\nhello   5\n");
 * ```
 *
 * @param headers Upper-case column names.
 * @param rows One cell per column.
 * @returns The text, with a line feed at its end.
 */
export function renderTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  // A line end within a cell, as in what a container said, would tear the table.
  const all = [headers, ...rows.map((row) => row.map((cell) => visible(cell)))];
  const widths = headers.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ""))));
  return all.map((row) => renderRow(row, widths)).join("");
}

function renderRow(row: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((width, column) => padTo(row[column] ?? "", width));
  return cells.join("   ").trimEnd() + "\n";
}

// Enough for names of people and places: East Asian wide and full-width forms, emoji.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const ZERO = /^[\p{Mark}\p{Format}\p{Control}]+$/u;

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += ZERO.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
  }
  return width;
}

/** Fills a text up with blanks to so many columns of a terminal. */
export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** Cuts a text to so many columns of a terminal, and shows that it was. */
export function cutTo(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 1) return "";
  let [kept, room] = ["", width - 1];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    room -= displayWidth(segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}
