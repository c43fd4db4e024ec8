import { chooseJob, listJobs } from "../../../stack/master/jobs.ts";
import { findCluster, logIn } from "../../cluster_context.ts";
import { type AnyCommand, Command, endsAsProgram, withCompletion } from "../../command_line/command.ts";
import { clusterOption, labelOption, outputOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { attachJob, jobIds } from "../../job/job.ts";
import type { OutputOptions } from "../../job/job_output.ts";

/** `docker mpi jobs attach`: as if the job had been run here. */
export function attachCommand(deps: Deps): AnyCommand {
  const command = endsAsProgram(new Command("attach"))
    .summary("Follow a job as if it ran here")
    .description(
      "Show what a job has printed and prints until it ends, and end with its status. Ctrl-C cancels the job; " +
        "jobs logs -f looks on without that",
    )
    .argument("<job>", "Its id, or the beginning of it")
    .addOption(clusterOption())
    .addOption(labelOption())
    .addOption(outputOption())
    .action((job, options) => run(deps, job, options));
  return withCompletion(command, { job: jobIds(deps) });
}

async function run(deps: Deps, job: string, { cluster, ...show }: OutputOptions & { cluster?: string | undefined }) {
  const master = await logIn(deps, await findCluster(deps, cluster));
  try {
    const { id } = chooseJob(await listJobs(master), job);
    await attachJob(deps, master, id, show);
  } finally {
    master.close();
  }
}
