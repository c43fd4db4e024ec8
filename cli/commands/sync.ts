import { findCluster, logIn } from "../cluster_context.ts";
import { type AnyCommand, Command, withExamples } from "../command_line/command.ts";
import { clusterOption, progressOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import type { ProgressMode } from "../output/progress.ts";

interface SyncOptions {
  cluster?: string | undefined;
  build?: string | undefined;
  progress: ProgressMode;
}

/** `docker mpi sync`: what changed of the project, to every node. */
export function syncCommand(deps: Deps): AnyCommand {
  const command = new Command("sync")
    .summary("Bring what changed of the project to every node")
    .description("Bring what changed of the project to /project on every node, and build there, without a new image")
    .argument("[directory]", "A directory of this machine; project/ of this directory if not given")
    .option("--build <string>", "Then run this in /project on the master, and bring what it made to all workers")
    .addOption(clusterOption())
    .addOption(progressOption())
    .action((directory, options) => run(deps, directory, options));
  return withExamples(command, ["docker mpi sync", "docker mpi sync --build 'make -j4'"]);
}

async function run(deps: Deps, directory: string | undefined, options: SyncOptions): Promise<void> {
  const master = await logIn(deps, await findCluster(deps, options.cluster));
  try {
    const { syncProject } = await import("../files/sync.ts");
    deps.status = await syncProject(deps, master, { ...options, directory });
  } finally {
    master.close();
  }
}
