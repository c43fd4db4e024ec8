import assert from "node:assert/strict";
import { delays, readChanges, readHealthy } from "../bench/agent.ts";
import type { Arena } from "../bench/arena.ts";
import { FAMILIES } from "../bench/families.ts";
import type { Family, Figure, Result } from "../bench/figure.ts";
import { readTimes } from "../bench/launch.ts";
import { chosen, measureFamily, parseBench, updated } from "../bench/main.ts";
import { readStream } from "../bench/network.ts";
import { cpuTicks, pssMb } from "../bench/processes.ts";
import { failuresOf, MARK, markdownOf, number, type Report, textOf } from "../bench/report.ts";
import { readPingPong } from "../bench/shm.ts";
import { addressOf, hostsFile } from "../bench/simulation.ts";
import { alternate, judge, median, quantile } from "../bench/stats.ts";

const figure = (more: Partial<Figure> = {}): Figure => ({
  name: "launch",
  what: "a launch",
  against: "plain ssh",
  goal: { at: "least", value: 5 },
  kind: "theirs/ours",
  unit: "ms",
  bound: "CPUs.",
  ...more,
});

Deno.test("median() and quantile() lie between two values where need be", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(quantile([10, 20, 30, 40, 50], 0.25), 20);
  assert.equal(quantile([7], 0.75), 7);
  assert.throws(() => median([]), /there are no values/);
});

Deno.test("alternate() goes A B A B, and the first round doesn't count", async () => {
  const order: string[] = [];
  const thing = (name: string) => () => Promise.resolve(order.push(name));
  const values = await alternate(2, { a: thing("a"), b: thing("b") });
  assert.deepEqual(order, ["a", "b", "a", "b", "a", "b"]);
  assert.deepEqual(values, { a: [3, 5], b: [4, 6] });
  assert.deepEqual(await alternate(1, { a: () => Promise.resolve(9) }, { warm: false }), { a: [9] });
});

Deno.test("judge() takes the median of the rounds' own ratios", () => {
  // The machine was four times slower in the last round: the ratio of the medians would be 2.
  const slow = { ours: [10, 10, 40], theirs: [60, 20, 240] };
  assert.deepEqual(judge(figure(), slow), {
    name: "launch",
    verdict: "met",
    value: 6,
    spread: [4, 6],
    ours: 10,
    theirs: 60,
    rounds: 3,
  });
  assert.equal(judge(figure(), { ours: [10], theirs: [49] }).verdict, "missed");
  assert.equal(
    judge(figure({ kind: "ours/theirs", goal: { at: "most", value: 2 } }), { ours: [4], theirs: [2] }).verdict,
    "met",
  );
  const { goal: _, ...shown } = figure({ kind: "ours" });
  assert.deepEqual(judge(shown, { ours: [3], note: "so" }), {
    ...{ name: "launch", verdict: "shown", value: 3, spread: [3, 3], ours: 3, rounds: 1, note: "so" },
  });
});

Deno.test("judge() fails what has no values, not as many of both, or no numbers", () => {
  const why = (sample: Parameters<typeof judge>[1]) => judge(figure(), sample).error;
  assert.equal(why(undefined), "was not measured");
  assert.equal(why("the engine is gone"), "the engine is gone");
  assert.equal(why({ ours: [] }), "has no values");
  assert.equal(why({ ours: [1, 2], theirs: [1] }), "has 2 values of ours and 1 of the other's");
  assert.equal(why({ ours: [1, 1], theirs: [3, NaN] }), "has values that are no numbers: 3 NaN");
});

Deno.test("a family that fails, or takes too long, leaves its reason, and an interrupt ends all", async () => {
  const arena = { signal: new AbortController().signal } as Arena;
  const family = (measure: Family["measure"], minutes = 1): Family => ({
    name: "f",
    figures: [figure()],
    minutes,
    measure,
  });
  const { signal } = new AbortController();
  const result = async (measured: Family) => (await measureFamily(measured, arena, signal)).results;
  assert.deepEqual(await result(family(() => Promise.resolve({ samples: { launch: { ours: [1], theirs: [6] } } }))), [
    { name: "launch", verdict: "met", value: 6, spread: [6, 6], ours: 1, theirs: 6, rounds: 1 },
  ]);
  const broken = family(() => Promise.reject(new Error("no engine")));
  assert.deepEqual(await result(broken), [{ name: "launch", verdict: "failed", error: "no engine" }]);
  const endless = family(
    (arena) => new Promise((resolve) => void arena.signal.addEventListener("abort", resolve as () => void)),
    0.001,
  );
  assert.deepEqual(await result(endless), [{
    name: "launch",
    verdict: "failed",
    error: "took more than 0.001 minutes",
  }]);
  const interrupt = new AbortController();
  const interrupted = measureFamily(family(() => new Promise(() => {})), arena, interrupt.signal);
  interrupt.abort(new Error("interrupted"));
  await assert.rejects(interrupted, /^Error: interrupted$/);
});

Deno.test("parseBench() reads what is wanted", () => {
  assert.deepEqual(parseBench([]), { only: [], json: undefined, from: [] });
  assert.deepEqual(parseBench(["--only", "a", "--json", "f", "--only", "b"]), {
    only: ["a", "b"],
    json: "f",
    from: [],
  });
  for (const args of [["--only"], ["--olny", "a"], ["a"], ["--json"], ["--from"]]) {
    assert.throws(() => parseBench(args), /is not understood\n {2}hint: \.\/dev bench /);
  }
});

Deno.test("chosen() takes families and single figures, and refuses what there is not", () => {
  const names = (only: string[]) => chosen(FAMILIES, only).map(({ name, figures }) => [name, figures.length]);
  assert.deepEqual(names(["help", "scale"]), [["cli", 1], ["scale", 1]]);
  assert.equal(chosen(FAMILIES, []).length, FAMILIES.length);
  assert.throws(() => chosen(FAMILIES, ["speed"]), /there is no figure "speed"\n {2}hint: families are cli, /);
});

Deno.test("each figure has a name of its own, and each that can be missed says what bounds it", () => {
  const figures = FAMILIES.flatMap(({ figures }) => figures);
  const names = [...FAMILIES.map(({ name }) => name), ...figures.map(({ name }) => name)];
  assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
  for (const { name, goal, bound } of figures) {
    assert.ok(goal === undefined || (bound ?? "").length > 20, `${name} does not say what bounds it`);
  }
});

const RESULTS: Result[] = [
  { name: "launch", verdict: "missed", value: 3.14159, spread: [3, 3.5], ours: 311, theirs: 993.4, rounds: 5 },
  { name: "cpu", verdict: "met", value: 0.5, spread: [0.4, 0.6], ours: 0.5, rounds: 3, note: "of one." },
  { name: "x", verdict: "failed", error: "no swarm\nmore" },
  { name: "y", verdict: "failed", error: "no swarm\nmore" },
];
const FIGURES: Family[] = [{
  name: "family",
  minutes: 1,
  measure: () => Promise.resolve({ samples: {} }),
  figures: [
    figure(),
    figure({ name: "cpu", what: "cpu", kind: "ours", unit: "%", goal: { at: "most", value: 1 } }),
    figure({ name: "x" }),
    figure({ name: "y" }),
  ],
}];
const REPORT: Report = {
  date: "2026-11-23",
  version: "commit abc",
  minutes: 14,
  machine: {
    ...{ cpu: "A CPU", cpus: 2, memoryGb: 24, kernel: "6.1", system: "Debian", engine: "20.10", client: "28.2" },
    load: [0.5, 2.1],
  },
  results: RESULTS,
  tables: [{ title: "A curve", head: ["n", "s"], rows: [["100", "1 s"]] }],
};

Deno.test("the table shows each figure beside its goal, then why it was missed or failed", () => {
  const text = markdownOf(FIGURES, REPORT);
  assert.equal(text.split("\n")[0], MARK);
  assert.match(
    text,
    /^\| a launch \| plain ssh \| at least 5 × \| 3\.14 × \| 3\.00 to 3\.50 \| 311 ms \| 993 ms \| \*\*missed\*\* \|$/m,
  );
  assert.match(text, /^\| cpu \| plain ssh \| at most 1 % \| 0\.5 % \| 0\.4 to 0\.6 \| – \| – \| met \|$/m);
  assert.match(
    text,
    /^## Where a goal is missed\n\n- \*\*a launch\*\*, beside plain ssh: 3\.14, at least 5 wanted\. CPUs\.$/m,
  );
  assert.match(text, /^## What failed\n\n- `x`, `y`: no swarm$/m);
  assert.match(text, /^## To know of it\n\n- `cpu`: of one\.$/m);
  assert.match(text, /^## A curve\n\n\| n \| s \|\n\| --- \| --- \|\n\| 100 \| 1 s \|$/m);
  assert.match(text, /2026-11-23, commit abc, in 14 minutes, on 2 CPUs \(A CPU\)/);
  assert.match(textOf(FIGURES, REPORT), /^launch +at least 5 × +3\.14 × .* missed$/m);
  assert.deepEqual(failuresOf(RESULTS), [{ names: ["x", "y"], error: "no swarm\nmore" }]);
});

Deno.test("updated() takes the results of a later run, and says so", () => {
  const better: Result = { name: "launch", verdict: "met", value: 6, note: "so." };
  const later = { ...REPORT, date: "2026-11-24", results: [better], tables: [] };
  const { results, tables } = updated(REPORT, later);
  const note = "so. measured again, on 2026-11-24 with a load average of 0.5 to 2.1.";
  assert.deepEqual(results, [{ ...better, note }, ...RESULTS.slice(1)]);
  assert.deepEqual(tables, REPORT.tables);
});

Deno.test("number() shows three digits that count", () => {
  assert.deepEqual([0.0742, 0.5, 3.14159, 31.4159, 314.159, 31415.9, 0].map(number), [
    ...["0.074", "0.5", "3.14", "31.4", "314", "31416", "0"],
  ]);
});

Deno.test("what programs print is read", () => {
  assert.deepEqual(readTimes("ours 311000\nplain 993000\nours 300500\nnoise\n"), { ours: [311, 300.5], plain: [993] });
  assert.deepEqual(readPingPong("warning\n1 0.450 2.2\n4194304 470.1 8922.0\n"), [
    { bytes: 1, latency: 0.45, bandwidth: 2.2 },
    { bytes: 4194304, latency: 470.1, bandwidth: 8922 },
  ]);
  assert.equal(readStream('{"end": {"sum_received": {"bits_per_second": 8e9}}}'), 1000);
  assert.throws(() => readStream('{"error": "no route"}'), /iperf3: no route/);
  assert.equal(pssMb("Rss: 9 kB\nPss:    1000 kB\nPss_Anon: 7 kB\nPss: 24 kB\n"), 1.048576);
});

Deno.test("delays() looks for the change that an event brings about", () => {
  const changes = readChanges("1000000 31\n2100000 30\n4500000 31\n7000000 30\n");
  assert.deepEqual(delays(changes, [2, 6.5], -1).map((each) => each.toFixed(1)), ["0.1", "0.5"]);
  const healthy = readHealthy("4000000000 health_status: healthy\n9000000000 health_status: unhealthy\n");
  assert.deepEqual(delays(changes, healthy, 1), [0.5]);
});

Deno.test("cpuTicks() counts a session with its children that have ended", () => {
  const stat = (session: number, name: string) => `7 (${name}) S 1 7 ${session} 0 -1 0 0 0 0 0 10 20 3 4 20 0 1 0 99`;
  assert.equal(cpuTicks(`${stat(5, "a b) c")}\n${stat(6, "x")}\n${stat(5, "y")}\n`, "5"), 74);
  assert.equal(cpuTicks(`${stat(5, "a")}\n${stat(6, "x")}\n`), 74);
});

Deno.test("simulated workers have addresses and names of their own", () => {
  const all = Array.from({ length: 1000 }, (_, index) => addressOf(index + 1));
  assert.equal(new Set(all).size, 1000);
  for (const address of all) assert.ok(/^10\.99\.[0-4]\.([1-9]|\d\d|1\d\d|2[0-4]\d|250)$/.test(address), address);
  assert.match(hostsFile(2), /^10\.99\.0\.3 sim_worker\.2\.task\.sim_cluster tasks\.sim_worker$/m);
});

Deno.test("BENCHMARKS.md was written by the suite and has every figure", async () => {
  const text = await Deno.readTextFile(new URL("../../BENCHMARKS.md", import.meta.url));
  assert.ok(text.startsWith(MARK));
  const squeezed = text.replace(/ +/g, " ");
  for (const { what, against } of FAMILIES.flatMap(({ figures }) => figures)) {
    assert.ok(squeezed.includes(`| ${what} | ${against} |`), `${what} is not there`);
  }
});
