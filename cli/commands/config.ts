import { type SettingOrigin, settingOrigins } from "../../stack/settings/origin.ts";
import { openSwarm, projectSettings } from "../cluster_context.ts";
import { type AnyCommand, Command, Option, withExamples } from "../command_line/command.ts";
import { settingsOf, withSettings } from "../command_line/settings_options.ts";
import type { Deps } from "../deps.ts";
import { VERSION } from "../docker/metadata.ts";
import { type Columns, renderList } from "../output/format.ts";
import { stackPreview } from "../stack_preview.ts";

interface ConfigOptions {
  resolve?: true | undefined;
  schema?: true | undefined;
  format: "table" | "json";
}

const COLUMNS: Columns<SettingOrigin> = {
  KEY: ({ key }) => key,
  VALUE: ({ text }) => text,
  SOURCE: ({ from, where, text }) => from !== "default" ? where : where === text ? from : `${from}: ${where}`,
};

/** `docker mpi config`: what comes of the settings. */
export function configCommand(deps: Deps): AnyCommand {
  const command = new Command("config")
    .summary("Show the stack file that deploy would send, or the settings")
    .description("Show the stack file that deploy would send, and why each line is there; nothing is changed")
    .option("--resolve", "Show each setting instead, with the place that it comes from")
    .addOption(new Option("--schema", "Show the JSON schema of mpi.yaml instead").conflicts("resolve"))
    .addOption(
      new Option("--format <string>", "For people, or for programs").choices(["table", "json"] as const)
        .default("table"),
    );
  withSettings(command).action((options) => run(deps, options as ConfigOptions));
  return withExamples(command, [
    "docker mpi config --resolve --workers 5",
    "docker mpi config --schema > .mpi.schema.json",
  ]);
}

async function run(deps: Deps, options: ConfigOptions): Promise<void> {
  await deps.io.stdout.write(options.schema ? await schemaText() : await settingsText(deps, options));
}

/** The schema as a file has it. */
async function schemaText(): Promise<string> {
  const { settingsJsonSchema } = await import("../../stack/settings/json_schema.ts");
  return `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`;
}

async function settingsText(deps: Deps, options: ConfigOptions): Promise<string> {
  const settings = await projectSettings(deps, settingsOf(options));
  if (!options.resolve) {
    const { engine } = await openSwarm(deps);
    const choices = { rotateKeys: false, resolveImage: "always", version: VERSION } as const;
    return await stackPreview({ engine, configDir: deps.configDir(), settings, ...choices }, options.format);
  }
  const origins = settingOrigins(settings);
  if (options.format === "table") return renderList(origins, COLUMNS, "table");
  const rows = origins.map(({ key, value, from, where }) => ({ Key: key, Value: value, From: from, Where: where }));
  return renderList(rows, {}, "json");
}
