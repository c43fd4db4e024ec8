import { chooseJob, listJobs } from "../../../stack/master/jobs.ts";
import { findCluster, onMaster } from "../../cluster_context.ts";
import { type AnyCommand, Command, endsAsProgram, withCompletion } from "../../command_line/command.ts";
import { clusterOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { jobIds, statusOf, waitForJob } from "../../job/job.ts";

/** `docker mpi jobs wait`: for a job's end. */
export function waitCommand(deps: Deps): AnyCommand {
  const command = endsAsProgram(new Command("wait"))
    .summary("Wait until a job ends")
    .description("Wait until a job ends, and end with its status")
    .argument("<job>", "Its id, or the beginning of it")
    .addOption(clusterOption())
    .action((job, { cluster }) => run(deps, job, cluster));
  return withCompletion(command, { job: jobIds(deps) });
}

async function run(deps: Deps, job: string, cluster: string | undefined): Promise<void> {
  await onMaster(deps, await findCluster(deps, cluster), async (master) => {
    const { id } = chooseJob(await listJobs(master), job);
    deps.status = statusOf(await waitForJob(master, id));
  });
}
