import { setImmediate } from "node:timers";

/**
 * A clock that runs ahead: timers fire at once, in the order of their times, and `performance.now()` tells their time. Code
 * that waits minutes is done in no time, and sees the time that it would have seen.
 */
export function fakeClock(): Disposable & { now: () => number } {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: performance.now };
  let now = 0;
  let last = 0;
  let running = false;
  const timers = new Map<number, { at: number; call: () => void }>();
  const step = () => {
    const next = [...timers].sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
    running = next !== undefined;
    if (next === undefined) return;
    timers.delete(next[0]);
    now = Math.max(now, next[1].at);
    next[1].call();
    setImmediate(step);
  };
  const fake = {
    setTimeout: (call: () => void, delay = 0) => {
      timers.set(++last, { at: now + delay, call });
      if (!running) setImmediate(step);
      running = true;
      return last;
    },
    clearTimeout: (id: number) => void timers.delete(id),
  };
  Object.assign(globalThis, fake);
  performance.now = () => now;
  return {
    now: () => now,
    [Symbol.dispose]() {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      performance.now = real.now;
    },
  };
}

/** Hands over what waits for so many milliseconds, to be called at once or not; all other timers take their time. */
export function takeTimers(milliseconds: number, take: (call: () => void) => void): Disposable {
  const real = globalThis.setTimeout;
  const fake = (call: () => void, delay = 0) => delay === milliseconds ? real(() => take(call), 0) : real(call, delay);
  Object.assign(globalThis, { setTimeout: fake });
  return { [Symbol.dispose]: () => void Object.assign(globalThis, { setTimeout: real }) };
}
