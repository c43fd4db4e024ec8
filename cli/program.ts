import { clusterNames, nodeNames } from "./cluster_context.ts";
import { allowAssignments } from "./command_line/assignments.ts";
import { type AnyCommand, Command, hasProgramStatus, Option, pathOf, withCompletion } from "./command_line/command.ts";
import { renderHelp } from "./command_line/help.ts";
import { asMeant, clusterOf } from "./command_line/hint.ts";
import { settingsCompletion } from "./command_line/settings_options.ts";
import { usageError } from "./command_line/usage_error.ts";
import { commands } from "./commands/mod.ts";
import { versionText } from "./commands/version.ts";
import type { Deps } from "./deps.ts";
import type { ExitContext } from "./exit.ts";

/** The command tree, ready to parse. */
export interface Program {
  /** Its root, `docker mpi`. */
  root: AnyCommand;
  /**
   * What runs at the moment: the root until an action begins, or a command can't understand its words.
   *
   * @param words All words after `docker mpi`.
   */
  running(words: readonly string[]): ExitContext;
}

/**
 * Builds the command tree.
 *
 * @param deps What the commands have of the world.
 * @param print Takes the text of help that is asked for.
 * @param globals Docker's global flags, for hints.
 * @param makers The commands; tests have their own.
 */
export function createProgram(
  deps: Deps,
  print: (text: string) => void,
  globals: readonly string[] = [],
  makers = commands,
): Program {
  const root = new Command("docker mpi")
    .description("Run MPI programs on a Docker Swarm")
    .version(versionText(), "-v, --version", "Show the version of docker mpi")
    .helpOption("-h, --help", "Show help")
    .showSuggestionAfterError(false)
    .enablePositionalOptions()
    .configureHelp({ formatHelp: (command) => renderHelp(command, deps.io.stdout.columns()) })
    .configureOutput({
      writeOut: print,
      // What goes here is the help of a bare `docker mpi`, which is an answer and no error.
      writeErr: print,
      outputError: () => {},
      // Our help has no colours. commander would look at variables that we have no permission for, or else load what takes
      // them out, which takes as long as all the rest.
      getOutHasColors: () => true,
      getErrHasColors: () => true,
      getOutHelpWidth: () => deps.io.stdout.columns(),
      getErrHelpWidth: () => deps.io.stdout.columns(),
    });
  withCompletion(root, {
    ...settingsCompletion(),
    "--cluster": () => clusterNames(deps),
    "--host": (_, flags) => nodeNames(deps, flags.get("--cluster")),
    "--hosts": (word, flags) => listed(word, () => nodeNames(deps, flags.get("--cluster"))),
    "--format": () => Promise.resolve(["table", "json"]),
  });
  let current: AnyCommand = root;
  for (const make of makers) root.addCommand(make(deps));
  finish(root, (command) => current = command);
  deps.hint = (text) => asMeant(text, root, { globals, cluster: current === root ? undefined : clusterOf(current) });
  root.hook("preAction", (_, command) => {
    current = command;
    deps.debug ||= command.optsWithGlobals()["debug"] === true;
  });
  return {
    root,
    running: (words) => ({
      path: pathOf(current),
      takesProgram: hasProgramStatus(current),
      debug: deps.debug,
      hint: deps.hint,
      json: current.opts()["progress"] === "json" || (!hasProgramStatus(current) && asksJson(words)),
    }),
  };
}

/** Completes the last of several names with commas in between. */
async function listed(word: string, names: () => Promise<string[]>): Promise<string[]> {
  const before = word.slice(0, word.lastIndexOf(",") + 1);
  const given = before.split(",");
  return (await names()).filter((name) => !given.includes(name)).map((name) => before + name);
}

/** Whether a command line asks for objects, although it may not have been understood as far as that. */
function asksJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  const own = end < 0 ? words : words.slice(0, end);
  const at = own.findLastIndex((word) => /^--progress(=|$)/.test(word));
  return own[at] === "--progress=json" || (own[at] === "--progress" && own[at + 1] === "json");
}

/** How commander ends a command line whose answer is a text. */
const PRINTED = new Set(["commander.help", "commander.helpDisplayed", "commander.version"]);

/** What every command has: `-D`, flags as Docker writes them, and errors that know whose they are. */
function finish(command: AnyCommand, onFault: (command: AnyCommand) => void): void {
  for (const sub of command.commands) finish(sub.copyInheritedSettings(command), onFault);
  allowAssignments(command.helpCommand(false));
  command.addOption(new Option("-D, --debug", "Show where errors come from"));
  command.exitOverride((error) => {
    if (PRINTED.has(error.code)) throw error;
    onFault(command);
    throw usageError(command, error);
  });
}
