import { Argument } from "@commander-js/extra-typings";
import { type NodeStatus, nodeStatuses, stackLabel } from "../../stack/cluster/cluster.ts";
import { clusterNames, findCluster } from "../cluster_context.ts";
import { type AnyCommand, Command, withCompletion } from "../command_line/command.ts";
import {
  clusterArgument,
  clusterOption,
  filterOption,
  formatOption,
  quietOption,
  watchOption,
} from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { filtered, type Filters } from "../output/filter.ts";
import { type Columns, type Format, renderList } from "../output/format.ts";
import { showText } from "../output/watch.ts";

interface PsOptions {
  cluster?: string | undefined;
  filter?: Filters | undefined;
  format: Format;
  quiet?: true | undefined;
  trunc: boolean;
  watch?: true | undefined;
}

interface Row {
  Name: string;
  State: string;
  Host: string;
  Since: string;
  Error: string;
  Task: string;
  Container: string;
}

/** `docker mpi ps`: the nodes of a cluster, as the swarm has them. */
export function psCommand(deps: Deps): AnyCommand {
  const command = new Command("ps")
    .summary("List the nodes of a cluster and how they are")
    .description("List the nodes of a cluster and how they are, as the swarm sees it; hosts lists those that answer")
    .addArgument(new Argument("[name]", "Name of the cluster"))
    .addOption(clusterOption())
    .addOption(filterOption())
    .addOption(formatOption())
    .addOption(quietOption("Only show container IDs"))
    .option("--no-trunc", "Do not cut errors")
    .addOption(watchOption())
    .action((name, options) => run(deps, clusterArgument(name, options.cluster), options));
  return withCompletion(command, { name: () => clusterNames(deps) });
}

async function run(deps: Deps, name: string | undefined, options: PsOptions): Promise<void> {
  const { format, quiet, watch } = options;
  const gap = format === "table" && !quiet ? "\n" : "";
  await showText(deps, watch ?? false, () => list(deps, name, options), gap);
}

async function list(deps: Deps, name: string | undefined, options: PsOptions): Promise<string> {
  const { filter, format, quiet, trunc } = options;
  const { engine, cluster } = await findCluster(deps, name);
  const [tasks, nodes] = await Promise.all([engine.tasks(stackLabel(cluster.name)), engine.nodes()]);
  const rows = filtered(nodeStatuses(cluster, tasks, nodes).map(toRow), filter, columns(false));
  if (!quiet) return renderList(rows, columns(trunc), format);
  const containers = rows.map(({ Container }) => Container).filter((container) => container !== "");
  return containers.map((container) => `${container.slice(0, 12)}\n`).join("");
}

function columns(trunc: boolean): Columns<Row> {
  const error = ({ Error: text }: Row) => trunc && text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return {
    NAME: (row) => row.Name,
    STATE: (row) => row.State,
    HOST: (row) => row.Host,
    SINCE: (row) => row.Since.replace(/\.\d+Z$/, "Z"),
    ERROR: error,
  };
}

function toRow({ name, state, host, since, error, lastError, task, container }: NodeStatus): Row {
  const why = state === "running" ? "" : error || lastError;
  return { Name: name, State: state, Host: host, Since: since, Error: why, Task: task, Container: container };
}
