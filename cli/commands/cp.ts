import { basename } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { parsePlace, type Place } from "../../stack/master/copy.ts";
import { typed } from "../../stack/shell.ts";
import { findCluster, nodeNames } from "../cluster_context.ts";
import { type AnyCommand, Command, type Flags, withCompletion, withExamples } from "../command_line/command.ts";
import { clusterOption, progressOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import type { ProgressMode } from "../output/progress.ts";

interface CpOptions {
  cluster?: string | undefined;
  progress: ProgressMode;
}

/** `docker mpi cp`: files to every node at once, or back from a node. */
export function cpCommand(deps: Deps): AnyCommand {
  const command = new Command("cp")
    .summary("Copy files to every node, or back from a node")
    .description(
      "Copy files and folders to every node at once, or to one, or back from a node; NODE is master, worker-3, … or all",
    )
    .argument("<source>", "SRC on this machine, or NODE:SRC")
    .argument("<path...>", "More sources, and at last where to, [NODE:]DST; from /project on a node")
    .addOption(clusterOption())
    .addOption(progressOption())
    .action((source, paths, options) => run(deps, [source, ...paths], options));
  // Before anything is typed, the files here are the better offer.
  const places = async (word: string, flags: Flags) =>
    word === "" ? [] : ["all:", ...(await nodeNames(deps, flags.get("--cluster"))).map((name) => `${name}:`)];
  withCompletion(command, { source: places, path: places });
  return withExamples(command, [
    "docker mpi cp input.dat data/ .",
    "docker mpi cp solver.conf worker-3:",
    "docker mpi cp master:results.txt .",
    "docker mpi cp all:log.txt logs",
  ]);
}

async function run(deps: Deps, paths: readonly string[], { cluster, progress }: CpOptions): Promise<void> {
  const sources = paths.slice(0, -1);
  const destination = paths.at(-1)!;
  const from = sources.map(parsePlace);
  const to = parsePlace(destination);
  checkDirection(from, to);
  const { fetchFiles, sendFiles } = await import("../files/copy.ts");
  const context = await findCluster(deps, cluster);
  const world = { deps, progress, context };
  if (from[0]!.node === undefined) await sendFiles(world, sources, to);
  else await fetchFiles(world, from, destination);
}

/** One side is this machine, the other the cluster. */
function checkDirection(from: readonly Place[], to: Place): void {
  const remote = from.filter(({ node }) => node !== undefined);
  if (remote.length > 0 && remote.length < from.length) {
    throw new MpiError("usage", "Some sources are on a node, and some on this machine", {
      hint: "copy them one after the other",
    });
  }
  if (remote.length > 0 && to.node !== undefined) {
    const [there, here] = [`${remote[0]!.node}:${remote[0]!.path}`, `./${basename(remote[0]!.path)}`];
    throw new MpiError("usage", "Both source and destination are on nodes", {
      hint: `docker mpi cp ${typed(there)} . && docker mpi cp ${typed(here, `${to.node}:${to.path}`)}`,
    });
  }
}
