import { MpiError } from "../../../stack/errors.ts";
import { chooseJob, hasEnded, listJobs } from "../../../stack/master/jobs.ts";
import { findCluster, onMaster } from "../../cluster_context.ts";
import { type AnyCommand, Command, withCompletion } from "../../command_line/command.ts";
import { clusterOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { jobIds, signalJob, waitForEnd } from "../../job/job.ts";

interface CancelOptions {
  cluster?: string | undefined;
  force?: true | undefined;
}

/** `docker mpi jobs cancel`: what Ctrl-C is to a run. */
export function cancelCommand(deps: Deps): AnyCommand {
  const command = new Command("cancel")
    .summary("End jobs")
    .description(
      "End jobs, as Ctrl-C ends a run: their programs are interrupted, and have a few seconds to end by themselves. " +
        "Waits until they have, and prints their ids. A job in the queue leaves it",
    )
    .argument("<job...>", "Ids, or the beginnings of them")
    .option("-f, --force", "Give the programs no time")
    .addOption(clusterOption())
    .action((jobs, options) => run(deps, jobs, options));
  return withCompletion(command, { job: jobIds(deps) });
}

async function run(deps: Deps, words: readonly string[], { cluster, force }: CancelOptions): Promise<void> {
  await onMaster(deps, await findCluster(deps, cluster), async (master) => {
    const there = await listJobs(master);
    const jobs = words.map((word) => chooseJob(there, word));
    const over = jobs.find(hasEnded);
    if (over !== undefined) {
      throw new MpiError("conflict", `Job ${over.id} does not run: it is ${over.state}`, {
        hint: `docker mpi jobs inspect ${over.id}`,
      });
    }
    for (const { id } of jobs) await signalJob(master, id, force ? "TERM" : "INT");
    for (const { id } of jobs) {
      await waitForEnd(master, id, deps.signal);
      await deps.io.stdout.write(`${id}\n`);
    }
  });
}
