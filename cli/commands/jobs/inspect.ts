import { chooseJob, listJobs } from "../../../stack/master/jobs.ts";
import { findCluster, onMaster } from "../../cluster_context.ts";
import { type AnyCommand, Command, withCompletion } from "../../command_line/command.ts";
import { clusterOption, inspectFormatOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { jobIds } from "../../job/job.ts";
import { describeJob } from "../../job/job_row.ts";
import { type Format, renderArray } from "../../output/format.ts";

/** `docker mpi jobs inspect`: all that is known of jobs. */
export function inspectCommand(deps: Deps): AnyCommand {
  const command = new Command("inspect")
    .summary("Show all that is known of jobs")
    .description("Show all that is known of jobs, as a JSON array")
    .argument("<job...>", "Ids, or the beginnings of them")
    .addOption(clusterOption())
    .addOption(inspectFormatOption("{{.State}}"))
    .action((jobs, { cluster, format }) => run(deps, jobs, cluster, format));
  return withCompletion(command, {
    job: jobIds(deps),
    "--format": () => Promise.resolve(["json"]),
  });
}

async function run(
  deps: Deps,
  words: readonly string[],
  cluster: string | undefined,
  format: Format,
): Promise<void> {
  const there = await onMaster(deps, await findCluster(deps, cluster), listJobs);
  const rows = words.map((word) => describeJob(chooseJob(there, word)));
  await deps.io.stdout.write(renderArray(rows, format));
}
