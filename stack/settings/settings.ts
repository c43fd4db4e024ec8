import { MpiError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { SettingsFile } from "./file.ts";
import { invalidValue } from "./rules.ts";
import {
  type Field,
  FIELD_NAMES,
  type FieldName,
  FIELDS,
  type FieldValues,
  type Known,
  PART_NAMES,
  type PartName,
} from "./schema.ts";
import { checkNetwork } from "./network.ts";
import { checkRoom } from "./room.ts";
import type { Volumes } from "./volumes.ts";

/** Where the value of a setting comes from. */
export interface Source {
  /** Flags go before environment variables, these before the file, and all before the default. */
  from: "flag" | "environment" | "file" | "default";
  /** The flag (`--workers`), the variable (`MPI_WORKERS`), the place in the file (`mpi.yaml:3:10`), or `default`. */
  where: string;
}

/** What a cluster is to be like. */
export interface Settings extends FieldValues {
  /** What is mounted into every node. */
  volumes: Volumes;
  /** A piece of a compose file to lay over ours; empty if none is given. */
  stack: JsonObject;
  /** Where each of them comes from. */
  sources: Record<FieldName | PartName, Source>;
}

/** What settings are made of. */
export interface SettingsInput {
  /** The flags that were given, by the name of their setting. */
  flags?: { readonly [K in FieldName]?: string | number | boolean | undefined };
  /** The environment variables; one that is empty counts as not set. */
  env?: Readonly<Record<string, string | undefined>>;
  /** The `mpi.yaml`, if there is one: the path that messages name, and what it holds (bytes, or text made of them). */
  file?: { path: string; text: string | Uint8Array } | undefined;
  /** The project's directory, an absolute path, which gives the cluster its name if nothing else does. */
  directory: string;
}

const MAX_FAULTS = 20;

/**
 * Settles what a cluster is to be like: flag, then `MPI_*` environment variable, then `mpi.yaml`, then default.
 *
 * The file is checked as a whole, also where a flag takes precedence; a variable only where no flag does. All faults
 * are told at once, one line each. The YAML library is loaded only if there is a file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resolveSettings } from "./settings.ts";
 *
 * const settings = await resolveSettings({
 *   flags: { workers: "5" },
 *   env: { MPI_SLOTS: "2" },
 *   file: { path: "mpi.yaml", text: "workers: 3\nport: 2022\n" },
 *   directory: "/home/ada/hello",
 * });
 * assert.equal(settings.name, "hello");
 * assert.equal(settings.workers, 5);
 * assert.equal(settings.slots, 2);
 * assert.equal(settings.port, 2022);
 * assert.deepEqual(settings.sources.port, { from: "file", where: "mpi.yaml:2:7" });
 * ```
 *
 * @param input Flags, environment, file and directory.
 * @throws {MpiError} `usage` if a flag is wrong, `settings` if a variable or the file is, or if the workers do not fit
 * the subnet.
 */
export async function resolveSettings(input: SettingsInput): Promise<Settings> {
  const file = input.file && { path: input.file.path, ...await readFile(input.file.text) };
  const given = new Given(input, file);
  const values = given.takeAll(input.directory);
  const { volumes, stack } = file?.parts ?? {};
  const parts = { volumes: volumes?.value ?? { mounts: [], definitions: {} }, stack: stack?.value ?? {} };
  const settings = { ...values, ...parts, sources: given.sources };
  given.throwFaults();
  checkNetwork(settings);
  // What a swarm gives by itself, and what a cluster has that is there, is known to a deployment only.
  if (settings.subnet !== undefined) {
    checkRoom(settings, { workers: numberOf(settings), subnet: settings.subnet, runs: false });
  }
  return settings;
}

/** The workers that were asked for; without a number there is at least the master. */
function numberOf({ workers }: FieldValues): number {
  return typeof workers === "number" ? workers : 0;
}

async function readFile(content: string | Uint8Array): Promise<SettingsFile> {
  const { readSettingsFile } = await import("./file.ts");
  return readSettingsFile(content);
}

/** What was given, and what was wrong with it. */
class Given {
  readonly sources: Record<FieldName | PartName, Source>;
  #usage: string[] = [];
  #settings: string[];
  #input: SettingsInput;
  #file: (SettingsFile & { path: string }) | undefined;

  constructor(input: SettingsInput, file: (SettingsFile & { path: string }) | undefined) {
    this.#input = input;
    this.#file = file;
    this.#settings = (file?.faults ?? []).map(({ at, message }) => `${this.#place(at)}: ${message}`);
    const none: Source = { from: "default", where: "default" };
    const names = [...FIELD_NAMES, ...PART_NAMES];
    this.sources = Object.fromEntries(names.map((name) => [name, none])) as Record<FieldName | PartName, Source>;
    for (const name of PART_NAMES) {
      const part = file?.parts[name];
      if (part !== undefined) this.sources[name] = { from: "file", where: this.#place(part.at) };
    }
  }

  /** Takes every setting that is a single value; a default may be made of those before it. */
  takeAll(directory: string): FieldValues {
    const known: Known = { directory };
    for (const name of FIELD_NAMES) Object.assign(known, { [name]: this.#take(name, known) });
    const { directory: _, ...values } = known;
    return values as FieldValues;
  }

  /** Takes a setting from the first source that has it, and notes which; nothing if it is wrong, or settled later. */
  #take(name: FieldName, known: Known): FieldValues[FieldName] {
    const field: Field<FieldValues[FieldName]> = FIELDS[name];
    const flag = this.#input.flags?.[name];
    if (flag !== undefined) return this.#parse(name, String(flag), { from: "flag", where: field.flag });
    const variable = this.#input.env?.[field.variable];
    if (variable) return this.#parse(name, variable, { from: "environment", where: field.variable });
    const placed = this.#file?.values[name];
    if (!placed) return field.fallback.value?.(known);
    this.sources[name] = { from: "file", where: this.#place(placed.at) };
    return placed.value;
  }

  #parse(name: FieldName, text: string, source: Source): FieldValues[FieldName] {
    this.sources[name] = source;
    const value = FIELDS[name].parse(text);
    if (value === undefined) {
      const message = invalidValue(FIELDS[name], text, source.where);
      (source.from === "flag" ? this.#usage : this.#settings).push(message);
    }
    return value;
  }

  #place({ line, column }: { line: number; column: number }): string {
    return `${this.#file?.path}:${line}:${column}`;
  }

  /** A wrong command line is told alone: it is what the user looks at. */
  throwFaults(): void {
    if (this.#usage.length > 0) throw new MpiError("usage", this.#usage.join("\n"));
    const lines = this.#settings.slice(0, MAX_FAULTS);
    if (lines.length < this.#settings.length) lines.push(`… and ${this.#settings.length - lines.length} more`);
    if (lines.length > 0) throw new MpiError("settings", lines.join("\n"));
  }
}
