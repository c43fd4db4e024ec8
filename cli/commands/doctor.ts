import { Argument } from "@commander-js/extra-typings";
import { MpiError } from "../../stack/errors.ts";
import type { Finding } from "../../stack/inspect/checks.ts";
import { examine } from "../../stack/inspect/doctor.ts";
import { FIELDS } from "../../stack/settings/schema.ts";
import type { Settings } from "../../stack/settings/settings.ts";
import { visible } from "../../stack/text.ts";
import { clusterNames, openSwarm, ownSettings } from "../cluster_context.ts";
import { type AnyCommand, Command, withCompletion, withExamples } from "../command_line/command.ts";
import { clusterArgument, clusterOption, formatOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { VERSION } from "../docker/metadata.ts";
import { type Format, renderList } from "../output/format.ts";

interface DoctorOptions {
  cluster?: string | undefined;
  format: Format;
}

/** How a finding begins: what is well stands back. */
const MARKS = { ok: "ok", warning: "WARNING", problem: "PROBLEM" } as const;

/** `docker mpi doctor`: what keeps engine, swarm, project and cluster from working, and what to do. */
export function doctorCommand(deps: Deps): AnyCommand {
  const command = new Command("doctor")
    .summary("Find out what is wrong, and what to do")
    .description(
      "Look at engine, swarm, project and cluster, and say of each fault what to do; nothing is changed. " +
        "The status is 1 if there is a problem",
    )
    .addArgument(new Argument("[name]", "Name of the cluster"))
    .addOption(clusterOption())
    .addOption(formatOption())
    .action((name, options) => run(deps, clusterArgument(name, options.cluster), options));
  withCompletion(command, { name: () => clusterNames(deps) });
  return withExamples(command, ["docker mpi doctor", "docker mpi doctor --format '{{.Verdict}}: {{.Finding}}'"]);
}

async function run(deps: Deps, argument: string | undefined, { format }: DoctorOptions): Promise<void> {
  const name = argument ?? deps.env(FIELDS.name.variable);
  const show = async (found: Finding) => {
    const finding = found.remedy === undefined ? found : { ...found, remedy: deps.hint(found.remedy) };
    if (finding.verdict === "problem") deps.status = 1;
    await deps.io.stdout.write(format === "table" ? findingText(finding) : renderList([toRow(finding)], {}, format));
  };
  const settings = name === undefined ? await settingsOrFault(deps, show) : undefined;
  const { engine, endpoint } = await openSwarm(deps);
  const examination = {
    engine,
    vantage: endpoint,
    configDir: deps.configDir(),
    version: VERSION,
    settings,
    name,
    signal: deps.signal,
  };
  for await (const finding of examine(examination)) await show(finding);
}

/** The project's settings; a fault in them is one finding among the others. */
async function settingsOrFault(deps: Deps, show: (finding: Finding) => Promise<void>): Promise<Settings | undefined> {
  try {
    return await ownSettings(deps);
  } catch (error) {
    if (!(error instanceof MpiError)) throw error;
    await show({
      check: "Settings",
      verdict: "problem",
      text: error.message,
      remedy: error.hint ?? "docker mpi config --resolve  # shows each setting once they are right",
    });
    return undefined;
  }
}

function findingText({ check, verdict, text, remedy }: Finding): string {
  const hint = remedy === undefined ? "" : `hint: ${remedy}\n`;
  return `${MARKS[verdict].padEnd(7)}   ${check.padEnd(8)}   ${visible(text)}\n${visible(hint, "\n")}`;
}

function toRow({ check, verdict, text, remedy }: Finding) {
  return { Check: check, Verdict: verdict, Finding: text, Remedy: remedy ?? "" };
}
