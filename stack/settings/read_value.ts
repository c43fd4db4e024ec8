/** Reads pieces of an `mpi.yaml` by rules. */
import type { JsonObject } from "../json.ts";
import { closest } from "../suggest.ts";
import { brief, quote } from "../text.ts";
import { invalidValue, type Rule, type ScalarType } from "./rules.ts";
import type { Fault, YamlEntry, YamlNode } from "./yaml.ts";

/**
 * Reads a single value.
 *
 * @param rule What is right.
 * @param key What messages call it.
 * @param entry The key with its value.
 * @param faults Where to put what is wrong.
 */
export function readScalar<T>(
  rule: Rule<T>,
  key: string,
  { at, value: node }: Pick<YamlEntry, "at" | "value">,
  faults: Fault[],
): NonNullable<T> | undefined {
  if (isNothing(node)) {
    faults.push({ at, message: `No value for ${key}: want ${rule.want}, or leave the line out` });
  } else if (node.kind !== "scalar" || !rule.types.includes(typeof node.value as ScalarType)) {
    faults.push({ at: node.at, message: `Wrong type for ${key}: ${kindOf(node)}, want ${rule.want}` });
  } else {
    const value = rule.parse(String(node.value));
    if (value === undefined) faults.push({ at: node.at, message: invalidValue(rule, node.source, key) });
    return value;
  }
  return undefined;
}

/** Whether there is nothing behind a key. */
export function isNothing(node: YamlNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** What a mapping can hold: single values, mappings of them, and mappings whose keys are the user's. */
export type MappingRules = {
  readonly [key: string]: Rule<unknown> | { readonly inner: MappingRules } | { readonly each: Rule<unknown> };
};

/**
 * Reads a mapping.
 *
 * @param rules What it can hold.
 * @param path What messages call it.
 * @param node The mapping.
 * @param faults Where to put what is wrong.
 * @returns What is right in it.
 */
export function readMapping(rules: MappingRules, path: string, node: YamlNode, faults: Fault[]): JsonObject {
  if (node.kind !== "mapping") {
    faults.push({
      at: node.at,
      message: `Wrong type for ${path}: ${kindOf(node)}, want a mapping with the keys ${Object.keys(rules).join(", ")}`,
    });
    return {};
  }
  const read = ({ key, at, value }: YamlEntry): [string, unknown] => {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    const where = `${path}.${key}`;
    if (rule === undefined) faults.push({ at, message: unknownKey(key, Object.keys(rules), path) });
    else if ("inner" in rule) return [key, readMapping(rule.inner, where, value, faults)];
    else if ("each" in rule) return [key, readEach(rule.each, where, value, faults)];
    else return [key, readScalar(rule, where, { at, value }, faults)];
    return [key, undefined];
  };
  return Object.fromEntries(node.entries.map(read).filter(([, value]) => value !== undefined)) as JsonObject;
}

function readEach(rule: Rule<unknown>, path: string, node: YamlNode, faults: Fault[]): JsonObject {
  if (node.kind === "mapping") {
    return readMapping(Object.fromEntries(node.entries.map(({ key }) => [key, rule])), path, node, faults);
  }
  faults.push({ at: node.at, message: `Wrong type for ${path}: ${kindOf(node)}, want a mapping` });
  return {};
}

/** Says which key is not known, which was probably meant, and which there are. */
export function unknownKey(key: string, keys: readonly string[], parent: string, meant = closest(key, keys)): string {
  const hint = meant === undefined ? ": the" : `, did you mean "${meant}"? The`;
  return `Unknown key ${quote(key)}${parent && ` in ${parent}`}${hint} keys are ${keys.join(", ")}`;
}

/** What a piece is, in words. */
export function kindOf(node: YamlNode): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  if (node.value === null) return "nothing";
  const type = typeof node.value === "boolean" ? "true-or-false value" : typeof node.value;
  return typeof node.value === "string" ? `${quote(node.source)} is a string` : `${brief(node.source)} is a ${type}`;
}
