import { MpiError } from "../../../stack/errors.ts";
import { chooseJob, hasEnded, listJobs } from "../../../stack/master/jobs.ts";
import { findCluster, onMaster } from "../../cluster_context.ts";
import { type AnyCommand, Command, withCompletion } from "../../command_line/command.ts";
import { clusterOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { jobIds, signalJob, waitForEnd } from "../../job/job.ts";

interface RmOptions {
  cluster?: string | undefined;
  all?: true | undefined;
  force?: true | undefined;
}

/** `docker mpi jobs rm`: what is kept of jobs that have ended. */
export function rmCommand(deps: Deps): AnyCommand {
  const command = new Command("rm")
    .summary("Remove jobs that have ended, with their output")
    .description("Remove jobs that have ended, with their output, and print their ids")
    .argument("[job...]", "Ids, or the beginnings of them")
    .option("-a, --all", "All that have ended")
    .option("-f, --force", "Those too that still run, or wait: ends them first, at once")
    .addOption(clusterOption())
    .action((jobs, options) => run(deps, jobs, options));
  return withCompletion(command, { job: jobIds(deps) });
}

async function run(deps: Deps, words: readonly string[], { cluster, all, force }: RmOptions): Promise<void> {
  if ((words.length === 0) !== (all === true)) {
    throw new MpiError("usage", words.length === 0 ? "Want the id of a job, or --all" : "Want ids or --all, not both", {
      hint: "docker mpi jobs  # lists them",
    });
  }
  await onMaster(deps, await findCluster(deps, cluster), async (master) => {
    const there = await listJobs(master);
    const jobs = all ? there.filter((job) => force || hasEnded(job)) : words.map((word) => chooseJob(there, word));
    const running = jobs.filter((job) => !hasEnded(job));
    if (running[0] !== undefined && !force) {
      const { id, state } = running[0];
      throw new MpiError("conflict", `Job ${id} is ${state}: only what has ended can be removed`, {
        hint: `docker mpi jobs cancel ${id}`,
      });
    }
    for (const { id } of running) await signalJob(master, id, "TERM");
    for (const { id } of running) await waitForEnd(master, id, deps.signal);
    for (const { id } of jobs) {
      await master.capture(`exec mpi_job rm ${id}`);
      await deps.io.stdout.write(`${id}\n`);
    }
  });
}
