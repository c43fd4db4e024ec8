import { createKey } from "../../../stack/keys/user_key.ts";
import { findCluster } from "../../cluster_context.ts";
import { type AnyCommand, Command } from "../../command_line/command.ts";
import { clusterOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";

/** `docker mpi key create`: a key of this machine's own. */
export function createCommand(deps: Deps): AnyCommand {
  return new Command("create")
    .summary("Make a key of its own for this machine")
    .description("Make a key of its own for this machine, and print its public half, which deploy --add-key takes")
    .addOption(clusterOption())
    .action(({ cluster }) => run(deps, cluster));
}

async function run(deps: Deps, name: string | undefined): Promise<void> {
  const { cluster, search } = await findCluster(deps, name);
  const { publicKey, opens } = await createKey(cluster, search.keys);
  await deps.io.stdout.write(`${publicKey}\n`);
  const next = opens
    ? `This key opens cluster "${cluster.name}" already`
    : `Put this line into a file; docker mpi deploy --add-key FILE, where "${cluster.name}" was deployed, lets it in`;
  await deps.io.stderr.write(`${next}\n`);
}
