import { InvalidArgumentError } from "@commander-js/extra-typings";
import { renderTable } from "./table.ts";
import { fillTemplate, headingOf, readTemplate, type Template } from "./template.ts";

/** What `--format` accepts: for people, for programs, or the user's own. */
export type Format = "table" | "json" | Template;

/** How a list is shown: its column names, and what stands in them. */
export type Columns<T> = Readonly<Record<string, (item: T) => string>>;

/**
 * Reads the value of `--format`. A text with no field in it would say the same of everything, and is a slip.
 *
 * @throws {InvalidArgumentError} If it is none of them.
 */
export function readFormat(text: string): Format {
  if (text === "table" || text === "json") return text;
  if (text.includes("{{")) return readTemplate(text);
  throw new InvalidArgumentError("must be table, json, or a template such as '{{.Name}}'");
}

/**
 * Renders a list in the format that was asked for: a table, or as Docker does it, one JSON object per line, or a template's
 * text per line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readFormat, renderList } from "./format.ts";
 *
 * const clusters = [{ Name: "hello", Workers: 5 }];
 * const columns = { NAME: (c: { Name: string }) => c.Name };
 * assert.equal(renderList(clusters, columns, "table"), "NAME\nhello\n");
 * assert.equal(renderList(clusters, columns, "json"), '{"Name":"hello","Workers":5}\n');
 * assert.equal(renderList(clusters, columns, readFormat("{{.Workers}} of {{.Name}}")), "5 of hello\n");
 * ```
 *
 * @param items What to show. Their keys are the keys of the JSON objects, so start them with a capital, as Docker does.
 * @param columns The table.
 * @param format The value of `--format`.
 */
export function renderList<T extends object>(items: readonly T[], columns: Columns<T>, format: Format): string {
  if (format === "json") return items.map((item) => `${JSON.stringify(item)}\n`).join("");
  if (format === "table") {
    const cells = Object.values(columns);
    return renderTable(Object.keys(columns), items.map((item) => cells.map((cell) => cell(item))));
  }
  const lines = items.map((item) => fillTemplate(format, item));
  if (!format.table) return lines.map((line) => `${line}\n`).join("");
  return renderTable(headingOf(format).split("\t"), lines.map((line) => line.split("\t")));
}

/** Renders what has no table: as one JSON array, which a person can read as well, or a template's text per line. */
export function renderArray<T extends object>(items: readonly T[], format: Format): string {
  return typeof format === "string" ? `${JSON.stringify(items, undefined, 4)}\n` : renderList(items, {}, format);
}
