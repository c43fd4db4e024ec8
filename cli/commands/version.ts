import { type AnyCommand, Command } from "../command_line/command.ts";
import { formatOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { VERSION } from "../docker/metadata.ts";
import { type Format, renderList } from "../output/format.ts";

interface VersionOptions {
  format: Format;
  short?: true | undefined;
}

/** `docker mpi version`: which program this is. */
export function versionCommand(deps: Deps): AnyCommand {
  return new Command("version")
    .description("Show the version of docker mpi")
    .addOption(formatOption())
    .option("--short", "Show the version number alone")
    .action((options) => showVersion(deps, options));
}

/** The version as one line for people. */
export function versionText(): string {
  return `docker mpi version ${VERSION}, Deno ${Deno.version.deno}`;
}

async function showVersion({ io }: Deps, { format, short }: VersionOptions): Promise<void> {
  if (short) await io.stdout.write(`${VERSION}\n`);
  else if (format === "table") await io.stdout.write(`${versionText()}\n`);
  else await io.stdout.write(renderList([{ Version: VERSION, Deno: Deno.version.deno }], {}, format));
}
