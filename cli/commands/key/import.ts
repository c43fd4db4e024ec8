import { MpiError } from "../../../stack/errors.ts";
import { importKey } from "../../../stack/keys/user_key.ts";
import { quotePath } from "../../../stack/text.ts";
import { findCluster } from "../../cluster_context.ts";
import { type AnyCommand, Command } from "../../command_line/command.ts";
import { clusterOption } from "../../command_line/flags.ts";
import type { Deps } from "../../deps.ts";
import { openFile } from "../../files/read_file.ts";

/** The longest key file that is read, in bytes; RSA keys of 16,384 bits are shorter. */
const MAX_BYTES = 65_536;

/** `docker mpi key import`: the key of another machine. */
export function importCommand(deps: Deps): AnyCommand {
  return new Command("import")
    .summary("Take another machine's key")
    .description("Take a private key that opens the cluster as this machine's, in place of one that it has")
    .argument("[file]", "What key export wrote, or a key of your own that was added; standard input if not given")
    .addOption(clusterOption())
    .action((file, { cluster }) => run(deps, file, cluster));
}

async function run(deps: Deps, file: string | undefined, name: string | undefined): Promise<void> {
  const fromPipe = file === undefined || file === "-";
  if (fromPipe && deps.io.stdin.isTerminal) {
    throw new MpiError("usage", "There is no key on standard input", {
      hint: "docker mpi key import FILE  # or: ssh HOST docker mpi key export | docker mpi key import",
    });
  }
  const { cluster, search } = await findCluster(deps, name);
  const where = fromPipe ? "standard input" : quotePath(file);
  const text = await readKey(fromPipe ? deps.io.stdin.readable : await openFile(file), where);
  await importKey(cluster, search.keys, text, where);
  await deps.io.stdout.write(`${cluster.name}\n`);
}

async function readKey(stream: ReadableStream<Uint8Array>, where: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) {
      throw new MpiError("usage", `There is no key in ${where}: it has more than ${MAX_BYTES} bytes`, {
        hint: "docker mpi key export FILE  # on the machine that deployed the cluster writes one",
      });
    }
  }
  return text;
}
