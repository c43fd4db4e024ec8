import { renderTable } from "./table.ts";

/** What `--format` accepts. */
export type Format = "table" | "json";

/** How a list is shown: its column names, and what stands in them. */
export type Columns<T> = Readonly<Record<string, (item: T) => string>>;

/**
 * Renders a list in the format that was asked for: a table, or as Docker does it, one JSON object per line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderList } from "./format.ts";
 *
 * const clusters = [{ Name: "hello", Workers: 5 }];
 * const columns = { NAME: (c: { Name: string }) => c.Name };
 * assert.equal(renderList(clusters, columns, "table"), "NAME\nhello\n");
 * assert.equal(renderList(clusters, columns, "json"), '{"Name":"hello","Workers":5}\n');
 * ```
 *
 * @param items What to show. Their keys are the keys of the JSON objects, so start them with a capital, as Docker does.
 * @param columns The table.
 * @param format The value of `--format`.
 */
export function renderList<T>(items: readonly T[], columns: Columns<T>, format: Format): string {
  if (format === "json") return items.map((item) => `${JSON.stringify(item)}\n`).join("");
  const cells = Object.values(columns);
  return renderTable(Object.keys(columns), items.map((item) => cells.map((cell) => cell(item))));
}
