import assert from "node:assert/strict";
import { filtered, readFilter } from "../../cli/output/filter.ts";

const rows = [
  { Name: "master", State: "running", Host: "a" },
  { Name: "worker-1", State: "running", Host: "b" },
  { Name: "worker-2", State: "failed", Host: "b" },
  { Name: "worker-3", State: "pending", Host: "" },
];
const columns = {
  NAME: (row: typeof rows[0]) => row.Name,
  STATE: (row: typeof rows[0]) => row.State,
  HOST: (row: typeof rows[0]) => row.Host,
};
const names = (...filters: string[]) =>
  filtered(rows, filters.reduce((before, text) => readFilter(text, before), readFilter(filters[0]!)), columns)
    .map(({ Name }) => Name);

Deno.test("filtered() keeps what has one of the texts in each column", () => {
  assert.deepEqual(filtered(rows, undefined, columns), rows);
  assert.deepEqual(names("host=b"), ["worker-1", "worker-2"]);
  assert.deepEqual(names("HOST=b", "state=running"), ["worker-1"]);
  assert.deepEqual(names("state=failed", "state=pending"), ["worker-2", "worker-3"]);
  assert.deepEqual(names("host="), ["worker-3"]);
  assert.deepEqual(names("name=worker"), []);
});

Deno.test("filtered() names the columns there are", () => {
  assert.throws(() => names("nmae=master"), {
    code: "usage",
    message: 'There is no column "nmae" to filter by: the columns are name, state, host',
  });
  assert.throws(() => filtered([], readFilter("x=y"), columns), { code: "usage" });
});

Deno.test("readFilter() refuses what is no COLUMN=TEXT", () => {
  for (const text of ["", "state", "=running"]) {
    assert.throws(() => readFilter(text), { message: "must be COLUMN=TEXT, such as state=running" });
  }
  assert.deepEqual([...readFilter("command=a=b")], [["command", ["a=b"]]]);
});
