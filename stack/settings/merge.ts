import { isJsonObject, type Json, type JsonObject } from "../json.ts";

/** How compose's tags stand in a fragment: the only key of a mapping. */
export const TAGS: readonly string[] = ["!reset", "!override"];

/** Lists that say one thing as a whole, where appending would make nonsense. */
const WHOLE_LISTS = ["command", "entrypoint", "test"];

/** Mappings of ours that can be written as lists of texts. */
export const LISTS_OF_ENTRIES: readonly string[] = ["environment", "labels", "networks"];

/** Lists whose items are told apart by something in them, so that a later one takes the place of an earlier one. */
const UNIQUE_ITEMS: Readonly<Record<string, (item: Json) => string>> = {
  volumes: mountTarget,
  secrets: (item) => fileTarget(item, "/run/secrets/"),
  configs: (item) => fileTarget(item, "/"),
  ports: portKey,
};

/**
 * Lays a fragment over a stack file, by the rules of the compose specification.
 *
 * - Mappings merge key by key; anything else replaces.
 * - Lists append what is not there yet. Of `volumes`, `secrets` and `configs` an item takes the place of that with the same
 *   target, of `ports` that of the same port. `command`, `entrypoint` and a health check's `test` replace.
 * - A list over a mapping (`environment: ["A=b"]`, `networks: [other]`) counts as the mapping that it stands for.
 * - `!reset`, or `null`, removes what is there; a `null` over nothing stays (`volumes: { data: null }`). What stands behind
 *   `!override` replaces what is there.
 *
 * `$` in a fragment means what it means to Docker: `$HOME` is the client's variable, `$$` a dollar sign.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mergeStack } from "./merge.ts";
 *
 * const base = { services: { worker: { image: "a", init: true, cap_drop: ["ALL"] } } };
 * const over = { services: { worker: { image: "b", init: null, cap_add: ["SYS_PTRACE"] } } };
 * assert.deepEqual(mergeStack(base, over), {
 *   services: { worker: { image: "b", cap_drop: ["ALL"], cap_add: ["SYS_PTRACE"] } },
 * });
 * ```
 *
 * @param base The stack file; it is left as it is.
 * @param fragment What to lay over it.
 */
export function mergeStack(base: JsonObject, fragment: JsonObject): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [key, over] of Object.entries(fragment)) {
    const tag = tagOf(over);
    if (tag === "!reset" || (over === null && merged.has(key))) merged.delete(key);
    else if (tag === "!override") merged.set(key, withoutTags((over as JsonObject)[tag]!));
    else merged.set(key, mergeValue(key, merged.get(key), over));
  }
  return Object.fromEntries(merged);
}

function tagOf(value: Json): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const keys = Object.keys(value);
  return keys.length === 1 && TAGS.includes(keys[0]!) ? keys[0] : undefined;
}

/** What there is nothing to lay over. */
function withoutTags(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutTags);
  return isJsonObject(value) ? mergeStack({}, value) : value;
}

function mergeValue(key: string, base: Json | undefined, over: Json): Json {
  if (isJsonObject(base)) {
    // A variable without a value has the client's, and removes nothing.
    if (LISTS_OF_ENTRIES.includes(key) && isTextList(over)) return { ...base, ...listAsMapping(key, over) };
    return isJsonObject(over) ? mergeStack(base, over) : over;
  }
  if (!Array.isArray(base) || !Array.isArray(over) || WHOLE_LISTS.includes(key)) return withoutTags(over);
  const keyOf = UNIQUE_ITEMS[key] ?? ((item: Json) => JSON.stringify(item));
  const items = new Map([...base, ...over].map((item) => [keyOf(item), withoutTags(item)]));
  return [...items.values()];
}

function isTextList(value: Json): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** The mapping that a compose file's short form stands for. */
function listAsMapping(key: string, list: string[]): JsonObject {
  return Object.fromEntries(list.map((text) => {
    if (key === "networks") return [text, {}];
    const [name, ...value] = text.split("=");
    return [name, value.length === 0 ? null : value.join("=")];
  }));
}

/** Where something is mounted; the short form is `SOURCE:TARGET:MODE`, or `TARGET` alone. */
function mountTarget(item: Json): string {
  if (isJsonObject(item)) return String(item["target"]);
  const parts = String(item).split(":");
  return parts[1] ?? parts[0]!;
}

/** Where a secret or a config is; the short form is its name. */
function fileTarget(item: Json, folder: string): string {
  const target = String(isJsonObject(item) ? item["target"] ?? item["source"] : item);
  return target.startsWith("/") ? target : folder + target;
}

/** Address, port of the host, port of the container and protocol; the short form is `IP:PUBLISHED:TARGET/PROTOCOL`. */
function portKey(item: Json): string {
  if (isJsonObject(item)) return `:${item["published"]}:${item["target"]}/${item["protocol"] ?? "tcp"}`;
  const [ports = "", protocol = "tcp"] = String(item).split("/");
  const [target, published, ...address] = ports.split(":").reverse();
  return `${address.reverse().join(":")}:${published}:${target}/${protocol}`;
}
