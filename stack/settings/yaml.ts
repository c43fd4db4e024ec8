import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, type Tags } from "yaml";
import { brief, quote } from "../text.ts";

/** A place in a text; the first character is at line 1, column 1. */
export interface Position {
  /** Line, from 1. */
  line: number;
  /** Column, from 1. */
  column: number;
}

/** Something wrong in a text, and where. */
export interface Fault {
  /** Where it is. */
  at: Position;
  /** What is there and what would be right: sentence case, no full stop. */
  message: string;
}

/** The tags that are known: those by which compose files remove and replace. */
export type Tag = "!reset" | "!override";

/** A single value: what it is, and how it was written. */
export interface YamlScalar {
  /** Tells the kinds of node apart. */
  kind: "scalar";
  /** Compose's tag before it. */
  tag?: Tag;
  /** The value under the YAML 1.2 core schema: `yes` is a string, `0x10` a number. */
  value: string | number | boolean | null;
  /** The value as it is written, without quotes. */
  source: string;
  /** Where it is. */
  at: Position;
}

/** A mapping. */
export interface YamlMap {
  /** Tells the kinds of node apart. */
  kind: "mapping";
  /** Compose's tag before it. */
  tag?: Tag;
  /** Its entries in order; no key comes twice. */
  entries: YamlEntry[];
  /** Where it starts. */
  at: Position;
}

/** One key of a mapping with its value. */
export interface YamlEntry {
  /** The key as it is written. */
  key: string;
  /** Where the key is. */
  at: Position;
  /** Its value; a key with nothing behind it has `null`. */
  value: YamlNode;
}

/** A list. */
export interface YamlList {
  /** Tells the kinds of node apart. */
  kind: "list";
  /** Compose's tag before it. */
  tag?: Tag;
  /** Its items in order. */
  items: YamlNode[];
  /** Where it starts. */
  at: Position;
}

/** A piece of a YAML text that knows its place. Aliases are resolved. */
export type YamlNode = YamlScalar | YamlMap | YamlList;

/** What a text holds, or what is wrong with it. */
export interface YamlResult {
  /** The whole text as one node; none if it is empty or has faults. */
  root: YamlNode | undefined;
  /** Everything that is wrong, in the order of the text. */
  faults: Fault[];
}

/** More than any settings need; what goes past it are aliases that multiply. */
const MAX_NODES = 20_000;
const MAX_DEPTH = 64;
const MAX_ALIASES = 200;
/** Docker's reader takes no key of more than 1024 bytes, and one character can be written with six. */
const MAX_KEY = 160;
const TOO_DEEP = `Nested too deeply: want at most ${MAX_DEPTH} levels`;

/**
 * Reads a YAML 1.2 text into nodes that know their place.
 *
 * Stricter than YAML: no duplicate keys, no merge keys, of tags only those of compose, one document. Text that multiplies by
 * aliases or is nested without end is refused, not expanded.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseYaml } from "./yaml.ts";
 *
 * const { root, faults } = parseYaml("workers: 5\n");
 * assert.deepEqual(faults, []);
 * assert.deepEqual(root?.kind === "mapping" && root.entries[0]?.key, "workers");
 *
 * assert.deepEqual(parseYaml("a:\n\tb: 1\n").faults, [
 *   { at: { line: 2, column: 1 }, message: "Tab used for indentation: use spaces" },
 * ]);
 * ```
 *
 * @param text The text; a byte order mark and any kind of line end are fine.
 */
export function parseYaml(text: string): YamlResult {
  const lines = linesOf(text);
  const at = (offset: number): Position => {
    const isInLineEnd = text[offset - 1] === "\r" && text[offset] === "\n";
    const { line, col } = lines.linePos(isInLineEnd ? offset - 1 : offset);
    return { line, column: col };
  };
  const document = parseText(text);
  if (document === undefined) {
    const deep = text.search(/(?:[-?:][ \t]+){32}/);
    return { root: undefined, faults: [{ at: at(Math.max(0, deep)), message: TOO_DEEP }] };
  }
  const errors = [...document.errors, ...document.warnings];
  // Where it gives up over the depth, all that comes after is nonsense.
  const fatal = errors.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  const syntax = (fatal ? [fatal] : errors)
    .map(({ code, message, pos }) => ({ at: at(pos[0]), message: describe(code, message) }));
  if (syntax.length > 0) return { root: undefined, faults: inOrder(syntax) };
  if (document.contents === null) return { root: undefined, faults: [] };
  const reader = new Reader(document, at);
  const root = reader.read(document.contents);
  return reader.faults.length > 0 ? { root: undefined, faults: inOrder(reader.faults) } : { root, faults: [] };
}

/** Nothing, if it is nested so deeply that the library, which gives up over brackets by itself, runs out of stack. */
function parseText(text: string): Document | undefined {
  try {
    // The library knows of no carriage return that stands alone.
    return parseDocument(text.replace(/\r(?!\n)/g, "\n"), {
      version: "1.2",
      schema: "core",
      prettyErrors: false,
      // The reader below finds them, and can name the line of the first.
      uniqueKeys: false,
      customTags: (known) => [...known, ...TAGS.flatMap(asIs)],
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const TAGS: readonly Tag[] = ["!reset", "!override"];

/** Has the library keep what stands behind a tag. */
function asIs(tag: Tag): Tags {
  return [{ tag, resolve: (text: string) => text }, { tag, collection: "map" }, { tag, collection: "seq" }];
}

/** Where the lines start: what the library notes itself misses some, once it has found a fault. */
function linesOf(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { 0: end, index } of text.matchAll(/\r\n?|\n/g)) lines.addNewLine(index + end.length);
  return lines;
}

/** Sorts faults as they stand in the text and drops those that say the same of the same place. */
function inOrder(faults: Fault[]): Fault[] {
  const seen = new Map(faults.map((fault) => [`${fault.at.line}:${fault.at.column}:${fault.message}`, fault]));
  return [...seen.values()].sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
}

/** The library's errors in the words of someone who looks at the line. */
function describe(code: string, message: string): string {
  switch (code) {
    case "TAB_AS_INDENT":
      return "Tab used for indentation: use spaces";
    case "MULTIPLE_DOCS":
      return 'A second document starts here: want one, without "---" after it';
    case "RESOURCE_EXHAUSTION":
      return TOO_DEEP;
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
      return 'Not a "key: value" line: put a blank after the colon, quote a value that has ": " in it, ' +
        "and give keys of one mapping the same indentation";
    default:
      return brief(message, 200);
  }
}

/** What a key has against it; nothing if it is fine. */
export function keyFault(key: string): string | undefined {
  return key.length > MAX_KEY ? `Key ${quote(key)} is too long: want at most ${MAX_KEY} characters` : undefined;
}

/** Turns the library's tree into ours, and stops when it gets too large. */
class Reader {
  readonly faults: Fault[] = [];
  #document: Document;
  #at: (offset: number) => Position;
  #nodes = 0;
  #aliases = 0;
  #isOverLimit = false;

  constructor(document: Document, at: (offset: number) => Position) {
    this.#document = document;
    this.#at = at;
  }

  /** Reads one node; `place` is where it counts as standing if it has no place of its own. */
  read(node: unknown, depth = 0, place: Position = { line: 1, column: 1 }): YamlNode {
    const start = (node as { range?: readonly number[] | null } | null)?.range?.[0];
    const at = start === undefined ? place : this.#at(start);
    const nothing: YamlScalar = { kind: "scalar", value: null, source: "", at };
    if (this.#isOverLimit) return nothing;
    if (++this.#nodes > MAX_NODES) return this.#giveUp(nothing, `Too large: want at most ${MAX_NODES} values`);
    if (depth > MAX_DEPTH) return this.#giveUp(nothing, TOO_DEEP);
    if (isAlias(node)) {
      if (++this.#aliases > MAX_ALIASES) return this.#giveUp(nothing, `Too many aliases: want at most ${MAX_ALIASES}`);
      const target = node.resolve(this.#document);
      if (!target) this.#refuse(nothing, `Alias ${quote(`*${node.source}`)} has no anchor before it`);
      return { ...this.read(target, depth + 1, at), at };
    }
    const tag = TAGS.find((each) => each === (node as { tag?: string } | null)?.tag);
    const tagged = tag === undefined ? {} : { tag };
    if (isMap(node)) return { kind: "mapping", entries: this.#entries(node.items, depth, at), at, ...tagged };
    if (isSeq(node)) {
      return { kind: "list", items: node.items.map((item) => this.read(item, depth + 1, at)), at, ...tagged };
    }
    if (!isScalar(node)) return nothing;
    const value = node.value as YamlScalar["value"];
    if (typeof value === "string" && !value.isWellFormed()) {
      this.#refuse(nothing, `Half a character in ${quote(value)}`);
    }
    return { kind: "scalar", value, source: node.source ?? String(value), at, ...tagged };
  }

  #entries(pairs: Pair[], depth: number, place: Position): YamlEntry[] {
    const seen = new Map<string, YamlEntry>();
    for (const pair of pairs) {
      const key = this.read(pair.key, depth + 1, place);
      if (this.#isOverLimit) break;
      if (key.kind !== "scalar" || key.value === null) {
        this.#refuse(key, "Not a key: want a word before the colon");
        continue;
      }
      const name = key.source;
      const first = seen.get(name);
      if (first) this.#refuse(key, `Key ${quote(name)} is given twice, first in line ${first.at.line}`);
      const tooLong = keyFault(name);
      if (tooLong !== undefined) this.#refuse(key, tooLong);
      if (name === "<<") this.#refuse(key, 'Merge key "<<" is not supported: write the keys out');
      seen.set(name, { key: name, at: key.at, value: this.read(pair.value, depth + 1, key.at) });
    }
    return [...seen.values()];
  }

  #refuse(node: YamlNode, message: string): void {
    this.faults.push({ at: node.at, message });
  }

  /** Stops reading for good, and says so once. */
  #giveUp(node: YamlScalar, message: string): YamlScalar {
    this.#isOverLimit = true;
    this.#refuse(node, message);
    return node;
  }
}
