import assert from "node:assert/strict";
import { pickLate, type ProgressRow, renderPlain, renderRows, withEvent } from "../../cli/output/progress.ts";
import type { Event } from "../../stack/event.ts";
import { fakeWorld } from "../support/cli.ts";

const events: [at: number, event: Event][] = [
  [0, { resource: "image", state: "working", text: "building" }],
  [1200, { resource: "image", state: "done", text: "built" }],
  [1300, { resource: "workers", state: "working", text: "3 of 5 answer" }],
  [1400, { resource: "mtu", state: "warning", text: "small" }],
];

const rows = events.reduce((rows: ProgressRow[], [at, event]) => withEvent(rows, event, at), []);

Deno.test("renderRows() shows a line for each resource, what is done with the time it took", () => {
  assert.deepEqual(renderRows(rows, { now: 3400, columns: 44, color: false }), [
    " ✔ image    built                      1.2s",
    " ⠼ workers  3 of 5 answer              2.1s",
    " ! mtu      small                      0.0s",
  ]);
});

Deno.test("renderRows() keeps the lines shorter than the terminal is wide", () => {
  const long = withEvent([], { resource: "master", state: "working", text: "x".repeat(200) }, 0);
  for (const columns of [30, 80]) {
    const [line = ""] = renderRows(long, { now: 61_000, columns, color: false });
    assert.equal(line.length, columns - 1);
    assert.match(line, /x… {2}61\.0s$/);
  }
  assert.doesNotThrow(() => renderRows(long, { now: 0, columns: 5, color: false }));
});

Deno.test("renderRows() lets nothing move the cursor, and counts what is wide as two", () => {
  const odd = withEvent([], { resource: "image 速い", state: "working", text: "a\nb\x1b[2J 速い" }, 0);
  const view = { now: 0, color: false };
  assert.deepEqual(renderRows(odd, { ...view, columns: 50 }), [" ⠋ image 速い  a\\u000ab\\u001b[2J 速い        0.0s"]);
  assert.deepEqual(renderRows(odd, { ...view, columns: 43 }), [" ⠋ image 速い  a\\u000ab\\u001b[2J 速…  0.0s"]);
  assert.deepEqual(renderRows(odd, { ...view, columns: 42 }), [" ⠋ image 速い  a\\u000ab\\u001b[2J …   0.0s"]);
});

Deno.test("renderRows() colours the mark alone", () => {
  const [line = ""] = renderRows(rows, { now: 0, columns: 44, color: true });
  assert.match(line.replaceAll("\x1b", "ESC"), /^ ESC\[32m✔ESC\[0m image {4}built/);
});

Deno.test("withEvent() leaves the rows before alone", () => {
  const before = withEvent([], events[0]![1], 0);
  withEvent(before, events[1]![1], 5);
  assert.equal(before[0]?.event.state, "working");
});

Deno.test("renderPlain() marks warnings", () => {
  assert.equal(renderPlain({ resource: "mtu", state: "warning", text: "small" }), "mtu: warning: small");
  assert.equal(renderPlain({ resource: "image", state: "done", text: "built" }), "image: built");
  assert.equal(renderPlain({ resource: "a\tb", state: "done", text: "c\nd\x9b" }), "a\\u0009b: c\\u000ad\\u009b");
});

Deno.test("plain progress is a line for each change, on standard error; quiet progress is nothing", async () => {
  for (const [mode, err] of [["auto", "image: building\nimage: built\n"], ["quiet", ""]] as const) {
    const world = fakeWorld();
    const progress = world.deps.progress(mode);
    progress.report(events[0]![1]);
    progress.report(events[0]![1]);
    progress.report(events[1]![1]);
    await progress.stop();
    assert.deepEqual([world.out(), world.err()], ["", err]);
  }
});

Deno.test("terminal progress redraws its lines in place and leaves the last state", async () => {
  const world = fakeWorld();
  const progress = world.deps.progress("tty");
  for (const [, event] of events.slice(0, 3)) progress.report(event);
  await progress.stop();
  const screen: string[] = [];
  let at = 0;
  for (const part of world.err().replaceAll("\x1b", "ESC").split(/(ESC\[\d+A)|\n/).filter((part) => part)) {
    const up = /^ESC\[(\d+)A$/.exec(part)?.[1];
    if (up) at -= Number(up);
    else screen[at++] = part.replace("\rESC[2K", "");
  }
  assert.equal(screen.length, 2);
  assert.match(screen[0] ?? "", /^ ✔ image {4}built/);
  assert.match(screen[1] ?? "", /^ . workers {2}3 of 5 answer/);
});

Deno.test("terminal progress that is stopped twice leaves alone what was written in between", async () => {
  const world = fakeWorld();
  const progress = world.deps.progress("tty");
  progress.report(events[0]![1]);
  await progress.stop();
  const once = world.err();
  await progress.stop();
  assert.equal(world.err(), once);
});

const waiting = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `worker-${index + 1}`, text: "preparing on box" }));

Deno.test("renderRows() shows below a row what it still waits for, and no more than a screen has room for", () => {
  const shown = (count: number) => {
    const event: Event = { resource: "nodes", state: "working", text: "1 of 9 run", waiting: waiting(count) };
    return renderRows(withEvent([], event, 0), { now: 0, columns: 44, color: false }).slice(1);
  };
  assert.deepEqual(shown(0), []);
  assert.deepEqual(shown(2), ["          worker-1  preparing on box", "          worker-2  preparing on box"]);
  assert.equal(shown(8).at(-1), "          worker-8  preparing on box");
  assert.deepEqual(shown(30).slice(-2), ["          worker-7  preparing on box", "          … and 23 more"]);
});

Deno.test("a log names what has been waited for for long, once for each reason", () => {
  const late = pickLate();
  const names = (now: number, text: string, ...waiting: string[]) =>
    late(waiting.map((name) => ({ name, text })), now).map(({ name }) => name);
  assert.deepEqual(names(0, "starting", "a", "b"), []);
  assert.deepEqual(names(4999, "starting", "a", "b"), []);
  assert.deepEqual(names(5000, "starting", "a"), ["a"]);
  assert.deepEqual(names(6000, "starting", "a"), [], "said already");
  assert.deepEqual(names(7000, "pending", "a", "b"), ["a"], "b came back");
});

Deno.test("terminal progress wipes the lines of what is no longer waited for", async () => {
  const world = fakeWorld();
  const progress = world.deps.progress("tty");
  progress.report({ resource: "nodes", state: "working", text: "1 of 3 run", waiting: waiting(2) });
  progress.report({ resource: "nodes", state: "done", text: "3 of 3 answer" });
  await progress.stop();
  const last = world.err().replaceAll("\x1b", "ESC").split("ESC[1A").at(-1) ?? "";
  assert.match(
    world.err().replaceAll("\x1b", "ESC"),
    /ESC\[3A[^\n]*answer[^\n]*\n\rESC\[2K\n\rESC\[2K\nESC\[2A/,
  );
  assert.doesNotMatch(last, /worker/);
});
