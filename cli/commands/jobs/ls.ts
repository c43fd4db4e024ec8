import { listJobs } from "../../../stack/master/jobs.ts";
import { typed } from "../../../stack/shell.ts";
import { findCluster, onMaster } from "../../cluster_context.ts";
import { type AnyCommand, Command } from "../../command_line/command.ts";
import { clusterOption, filterOption, formatOption, quietOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { describeJob, elapsed, type JobRow } from "../../job/job_row.ts";
import { filtered, type Filters } from "../../output/filter.ts";
import { type Columns, type Format, renderList } from "../../output/format.ts";

/** What the list can be asked. */
export interface ListOptions {
  cluster?: string | undefined;
  filter?: Filters | undefined;
  format: Format;
  quiet?: true | undefined;
  trunc: boolean;
}

/** The most characters of a command that the table shows. */
const COMMAND_WIDTH = 40;

/** The flags of `jobs ls`, which `jobs` has as well. */
export function addListOptions(command: Command) {
  return command
    .addOption(clusterOption())
    .addOption(filterOption())
    .addOption(formatOption())
    .addOption(quietOption("Only show ids"))
    .option("--no-trunc", "Don't cut long commands");
}

/** `docker mpi jobs ls`: the jobs that the master keeps. */
export function lsCommand(deps: Deps): AnyCommand {
  return addListOptions(new Command("ls"))
    .alias("list")
    .summary("List the jobs of a cluster")
    .description("List the jobs of a cluster, the newest first")
    .action((options) => list(deps, options));
}

/** Prints the list. */
export async function list(deps: Deps, { cluster, filter, format, quiet, trunc }: ListOptions): Promise<void> {
  const jobs = (await onMaster(deps, await findCluster(deps, cluster), listJobs)).map(describeJob);
  const rows = filtered(jobs, filter, columns(false));
  await deps.io.stdout.write(
    quiet ? rows.map(({ Id }) => `${Id}\n`).join("") : renderList(rows, columns(trunc), format),
  );
}

function columns(trunc: boolean): Columns<JobRow> {
  const text = (value: number | undefined) => value === undefined ? "" : String(value);
  const cut = (line: string) => trunc && line.length > COMMAND_WIDTH ? `${line.slice(0, COMMAND_WIDTH - 1)}…` : line;
  return {
    ID: (row) => row.Id,
    STATE: (row) => row.State,
    RANKS: (row) => text(row.Ranks),
    NODES: (row) => row.Nodes.length === 0 ? "" : String(row.Nodes.length),
    STARTED: (row) => row.StartedAt ?? "",
    DURATION: (row) => row.Seconds === undefined ? "" : elapsed(row.Seconds),
    STATUS: (row) => text(row.Status),
    COMMAND: (row) => cut(typed(...row.Command)),
  };
}
