import { MpiError } from "../../../stack/errors.ts";
import { ownKey } from "../../../stack/keys/user_key.ts";
import { brief, quotePath } from "../../../stack/text.ts";
import { findCluster } from "../../cluster_context.ts";
import { type AnyCommand, Command } from "../../command_line/command.ts";
import { clusterOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";

/** `docker mpi key export`: the key of this machine, for another. */
export function exportCommand(deps: Deps): AnyCommand {
  return new Command("export")
    .summary("Give this machine's key, for another")
    .description("Write the private key by which this machine opens the cluster to a new file, or to a pipe")
    .argument("[file]", "A file that is not there yet; standard output if not given")
    .addOption(clusterOption())
    .action((file, { cluster }) => run(deps, file, cluster));
}

async function run(deps: Deps, file: string | undefined, name: string | undefined): Promise<void> {
  const toPipe = file === undefined || file === "-";
  if (toPipe && deps.io.stdout.isTerminal) {
    throw new MpiError("usage", "A private key is not shown on a terminal", {
      hint: "docker mpi key export FILE  # or: docker mpi key export | ssh HOST docker mpi key import",
    });
  }
  const { cluster, search } = await findCluster(deps, name);
  const { privateKey } = await ownKey(cluster, search.keys);
  const text = `${privateKey.trimEnd()}\n`;
  if (toPipe) return await deps.io.stdout.write(text);
  await Deno.writeTextFile(file, text, { createNew: true, mode: 0o600 }).catch((error) => {
    const why = error instanceof Deno.errors.AlreadyExists ? "it is there already" : brief(`${error.message}`);
    throw new MpiError("conflict", `Cannot write ${quotePath(file)}: ${why}`, {
      hint: "choose another file",
      cause: error,
    });
  });
}
