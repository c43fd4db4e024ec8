/**
 * The tables of docs/settings.md, as the program's own table of settings has them.
 *
 * `deno run -A tests/support/settings_docs.ts` writes them anew; a test holds them true.
 */
import {
  type Field,
  FIELD_NAMES,
  type FieldName,
  FIELDS,
  type FieldValues,
  PARTS,
} from "../../stack/settings/schema.ts";

/** The document. */
export const SETTINGS_DOCUMENT = new URL("../../docs/settings.md", import.meta.url);

const BEGIN = "<!-- Made by tests/support/settings_docs.ts from stack/settings/schema.ts -->";
const END = "<!-- end -->";

/** The document with its tables as they should be. */
export function withTables(text: string): string {
  const [before, after] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  return `${text.slice(0, before)}\n\n${tables()}\n${text.slice(after)}`;
}

function tables(): string {
  const fields = FIELD_NAMES.map((name): Field<FieldValues[FieldName]> => FIELDS[name]);
  const places = fields.map((
    { key, flag, variable, fallback },
  ) => [`\`${key}\``, `\`${flag}\``, `\`${variable}\``, fallback.text]);
  const parts = Object.values(PARTS);
  const meanings = [
    ...fields.map(({ key, summary, detail, want }) => [`\`${key}\``, sentences(summary, detail), upperFirst(want)]),
    ...parts.map(({ key, summary, detail }) => [`\`${key}\``, sentences(summary, detail), "See below"]),
  ];
  return [
    table(["in `mpi.yaml`", "flag", "variable", "default"], [
      ...places,
      ...parts.map(({ key }) => [`\`${key}\``, "", "", "none"]),
    ]),
    table(["key", "is", "may be"], meanings),
  ].join("\n");
}

function sentences(summary: string, detail: string | undefined): string {
  return detail === undefined ? summary : `${summary}. ${detail.replace(/\.$/, "")}`;
}

function upperFirst(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

/** A table as `deno fmt` leaves it. */
function table(head: string[], rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((title, i) =>
    Math.max(...[title, ...cells.map((row) => row[i]!)].map((cell) => cell.length))
  );
  const line = (row: string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("");
}

if (import.meta.main) {
  await Deno.writeTextFile(SETTINGS_DOCUMENT, withTables(await Deno.readTextFile(SETTINGS_DOCUMENT)));
}
