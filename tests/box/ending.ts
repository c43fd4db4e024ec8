/** Leaving nothing behind. */
import { tell } from "./tell.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** How long what was interrupted may take to notice. */
const NOTICE_MS = 15_000;

/** The user, or the system, told the program to end. */
export class Interrupted extends Error {
  /** The exit status that says so. */
  readonly code: number;

  /** @param signal What was received. */
  constructor(signal: keyof typeof SIGNALS) {
    super(`interrupted by ${signal}`);
    this.code = SIGNALS[signal];
  }
}

/** What has to be undone at the end. */
export class Ending {
  readonly #controller = new AbortController();
  readonly #steps: { what: string; undo: () => Promise<void> }[] = [];

  /** Aborted by the first signal; everything that takes time listens to it, except what undoes. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Has `undo` called at the end, in reverse order; `what` completes the sentence "could not …". */
  defer(what: string, undo: () => Promise<void>): void {
    this.#steps.push({ what, undo });
  }

  /** Tells everything that listens to end. */
  interrupt(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Undoes all of it, also when a step fails; then the failures are told together. */
  async undo(): Promise<void> {
    const failures: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        failures.push(`could not ${step.what}: ${error instanceof Error ? error.message : error}`);
      }
    }
    if (failures.length > 0) throw new Error(failures.join("\n"));
  }
}

/** Runs `body` and undoes what it deferred: at its end, when it fails, and on SIGINT, SIGTERM and SIGHUP. */
export async function withEnding<T>(body: (ending: Ending) => Promise<T>): Promise<T> {
  const ending = new Ending();
  const unlisten = listen(ending);
  try {
    return await Promise.race([body(ending), tooLate(ending.signal)]);
  } finally {
    try {
      await ending.undo();
    } finally {
      unlisten();
    }
  }
}

/** Runs a program's main function; the process ends with its status, or with an error in words. */
export async function main(name: string, body: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await body());
  } catch (error) {
    tell(`${name}: ${error instanceof Error ? error.message : error}`);
    Deno.exit(error instanceof Interrupted ? error.code : 1);
  }
}

function listen(ending: Ending): () => void {
  const listeners = Object.keys(SIGNALS).map((key) => {
    const signal = key as keyof typeof SIGNALS;
    const heard = () => ending.interrupt(new Interrupted(signal));
    Deno.addSignalListener(signal, heard);
    return () => Deno.removeSignalListener(signal, heard);
  });
  // Who started us may be killed and can't say so.
  const parent = Deno.ppid;
  const watch = setInterval(() => {
    if (Deno.ppid !== parent) ending.interrupt(new Interrupted("SIGHUP"));
  }, 500);
  Deno.unrefTimer(watch);
  return () => {
    clearInterval(watch);
    listeners.forEach((unlisten) => unlisten());
  };
}

/** Rejects some time after the signal, so that what doesn't listen to it can't keep the program. */
function tooLate(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => Deno.unrefTimer(setTimeout(() => reject(signal.reason), NOTICE_MS)));
  });
}
