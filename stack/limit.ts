import type { MpiError } from "./errors.ts";

/** How often to look, in milliseconds. */
const INTERVAL = 250;

/** A wait with an end. */
export interface Limit {
  /** Milliseconds from now. */
  timeout: number;
  /** Fires when the user gives up. */
  signal: AbortSignal;
  /** When it ends on the clock of `performance.now()`, where several waits share it. */
  end?: number;
}

/**
 * One limit for several waits in a row: what one of them takes, the next has no more.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { endOf, pause, shared } from "./limit.ts";
 *
 * const limit = shared({ timeout: 60_000, signal: new AbortController().signal });
 * await pause(10, limit.signal);
 * assert.equal(endOf(limit), limit.end);
 * assert.equal(shared(limit).end, limit.end);
 * ```
 *
 * @param limit The limit; one that is shared already keeps its end.
 * @returns The same limit with its `end`.
 */
export function shared(limit: Limit): Limit {
  return { ...limit, end: endOf(limit) };
}

/**
 * When a wait ends, on the clock of `performance.now()`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { endOf } from "./limit.ts";
 *
 * const { signal } = new AbortController();
 * assert.ok(endOf({ timeout: 60_000, signal }) > performance.now());
 * assert.equal(endOf({ timeout: 60_000, signal, end: 1000 }), 1000);
 * ```
 *
 * @param limit The limit; where it has an `end`, its `timeout` is not looked at.
 * @returns Milliseconds on that clock.
 */
export function endOf({ timeout, end }: Limit): number {
  return end ?? performance.now() + timeout;
}

/**
 * Asks again and again until there is an answer.
 *
 * It asks once in any case, and then four times a second, each time when the last one has its answer.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MpiError } from "./errors.ts";
 * import { poll } from "./limit.ts";
 *
 * const limit = { timeout: 5000, signal: new AbortController().signal };
 * const late = () => new MpiError("timeout", "No node answers within 5 s");
 * const answers = [undefined, "ready"];
 * assert.equal(await poll(() => Promise.resolve(answers.shift()), limit, late), "ready");
 * await assert.rejects(poll(() => Promise.resolve(undefined), { ...limit, timeout: 0 }, late), { code: "timeout" });
 * ```
 *
 * @param ask Gives `undefined` as long as there is none.
 * @param limit When to give up.
 * @param late Makes the error for that.
 * @returns The first answer.
 * @throws {MpiError} What `late` makes, at the limit; what `ask` throws; and the signal's reason.
 */
export async function poll<T>(
  ask: () => Promise<T | undefined>,
  limit: Limit,
  late: () => MpiError,
): Promise<T> {
  const { signal } = limit;
  const end = endOf(limit);
  while (true) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= end) throw late();
    await pause(INTERVAL, signal);
  }
}

/**
 * Waits for so many milliseconds, or until the user gives up.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pause } from "./limit.ts";
 *
 * await pause(10, new AbortController().signal);
 * const interrupted = AbortSignal.abort(new Error("Interrupted"));
 * await assert.rejects(pause(60_000, interrupted), /Interrupted/);
 * ```
 *
 * @param milliseconds How long.
 * @param signal Fires when the user gives up.
 * @throws The signal's reason, whatever it is, as soon as it fires.
 */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Lets something run that heeds a signal, as long as the limit allows.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MpiError } from "./errors.ts";
 * import { pause, withinLimit } from "./limit.ts";
 *
 * const limit = { timeout: 20, signal: new AbortController().signal };
 * const late = () => new MpiError("timeout", "The registry did not answer");
 * assert.equal(await withinLimit(limit, () => Promise.resolve("an answer"), late), "an answer");
 * await assert.rejects(withinLimit(limit, (signal) => pause(60_000, signal), late), { code: "timeout" });
 * ```
 *
 * @param limit When to give up.
 * @param run Starts it; its signal fires at the limit, or when the user gives up.
 * @param late Makes the error for the limit.
 * @returns What it gives.
 * @throws {MpiError} What `late` makes, at the limit; what `run` throws; and the signal's reason.
 */
export async function withinLimit<T>(
  limit: Limit,
  run: (signal: AbortSignal) => Promise<T>,
  late: () => MpiError,
): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(late()), Math.max(0, endOf(limit) - performance.now()));
  const signal = AbortSignal.any([limit.signal, over.signal]);
  try {
    signal.throwIfAborted();
    const result = await run(signal);
    signal.throwIfAborted();
    return result;
  } finally {
    clearTimeout(timer);
  }
}
