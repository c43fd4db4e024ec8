import { MpiError } from "../stack/errors.ts";

/** Where an interrupt came from: the terminal's Ctrl-C reaches our children as well, the others reach us alone. */
export type InterruptSource = "SIGINT" | "SIGTERM" | "SIGHUP" | "docker";

/** The user's wishes to stop, counted. */
export interface Interrupts {
  /** How many there were. */
  readonly count: number;
  /** Calls back at each one with the count so far; gives a function that ends that. */
  subscribe(listener: (count: number, source: InterruptSource) => void): () => void;
}

/** Interrupts, and the signal that fires with the first. */
export interface InterruptHandling {
  /** Fires with the first interrupt. */
  readonly signal: AbortSignal;
  /** All of them. */
  readonly interrupts: Interrupts;
  /** Counts one. */
  add(source: InterruptSource): void;
}

/** With so many the user wants out at once, whatever still runs: the same number as Docker's. */
export const STRIKES = 3;

// Ctrl-C with standard output in a pipe comes twice, from the kernel and as Docker's closed socket: it counts once.
const SAME_PRESS_MS = 200;

/**
 * Counts interrupts.
 *
 * @param giveUp Called at the third.
 * @param now The time in milliseconds.
 */
export function countInterrupts(giveUp: () => void, now: () => number = Date.now): InterruptHandling {
  const controller = new AbortController();
  const listeners = new Set<(count: number, source: InterruptSource) => void>();
  let count = 0;
  let last: { source: InterruptSource; at: number } | undefined;
  return {
    signal: controller.signal,
    interrupts: {
      get count() {
        return count;
      },
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    add(source) {
      const before = last;
      last = { source, at: now() };
      if (before && isEcho(before.source, source) && last.at - before.at < SAME_PRESS_MS) return;
      count++;
      for (const listener of listeners) listener(count, source);
      controller.abort(cancelled(source));
      if (count >= STRIKES) giveUp();
    },
  };
}

/** Whether the second can be the same key press as the first. */
function isEcho(first: InterruptSource, second: InterruptSource): boolean {
  return first !== second && (first === "docker" || second === "docker");
}

/** What {@linkcode watchInterrupts} listens to. */
export interface InterruptOrigin {
  /** `DOCKER_CLI_PLUGIN_SOCKET`: clients since 25 close it to say "stop". */
  pluginSocket: string | undefined;
  /** Whether Docker started us: then its end is our end. */
  plugin: boolean;
}

/**
 * Listens to signals and to Docker; nothing of it keeps the process alive.
 *
 * @returns A function that ends the listening.
 */
export function watchInterrupts(add: (source: InterruptSource) => void, origin: InterruptOrigin): () => void {
  const signals = ["SIGINT", "SIGTERM", ...(Deno.build.os === "windows" ? [] : ["SIGHUP" as const])] as const;
  const handlers = signals.map((name) => [name, () => add(name)] as const);
  for (const [name, handler] of handlers) Deno.addSignalListener(name, handler);
  const docker = watchDocker(() => add("docker"), origin);
  return () => {
    for (const [name, handler] of handlers) Deno.removeSignalListener(name, handler);
    docker();
  };
}

function watchDocker(stop: () => void, { pluginSocket, plugin }: InterruptOrigin): () => void {
  const parent = () => plugin ? watchParent(stop) : () => {};
  return pluginSocket ? watchSocket(pluginSocket, stop, parent) : parent();
}

/** Clients before 25 have no socket and pass nothing on: all that can be seen is that they are gone. */
function watchParent(gone: () => void): () => void {
  const parent = Deno.ppid;
  const timer = setInterval(() => {
    if (Deno.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, 500);
  return () => clearInterval(timer);
}

/**
 * Docker never sends anything: the end of the stream is its word, and so is a reset, which comes where it died before it
 * took the connection. A socket that isn't there is of an older Docker and no reason to fail.
 */
function watchSocket(path: string, closed: () => void, otherwise: () => () => void): () => void {
  let stop = () => {};
  let over = false;
  const watch = async (connection: Deno.Conn) => {
    stop = () => connection.close();
    const buffer = new Uint8Array(64);
    while (await connection.read(buffer).catch(() => null) !== null);
    if (!over) closed();
  };
  Deno.connect({ transport: "unix", path: path.replace(/^@/, "\0") })
    .then((connection) => over ? connection.close() : void watch(connection), () => stop = otherwise());
  return () => {
    over = true;
    stop();
  };
}

/** The error of a command that the user stopped; its cause says how. */
export function cancelled(source?: InterruptSource): MpiError {
  return new MpiError("cancelled", "Cancelled", { cause: source });
}
