import { type AnyCommand, isProgramCommand, type Option } from "./command.ts";

/**
 * Lets a switch take a value, and a short flag an equals sign, as Docker's own do: `--watch=false`, `-q=true`, `-n=5`. It
 * also takes what everybody types who knows an MPI launcher: `-np 4`.
 *
 * commander has no words for these. They are put into its own just before it reads them, and what is switched off is set
 * when it has. Its reading ends at the first flag that is not known: Docker does not look for `--help` behind that.
 */
export function allowAssignments(command: AnyCommand): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (words) => {
    const off = new Set<Option>();
    const { operands, unknown } = parse(reword(command, words, off));
    for (const option of off) command.setOptionValueWithSource(option.attributeName(), option.negate, "cli");
    const isFault = unknown[0] !== undefined && !/^(-h|--help)$/.test(unknown[0]);
    const isOurs = command.commands.length === 0 || operands.length === 0;
    return { operands, unknown: isFault && isOurs ? unknown.slice(0, 1) : unknown };
  };
}

/** Puts a command's words into those of commander; the switches whose last word is "off" are left out and noted. */
function reword(command: AnyCommand, words: readonly string[], off: Set<Option>): string[] {
  const reworded: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = ofLauncher(command, words[at]!);
    if (word === "--" || !isFlag(word) && flagsEndAtArguments(command)) return [...reworded, ...words.slice(at)];
    const [, name = word, value] = /^(--[^=]+|-[^-])=(.*)$/s.exec(word) ?? [];
    const option = command.options.find(({ long, short }) => name === long || name === short);
    const isSwitch = option !== undefined && !option.required && !option.optional;
    if (value === undefined && option?.optional) {
      reworded.push(`${option.long}=`); // as with Docker's, such a value needs the equals sign: the next word is no value
    } else if (value === undefined) {
      // The word behind is the flag's value, whatever it looks like.
      reworded.push(word, ...words.slice(at + 1, option?.required ? ++at + 1 : at + 1));
      if (isSwitch) off.delete(option);
    } else if (!isSwitch) {
      reworded.push(...(option?.short === name ? [name, value] : [word]));
    } else if (isOn(command, option, value)) {
      reworded.push(name);
      off.delete(option);
    } else off.add(option);
  }
  return reworded;
}

/** Launchers spell long flags with one dash. Docker would read `-np` as `-n p`, which means nothing. */
export function ofLauncher(command: AnyCommand, word: string): string {
  const long = `-${word}`;
  return /^-(np|ppn)$/.test(word) && command.options.some((option) => option.long === long) ? long : word;
}

function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

/** What follows belongs to a command, or to a program of the user's. */
function flagsEndAtArguments(command: AnyCommand): boolean {
  return command.commands.length > 0 || isProgramCommand(command);
}

/** Go's `strconv.ParseBool`, which Docker's switches go through. */
function isOn(command: AnyCommand, { flags }: Option, value: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  return command.error(`error: option '${flags}' argument '${value}' is invalid. must be true or false`, {
    code: "commander.invalidArgument",
  });
}
