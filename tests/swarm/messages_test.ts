import assert from "node:assert/strict";
import { expectOk, IMPLEMENTATIONS, openWorld } from "../support/swarm.ts";

for (const mpi of IMPLEMENTATIONS) {
  Deno.test(`messages of every size must travel between nodes and within them, and the program must end: ${mpi}`, async () => {
    await using world = await openWorld({ mpi });
    await using _cluster = await world.shared(2);
    for (const bytes of ["1000", "8000000"]) {
      for (
        const where of [["-n", "8"], ["-n", "4", "--hosts", "worker-2"], ["-n", "2", "--hosts", "worker-1,worker-2"]]
      ) {
        const { stdout } = await expectOk(world.docker(["mpi", "run", ...where, "./mpi_probe", "ring", bytes]));
        assert.equal(stdout.trim().split("\n").length, Number(where[1]));
      }
    }
  });
}

Deno.test("UCX leaves TCP alone where one node has all ranks, unless it is told otherwise", async () => {
  await using world = await openWorld({ mpi: "mpich" });
  await using _cluster = await world.shared(2);
  const transports = async (...where: string[]) => {
    const program = ["sh", "-c", "echo ${UCX_TLS-its own}"];
    const { stdout } = await expectOk(world.docker(["mpi", "run", "-n", "2", ...where, ...program]));
    return stdout.trim().split("\n");
  };
  assert.deepEqual(await transports("--hosts", "worker-2"), ["sm,self", "sm,self"]);
  assert.deepEqual(await transports("--hosts", "worker-1,worker-2"), ["its own", "its own"]);
  assert.deepEqual(await transports("--hosts", "worker-2", "-e", "UCX_TLS=all"), ["all", "all"]);
});
