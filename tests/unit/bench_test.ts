import assert from "node:assert/strict";
import { FAMILIES, readPingPong } from "../bench/families.ts";
import { parse } from "../bench/main.ts";
import { jsonOf, markdownOf, number, spreadText, tableOf } from "../bench/report.ts";
import { alternate, median, type Row, rowOf, type Sample, spreadOf } from "../bench/stats.ts";

const sample = (more: Partial<Sample> = {}): Sample => ({
  what: "`docker mpi run true`",
  against: "`mpirun true`",
  unit: "s",
  ours: [0.3, 0.2, 0.4],
  theirs: [0.1, 0.1, 0.1],
  ...more,
});

Deno.test("median() lies between two values where need be", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), /there are no values/);
  assert.deepEqual(spreadOf([10, 9, 30]), { median: 10, min: 9, max: 30 });
});

Deno.test("rowOf() takes the median of the rounds' own ratios", () => {
  // The machine was four times slower in the last round: the ratio of the medians would be 1/6.
  const slow = sample({ ours: [10, 10, 40], theirs: [60, 20, 160] });
  const { ratio, rounds, ours, theirs } = rowOf("launch", slow);
  assert.deepEqual({ ratio, rounds }, { ratio: 0.25, rounds: 3 });
  assert.deepEqual([ours.median, theirs.median], [10, 60]);
});

Deno.test("rowOf() refuses what has not as many values of both, or none that can be", () => {
  assert.throws(() => rowOf("launch", sample({ theirs: [1] })), /true` has 3 values of ours and 1 of the other's/);
  assert.throws(() => rowOf("launch", sample({ theirs: [1, NaN, 0] })), /has values that can't be: NaN 0/);
  assert.throws(() => rowOf("launch", sample({ ours: [], theirs: [] })), /there are no values/);
});

Deno.test("alternate() goes A B A B, and the first round doesn't count", async () => {
  const order: string[] = [];
  const thing = (name: string) => () => Promise.resolve(order.push(name));
  const values = await alternate(2, { a: thing("a"), b: thing("b") });
  assert.deepEqual(order, ["a", "b", "a", "b", "a", "b"]);
  assert.deepEqual(values, { a: [3, 5], b: [4, 6] });
});

Deno.test("readPingPong() takes latency of the small messages and bandwidth of the large ones", () => {
  const text = "a warning\n1 0.450 2.2\n4000000 470.1 8922.0\n";
  assert.deepEqual(readPingPong(text), { latency: 0.45, bandwidth: 8922 });
  assert.throws(() => readPingPong("1 0.450 2.2\n"), /ping_pong printed "1 0/);
});

Deno.test("numbers have three digits that count, and short times are in milliseconds", () => {
  assert.deepEqual([0.07421, 0.5, 3.14159, 31.4159, 314.159, 31415.9].map(number), [
    ...["0.0742", "0.5", "3.14", "31.4", "314", "31416"],
  ]);
  assert.equal(spreadText({ median: 0.3, min: 0.2, max: 1.2 }, "s"), "300 ms (200..1200)");
  assert.equal(spreadText({ median: 3.14159, min: 3, max: 3.5 }, "s"), "3.14 s (3..3.5)");
  assert.equal(spreadText({ median: 0.45, min: 0.4, max: 0.5 }, "µs"), "0.45 µs (0.4..0.5)");
});

const ROWS: Row[] = [rowOf("launch", sample()), rowOf("messages", sample({ what: "bandwidth", unit: "MB/s" }))];

Deno.test("the table is for people, and the rows are for programs", () => {
  assert.deepEqual(tableOf(ROWS).split("\n").map((line) => line.replace(/ {3,}/g, " | ")), [
    "FAMILY | WHAT | AGAINST | OURS | THE RAW THING | RATIO",
    "launch | docker mpi run true | mpirun true | 300 ms (200..400) | 100 ms (100..100) | 3",
    "messages | bandwidth | mpirun true | 0.3 MB/s (0.2..0.4) | 0.1 MB/s (0.1..0.1) | 3",
  ]);
  assert.deepEqual(jsonOf(ROWS).split("\n").map((line) => JSON.parse(line)), ROWS);
});

Deno.test("BENCHMARKS.md has the machine, the table, how to repeat it, and what is not in there", async () => {
  const template = await Deno.readTextFile(new URL("../bench/template.md", import.meta.url));
  const text = markdownOf(template, ROWS, "On 2 CPUs.");
  assert.match(text, /^On 2 CPUs\.$/m);
  assert.match(text, /^\| launch \| `docker mpi run true` \| `mpirun true` \| 300 ms \(200\.\.400\) \| .* \| 3 \|$/m);
  assert.match(text, /Rounds: launch 3, messages 3, after one/);
  for (const words of ["./dev bench", "IPVS", "IPsec", "Real networks"]) assert.ok(text.includes(words), words);
});

Deno.test("parse() reads families and options, and refuses what there is not", () => {
  const all = Object.keys(FAMILIES);
  assert.deepEqual(all, ["cli", "deploy", "launch", "copy", "messages"]);
  assert.deepEqual(parse([]), { families: all, format: "table", write: false });
  assert.deepEqual(parse(["copy", "--format", "json", "cli"]), {
    families: ["cli", "copy"],
    format: "json",
    write: false,
  });
  assert.deepEqual(parse(["--write", "--format=json"]), { families: all, format: "json", write: true });
  assert.throws(() => parse(["speed"]), /there is no family "speed", want cli, .*\n {2}hint: \.\/dev bench --help/);
  assert.throws(() => parse(["--format", "yaml"]), /the format is "yaml", want table or json/);
  assert.throws(() => parse(["--wirte"]), /Unknown option '--wirte'/);
  assert.throws(() => parse(["cli", "--write"]), /--write wants all families/);
});
