/** What tests make of the answers of nodes. */
import assert from "node:assert/strict";
import { leftOf } from "../support/nodes.ts";

Deno.test("what is left on nodes is named with its node", () => {
  assert.deepEqual(leftOf({ master: "looked", "worker-1": "./a b\n12 mpi_rank\nlooked" }), [
    "worker-1: ./a b",
    "worker-1: 12 mpi_rank",
  ]);
  assert.deepEqual(leftOf({ master: "looked" }), []);
});

Deno.test("where nobody looked, it is not said that nothing is left", () => {
  assert.throws(() => leftOf({}), /no node/);
  for (const text of ["", "./a b"]) {
    assert.throws(() => leftOf({ master: "looked", "worker-1": text }), /^Error: worker-1 could not be asked/);
  }
});
