import { type AnyCommand, examplesOf, type Option, pathOf } from "./command.ts";

/**
 * Renders a command's help in Docker's own layout.
 *
 * @param command The command.
 * @param columns Width of the terminal.
 * @returns The text, with a line feed at its end.
 */
export function renderHelp(command: AnyCommand, columns: number): string {
  const parts = [usageLine(command), wrap(command.description(), columns - 1).join("\n")];
  const path = pathOf(command).replace(/ [^ ]*$/, "");
  if (command.aliases().length > 0) {
    const names = [command.name(), ...command.aliases()].map((name) => `${path} ${name}`);
    parts.push(`Aliases:\n  ${names.join(", ")}`);
  }
  const examples = examplesOf(command);
  if (examples.length > 0) parts.push(["Examples:", ...examples].join("\n  "));
  const options = command.options.filter((option) => !option.hidden);
  if (options.length > 0) parts.push(`Options:\n${optionLines(options, columns).join("\n")}`);
  parts.push(...commandGroups(command, columns));
  if (command.commands.length > 0) {
    parts.push(`Run '${pathOf(command)} COMMAND --help' for more information on a command.`);
  }
  return parts.filter((part) => part !== "").join("\n\n") + "\n";
}

/** `Usage:  docker mpi run [OPTIONS] PROGRAM [ARGS...]` */
export function usageLine(command: AnyCommand): string {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.name().toUpperCase() + (argument.variadic ? "..." : "");
    return argument.required ? name : `[${name}]`;
  });
  if (command.commands.length > 0) words.push("COMMAND");
  return ["Usage: ", pathOf(command), "[OPTIONS]", ...words].join(" ");
}

/** The list of subcommands, in the groups that they state. */
function commandGroups(command: AnyCommand, columns: number): string[] {
  const visible = command.createHelp().visibleCommands(command);
  const width = Math.max(...visible.map((sub) => sub.name().length), 9) + 2;
  const groups = Map.groupBy(visible, (sub) => sub.helpGroup() || "Commands:");
  return [...groups].map(([title, subs]) =>
    [
      title,
      ...subs.map((sub) => hanging(`  ${sub.name().padEnd(width)}`, sub.summary() || sub.description(), columns - 1)),
    ].join("\n")
  );
}

/** Sorted by name, one column for the flags, the descriptions wrapped in a second. */
function optionLines(options: readonly Option[], columns: number): string[] {
  const rows = [...options]
    .sort((a, b) => a.name() < b.name() ? -1 : 1)
    .map((option) => ({ head: optionHead(option), text: optionText(option) }));
  const width = Math.max(...rows.map(({ head }) => head.length)) + 3;
  return rows.map(({ head, text }) => hanging(head.padEnd(width), text, columns - 1));
}

/** `  -n, --workers int`: the short form has its own column. */
function optionHead(option: Option): string {
  const type = /[<[](.*?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1];
  const long = option.long ?? "";
  return `  ${option.short ? `${option.short}, ` : "    "}${long}${type ? ` ${type}` : ""}`;
}

function optionText(option: Option): string {
  const choices = option.argChoices ? ` (${option.argChoices.map((choice) => `"${choice}"`).join(", ")})` : "";
  return option.description + choices + defaultText(option);
}

/** Go's flag library names a default only where it says something. */
function defaultText(option: Option): string {
  const value: unknown = option.defaultValueDescription ?? option.defaultValue;
  if (value === undefined || value === false || value === "" || Array.isArray(value)) return "";
  const quote = typeof value === "string" && option.defaultValueDescription === undefined;
  return ` (default ${quote ? JSON.stringify(value) : value})`;
}

/** A head, and a text that is wrapped into the column behind it. */
function hanging(head: string, text: string, width: number): string {
  // On a very narrow terminal an unwrapped line reads better than one word per line.
  const room = width - head.length;
  const lines = room < 24 ? [text] : wrap(text, room);
  return lines.map((line, index) => (index === 0 ? head : " ".repeat(head.length)) + line).join("\n");
}

/**
 * Wraps at blanks; line feeds of the text stay.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wrap } from "./help.ts";
 *
 * assert.deepEqual(wrap("one two three", 8), ["one two", "three"]);
 * ```
 */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    for (const word of paragraph.split(" ")) {
      const line = lines.at(-1);
      if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
      else lines.push(word);
    }
    return lines;
  });
}
