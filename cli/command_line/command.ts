import { Argument, Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";

export { Argument, Command, Option };

/** A command, whatever its options are. */
export type AnyCommand = CommandUnknownOpts;

/**
 * Gives the values to offer for the word that is being typed: a list, or value and description. It knows the flags before
 * that by their long names. If it fails, nothing is offered.
 */
export type Completer = (word: string, flags: Flags) => Promise<readonly (string | readonly [string, string])[]>;

/** What was typed as values of flags: `--cluster` and its value. */
export type Flags = ReadonlyMap<string, string>;

// What commander has no place for, kept beside the commands.
const programs = new WeakSet<AnyCommand>();
const withStatus = new WeakSet<AnyCommand>();
const examples = new WeakMap<AnyCommand, readonly string[]>();
const completers = new WeakMap<AnyCommand, ReadonlyMap<string, Completer>>();

/**
 * Lets our own flags stop at the first argument: what follows belongs to the program that is run.
 *
 * It also makes 125 the status of our own failures, as with `docker run`, so that 1 can be the program's.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Command, isProgramCommand, takesProgram } from "./command.ts";
 *
 * assert(isProgramCommand(takesProgram(new Command("run"))));
 * ```
 */
export function takesProgram<C extends AnyCommand>(command: C): C {
  programs.add(command);
  command.passThroughOptions();
  return command;
}

/** Whether {@linkcode takesProgram} was said of it. */
export function isProgramCommand(command: AnyCommand): boolean {
  return programs.has(command);
}

/** Makes 125 the status of our own failures for a command that ends with a program's status, but takes none. */
export function endsAsProgram<C extends AnyCommand>(command: C): C {
  withStatus.add(command);
  return command;
}

/** Whether its status is a program's. */
export function hasProgramStatus(command: AnyCommand): boolean {
  return programs.has(command) || withStatus.has(command);
}

/** Adds an "Examples" part to the command's help, one line each. */
export function withExamples<C extends AnyCommand>(command: C, lines: readonly string[]): C {
  examples.set(command, lines);
  return command;
}

/** The lines of {@linkcode withExamples}. */
export function examplesOf(command: AnyCommand): readonly string[] {
  return examples.get(command) ?? [];
}

/**
 * Offers values while the user types, beyond the choices that an option states by itself.
 *
 * @param command The command.
 * @param by One completer per option (`--cluster`) or argument (`job`).
 */
export function withCompletion<C extends AnyCommand>(command: C, by: Record<string, Completer>): C {
  completers.set(command, new Map(Object.entries(by)));
  return command;
}

/** The completer for an option or argument of {@linkcode withCompletion}; what a command doesn't say, those above it do. */
export function completerOf(command: AnyCommand, name: string): Completer | undefined {
  return completers.get(command)?.get(name) ?? (command.parent ? completerOf(command.parent, name) : undefined);
}

/** The words that the user typed to get to this command: `docker mpi deploy`. */
export function pathOf(command: AnyCommand): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
