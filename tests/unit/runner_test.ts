import assert from "node:assert/strict";
import { isShell } from "../runner/gates.ts";
import { judge } from "../runner/group.ts";
import { limiter } from "../runner/limit.ts";
import { planOf } from "../runner/plan.ts";
import { Tally, tallyOf } from "../runner/tally.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.014">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="one" classname="./a_test.ts" time="0.004" line="1" col="6">
        </testcase>
        <testcase name="two" classname="./a_test.ts" time="0.004" line="1" col="6"/>
        <testcase name="bad &quot; &amp; thing" classname="./a_test.ts" time="0.008" line="2" col="6">
            <failure message="Uncaught Error: no &lt;skipped/&gt;">Error: no

  &lt;a&gt; !== &lt;b&gt;
    at file:///tests/a_test.ts:2:71</failure>
        </testcase>
        <testcase name="later" classname="./a_test.ts" time="0.000" line="3" col="11">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("tallyOf() counts a report of deno test", () => {
  const tally = tallyOf(REPORT, "unit");
  assert.equal(tally.passed, 2);
  assert.deepEqual(tally.failed, ['unit: bad " & thing\n    Error: no\n      <a> !== <b>']);
  assert.deepEqual(tally.skipped, ["unit: later"]);
});

Deno.test("Tally names what needs attention and ends with the counts", () => {
  const tally = tallyOf(REPORT, "unit");
  tally.measured.push("a thing: 0.1 s");
  assert.equal(
    tally.report,
    '\nMEASURED: a thing: 0.1 s\nSKIPPED: unit: later\nFAILED: unit: bad " & thing\n    Error: no\n      <a> !== <b>\n' +
      "2 passed, 1 failed, 1 skipped",
  );
  assert.equal(new Tally().report, "\n0 passed, 0 failed");
});

Deno.test("Tally is ok only if something ran and nothing failed", () => {
  const tally = new Tally();
  assert.equal(tally.ok, false);
  tally.passed = 1;
  assert.equal(tally.ok, true);
  tally.failed.push("x");
  assert.equal(tally.ok, false);
});

Deno.test("judge() counts a group that crashed, took too long or had no test as failed", () => {
  const group = { name: "swarm", minutes: 30 };
  const passing = () => tallyOf('<testcase name="a"></testcase>', "swarm");
  assert.deepEqual(judge(group, 0, passing()).failed, []);
  assert.deepEqual(judge(group, 1, passing()).failed, ["swarm: deno test ended with 1"]);
  assert.deepEqual(judge(group, 1, new Tally()).failed, ["swarm: deno test ended with 1"]);
  assert.deepEqual(judge(group, 0, new Tally()).failed, ["swarm: no test ran"]);
  assert.deepEqual(judge(group, 124, new Tally()).failed, ["swarm: ended after its time limit of 30 min"]);
  const skipped = tallyOf('<testcase name="a"><skipped/></testcase>', "swarm");
  assert.deepEqual(judge(group, 0, skipped).failed, ["swarm: no test ran"]);
});

Deno.test("limiter() gives up a test that takes too long, and starts none after it", async () => {
  const limited = limiter(0.02);
  const late = Promise.withResolvers<void>();
  const started: string[] = [];
  const test = (name: string, end: Promise<void>) =>
    limited(({ name }) => {
      started.push(name);
      return end;
    })({ name } as Deno.TestContext);
  await test("quick", Promise.resolve());
  await assert.rejects(test("bad", Promise.reject(new TypeError("odd"))), TypeError);
  await assert.rejects(test("late", late.promise), /^Error: given up: it took over 0\.02 s, the limit of a test$/);
  const refusal = /^Error: not started: the test "late" did not end$/;
  await assert.rejects(test("next", Promise.resolve()), refusal);
  late.resolve();
  await assert.rejects(test("last", Promise.resolve()), refusal);
  assert.deepEqual(started, ["quick", "bad", "late"]);
});

const FILES = [
  { path: "tests/swarm/run_test.ts", text: 'Deno.test("a program must run"' },
  { path: "tests/more/lab/run_test.ts", text: 'Deno.test("a host is lost"' },
  { path: "tests/unit/keys_test.ts", text: 'Deno.test("planKeys()"' },
];
const files = () => Promise.resolve(FILES);

Deno.test("planOf() runs what each commit needs when nothing is named, with one MPI", async () => {
  const { gates, groups, mpis } = await planOf([], () => Promise.reject("not needed"));
  assert.equal(gates, true);
  assert.deepEqual((await planOf(["swarm"], files, "openmpi")).mpis, ["mpich", "openmpi"]);
  assert.deepEqual((await planOf(["swarm/run_test"], files)).mpis, ["mpich"]);
  assert.deepEqual(groups.map(({ name }) => name), ["unit", "examples", "plugin", "box", "swarm", "lab"]);
  assert.deepEqual(mpis, ["mpich"]);
});

Deno.test("planOf() takes the word of a group, or all of them", async () => {
  const unit = await planOf(["unit"], files);
  assert.equal(unit.gates, false);
  assert.deepEqual(unit.groups.map(({ name }) => name), ["unit", "examples"]);
  const all = await planOf(["all"], files);
  assert.equal(all.gates, true);
  assert.ok(all.groups.some(({ name }) => name === "more/swarm"));
  assert.deepEqual(all.mpis, ["mpich", "openmpi"]);
});

Deno.test("planOf() finds files by their path, or else by their text", async () => {
  const byPath = await planOf(["run_test"], files);
  assert.deepEqual(byPath.groups.map(({ name, paths }) => [name, paths]), [
    ["swarm", ["tests/swarm/run_test.ts"]],
    ["more/lab", ["tests/more/lab/run_test.ts"]],
  ]);
  const byText = await planOf(["planKeys"], files);
  assert.deepEqual(byText.groups.map(({ paths }) => paths), [["tests/unit/keys_test.ts"]]);
  await assert.rejects(planOf(["units"], files), /there are no tests "units"\n {2}hint: /);
  await assert.rejects(planOf(["--keys"], files), /takes no option --keys\n {2}hint: /);
});

Deno.test("isShell() goes by the first line", () => {
  for (const line of ["#!/bin/sh", "#!/usr/bin/env bash", "#! /bin/bash -e", "#!/bin/dash"]) assert.ok(isShell(line));
  for (const line of ["", "#!/usr/bin/env python3", "# /bin/sh", "#!/usr/bin/fish"]) assert.ok(!isShell(line));
});
