/** Which docker commands tests are made for. */
import assert from "node:assert/strict";
import { missingClients } from "../support/plugin_cli.ts";

for (
  const [majors, missing] of [
    [[20, 28], []],
    [[28], ["docker < 23 is not here"]],
    [[20, 23], ["docker >= 25 is not here"]],
  ] as const
) {
  Deno.test(`with docker ${majors.join(" and ")} the report of a run names ${missing.length} clients`, () => {
    assert.deepEqual(missingClients(majors.map((major) => ({ major }))), missing);
  });
}
