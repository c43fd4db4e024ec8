import { Argument } from "@commander-js/extra-typings";
import { requireManager } from "../../stack/cluster/manager.ts";
import { stackNames } from "../../stack/cluster/parts.ts";
import { removeCluster } from "../../stack/deploy/remove.ts";
import { takeTurn } from "../../stack/deploy/turn.ts";
import { MpiError } from "../../stack/errors.ts";
import { keyDirectory, removeUserKeys } from "../../stack/keys/key_store.ts";
import { type Limit, shared } from "../../stack/limit.ts";
import { isClusterName } from "../../stack/names.ts";
import { choiceOf, clusterNames, findStack, openSwarm } from "../cluster_context.ts";
import { type AnyCommand, Command, Option, withCompletion } from "../command_line/command.ts";
import { clusterArgument, clusterOption, duration, progressOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import type { ProgressMode } from "../output/progress.ts";

interface RmOptions {
  cluster?: string | undefined;
  force?: true | undefined;
  waitTimeout: number;
  progress: ProgressMode;
}

/** `docker mpi rm`: takes a cluster away. */
export function rmCommand(deps: Deps): AnyCommand {
  const command = new Command("rm")
    .aliases(["remove", "down"])
    .summary("Remove a cluster")
    .description("Remove a cluster, or what is left of one, and wait until nothing of it is there")
    .addArgument(new Argument("[name]", "Name of the cluster"))
    .addOption(clusterOption())
    .option("-f, --force", "No error if there is no such cluster; its keys on this machine go in any case")
    .addOption(
      new Option("--wait-timeout <duration>", "How long to wait until all is gone").argParser(duration)
        .default(120_000, "2m"),
    )
    .addOption(progressOption())
    .action((name, options) => run(deps, clusterArgument(name, options.cluster), options));
  return withCompletion(command, { name: () => clusterNames(deps) });
}

async function run(
  deps: Deps,
  given: string | undefined,
  { force, waitTimeout, progress: mode }: RmOptions,
): Promise<void> {
  const limit = shared({ timeout: waitTimeout, signal: deps.signal });
  const found = await findStack(deps, given).catch((error) => {
    if (force && error instanceof MpiError && error.code === "not-found") return undefined;
    throw error;
  });
  if (found === undefined) return await removeLeftKeys(deps, given, limit);
  const { engine, name, keys } = found;
  const progress = deps.progress(mode);
  try {
    using _turn = await takeTurn(keys, limit, progress.report);
    await removeCluster(engine, name, limit, progress.report);
    await removeUserKeys(keys);
  } finally {
    await progress.stop();
  }
  await deps.io.stdout.write(`${name}\n`);
}

/** `docker stack rm` leaves the keys on this machine. */
async function removeLeftKeys(deps: Deps, given: string | undefined, limit: Limit): Promise<void> {
  const choice = await choiceOf(deps, given);
  const name = choice.name ?? choice.project;
  if (name === undefined || !isClusterName(name)) return;
  const { engine } = await openSwarm(deps);
  const { clusterId } = await requireManager(engine);
  const keys = keyDirectory(deps.configDir(), clusterId, name);
  if (!await exists(keys)) return;
  using _turn = await takeTurn(keys, limit, () => {});
  // A deployment that began before may have made it in the meantime.
  if (!(await stackNames(engine)).includes(name)) await removeUserKeys(keys);
}

async function exists(directory: string): Promise<boolean> {
  return await Deno.stat(directory).then(() => true, () => false);
}
