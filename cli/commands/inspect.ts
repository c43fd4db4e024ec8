import { inspectCluster } from "../../stack/inspect/inspect.ts";
import { clusterNames, findCluster } from "../cluster_context.ts";
import { type AnyCommand, Command, withCompletion, withExamples } from "../command_line/command.ts";
import { clusterOption, inspectFormatOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { type Format, renderArray } from "../output/format.ts";

interface InspectOptions {
  cluster?: string | undefined;
  format: Format;
}

/** `docker mpi inspect`: all that the swarm knows of clusters. */
export function inspectCommand(deps: Deps): AnyCommand {
  const command = new Command("inspect")
    .summary("Show all that the swarm knows of clusters")
    .description("Show all that the swarm knows of one or more clusters, as a JSON array")
    .argument("[name...]", "Names of clusters")
    .addOption(clusterOption())
    .addOption(inspectFormatOption("{{json .Nodes}}"))
    .action((names, options) => run(deps, names, options));
  withCompletion(command, { name: () => clusterNames(deps), "--format": () => Promise.resolve(["json"]) });
  return withExamples(command, ["docker mpi inspect", "docker mpi inspect -f '{{json .Nodes}}' hello"]);
}

async function run(deps: Deps, names: readonly string[], { cluster, format }: InspectOptions): Promise<void> {
  const wanted = [...new Set(cluster === undefined ? names : [...names, cluster])];
  const found = [];
  for (const name of wanted.length === 0 ? [undefined] : wanted) {
    const context = await findCluster(deps, name);
    found.push(await inspectCluster(context.engine, context.cluster));
  }
  await deps.io.stdout.write(renderArray(found, format));
}
