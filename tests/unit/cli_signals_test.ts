import assert from "node:assert/strict";
import { countInterrupts, type InterruptSource } from "../../cli/signals.ts";
import { MpiError } from "../../stack/errors.ts";

function counter() {
  let [time, gaveUp] = [0, 0];
  const heard: [number, InterruptSource][] = [];
  const handling = countInterrupts(() => gaveUp++, () => time);
  handling.interrupts.subscribe((count, source) => heard.push([count, source]));
  return { ...handling, heard, at: (ms: number) => time = ms, gaveUp: () => gaveUp };
}

Deno.test("the first interrupt cancels, the third gives up", () => {
  const { signal, add, heard, gaveUp } = counter();
  assert.equal(signal.aborted, false);
  add("SIGINT");
  assert.ok(signal.reason instanceof MpiError);
  assert.equal(signal.reason.code, "cancelled");
  add("SIGINT");
  assert.equal(gaveUp(), 0);
  add("SIGTERM");
  assert.equal(gaveUp(), 1);
  assert.deepEqual(heard, [[1, "SIGINT"], [2, "SIGINT"], [3, "SIGTERM"]]);
});

Deno.test("one Ctrl-C that comes as a signal and from Docker counts once", () => {
  for (const [first, second] of [["SIGINT", "docker"], ["docker", "SIGINT"]] as const) {
    const { add, at, interrupts } = counter();
    add(first);
    at(150);
    add(second);
    assert.equal(interrupts.count, 1);
    at(800);
    add("SIGINT");
    assert.equal(interrupts.count, 2);
  }
});

Deno.test("who unsubscribes hears no more", () => {
  const { add, interrupts } = counter();
  let calls = 0;
  const stop = interrupts.subscribe(() => calls++);
  add("SIGINT");
  stop();
  add("SIGINT");
  assert.equal(calls, 1);
});
