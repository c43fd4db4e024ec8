import type { JsonObject } from "../json.ts";
import { quote } from "../text.ts";
import { parseSize, SIZE } from "./size.ts";

/** What a YAML scalar can be. */
export type ScalarType = "string" | "number" | "boolean";

/** What is right for a single value: in words, as code, and for editors. */
export interface Rule<T> {
  /** What it can be written as in `mpi.yaml`. */
  types: readonly ScalarType[];
  /** What is right, in words that follow "want". */
  want: string;
  /** Reads it; nothing if it is wrong. */
  parse(text: string): NonNullable<T> | undefined;
  /** The same as a JSON schema; it may be wider where no schema can say it. */
  schema: JsonObject;
  /** Makes something right out of something wrong, if that can be guessed. */
  suggest?(text: string): string | undefined;
}

/**
 * A whole number in a range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wholeNumber } from "./rules.ts";
 *
 * assert.equal(wholeNumber(1, 9).parse("5"), 5);
 * assert.equal(wholeNumber(1, 9).parse("10"), undefined);
 * ```
 *
 * @param least The smallest.
 * @param most The largest.
 */
export function wholeNumber(least: number, most: number): Rule<number> {
  return {
    types: ["number"],
    want: `a whole number from ${least} to ${most}`,
    parse: (text) => /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined,
    schema: { type: "integer", minimum: least, maximum: most },
  };
}

/**
 * One of a few words.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { choice } from "./rules.ts";
 *
 * assert.equal(choice("mpich", "openmpi").want, '"mpich" or "openmpi"');
 * ```
 *
 * @param words The words.
 */
export function choice<T extends string>(...words: T[]): Rule<T> {
  const quoted = words.map((word) => `"${word}"`);
  return {
    types: ["string"],
    want: [quoted.slice(0, -1).join(", "), quoted.at(-1)!].filter(Boolean).join(" or "),
    parse: (text) => words.find((word) => word === text),
    schema: { type: "string", enum: words },
  };
}

/** True or false. */
export const TRUE_OR_FALSE: Rule<boolean> = {
  types: ["boolean"],
  want: "true or false",
  parse: (text) => text === "true" ? true : text === "false" ? false : undefined,
  schema: { type: "boolean" },
};

/**
 * A text of a certain form.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { textLike } from "./rules.ts";
 *
 * assert.equal(textLike(/^\//, "an absolute path").parse("/data"), "/data");
 * ```
 *
 * @param pattern What it looks like; of the expressions that JSON schemas have, so without flags.
 * @param want The same in words.
 */
export function textLike(pattern: RegExp, want: string): Rule<string> {
  return {
    types: ["string"],
    want,
    parse: (text) => pattern.test(text) ? text : undefined,
    schema: { type: "string", pattern: pattern.source },
  };
}

/**
 * A size in bytes, as Docker writes it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sizeOf } from "./rules.ts";
 *
 * assert.equal(sizeOf("64m", "1g").parse("512m"), 536_870_912);
 * assert.equal(sizeOf("64m", "1g").parse("63m"), undefined);
 * ```
 *
 * @param least The smallest.
 * @param example One that is right.
 */
export function sizeOf(least: string, example: string): Rule<number> {
  const minimum = parseSize(least)!;
  return {
    types: ["string", "number"],
    want: `a size of at least ${least}, such as 512m or ${example}`,
    parse: (text) => {
      const bytes = parseSize(text);
      return bytes !== undefined && bytes >= minimum ? bytes : undefined;
    },
    schema: {
      anyOf: [{ type: "number", minimum, maximum: Number.MAX_SAFE_INTEGER }, { type: "string", pattern: SIZE }],
    },
  };
}

/**
 * Says what is wrong with a value.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { invalidValue } from "./rules.ts";
 * import { FIELDS } from "./schema.ts";
 *
 * assert.equal(
 *   invalidValue(FIELDS.workers, "abc", "--workers"),
 *   'Invalid value "abc" for --workers: want a whole number from 0 to 10000, or "per-node"',
 * );
 * assert.match(invalidValue(FIELDS.subnet, "10.20.0.5/16", "--subnet"), /, for example "10.20.0.0\/16"$/);
 * ```
 *
 * @param rule What is right.
 * @param text The value as it was written.
 * @param where The flag, variable or key that it stands behind.
 */
export function invalidValue(rule: Pick<Rule<unknown>, "want" | "suggest">, text: string, where: string): string {
  const guess = rule.suggest?.(text);
  const example = guess === undefined ? "" : `, for example "${guess}"`;
  return `Invalid value ${quote(text)} for ${where}: want ${rule.want}${example}`;
}
