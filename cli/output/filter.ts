import { InvalidArgumentError } from "@commander-js/extra-typings";
import { MpiError } from "../../stack/errors.ts";
import { quote } from "../../stack/text.ts";
import type { Columns } from "./format.ts";

/** What `--filter` asks for: what may stand in a column, by the column's name. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/**
 * Reads one `COLUMN=TEXT` of a repeated `--filter`, and adds it to those before.
 *
 * @throws {InvalidArgumentError} If it is none.
 */
export function readFilter(text: string, before: Filters = new Map()): Filters {
  const [, column = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (column === "") throw new InvalidArgumentError("must be COLUMN=TEXT, such as state=running");
  const name = column.toLowerCase();
  return new Map([...before, [name, [...before.get(name) ?? [], value]]]);
}

/**
 * Keeps the rows that have the wanted text in each column that is asked for; of several texts for a column, one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { filtered, readFilter } from "./filter.ts";
 *
 * const nodes = [{ name: "master", state: "running" }, { name: "worker-1", state: "failed" }];
 * const columns = { NAME: (node: typeof nodes[0]) => node.name, STATE: (node: typeof nodes[0]) => node.state };
 * assert.deepEqual(filtered(nodes, readFilter("state=failed"), columns), [nodes[1]]);
 * ```
 *
 * @param rows What there is.
 * @param filters What is asked for; nothing: all.
 * @param columns The table in which they are shown.
 * @throws {MpiError} `usage` if there is no such column.
 */
export function filtered<T>(rows: readonly T[], filters: Filters | undefined, columns: Columns<T>): T[] {
  const wanted = [...filters ?? []].map(([column, texts]) => ({ cell: cellOf(columns, column), texts }));
  return rows.filter((row) => wanted.every(({ cell, texts }) => texts.includes(cell(row))));
}

function cellOf<T>(columns: Columns<T>, column: string): (row: T) => string {
  const cell = columns[column.toUpperCase()];
  if (cell !== undefined) return cell;
  const names = Object.keys(columns).map((name) => name.toLowerCase()).join(", ");
  throw new MpiError("usage", `There is no column ${quote(column)} to filter by: the columns are ${names}`);
}
