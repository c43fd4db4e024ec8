import { FIELD_NAMES, type FieldName, FIELDS } from "../../stack/settings/schema.ts";
import type { SettingsInput } from "../../stack/settings/settings.ts";
import { type AnyCommand, type Completer, Option } from "./command.ts";

/** Adds a flag for each of these settings. The domain checks their values, with the file's and the environment's. */
export function withSettings<C extends AnyCommand>(command: C, names: readonly FieldName[] = FIELD_NAMES): C {
  for (const name of names) {
    const { flag, placeholder, summary } = FIELDS[name];
    command.addOption(new Option(placeholder === undefined ? flag : `${flag} <${placeholder}>`, summary));
    if (name === "workers") {
      command.addOption(new Option("--per-node", "The same as --workers per-node").conflicts("workers"));
    }
  }
  return command;
}

/** Completes the flags of those that are one of a few words. */
export function settingsCompletion(): Record<string, Completer> {
  const words = Object.values(FIELDS).flatMap(({ flag, schema }) =>
    Array.isArray(schema["enum"]) ? [[flag, schema["enum"].map(String)] as const] : []
  );
  return Object.fromEntries(words.map(([flag, values]) => [flag, () => Promise.resolve(values)]));
}

/** The settings among a command's options. */
export function settingsOf(options: object): NonNullable<SettingsInput["flags"]> {
  const given = options as Record<string, string | boolean | undefined>;
  const flags = Object.fromEntries(FIELD_NAMES.map((name) => [name, given[optionName(FIELDS[name].flag)]]));
  return given["perNode"] === true ? { ...flags, workers: "per-node" } : flags;
}

/** What commander calls the value of a flag: `--per-node` is `perNode`. */
function optionName(flag: string): string {
  return flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
