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
