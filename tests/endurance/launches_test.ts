/**
 * Launches in a row: each one brings a line from every rank, and ends with 0. A launcher as it comes loses lines in one run of
 * a hundred. MPI_TEST_ROUNDS=10 is short.
 */
import assert from "node:assert/strict";
import { labTest } from "../lab/mod.ts";
import { openSeededWorld } from "../lab/world.ts";
import { measured, stopwatch } from "../support/measured.ts";
import { nodeNames } from "../support/nodes.ts";
import { expectOk } from "../support/swarm.ts";

const ROUNDS = Number(Deno.env.get("MPI_TEST_ROUNDS") || "100");
const WORKERS = 30;

labTest(`${ROUNDS} launches on 31 nodes bring 31 lines each, by docker mpi run and by mpirun`, async (lab, t) => {
  await using world = await openSeededWorld(lab);
  await using _cluster = await world.cluster(WORKERS);
  for (const words of [["run"], ["exec", "mpirun"]]) {
    await t.step(words.join(" "), async () => {
      const time = stopwatch();
      for (let round = 1; round <= ROUNDS; round++) {
        const { stdout, stderr } = await expectOk(world.docker(["mpi", ...words, "hostname"]));
        assert.deepEqual(stdout.trim().split("\n").sort(), nodeNames(WORKERS).sort(), `round ${round}`);
        assert.equal(stderr, "", `round ${round}`);
      }
      measured(`docker mpi ${words.join(" ")} hostname on 31 nodes, the mean of ${ROUNDS}`, time() / ROUNDS);
    });
  }
});
