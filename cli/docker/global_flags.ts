import { resolve } from "node:path";

/** What Docker hands a plugin, taken apart. */
export interface Invocation {
  /** Docker's global flags as they were typed, to be put before every `docker` command that we start. */
  globals: string[];
  /** `--config`, if it was among them. */
  config?: string;
  /** Whether `-D` was among them. */
  debug: boolean;
  /** What we are asked for. */
  request: "run" | "help" | "version" | "complete";
  /** Everything after the word `mpi`. */
  args: string[];
}

const VALUED = new Set(["config", "context", "host", "log-level", "tlscacert", "tlscert", "tlskey"]);
const SWITCHES = new Set(["debug", "tls", "tlsverify", "version", "help"]);
const SHORT = new Map([
  ["c", "context"],
  ["H", "host"],
  ["l", "log-level"],
  ["D", "debug"],
  ["v", "version"],
  ["h", "help"],
]);

/** Whether a flag as `--context` is one of Docker's, which belong before the word `mpi`. */
export function isGlobalFlag(flag: string): boolean {
  return VALUED.has(flag.slice(2)) || SWITCHES.has(flag.slice(2));
}

/**
 * Takes apart the argument list that Docker starts a plugin with: its own complete one, global flags included.
 *
 * The word `mpi` can't be searched for, since it may be a value (`--context mpi mpi ls`); the flags are parsed as Docker
 * parses them. The word itself may be missing, so that `docker-mpi ls` works without Docker in front.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { splitGlobalFlags } from "./global_flags.ts";
 *
 * const { globals, args } = splitGlobalFlags(["--context", "mpi", "mpi", "deploy", "-n", "3"]);
 * assert.deepEqual(globals, ["--context", "mpi"]);
 * assert.deepEqual(args, ["deploy", "-n", "3"]);
 * ```
 *
 * @param argv The arguments of the process, without the program's own name.
 * @returns The two halves, and what is asked for.
 */
export function splitGlobalFlags(argv: readonly string[]): Invocation {
  const invocation: Invocation = { globals: [], debug: false, request: "run", args: [] };
  let at = 0;
  while (at < argv.length) {
    const flags = readFlag(argv, at);
    if (flags === undefined) break;
    for (const flag of flags.read) note(invocation, flag);
    if (!flags.read.some(({ name }) => name === "help" || name === "version")) {
      invocation.globals.push(...argv.slice(at, at + flags.width));
    }
    at += flags.width;
  }
  if (argv[at] === "--") at++;
  if (argv[at] === "help" || argv[at] === "__complete") {
    invocation.request = argv[at] === "help" ? "help" : "complete";
    at++;
  }
  if (argv[at] === "mpi") at++;
  invocation.args = argv.slice(at);
  return invocation;
}

/** Flags whose values are paths of this machine. */
const PATHS = new Set(["config", "tlscacert", "tlscert", "tlskey"]);

/**
 * Writes Docker's global flags so that they mean the same in another working directory.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { absoluteGlobals } from "./global_flags.ts";
 *
 * const globals = absoluteGlobals(["-D", "--tlskey=certs/key.pem", "--config", "/etc/docker"], "/home/ada");
 * assert.deepEqual(globals, ["-D", "--tlskey=/home/ada/certs/key.pem", "--config=/etc/docker"]);
 * ```
 *
 * @param globals The flags, as {@linkcode splitGlobalFlags} gives them.
 * @param cwd Where they were typed.
 */
export function absoluteGlobals(globals: readonly string[], cwd: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < globals.length;) {
    const { read: [flag], width } = readFlag(globals, at) ?? { read: [], width: 1 };
    const isPath = flag !== undefined && flag.value !== "" && PATHS.has(flag.name);
    words.push(...isPath ? [`--${flag.name}=${resolve(cwd, flag.value)}`] : globals.slice(at, at + width));
    at += width;
  }
  return words;
}

interface Flag {
  name: string;
  value: string;
}

/** Reads the flag at `at` (several, if short ones are joined) and says how many words it takes; none: not a flag of Docker's. */
function readFlag(argv: readonly string[], at: number): { read: Flag[]; width: number } | undefined {
  const word = argv[at] ?? "";
  if (word.startsWith("--") && word.length > 2) return readLong(word.slice(2), argv[at + 1]);
  if (word.startsWith("-") && word.length > 1 && word !== "--") return readShort(word.slice(1), argv[at + 1]);
  return undefined;
}

function readLong(word: string, next: string | undefined): { read: Flag[]; width: number } | undefined {
  const [, name = "", , value] = /^([^=]*)(=(.*))?$/s.exec(word) ?? [];
  if (SWITCHES.has(name)) return { read: [{ name, value: value ?? "true" }], width: 1 };
  if (!VALUED.has(name)) return undefined;
  if (value !== undefined) return { read: [{ name, value }], width: 1 };
  return next === undefined ? undefined : { read: [{ name, value: next }], width: 2 };
}

/** `-Dl info`, `-Hv`, `-H=v`: letters up to the first that takes a value; that takes the rest, or the next word. */
function readShort(letters: string, next: string | undefined): { read: Flag[]; width: number } | undefined {
  const read: Flag[] = [];
  for (let i = 0; i < letters.length; i++) {
    const name = SHORT.get(letters.charAt(i));
    const rest = letters.slice(i + 1);
    if (name === undefined) return undefined;
    if (VALUED.has(name)) {
      if (rest === "" && next === undefined) return undefined;
      read.push({ name, value: rest === "" ? next ?? "" : rest.replace(/^=/, "") });
      return { read, width: rest === "" ? 2 : 1 };
    }
    if (rest.startsWith("=")) return { read: [...read, { name, value: rest.slice(1) }], width: 1 };
    read.push({ name, value: "true" });
  }
  return { read, width: 1 };
}

/** Go's `strconv.ParseBool`, which Docker's switches go through. */
function isTrue(value: string): boolean {
  return /^(1|t|T|true|TRUE|True)$/.test(value);
}

function note(invocation: Invocation, { name, value }: Flag): void {
  if (name === "config") invocation.config = value;
  if (name === "debug") invocation.debug = isTrue(value);
  if ((name === "help" || name === "version") && isTrue(value)) invocation.request = name;
}
