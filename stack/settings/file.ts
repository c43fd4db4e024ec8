import type { JsonObject } from "../json.ts";
import { quote } from "../text.ts";
import { readFragment, SECTIONS } from "./fragment.ts";
import { isNothing, kindOf, readScalar, unknownKey } from "./read_value.ts";
import { FIELD_NAMES, type FieldName, FIELDS, type FieldValues, type PartName, PARTS } from "./schema.ts";
import { readVolumes, type Volumes } from "./volumes.ts";
import { type Fault, parseYaml, type Position, type YamlEntry, type YamlNode } from "./yaml.ts";

/** A value and the place where it is written. */
export interface Placed<T> {
  /** The value. */
  value: T;
  /** Where it is. */
  at: Position;
}

/** The settings that a file gives. */
export type PlacedValues = { [K in FieldName]?: Placed<NonNullable<FieldValues[K]>> };

/** What the settings that are no single value are. */
export interface PartValues {
  /** What is mounted into every node. */
  volumes: Volumes;
  /** A piece of a compose file. */
  stack: JsonObject;
}

/** How each of these is read. */
const READERS: { [K in PartName]: (node: YamlNode, faults: Fault[]) => PartValues[K] } = {
  volumes: readVolumes,
  stack: readFragment,
};

/** What an `mpi.yaml` says. */
export interface SettingsFile {
  /** The settings that it gives and that are right. */
  values: PlacedValues;
  /** Those that are no single value. */
  parts: { [K in PartName]?: Placed<PartValues[K]> };
  /** Everything that is wrong with it, in the order of the text. */
  faults: Fault[];
}

/** More than any settings need; of the worst that fits, all is said within a second or two. */
const MAX_BYTES = 128 * 1024;
const START: Position = { line: 1, column: 1 };

/** The mappings that settings which are a single value stand in, such as `network`. */
const GROUPS = [
  ...new Set(
    FIELD_NAMES.map((name) => FIELDS[name].key.split(".")).filter((parts) => parts.length > 1).map(([group]) => group!),
  ),
];

/**
 * Reads an `mpi.yaml` and finds everything that is wrong with it. An empty one is right and says nothing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readSettingsFile } from "./file.ts";
 *
 * const { values, faults } = readSettingsFile("workers: 5\nimagee: hello\n");
 * assert.deepEqual(values.workers, { value: 5, at: { line: 1, column: 10 } });
 * assert.deepEqual(faults[0]?.at, { line: 2, column: 1 });
 * assert.match(faults[0]?.message ?? "", /^Unknown key "imagee", did you mean "image"\?/);
 * ```
 *
 * @param content What the file holds: its bytes, or the text that they stand for.
 */
export function readSettingsFile(content: string | Uint8Array): SettingsFile {
  const file: SettingsFile = { values: {}, parts: {}, faults: [] };
  const text = decode(content, file.faults);
  if (text === undefined) return file;
  const { root, faults } = parseYaml(text);
  file.faults = file.faults.concat(faults);
  if (root) readTop(root, file);
  file.faults.sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  return file;
}

/** Makes text of bytes, if they are text and not too many. */
function decode(content: string | Uint8Array, faults: Fault[]): string | undefined {
  if (content.length > MAX_BYTES) {
    faults.push({ at: START, message: `Too large, ${content.length} bytes: want at most 128 kB` });
    return undefined;
  }
  const text = typeof content === "string" ? content.replace(/^\uFEFF/, "") : new TextDecoder().decode(content);
  // U+FFFD is what the decoder puts in place of bytes that are not UTF-8.
  // deno-lint-ignore no-control-regex
  const odd = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\uFFFD]/.exec(text);
  if (!odd) return text;
  const before = text.slice(0, odd.index).split(/\r\n?|\n/);
  const at = { line: before.length, column: before.at(-1)!.length + 1 };
  const message = odd[0] === "\uFFFD" ? "Not UTF-8 text: save the file as UTF-8" : `Control character ${quote(odd[0])}`;
  faults.push({ at, message });
  return undefined;
}

function readTop(root: YamlNode, file: SettingsFile): void {
  refuseTags(root, file.faults);
  for (const entry of entriesOf(root, "", file.faults)) {
    if (Object.hasOwn(PARTS, entry.key)) readPart(entry.key as PartName, entry, file);
    else if (GROUPS.includes(entry.key)) {
      for (const inner of entriesOf(entry.value, entry.key, file.faults)) readEntry(inner, entry.key, file);
    } else {
      readEntry(entry, "", file);
    }
  }
}

/** Outside of `stack:` there is nothing to remove or to replace. */
function refuseTags(node: YamlNode, faults: Fault[]): void {
  if (node.tag !== undefined) faults.push({ at: node.at, message: `Tag ${node.tag} outside of stack: leave it out` });
  const inner = node.kind === "mapping"
    ? node.entries.filter(({ key }) => key !== "stack").map(({ value }) => value)
    : node.kind === "list"
    ? node.items
    : [];
  for (const each of inner) refuseTags(each, faults);
}

function readPart<K extends PartName>(name: K, { value, at }: YamlEntry, file: SettingsFile): void {
  const parts: { [P in K]?: Placed<PartValues[P]> } = file.parts;
  parts[name] = { value: READERS[name](value, file.faults), at };
}

/** The entries of what has to be a mapping, or may be nothing at all. */
function entriesOf(node: YamlNode, key: string, faults: Fault[]): YamlEntry[] {
  if (node.kind === "mapping") return node.entries;
  if (isNothing(node)) return [];
  const message = key === ""
    ? `Wrong type for the file: ${kindOf(node)}, want lines such as "workers: 5" with a blank after the colon`
    : `Wrong type for ${key}: ${kindOf(node)}, want a mapping with the keys ${keysUnder(key).join(", ")}`;
  faults.push({ at: node.at, message });
  return [];
}

function readEntry(entry: YamlEntry, parent: string, file: SettingsFile): void {
  const path = parent === "" ? [entry.key] : [parent, entry.key];
  const name = FIELD_NAMES.find((name) => isSamePath(FIELDS[name].key.split("."), path));
  if (name === undefined) file.faults.push({ at: entry.at, message: unknown(entry.key, parent) });
  else readValue(name, entry, file);
}

function isSamePath(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}

function readValue<K extends FieldName>(name: K, entry: YamlEntry, file: SettingsFile): void {
  const values: { [P in K]?: Placed<NonNullable<FieldValues[P]>> } = file.values;
  const value = readScalar<FieldValues[K]>(FIELDS[name], FIELDS[name].key, entry, file.faults);
  if (value !== undefined) values[name] = { value, at: entry.value.at };
}

/** Says that there is no such key; perhaps it stands one level too high. */
function unknown(key: string, parent: string): string {
  const deeper = [
    ...FIELD_NAMES.map((name) => FIELDS[name].key).filter((key) => key.includes(".")),
    ...SECTIONS.map((key) => `stack.${key}`),
  ];
  return unknownKey(
    key,
    keysUnder(parent),
    parent,
    parent === "" ? deeper.find((path) => path.endsWith(`.${key}`)) : undefined,
  );
}

/** The keys that a mapping can have. */
function keysUnder(parent: string): string[] {
  const keys = FIELD_NAMES.map((name) => FIELDS[name].key.split("."));
  if (parent !== "") return keys.filter(([first]) => first === parent).map((parts) => parts[1]!);
  return [...keys.filter((parts) => parts.length === 1).map((parts) => parts[0]!), ...GROUPS, ...Object.keys(PARTS)];
}
