import { isJsonObject, type Json } from "../json.ts";
import { FIELD_NAMES, type FieldName, FIELDS, PART_NAMES, PARTS } from "./schema.ts";
import type { Settings, Source } from "./settings.ts";
import { formatSize } from "./size.ts";

/** A setting, what it is, and who says so. */
export interface SettingOrigin {
  /** Its key in `mpi.yaml`. */
  key: string;
  /** What it is, as a program takes it; `null`: it is settled later. */
  value: Json;
  /** The same for people. */
  text: string;
  /** Who says so. */
  from: Source["from"];
  /** The flag, the variable, the place in the file, or how the default comes about. */
  where: string;
}

/**
 * Tells of each setting what it is and where that comes from.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resolveSettings } from "./settings.ts";
 * import { settingOrigins } from "./origin.ts";
 *
 * const settings = await resolveSettings({ flags: { workers: "5" }, directory: "/home/ada/hello" });
 * const [name, , , workers] = settingOrigins(settings);
 * assert.deepEqual(workers, { key: "workers", value: 5, text: "5", from: "flag", where: "--workers" });
 * assert.deepEqual(name, { key: "name", value: "hello", text: "hello", from: "default", where: "the directory's" });
 * ```
 *
 * @param settings The settings.
 */
export function settingOrigins(settings: Settings): SettingOrigin[] {
  const fields = FIELD_NAMES.map((name) => {
    const { key, fallback } = FIELDS[name];
    const value = settings[name] ?? null;
    return { key, value, text: fieldText(name, value), ...origin(settings.sources[name], fallback.text) };
  });
  const { volumes: { mounts }, stack } = settings;
  const values: Record<string, Json> = { volumes: mounts, stack };
  const parts = PART_NAMES.map((name) => ({
    key: PARTS[name].key,
    value: values[name] ?? null,
    text: partText(values[name] ?? null),
    ...origin(settings.sources[name], "none"),
  }));
  return [...fields, ...parts];
}

function origin({ from, where }: Source, fallback: string): Pick<SettingOrigin, "from" | "where"> {
  return { from, where: from === "default" ? fallback.replaceAll("`", "") : where };
}

function fieldText(name: FieldName, value: Json): string {
  if (value === null) return "automatic";
  return name === "shm" && typeof value === "number" ? formatSize(value) : String(value);
}

/** A list of what stands in it. */
function partText(value: Json): string {
  if (!Array.isArray(value)) return Object.keys(value ?? {}).join(", ") || "-";
  return value.map((mount) => isJsonObject(mount) ? String(mount["target"]) : "").join(", ") || "-";
}
