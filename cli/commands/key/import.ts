import { MpiError } from "../../../stack/errors.ts";
import { typed } from "../../../stack/shell.ts";
import { brief, quotePath } from "../../../stack/text.ts";
import { importKey } from "../../../stack/user_key.ts";
import { findCluster } from "../../cluster_context.ts";
import { type AnyCommand, Command } from "../../command.ts";
import type { Deps } from "../../deps.ts";
import { clusterOption } from "../../flags.ts";

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
  const text = fromPipe ? await readAll(deps.io.stdin.readable) : await readFile(file);
  await importKey(cluster, search.keys, text, fromPipe ? "standard input" : quotePath(file));
  await deps.io.stdout.write(`${cluster.name}\n`);
}

async function readFile(file: string): Promise<string> {
  return await Deno.readTextFile(file).catch((error) => {
    throw new MpiError("usage", `Cannot read ${quotePath(file)}: ${brief(`${error.message}`)}`, {
      hint: typed("ls", "-l", file),
      cause: error,
    });
  });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) {
      throw new MpiError("usage", `Standard input is no key: longer than ${MAX_BYTES} bytes`);
    }
  }
  return text;
}
