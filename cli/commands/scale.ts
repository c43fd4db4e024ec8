import { Argument } from "@commander-js/extra-typings";
import { scaleCluster } from "../../stack/deploy/scale.ts";
import { answerText, findCluster } from "../cluster_context.ts";
import { type AnyCommand, Command, Option, withExamples } from "../command_line/command.ts";
import { clusterOption, duration, integer, progressOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import type { ProgressMode } from "../output/progress.ts";

interface ScaleOptions {
  cluster?: string | undefined;
  detach?: true | undefined;
  waitTimeout: number;
  progress: ProgressMode;
}

/** `docker mpi scale`: more or fewer workers, while the cluster runs. */
export function scaleCommand(deps: Deps): AnyCommand {
  const command = new Command("scale")
    .summary("Change the number of workers")
    .description("Change the number of MPI worker nodes while the cluster runs; what stays is not restarted")
    .addArgument(new Argument("<workers>", "How many").argParser(integer({ min: 0, max: 10_000 })))
    .addOption(clusterOption())
    .option("-d, --detach", "Only tell the swarm, and do not wait for nodes")
    .addOption(
      new Option("--wait-timeout <duration>", "How long to wait until the hostfile agrees").argParser(duration)
        .default(300_000, "5m"),
    )
    .addOption(progressOption())
    .action((workers, options) => run(deps, workers, options));
  return withExamples(command, ["docker mpi scale 10"]);
}

async function run(
  deps: Deps,
  workers: number,
  { cluster: name, detach, waitTimeout, progress: mode }: ScaleOptions,
): Promise<void> {
  const { search, cluster } = await findCluster(deps, name);
  const progress = deps.progress(mode);
  try {
    const limit = { timeout: waitTimeout, signal: deps.signal };
    const hosts = await scaleCluster(search, cluster, workers, limit, progress.report, detach);
    await progress.stop();
    await deps.io.stdout.write(detach ? `${cluster.name}\n` : answerText(cluster.name, hosts));
  } finally {
    await progress.stop();
  }
}
