import { findMaster } from "../../stack/master/master.ts";
import { typed } from "../../stack/shell.ts";
import { type ClusterContext, findCluster, onMaster } from "../cluster_context.ts";
import { type AnyCommand, Command } from "../command_line/command.ts";
import { clusterOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { ownStreams, ownTerminal } from "../output/terminal.ts";

interface LoginOptions {
  cluster?: string | undefined;
  print?: true | undefined;
}

/** `docker mpi login`: a shell on the master. */
export function loginCommand(deps: Deps): AnyCommand {
  return new Command("login")
    .alias("ssh")
    .summary("Open a shell on the master")
    .description("Open a shell on the master, where mpirun runs a program on all nodes")
    .option("--print", "Only show the ssh command that does the same")
    .addOption(clusterOption())
    .action((options) => run(deps, options));
}

async function run(deps: Deps, { cluster, print }: LoginOptions): Promise<void> {
  const context = await findCluster(deps, cluster);
  if (print) {
    await deps.io.stdout.write(`${await sshCommand(context)}\n`);
    return;
  }
  const { stdin, stdout } = deps.io;
  const interactive = stdin.isTerminal && stdout.isTerminal;
  const { status } = await onMaster(deps, context, async (master) => {
    if (!interactive) return await master.run("exec bash -l", ownStreams(deps));
    // A terminal in raw mode sends no SIGINT; what comes is its end, or Docker's.
    stdin.setRaw(true);
    return await master.shell(ownTerminal(deps), ownStreams(deps)).finally(() => stdin.setRaw(false));
  });
  deps.status = status;
}

/** The same for those who have OpenSSH and not this plugin; the host key is as pinned as here. */
async function sshCommand({ search, info, cluster }: ClusterContext): Promise<string> {
  const { host, port, user } = await findMaster(search, info, cluster);
  const known = `${search.keys}/known_hosts`;
  const words = ["ssh", "-i", `${search.keys}/id_ed25519`, "-p", String(port)];
  const options = [
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=yes",
    // Several files could stand there, with blanks in between.
    `UserKnownHostsFile=${/\s/.test(known) ? `"${known}"` : known}`,
    `HostKeyAlias=${cluster.name}`,
  ];
  const all = [...words, ...options.flatMap((option) => ["-o", option]), `${user}@${host}`];
  return typed(...all);
}
