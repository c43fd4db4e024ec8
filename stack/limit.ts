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

/** One limit for several waits in a row: what one of them takes, the next has no more. */
export function shared(limit: Limit): Limit {
  return { ...limit, end: endOf(limit) };
}

/** When a wait ends, on the clock of `performance.now()`. */
export function endOf({ timeout, end }: Limit): number {
  return end ?? performance.now() + timeout;
}

/**
 * Asks again and again until there is an answer.
 *
 * @param ask Gives `undefined` as long as there is none.
 * @param limit When to give up.
 * @param late Makes the error for that.
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

/** Waits for so many milliseconds, or until the user gives up. */
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
 * @param limit When to give up.
 * @param run Starts it; its signal fires at the limit, or when the user gives up.
 * @param late Makes the error for the limit.
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
