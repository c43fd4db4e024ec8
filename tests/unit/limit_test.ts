import assert from "node:assert/strict";
import { MpiError } from "../../stack/errors.ts";
import { pause, poll, withinLimit } from "../../stack/limit.ts";
import { fakeClock } from "../support/fake_clock.ts";

const signal = new AbortController().signal;
const limit = { timeout: 60_000, signal };
const late = () => new MpiError("timeout", "Too late");

Deno.test("poll() asks four times a second until there is an answer", async () => {
  using clock = fakeClock();
  let asked = 0;
  assert.equal(await poll(() => Promise.resolve(++asked === 5 ? "yes" : undefined), limit, late), "yes");
  assert.equal(clock.now(), 1000);
});

Deno.test("poll() gives up at the limit, and not before", async () => {
  using clock = fakeClock();
  await assert.rejects(poll(() => Promise.resolve(undefined), { timeout: 10_000, signal }, late), /Too late/);
  assert.equal(clock.now(), 10_000);
});

Deno.test("poll() asks once, however short the time", async () => {
  using _clock = fakeClock();
  assert.equal(await poll(() => Promise.resolve(1), { timeout: 0, signal }, late), 1);
});

Deno.test("poll() ends at once when the user gives up, before and while it waits", async () => {
  const error = new Error("stopped");
  const never = () => Promise.reject(new Error("asked"));
  await assert.rejects(poll(never, { timeout: 1000, signal: AbortSignal.abort(error) }, late), error);
  const controller = new AbortController();
  const begin = Date.now();
  const waiting = poll(() => Promise.resolve(undefined), { timeout: 1e6, signal: controller.signal }, late);
  queueMicrotask(() => controller.abort(error));
  await assert.rejects(waiting, error);
  assert.ok(Date.now() - begin < 200);
});

Deno.test("pause() does not begin when the user has given up", async () => {
  const error = new Error("stopped");
  await assert.rejects(pause(1e6, AbortSignal.abort(error)), error);
});

Deno.test("poll() passes on what goes wrong", async () => {
  await assert.rejects(poll(() => Promise.reject(new TypeError("odd")), limit, late), TypeError);
});

Deno.test("withinLimit() ends what takes too long, or what the user gives up, and nothing else", async () => {
  const heeds = (signal: AbortSignal) =>
    new Promise<string>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  assert.equal(await withinLimit(limit, () => Promise.resolve("done"), late), "done");
  await assert.rejects(withinLimit({ timeout: 10, signal }, heeds, late), /Too late/);
  const stopped = AbortSignal.timeout(10);
  await assert.rejects(withinLimit({ timeout: 60_000, signal: stopped }, heeds, late), { name: "TimeoutError" });
  await assert.rejects(withinLimit(limit, () => Promise.reject(new TypeError("odd")), late), TypeError);
});
