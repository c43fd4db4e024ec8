/** Running other programs, each with a limit. */
import { endTree } from "./processes.ts";
import { writeAll } from "./tell.ts";

/** What a program left. */
export interface Result {
  /** Its exit status; 127 if there is no such program, 124 if its time was up. */
  code: number;
  /** What it printed, where it was kept. */
  stdout: string;
  /** What it printed as error, where it was kept. */
  stderr: string;
}

/** How to run a program. */
export interface CommandOptions {
  /** Its folder. */
  cwd?: string;
  /** Added to its environment. */
  env?: Record<string, string>;
  /** Its time limit; a minute if none is given. */
  seconds?: number;
  /** Ends it when aborted. */
  signal?: AbortSignal;
  /** Keep what it prints, show it (the program has our own streams then), or both. */
  output?: "keep" | "show" | "both";
  /** Whether it reads our standard input. */
  stdin?: boolean;
}

/** Where Linux has the programs of root. */
export const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** How long a program that was told to end may take before it is killed. */
const GRACE_MS = 10_000;

/** Runs a program to its end. It throws only if `signal` is aborted. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<Result> {
  options.signal?.throwIfAborted();
  const child = spawn(command, options);
  if (child === undefined) return { code: 127, stdout: "", stderr: `${command[0]}: not found` };
  const limit = new Limit(child, options);
  const kept = options.output !== "show";
  const tee = options.output === "both";
  const stdout = kept ? collect(child.stdout, tee ? Deno.stdout : undefined) : noOutput;
  const stderr = kept ? collect(child.stderr, tee ? Deno.stderr : undefined) : noOutput;
  const status = await child.status;
  await limit.done();
  // A grandchild may hold the streams open after the end.
  const closing = setTimeout(() => [stdout, stderr].forEach((output) => output.stop()), 2000);
  const result = { stdout: await stdout.text, stderr: await stderr.text };
  clearTimeout(closing);
  options.signal?.throwIfAborted();
  return { code: limit.reached ? 124 : status.code, ...result };
}

/** Runs a program that must succeed, and returns what it printed. */
export async function must(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(command, options);
  if (result.code !== 0) {
    const said = (result.stderr || result.stdout).trim().split("\n").slice(-15).join("\n");
    throw new Error(`\`${command.join(" ")}\` ended with status ${result.code}${said === "" ? "" : `:\n${said}`}`);
  }
  return result.stdout;
}

/** Waits until `ready` says yes; throws, naming what it waited for, when the time is up. */
export async function poll(
  what: string,
  ready: () => Promise<boolean>,
  limit: { seconds: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const end = Date.now() + limit.seconds * 1000;
  while (!(await ready())) {
    limit.signal?.throwIfAborted();
    if (Date.now() > end) throw new Error(`waited ${limit.seconds} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function spawn(command: readonly string[], options: CommandOptions): Deno.ChildProcess | undefined {
  const stream = options.output === "show" ? "inherit" : "piped";
  try {
    return new Deno.Command(command[0] ?? "", {
      args: command.slice(1),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...options.env, PATH: searchPath(options.env?.PATH) },
      stdin: options.stdin ? "inherit" : "null",
      stdout: stream,
      stderr: stream,
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Root's programs are not on every PATH that root has, after `su` for one. */
function searchPath(path = Deno.env.get("PATH") ?? ""): string {
  return [path, ...SYSTEM_FOLDERS].join(":");
}

/** Ends a child, and what it started, when its time is up or the signal is aborted: first asks, then kills. */
class Limit {
  reached = false;
  #ending = Promise.resolve();
  readonly #pid: number;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(child: Deno.ChildProcess, options: CommandOptions) {
    this.#pid = child.pid;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#end);
    this.#timer = setTimeout(() => {
      this.reached = true;
      this.#end();
    }, (options.seconds ?? 60) * 1000);
  }

  async done(): Promise<void> {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#end);
    await this.#ending;
  }

  /** What a program started ends with it: a `docker` that is killed would leave its plugin running. */
  readonly #end = (): void => {
    this.#ending = endTree(this.#pid, GRACE_MS);
  };
}

interface Output {
  text: Promise<string>;
  stop(): void;
}

const noOutput: Output = { text: Promise.resolve(""), stop: () => {} };

function collect(stream: ReadableStream<Uint8Array>, tee: { writeSync(data: Uint8Array): number } | undefined): Output {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const read = async (): Promise<string> => {
    let text = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (tee !== undefined) writeAll(tee, next.value);
      text += decoder.decode(next.value, { stream: true });
    }
    return text;
  };
  return { text: read(), stop: () => void reader.cancel() };
}
