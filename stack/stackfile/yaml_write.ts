import { Document, isScalar, type Pair, type Scalar, visit } from "yaml";
import { asYaml, type Json } from "../json.ts";

/** What YAML refuses, or takes for a line end, unless it is written as an escape. */
const UNFIT = /[\p{C}\x7f-\x9f\u2028\u2029]/u;

/** Texts that no reader of any version takes for a number, a truth value or a date. */
const PLAIN = /^(?!(?:y|n|yes|no|on|off|true|false|null|inf|nan)$)[a-z/][\w@%+=:,./() -]*$/i;

/**
 * Writes a value as YAML that readers of 1.1 and of 1.2 understand alike, with comments before its keys.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeYaml } from "./yaml_write.ts";
 *
 * const text = writeYaml({ image: "hello", init: "yes" }, ([key]) => key === "init" ? "a word, no truth" : undefined);
 * assert.equal(text, 'image: hello\n# a word, no truth\ninit: "yes"\n');
 * ```
 *
 * @param value The value.
 * @param commentOf Gives the comment of the key that a path leads to, in one line.
 * @param heading A comment before all, if there is one.
 */
export function writeYaml(
  value: Json,
  commentOf: (path: readonly string[]) => string | undefined,
  heading?: string,
): string {
  const document = new Document(value, { version: "1.1", aliasDuplicateObjects: false });
  visit(document, {
    Pair(_, pair, ancestors) {
      const path = [...ancestors.flatMap((each) => isPair(each) ? [keyOf(each)] : []), keyOf(pair)];
      const comment = commentOf(path);
      if (comment !== undefined) (pair.key as Scalar).commentBefore = ` ${comment}`;
    },
    Scalar(_, node) {
      if (typeof node.value === "string" && needsQuotes(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  const text = document.toString({ lineWidth: 0, directives: false });
  return (heading === undefined ? "" : heading.replace(/^/gm, "# ") + "\n") + asYaml(text);
}

/** Whether a text must stand in quotes; one of several lines is a block, and needs none. */
function needsQuotes(text: string): boolean {
  const lines = text.split("\n");
  return lines.length === 1 ? !PLAIN.test(text) : lines.some((line) => UNFIT.test(line));
}

function isPair(node: unknown): node is Pair {
  return node !== null && typeof node === "object" && "key" in node && "value" in node;
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}
