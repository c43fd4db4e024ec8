/** A value that JSON can hold. */
export type Json = string | number | boolean | null | Json[] | JsonObject;

/** A JSON object: what YAML calls a mapping. */
export interface JsonObject {
  /** Any key. */
  [key: string]: Json;
}

/**
 * Tells whether a value is a JSON object, neither a list nor `null`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isJsonObject } from "./json.ts";
 *
 * assert.ok(isJsonObject({ a: 1 }));
 * assert.ok(!isJsonObject([1]));
 * assert.ok(!isJsonObject(null));
 * ```
 *
 * @param value What to look at; `undefined` stands for "not there".
 */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Makes YAML of JSON, or of YAML whose texts stand in double quotes: what YAML refuses, or takes for a line end, is escaped.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { asYaml } from "./json.ts";
 *
 * assert.equal(asYaml(JSON.stringify("a\u2028b")), '"a\\u2028b"');
 * ```
 *
 * @param text JSON, which holds these characters as they are.
 */
export function asYaml(text: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g, escaped);
}
