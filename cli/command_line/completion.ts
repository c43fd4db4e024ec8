import type { Deps } from "../deps.ts";
import { ofLauncher } from "./assignments.ts";
import {
  type AnyCommand,
  type Argument,
  type Completer,
  completerOf,
  type Flags,
  isProgramCommand,
  type Option,
} from "./command.ts";

/** What the shell is to do besides offering the candidates; the numbers are those of Docker's shell scripts. */
const THEN = { offerFiles: 0, nothing: 4, goOn: 6, offerFolders: 16 } as const;

type Candidate = string | readonly [string, string];

interface Answer {
  candidates: readonly Candidate[];
  then: number;
}

/**
 * Answers Docker's `__complete`: one candidate per line, its description behind a tab, and last what the shell is to do.
 *
 * @param root The command tree.
 * @param args The words after `mpi`; the last one is being typed.
 * @param deps For `DOCKER_CLI_DISABLE_COMPLETION_DESCRIPTION`.
 */
export async function complete(root: AnyCommand, args: readonly string[], deps: Pick<Deps, "env">): Promise<string> {
  const word = args.at(-1) ?? "";
  const { candidates, then } = await answer(walk(root, args.slice(0, -1)), word);
  const bare = /^(1|t|true)$/i.test(deps.env("DOCKER_CLI_DISABLE_COMPLETION_DESCRIPTION") ?? "");
  const lines = candidates.map((candidate) => {
    const [value, description] = typeof candidate === "string" ? [candidate, ""] : candidate;
    return bare || description === "" ? value : `${value}\t${description.split("\n")[0]}`;
  });
  return [...lines, `:${then}\n`].join("\n");
}

/** Where the words before the one being typed have led. */
interface Position {
  command: AnyCommand;
  /** An option that still needs its value. */
  pending?: Option;
  /** How many arguments there are already. */
  arguments: number;
  /** Options that were given. */
  used: Set<Option>;
  /** Their values, by their long names. */
  flags: Map<string, string>;
  /** Whether flags are over: after `--`, or behind the program of `run`. */
  flagsOver: boolean;
}

function walk(root: AnyCommand, words: readonly string[]): Position {
  const at: Position = { command: root, arguments: 0, used: new Set(), flags: new Map(), flagsOver: false };
  for (const word of words) step(at, word);
  return at;
}

function step(at: Position, word: string): void {
  if (at.pending) return endFlag(at, at.pending, word);
  if (!at.flagsOver && word === "--") return void (at.flagsOver = true);
  if (!at.flagsOver && word.startsWith("-") && word !== "-") return stepFlag(at, word);
  const sub = at.command.commands.find((command) => command.name() === word || command.aliases().includes(word));
  if (sub) return void (at.command = sub);
  at.arguments++;
  at.flagsOver ||= isProgramCommand(at.command);
}

function stepFlag(at: Position, typed: string): void {
  const word = ofLauncher(at.command, typed);
  const [name = ""] = word.split("=");
  const option = findOption(at.command, name);
  if (!option) return;
  at.used.add(option);
  const joined = name.startsWith("--") ? word.includes("=") : word.length > 2;
  if (!joined && option.required) at.pending = option;
  else if (joined) endFlag(at, option, name.startsWith("--") ? word.slice(name.length + 1) : word.slice(2));
}

function endFlag(at: Position, option: Option, value: string): void {
  delete at.pending;
  at.flags.set(option.long ?? "", value);
}

function findOption(command: AnyCommand, name: string): Option | undefined {
  const short = name.slice(0, 2);
  return command.options.find((option) => name.startsWith("--") ? option.long === name : option.short === short);
}

async function answer(at: Position, word: string): Promise<Answer> {
  if (at.pending) return await answerValue(at, at.pending, word);
  const assigned = /^(--[^=]+)=(.*)$/s.exec(word);
  if (!at.flagsOver && assigned) {
    const option = findOption(at.command, assigned[1] ?? "");
    return option ? await answerValue(at, option, assigned[2] ?? "") : { candidates: [], then: THEN.nothing };
  }
  if (!at.flagsOver && word.startsWith("-")) return answerFlags(at, word);
  if (at.command.commands.length > 0 && at.arguments === 0) return answerCommands(at.command, word);
  return await answerArgument(at, word);
}

function answerCommands(command: AnyCommand, word: string): Answer {
  const commands = command.createHelp().visibleCommands(command);
  const candidates = commands.map((sub) => [sub.name(), sub.summary() || sub.description()] as const);
  return { candidates: startingWith(candidates, word), then: THEN.nothing };
}

function answerFlags(at: Position, word: string): Answer {
  const free = at.command.options.filter((option) => !option.hidden && (!at.used.has(option) || isRepeatable(option)));
  const candidates = free.flatMap((option) =>
    [option.long, option.short].filter((flag) => flag !== undefined && flag !== null)
      .map((flag) => [flag, option.description] as const)
  );
  return { candidates: startingWith(candidates, word), then: THEN.nothing };
}

/** `list` and `files` are the types that help shows for a flag that may be given several times. */
function isRepeatable(option: Option): boolean {
  return /<(list|files)>$/.test(option.flags);
}

async function answerValue({ command, flags }: Position, option: Option, word: string): Promise<Answer> {
  const [type = "", ...words] = /[<[](.*)[>\]]/.exec(option.flags)?.[1]?.split("|") ?? []; // <int|auto>
  const choices = option.argChoices ?? (words.length > 0 ? words : undefined);
  const values = await offered(choices, completerOf(command, option.long ?? ""), word, flags);
  return answerWords(values, byType(type));
}

async function answerArgument(at: Position, word: string): Promise<Answer> {
  const all = at.command.registeredArguments;
  const last = all.at(-1);
  const argument: Argument | undefined = all[at.arguments] ?? (last?.variadic ? last : undefined);
  if (argument === undefined) return { candidates: [], then: THEN.nothing };
  const values = await offered(argument.argChoices, completerOf(at.command, argument.name()), word, at.flags);
  return answerWords(values, isProgramCommand(at.command) ? THEN.offerFiles : byType(argument.name()));
}

/** Where no word fits, what kind of value it is says what else the shell may offer. */
function answerWords(candidates: Candidate[], otherwise: number): Answer {
  if (candidates.length === 0) return { candidates, then: otherwise };
  const goesOn = candidates.every((candidate) => textOf(candidate).endsWith(":"));
  return { candidates, then: goesOn ? THEN.goOn : THEN.nothing };
}

/** What can't be asked for is not offered: an error would end up in the line that is being typed. */
async function offered(
  choices: readonly string[] | undefined,
  completer: Completer | undefined,
  word: string,
  flags: Flags,
): Promise<Candidate[]> {
  return startingWith(choices ?? await completer?.(word, flags).catch(() => []) ?? [], word);
}

/** What kind of value it is shows in its name. */
function byType(name: string): number {
  if (/^(files?|path|source)$/i.test(name)) return THEN.offerFiles;
  return /^dir(ectory)?$/i.test(name) ? THEN.offerFolders : THEN.nothing;
}

function startingWith(candidates: readonly Candidate[], word: string): Candidate[] {
  return candidates.filter((candidate) => textOf(candidate).startsWith(word));
}

function textOf(candidate: Candidate): string {
  return typeof candidate === "string" ? candidate : candidate[0];
}
