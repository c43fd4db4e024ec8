import { resolve } from "node:path";
import type { DockerCli, DockerResult, DockerRunOptions } from "../../stack/engine/docker_cli.ts";
import { MpiError } from "../../stack/errors.ts";
import { linesOf } from "../output/lines.ts";
import { absoluteGlobals } from "./global_flags.ts";

/** What {@linkcode dockerCommand} needs to know. */
export interface DockerCommandOptions {
  /** The command itself; Docker tells a plugin which one started it. */
  command: string;
  /** The user's global flags, put before all arguments. */
  globals: readonly string[];
  /** Ends running commands when it fires. */
  signal: AbortSignal;
}

/** After an interrupt a command has this long to end by itself before it is killed. */
const PATIENCE_MS = 10_000;

/** Ctrl-C reaches the child as well, and may end it before we hear of it ourselves: so long a failure is held back. */
const SAME_PRESS_MS = 300;

/** A child that got the same Ctrl-C is given this long before it is told once more. */
const HEARD_IT_MS = 1000;

/**
 * The user's `docker` command as a child process.
 *
 * An empty `DOCKER_HOST` or `DOCKER_CONTEXT` means "none" to us and to new clients, and "an endpoint without a name" to
 * old ones: the two are taken out of the environment that children get.
 */
export function dockerCommand({ command, globals, signal }: DockerCommandOptions): DockerCli {
  const spawn = (args: readonly string[], { cwd, ...options }: Deno.CommandOptions) => {
    for (const name of ["DOCKER_HOST", "DOCKER_CONTEXT"]) if (Deno.env.get(name) === "") Deno.env.delete(name);
    if (cwd === undefined || cwd === Deno.cwd()) return start(command, { ...options, args: [...globals, ...args] });
    // What the user has said of paths starts from here all the same.
    const env = { ...absoluteVariables(), ...options.env };
    const program = /[/\\]/.test(command) ? resolve(command) : command;
    return start(program, { ...options, cwd, env, args: [...absoluteGlobals(globals, Deno.cwd()), ...args] });
  };
  return {
    async run(args, options = {}) {
      const stdin = options.stdin === undefined ? "null" : "piped";
      const env = Object.entries(options.env ?? {}).filter(([name]) => Deno.env.get(name) === undefined);
      const { cwd } = options;
      const child = spawn(args, {
        stdin,
        stdout: "piped",
        stderr: "piped",
        env: Object.fromEntries(env),
        ...(cwd === undefined ? {} : { cwd }),
      });
      const result = await untilAbort(child, [signal, options.signal], () => collectOutput(child, options));
      if (result.code !== 0) await abortedWithin(SAME_PRESS_MS, signal);
      return result;
    },
    async attach(args) {
      const child = spawn(args, { stdin: "inherit", stdout: "inherit", stderr: "inherit" });
      return await untilAbort(child, [signal], async () => (await child.status).code);
    },
  };
}

/** The user's variables that are paths of this machine. */
function absoluteVariables(): Record<string, string> {
  const given = ["DOCKER_CONFIG", "DOCKER_CERT_PATH"].map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(given.flatMap(([name, path]) => path ? [[name, resolve(path)]] : []));
}

/** Waits for an interrupt; one that came before is not waited for. */
function abortedWithin(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, signal.aborted ? 0 : milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

// A command that was not there when permissions were read is not among them.
const NOT_STARTED = [Deno.errors.NotFound, Deno.errors.PermissionDenied, Deno.errors.NotCapable];

/** Starts a command; a missing one is an error of the installation, not of ours. */
export function start(command: string, options: Deno.CommandOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(command, options).spawn();
  } catch (error) {
    if (!NOT_STARTED.some((kind) => error instanceof kind)) throw error;
    throw new MpiError("engine", `Cannot start the docker command "${command}"`, {
      hint: "install Docker's command line, or put it into PATH",
      cause: error,
    });
  }
}

async function collectOutput(child: Deno.ChildProcess, { stdin, onLine }: DockerRunOptions): Promise<DockerResult> {
  const [stdout, stderr, status] = await Promise.all([
    onLine === undefined ? new Response(child.stdout).text() : readLines(child.stdout, onLine, 0),
    onLine === undefined ? new Response(child.stderr).text() : readLines(child.stderr, onLine, LAST_LINES),
    child.status,
    stdin === undefined ? undefined : feed(child.stdin, stdin),
  ]);
  return { code: status.code, stdout, stderr };
}

/** How much of standard error is kept where lines are taken as they come. */
const LAST_LINES = 100;

/** Hands on each line, and gives the last ones. */
async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => unknown,
  keep: number,
): Promise<string> {
  const lines: string[] = [];
  for await (const line of linesOf(stream)) {
    await onLine(line);
    lines.push(`${line}\n`);
    if (lines.length > keep) lines.shift();
  }
  return lines.join("");
}

/** A command that ends without reading all of its input says why itself. */
async function feed(
  sink: WritableStream<Uint8Array>,
  input: string | Uint8Array | ReadableStream<Uint8Array>,
): Promise<void> {
  const source = input instanceof ReadableStream
    ? input
    : ReadableStream.from([typeof input === "string" ? new TextEncoder().encode(input) : input]);
  try {
    await source.pipeTo(sink);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/**
 * Waits for a command, and ends it when one of the signals fires.
 *
 * A signal that has fired before is not looked at: what is started after an interrupt is there to tidy up.
 *
 * @throws The reason of the signal that fired.
 */
async function untilAbort<T>(
  child: Deno.ChildProcess,
  signals: readonly (AbortSignal | undefined)[],
  wait: () => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.any(signals.filter((one) => one !== undefined && !one.aborted) as AbortSignal[]);
  const timers: ReturnType<typeof setTimeout>[] = [];
  signal.addEventListener("abort", () => {
    // The terminal's Ctrl-C has reached the child too; a second signal would cut its own tidying up short.
    const heardIt = signal.reason instanceof MpiError && signal.reason.cause === "SIGINT";
    const first = heardIt ? HEARD_IT_MS : 0;
    timers.push(setTimeout(() => kill(child, "SIGTERM"), first));
    timers.push(setTimeout(() => kill(child, "SIGKILL"), first + PATIENCE_MS));
  }, { once: true });
  try {
    const result = await wait();
    signal.throwIfAborted();
    return result;
  } catch (error) {
    // Nobody takes what it prints any more.
    kill(child, "SIGTERM");
    throw error;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended by itself.
  }
}
