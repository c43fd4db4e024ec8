import { CommanderError } from "commander";
import type { AnyCommand } from "./command_line/command.ts";
import type { Deps } from "./deps.ts";
import { type Invocation, splitGlobalFlags } from "./docker/global_flags.ts";
import { explain } from "./exit.ts";
import { processDeps } from "./process_deps.ts";
import { createProgram } from "./program.ts";
import { watchInterrupts } from "./signals.ts";

type Commands = Parameters<typeof createProgram>[3];

/**
 * Runs one command line from its first byte to its exit status.
 *
 * @param argv The arguments that Docker gave us: its own complete list.
 * @param commands The commands; tests have their own.
 * @returns The exit status; everything written has reached the kernel.
 */
export async function main(argv: readonly string[], commands?: Commands): Promise<number> {
  const invocation = splitGlobalFlags(argv);
  const { deps, interrupt, gaveUp, close } = processDeps(invocation);
  const unwatch = watchInterrupts(interrupt, {
    pluginSocket: deps.env("DOCKER_CLI_PLUGIN_SOCKET"),
    plugin: deps.env("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND") !== undefined,
  });
  const run = runCli(invocation, deps, commands).finally(close);
  // Who presses Ctrl-C three times does not want to wait for tidying up either.
  return await Promise.race([run, gaveUp]).finally(unwatch);
}

/**
 * Runs one command with a world of the caller's choice: what tests call.
 *
 * @returns The exit status.
 */
export async function runCli(invocation: Invocation, deps: Deps, commands?: Commands): Promise<number> {
  let help = "";
  const program = createProgram(deps, (text) => help += text, invocation.globals, commands);
  try {
    if (invocation.request === "complete") {
      const { complete } = await import("./command_line/completion.ts");
      await deps.io.stdout.write(await complete(program.root, invocation.args, deps));
    } else {
      await program.root.parseAsync(argsOf(invocation, program.root), { from: "user" }).catch(passHelp);
      await deps.io.stdout.write(help);
    }
    await deps.io.stdout.flushed();
    return deps.status;
  } catch (error) {
    const { status, text } = explain(error, program.running(invocation.args));
    await deps.io.stderr.write(text);
    return status;
  }
}

/** Docker asks for help in three ways (`help mpi x`, `--help mpi x`, `mpi x --help`), and for the version in two. */
function argsOf({ request, args }: Pick<Invocation, "request" | "args">, root: AnyCommand): string[] {
  if (request === "version") return ["--version"];
  const at = args.findIndex((word) => !word.startsWith("-"));
  const name = args[at];
  // `docker mpi help run` means `docker help mpi run`.
  if (name === "help") return argsOf({ request: "help", args: args.toSpliced(at, 1) }, root);
  const known = root.commands.some((command) => command.name() === name || command.aliases().includes(name ?? ""));
  if (name !== undefined && !known) {
    // The word may be the value of a flag that is none of ours: then the flag is what is wrong.
    const isKnown = (flag: string) => root.options.some(({ long, short }) => [long, short].includes(flag));
    const unknown = args.slice(0, at).find((word) => !isKnown(word.replace(/=.*/s, "")));
    // commander would show the help of the root for a command that it doesn't know.
    return [unknown ?? name];
  }
  return request === "help" ? helpWords(root, args) : args;
}

/** The words that lead to a command and ask for its help: `jobs`, `logs`, `--help`. */
function helpWords(command: AnyCommand, args: readonly string[]): string[] {
  const at = args.findIndex((word) => !word.startsWith("-"));
  const name = args[at] ?? "";
  const sub = command.commands.find((each) => each.name() === name || each.aliases().includes(name));
  if (sub !== undefined) return [sub.name(), ...helpWords(sub, args.slice(at + 1))];
  // Right behind a group of commands, a word names one of them: `docker mpi help jobs nosuch` is told so.
  return at === 0 && command.commands.length > 0 ? [name] : ["--help"];
}

/** commander ends `--help` and `--version` by throwing. */
function passHelp(error: unknown): void {
  if (!(error instanceof CommanderError)) throw error;
}
