import type { CommanderError } from "commander";
import { closest } from "../../stack/suggest.ts";
import { brief, quote } from "../../stack/text.ts";
import { isGlobalFlag } from "../docker/global_flags.ts";
import { type AnyCommand, pathOf } from "./command.ts";
import { usageLine } from "./help.ts";

/** A command line that we don't understand; the text is complete, in the words of Docker's own commands. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** The exit status. */
  readonly status: number;
  /** What is wrong, without the help for people. */
  readonly fault: string;
  /** The command that shows more; none: there is none. */
  readonly hint: string | undefined;

  /**
   * @param text All that goes to standard error.
   * @param status The exit status.
   * @param parts What of it is for programs.
   */
  constructor(text: string, status: number, { fault = text.trimEnd(), hint }: { fault?: string; hint?: string } = {}) {
    super(text);
    this.status = status;
    this.fault = fault;
    this.hint = hint;
  }
}

/**
 * Says it as Docker says it: the fault, the usage line, where the help is.
 *
 * An unknown command ends with 1 and everything else with 125, as in Docker.
 */
export function usageError(command: AnyCommand, error: CommanderError): UsageError {
  const path = pathOf(command);
  const fault = faultText(command, error.code, error.message.replace(/^error: /, ""));
  const hint = `${path} --help`;
  const text = `${fault}\n\n${usageLine(command)}\n\nRun '${hint}' for more information\n`;
  return new UsageError(text, isUnknownCommand(command, error.code) ? 1 : 125, { fault, hint });
}

/** A command that does something by itself, and has others below it, takes no other words. */
function isUnknownCommand(command: AnyCommand, code: string): boolean {
  return code === "commander.unknownCommand" || code === "commander.excessArguments" && command.commands.length > 0;
}

function faultText(command: AnyCommand, code: string, message: string): string {
  const path = pathOf(command);
  if (isUnknownCommand(command, code)) {
    const word = code === "commander.unknownCommand" ? quoted(message) : command.args[0] ?? "";
    return `docker: unknown command: ${path} ${brief(word) || '""'}${meant(word, namesIn(command))}`;
  }
  switch (code) {
    case "commander.unknownOption":
      return unknownFlag(command, quoted(message));
    case "commander.optionMissingArgument":
      return `flag needs an argument: ${quoted(message).split(" ")[0]?.replace(/,$/, "")}`;
    case "commander.invalidArgument":
      return invalidArgument(message);
    case "commander.missingArgument":
    case "commander.excessArguments":
      return `docker: '${path}' ${argumentRule(command)}`;
    case "commander.conflictingOption":
      return message.replace(/option '([^ ']+)[^']*'/g, '"$1"').replace("cannot be used with", "can't be used with");
    default:
      return message;
  }
}

/** The thing in single quotes. */
function quoted(message: string): string {
  return /'(.*)'/s.exec(message)?.[1] ?? message;
}

function unknownFlag(command: AnyCommand, flag: string): string {
  if (/^--[-=]/.test(flag)) return `bad flag syntax: ${brief(flag)}`;
  const [word = ""] = flag.split("=");
  if (!flag.startsWith("--")) {
    return `unknown shorthand flag: ${brief(`'${String.fromCodePoint(flag.codePointAt(1)!)}' in ${flag}`)}`;
  }
  if (isGlobalFlag(word)) return `unknown flag: ${word}\nIt is Docker's own, and belongs before the word mpi`;
  const flags = command.options.flatMap(({ long, hidden }) => long && !hidden ? [long] : []);
  return `unknown flag: ${brief(word)}${meant(word, flags)}`;
}

function namesIn(command: AnyCommand): string[] {
  return command.createHelp().visibleCommands(command).flatMap((sub) => [sub.name(), ...sub.aliases()]);
}

function meant(word: string, candidates: readonly string[]): string {
  const found = closest(word, candidates);
  return found === undefined ? "" : `\nDid you mean "${found}"?`;
}

/** commander: "option '-n, --workers <int>' argument 'abc' is invalid. must be …" */
function invalidArgument(message: string): string {
  const argument = /^command-argument value '(.*)' is invalid for argument '[^']*'\. (.*)$/s.exec(message);
  if (argument) return `invalid argument ${quote(argument[1]!)}: ${argument[2]}`;
  const [, flags = "", value = "", rest = ""] = /^option '([^']*)' argument '(.*)' is invalid\. (.*)$/s.exec(message) ??
    [];
  const rule = rest.replace(/^Allowed choices are (.*)\.$/, "must be one of $1");
  return `invalid argument ${quote(value)} for "${flags.replace(/ [<[].*$/, "")}" flag: ${rule}`;
}

/** Docker's words for how many arguments a command takes. */
function argumentRule(command: AnyCommand): string {
  const args = command.registeredArguments;
  const least = args.filter((argument) => argument.required).length;
  const plural = (count: number) => `${count} argument${count === 1 ? "" : "s"}`;
  if (args.length === 0) return "accepts no arguments";
  if (args.some((argument) => argument.variadic)) return `requires at least ${plural(least)}`;
  if (least === args.length) return `requires ${plural(least)}`;
  return `accepts at most ${plural(args.length)}`;
}
