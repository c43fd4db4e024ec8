import { InvalidArgumentError } from "@commander-js/extra-typings";
import { MpiError } from "../../stack/errors.ts";
import { parseSize } from "../../stack/settings/size.ts";
import { quote } from "../../stack/text.ts";
import { readFilter } from "../output/filter.ts";
import { type Format, readFormat } from "../output/format.ts";
import { PROGRESS_MODES } from "../output/progress.ts";
import { Option } from "./command.ts";

/** `--cluster`: which cluster. */
export const clusterOption = () => new Option("--cluster <string>", "Name of the cluster");

/** Which cluster, where it can be said in two ways: by an argument, as to Docker's own commands, or by `--cluster`. */
export function clusterArgument(argument: string | undefined, flag: string | undefined): string | undefined {
  if (argument === undefined || flag === undefined || argument === flag) return argument ?? flag;
  throw new MpiError("usage", `${quote(argument)} and --cluster ${quote(flag)} contradict each other`, {
    hint: "leave one of them out",
  });
}

/** `--watch`: once more at each change. */
export const watchOption = () => new Option("--watch", "Show it again whenever it changes, until interrupted");

/** `--format`: for people, for programs, or the user's own. */
export const formatOption = () =>
  new Option("--format <string>", "Format of the output: table, json, or a template such as '{{.Name}}'")
    .argParser(readFormat).default("table" as Format, '"table"');

/** `-f, --format` of a command that has no table: a JSON array, as `docker inspect` has it, or the user's own. */
export const inspectFormatOption = (example: string) =>
  new Option("-f, --format <string>", `Format of the output: json, or a template such as '${example}'`)
    .argParser((text) => {
      if (text === "table") throw new InvalidArgumentError(`must be json, or a template such as '${example}'`);
      return readFormat(text);
    }).default("json" as Format, '"json"');

/** `-q, --quiet`: names only. */
export const quietOption = (description = "Only show names") => new Option("-q, --quiet", description);

/** `-f, --filter`: some rows only. */
export const filterOption = () =>
  new Option("-f, --filter <list>", "Only rows with this in a column, such as state=running").argParser(readFilter);

/** `--progress`: how to show what goes on. */
export const progressOption = () =>
  new Option("--progress <string>", "How to show progress")
    .choices(PROGRESS_MODES).default("auto" as const);

/** `--label`: whose each line is. */
export const labelOption = () => new Option("--label", "Put its rank before each line, as in 3: text");

/** `--output`: a file for each rank. */
export const outputOption = () =>
  new Option("--output <dir>", "Write standard output to files in this directory, rank-N.out for each rank");

/** What {@linkcode integer} accepts. */
export interface Range {
  /** The smallest value. Default 1. */
  min?: number;
  /** The largest value. Default 9999. */
  max?: number;
}

/**
 * Parses a whole number.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { integer } from "./flags.ts";
 *
 * assert.equal(integer({ max: 10 })("7"), 7);
 * assert.throws(() => integer({ max: 10 })("1e9"), /must be a whole number from 1 to 10/);
 * ```
 *
 * @param range Which numbers are right.
 * @returns A parser for `Option.argParser` and `Argument.argParser`.
 */
export function integer({ min = 1, max = 9999 }: Range = {}): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
// Timers hold at most 2^31 ms; a longer wait would end at once.
const LONGEST_HOURS = 24 * 24;

/**
 * Parses a duration in Docker's notation: `90s`, `5m`, `1h30m`, `500ms`; a number alone has seconds.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { duration } from "./flags.ts";
 *
 * assert.equal(duration("1h30m"), 5_400_000);
 * assert.equal(duration("90"), 90_000);
 * assert.throws(() => duration("soon"), /must be a duration such as 90s, 5m or 1h30m/);
 * ```
 *
 * @returns Milliseconds, more than 0.
 */
export function duration(text: string): number {
  const notation = /^\d+$/.test(text) ? `${text}s` : text;
  const parts = [...notation.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const total = parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit as keyof typeof UNITS], 0);
  if (parts.map(([part]) => part).join("") !== notation || total <= 0) {
    throw new InvalidArgumentError("must be a duration such as 90s, 5m or 1h30m");
  }
  if (total > LONGEST_HOURS * UNITS.h) throw new InvalidArgumentError(`must not be longer than ${LONGEST_HOURS}h`);
  return Math.ceil(total);
}

/**
 * Parses a size in Docker's notation: `500m`, `2g`.
 *
 * @returns Bytes, more than 0.
 */
export function size(text: string): number {
  const bytes = parseSize(text);
  if (!bytes) throw new InvalidArgumentError("must be a size such as 500m or 2g");
  return bytes;
}

/**
 * Parses one `KEY=VALUE` of a repeated flag and adds it to those before.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { keyValue } from "./flags.ts";
 *
 * assert.deepEqual(keyValue("B=x=y", { A: "1" }), { A: "1", B: "x=y" });
 * ```
 */
export function keyValue(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (/^\w{1,40}$/.test(text)) {
    throw new InvalidArgumentError(`must be KEY=VALUE; ${text}="$${text}" passes on your own`);
  }
  if (at < 1) throw new InvalidArgumentError("must be KEY=VALUE");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/**
 * Parses one `KEY=VALUE` of `--build-arg`, or `KEY` alone, whose value Docker takes from the environment; that of MPI says what
 * our own image is to have, and we have to know it.
 */
export function buildVariable(text: string, before?: readonly string[]): string[] {
  if (text === "MPI") throw new InvalidArgumentError("must be MPI=VALUE");
  if (!/^[^=]/.test(text)) throw new InvalidArgumentError("must be KEY=VALUE");
  return collect(text, before);
}

/** Adds one value of a repeated flag to those before. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/**
 * Parses words as a shell would, but for variables and the like, and adds them to those before.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shellWords } from "./flags.ts";
 *
 * assert.deepEqual(shellWords(`--report-bindings -x 'A=b c'`), ["--report-bindings", "-x", "A=b c"]);
 * assert.throws(() => shellWords("-x 'A"), /must close every quote/);
 * ```
 */
export function shellWords(text: string, before: readonly string[] = []): string[] {
  const word = /(?:"[^"]*"|'[^']*'|[^\s"'])+/g;
  if (/["']/.test(text.replace(/"[^"]*"|'[^']*'/g, ""))) throw new InvalidArgumentError("must close every quote");
  return [...before, ...(text.match(word) ?? []).map((raw) => raw.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"))];
}
