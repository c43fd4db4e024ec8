import { Argument } from "@commander-js/extra-typings";
import { type NodeStatus, nodeStatuses, stackLabel } from "../../stack/cluster.ts";
import { clusterNames, findCluster } from "../cluster_context.ts";
import { type AnyCommand, Command, withCompletion } from "../command.ts";
import type { Deps } from "../deps.ts";
import { formatOption, quietOption } from "../flags.ts";
import { type Columns, type Format, renderList } from "../format.ts";

interface PsOptions {
  format: Format;
  quiet?: true | undefined;
  trunc: boolean;
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
    .addOption(formatOption())
    .addOption(quietOption("Only show container IDs"))
    .option("--no-trunc", "Do not cut errors")
    .action((name, options) => run(deps, name, options));
  return withCompletion(command, { name: () => clusterNames(deps) });
}

async function run(deps: Deps, name: string | undefined, { format, quiet, trunc }: PsOptions): Promise<void> {
  const { engine, cluster } = await findCluster(deps, name);
  const [tasks, nodes] = await Promise.all([engine.tasks(stackLabel(cluster.name)), engine.nodes()]);
  const statuses = nodeStatuses(cluster, tasks, nodes);
  const text = quiet
    ? statuses.filter(({ container }) => container !== "").map(({ container }) => `${container.slice(0, 12)}\n`).join(
      "",
    )
    : renderList(statuses.map(toRow), columns(trunc), format);
  await deps.io.stdout.write(text);
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
