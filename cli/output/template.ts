import { InvalidArgumentError } from "@commander-js/extra-typings";
import { MpiError } from "../../stack/errors.ts";
import { closest } from "../../stack/suggest.ts";
import { quote, visible } from "../../stack/text.ts";

/** One piece of a template: text as it stands, or a field of the item with what is done to it. */
type Piece = string | { field: string; functions: readonly TemplateFunction[] };

/** A template of `--format`, read. */
export interface Template {
  /** Whether its lines are the rows of a table with a heading: `table {{.Name}}`. */
  table: boolean;
  pieces: readonly Piece[];
}

/** What Docker's templates can do to a value, as far as it makes sense for one. */
const FUNCTIONS = {
  json: (value: unknown) => JSON.stringify(value ?? null),
  lower: (value: unknown) => display(value).toLowerCase(),
  upper: (value: unknown) => display(value).toUpperCase(),
  truncate: (value: unknown, length = 0) => [...display(value)].slice(0, length).join(""),
} as const satisfies Record<string, (value: unknown, length?: number) => string>;

type FunctionName = keyof typeof FUNCTIONS;

interface TemplateFunction {
  name: FunctionName;
  length?: number | undefined;
}

const FIELD = /^\.(?<field>(?:[A-Za-z]+(?:\.[A-Za-z]+)*)?)$/;
const CALL = /^(?<name>[a-z]+)(?:\s+(?<field>\.[A-Za-z.]*))?(?:\s+(?<length>\d+))?$/;

/**
 * Reads a template as Docker's `--format` takes it. Of Go's language it knows fields and the functions json, lower, upper and
 * truncate, also behind a bar: `{{.Name}}`, `{{json .}}`, `{{.Image | truncate 12}}`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fillTemplate, readTemplate } from "./template.ts";
 *
 * const template = readTemplate("{{.Name}}: {{upper .State}}");
 * assert.equal(fillTemplate(template, { Name: "master", State: "running" }), "master: RUNNING");
 * ```
 *
 * @param text What the user wrote.
 * @throws {InvalidArgumentError} With what is wrong in it.
 */
export function readTemplate(text: string): Template {
  const [, table, body = ""] = /^(table\s+)?(.*)$/s.exec(text) ?? [];
  const plain = (part: string) => part.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
  // Every second part stands between braces.
  const parts = body.split(/\{\{(.*?)\}\}/s);
  const open = parts.find((part, index) => index % 2 === 0 && /\{\{|\}\}/.test(part));
  if (open !== undefined) throw new InvalidArgumentError("its braces do not match");
  const pieces = parts.map((part, index) => index % 2 === 0 ? plain(part) : readAction(part.trim()));
  return { table: table !== undefined, pieces: pieces.filter((piece) => piece !== "") };
}

function readAction(action: string): Piece {
  const [first = "", ...rest] = action.split("|").map((part) => part.trim());
  const whole = FIELD.exec(first)?.groups?.["field"];
  const call = whole === undefined ? CALL.exec(first)?.groups : undefined;
  const field = whole ?? call?.["field"]?.slice(1);
  if (field === undefined) throw unknown(action);
  const calls = [...(call === undefined ? [] : [readCall(call)])];
  for (const part of rest) {
    const piped = CALL.exec(part)?.groups;
    if (piped === undefined || piped["field"] !== undefined) throw unknown(action);
    calls.push(readCall(piped));
  }
  return { field, functions: calls };
}

function readCall({ name = "", length }: Record<string, string | undefined>): TemplateFunction {
  if (!Object.hasOwn(FUNCTIONS, name)) throw unknown(name);
  if ((name === "truncate") !== (length !== undefined)) {
    throw new InvalidArgumentError("truncate wants a length, and nothing else does: {{truncate .Name 12}}");
  }
  return { name: name as FunctionName, length: length === undefined ? undefined : Number(length) };
}

function unknown(what: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${quote(what)} is not known in a template; there are fields, as in {{.Name}}, and ${
      Object.keys(FUNCTIONS).join(", ")
    }`,
  );
}

/**
 * Fills a template in.
 *
 * @param template The template.
 * @param item What its fields are of.
 * @throws {MpiError} `usage` if the item has no such field.
 */
export function fillTemplate({ pieces }: Template, item: object): string {
  return pieces.map((piece) => typeof piece === "string" ? piece : fill(piece, item)).join("");
}

function fill({ field, functions }: Exclude<Piece, string>, item: object): string {
  let value: unknown = item;
  for (const name of field === "" ? [] : field.split(".")) value = fieldOf(value, name);
  for (const { name, length } of functions) value = FUNCTIONS[name](value, length);
  return display(value);
}

function fieldOf(item: unknown, field: string): unknown {
  const fields = typeof item === "object" && item !== null && !Array.isArray(item) ? item : {};
  if (Object.hasOwn(fields, field)) return (fields as Record<string, unknown>)[field];
  const names = Object.keys(fields);
  // Docker's lists call .ID what its inspect calls .Id.
  if (field === "ID" && names.includes("Id")) return fieldOf(item, "Id");
  const meant = closest(field, names);
  throw new MpiError(
    "usage",
    `There is no field ".${field}"${meant === undefined ? "" : `, did you mean ".${meant}"?`}`,
    {
      hint: names.length === 0
        ? "it stands behind a value that has no fields; '{{json .}}' shows all there is"
        : `fields are ${names.map((name) => `.${name}`).join(", ")}`,
    },
  );
}

/** The heading of a table whose rows are made by a template: `{{.CreatedAt}}` stands below CREATED AT. */
export function headingOf({ pieces }: Template): string {
  const words = (field: string) => field.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toUpperCase();
  return pieces.map((piece) => typeof piece === "string" ? piece : words(piece.field)).join("");
}

/** A value as Go prints it, but for what can't be seen. */
function display(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return `[${value.map(display).join(" ")}]`;
  return typeof value === "object" ? JSON.stringify(value) : visible(String(value), "\n\t");
}
