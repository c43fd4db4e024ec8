import assert from "node:assert/strict";
import { expectOk, openWorld } from "../support/swarm.ts";

Deno.test("a cluster must run a program on every rank", async () => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(2);
  const { stdout } = await expectOk(world.docker(["mpi", "run", "./mpi_hello_world"]));
  assert.deepEqual(stdout.trim().split("\n").sort(), [
    "Hello from rank 0 of 3 on master",
    "Hello from rank 1 of 3 on worker-1",
    "Hello from rank 2 of 3 on worker-2",
  ]);
});
