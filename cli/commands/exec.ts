import { MpiError } from "../../stack/errors.ts";
import { shellQuote } from "../../stack/shell.ts";
import { brief } from "../../stack/text.ts";
import { findCluster, onMaster } from "../cluster_context.ts";
import { type AnyCommand, Command, takesProgram, withExamples } from "../command_line/command.ts";
import { clusterOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { requireText } from "../job/run_request.ts";
import { onTheMaster, ownStreams } from "../output/terminal.ts";

interface ExecOptions {
  all?: true | undefined;
  host?: string | undefined;
  cluster?: string | undefined;
}

/** `docker mpi exec`: a plain command, without the MPI launcher. */
export function execCommand(deps: Deps): AnyCommand {
  const command = takesProgram(new Command("exec"))
    .summary("Run a plain command on the master, a node, or every node")
    .description("Run a plain command on the master, on one node, or on every node at once, without the MPI launcher")
    .argument("<command>", "A path, from /project, or a name in PATH")
    .argument("[args...]", "Its arguments")
    .option("--all", "On every node, with the node's name before each line")
    .option("--host <string>", "On this node, such as worker-1")
    .addOption(clusterOption())
    .action((program, args, options) => run(deps, [program, ...args], options));
  return withExamples(command, ["docker mpi exec ls -l", "docker mpi exec --all df -h /dev/shm"]);
}

async function run(deps: Deps, words: readonly string[], { all, host, cluster }: ExecOptions): Promise<void> {
  if (all && host !== undefined) {
    throw new MpiError("usage", `--all and --host ${brief(host)} contradict each other`, {
      hint: "leave one of them out",
    });
  }
  requireText(words);
  const where = all ? "all" : host ?? "master";
  const command = onTheMaster(deps, shellQuote(["mpi_exec", where, "--", ...words]));
  const { status } = await onMaster(
    deps,
    await findCluster(deps, cluster),
    (master) => master.run(command, ownStreams(deps)),
  );
  deps.status = status;
}
