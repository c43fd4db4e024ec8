import assert from "node:assert/strict";
import { collect, duration, integer, keyValue } from "../../cli/command_line/flags.ts";

Deno.test("integer() takes whole numbers of its range", () => {
  const workers = integer({ min: 1, max: 2000 });
  for (const [text, value] of [["1", 1], ["2000", 2000], ["+5", 5], ["007", 7]] as const) {
    assert.equal(workers(text), value);
  }
  for (const text of ["0", "-1", "2001", "1e9", "1e3", "abc", "", " 5", "5.0", "0x10", "Infinity", "9".repeat(400)]) {
    assert.throws(() => workers(text), { message: "must be a whole number from 1 to 2000" }, text);
  }
});

Deno.test("duration() takes Docker's notation", () => {
  const cases = {
    "90s": 90_000,
    "5m": 300_000,
    "1h30m": 5_400_000,
    "500ms": 500,
    "1.5h": 5_400_000,
    "90": 90_000,
    "0.1ms": 1,
  };
  for (const [text, value] of Object.entries(cases)) assert.equal(duration(text), value, text);
});

Deno.test("duration() refuses what has no length or no end, and other notations", () => {
  for (const text of ["", "s", "-90", "9e1", "5 m", "-5s", "0s", "5d", "1h30", "1e3s", "5m!", "m5"]) {
    assert.throws(() => duration(text), { message: "must be a duration such as 90s, 5m or 1h30m" }, text);
  }
  assert.throws(() => duration("577h"), { message: "must not be longer than 576h" });
  assert.ok(duration("576h") < 2 ** 31);
});

Deno.test("keyValue() splits at the first equals sign and refuses what has none", () => {
  assert.deepEqual(keyValue("A="), { A: "" });
  assert.deepEqual(keyValue("A=2", { A: "1" }), { A: "2" });
  for (const text of ["=1", "", "A B"]) assert.throws(() => keyValue(text), { message: "must be KEY=VALUE" });
  assert.throws(() => keyValue("A"), { message: 'must be KEY=VALUE; A="$A" passes on your own' });
});

Deno.test("collect() keeps the order and leaves the list before alone", () => {
  const before = ["a"];
  assert.deepEqual(collect("b", before), ["a", "b"]);
  assert.deepEqual(before, ["a"]);
});
