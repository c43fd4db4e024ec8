import { chooseJob, listJobs } from "../../../stack/master/jobs.ts";
import { findCluster, onMaster } from "../../cluster_context.ts";
import { type AnyCommand, Command, withCompletion } from "../../command_line/command.ts";
import { clusterOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { jobIds } from "../../job/job.ts";
import { describeJob } from "../../job/job_row.ts";

/** `docker mpi jobs inspect`: all that is known of jobs. */
export function inspectCommand(deps: Deps): AnyCommand {
  const command = new Command("inspect")
    .summary("Show all that is known of jobs")
    .description("Show all that is known of jobs, as a JSON array")
    .argument("<job...>", "Ids, or the beginnings of them")
    .addOption(clusterOption())
    .action((jobs, { cluster }) => run(deps, jobs, cluster));
  return withCompletion(command, { job: () => jobIds(deps) });
}

async function run(deps: Deps, words: readonly string[], cluster: string | undefined): Promise<void> {
  const there = await onMaster(deps, await findCluster(deps, cluster), listJobs);
  const rows = words.map((word) => describeJob(chooseJob(there, word)));
  await deps.io.stdout.write(`${JSON.stringify(rows, undefined, 4)}\n`);
}
