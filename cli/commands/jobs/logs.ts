import { chooseJob, listJobs } from "../../../stack/master/jobs.ts";
import { findCluster, onMaster } from "../../cluster_context.ts";
import { type AnyCommand, Command, Option, withCompletion, withExamples } from "../../command_line/command.ts";
import { clusterOption, integer, labelOption, outputOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { jobIds } from "../../job/job.ts";
import { jobOutput, type OutputOptions } from "../../job/job_output.ts";

interface LogsOptions extends OutputOptions {
  cluster?: string | undefined;
  follow?: true | undefined;
}

/** `docker mpi jobs logs`: what a job printed. */
export function logsCommand(deps: Deps): AnyCommand {
  const command = new Command("logs")
    .summary("Show what a job printed")
    .description(
      "Show what a job printed: its standard output and standard error on ours, in the order in which they came",
    )
    .argument("<job>", "Its id, or the beginning of it")
    .option("-f, --follow", "Go on until the job ends; Ctrl-C stops looking, and nothing else")
    .addOption(
      new Option("--rank <int>", "Only what this rank printed").argParser(integer({ min: 0, max: 999_999_999 })),
    )
    .addOption(labelOption())
    .addOption(outputOption())
    .addOption(clusterOption())
    .action((job, options) => run(deps, job, options));
  withCompletion(command, { job: jobIds(deps) });
  return withExamples(command, ["docker mpi jobs logs -f 3f9c02ab", "docker mpi jobs logs --rank 0 3f9c02ab"]);
}

async function run(deps: Deps, job: string, { cluster, follow, ...show }: LogsOptions): Promise<void> {
  await onMaster(deps, await findCluster(deps, cluster), async (master) => {
    const { id } = chooseJob(await listJobs(master), job);
    const output = await jobOutput(deps, show);
    await master.run(`exec mpi_job log ${id}${follow ? " --follow" : ""}`, {
      stdout: (chunk) => output.take(chunk),
      stderr: (chunk) => deps.io.stderr.write(chunk),
    });
    await output.end();
  });
}
