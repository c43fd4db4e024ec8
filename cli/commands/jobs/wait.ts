import { chooseJob, listJobs } from "../../../stack/jobs.ts";
import { type AnyCommand, Command, endsAsProgram, withCompletion } from "../../command.ts";
import type { Deps } from "../../deps.ts";
import { nameOption } from "../../flags.ts";
import { jobIds, onMaster, statusOf, untilInterrupted, waitForJob } from "../../job.ts";

/** `docker mpi jobs wait`: for a job's end. */
export function waitCommand(deps: Deps): AnyCommand {
  const command = endsAsProgram(new Command("wait"))
    .summary("Wait until a job ends")
    .description("Wait until a job ends, and end with its status")
    .argument("<job>", "Its id, or the beginning of it")
    .addOption(nameOption())
    .action((job, { name }) => run(deps, job, name));
  return withCompletion(command, { job: () => jobIds(deps) });
}

async function run(deps: Deps, job: string, name: string | undefined): Promise<void> {
  await onMaster(deps, name, (master) =>
    untilInterrupted(deps, master, async () => {
      const { id } = chooseJob(await listJobs(master), job);
      deps.status = statusOf(await waitForJob(master, id));
    }));
}
