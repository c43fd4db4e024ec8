/** That jobs and lists stay true while a cluster on several hosts grows and shrinks. */
import assert from "node:assert/strict";
import { SLEEP, startJob } from "../../support/job.ts";
import { measured, stopwatch } from "../../support/measured.ts";
import { hostNames, nodeNames, noProcess } from "../../support/nodes.ts";
import { expectOk } from "../../support/swarm.ts";
import { labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";

labTest("a cluster is scaled while jobs run: what stays is not touched, what goes ends clearly", async (lab, t) => {
  await using world = await openLabWorld(lab);
  await using _cluster = await world.cluster(3);
  const scale = async (workers: number) => {
    const time = stopwatch();
    const { stdout } = await expectOk(world.docker(["mpi", "scale", `${workers}`], { seconds: 120 }));
    measured(`scaled to ${workers} workers`, time());
    assert.equal(stdout, `Cluster "mpitest" answers: ${workers + 1} nodes, ${workers + 1} slots\n`);
    assert.deepEqual(await hostNames(world), nodeNames(workers));
  };

  await t.step("3 to 12 to 2, with a job on nodes that stay", async () => {
    const args = [
      "--hosts",
      "worker-2,worker-1",
      "sh",
      "-c",
      "echo here; read word; echo done; [ $MPI_RANK = 1 ] || echo $word",
    ];
    const job = await startJob(world, args, 2);
    await scale(12);
    await scale(2);
    await job.write("go on\n");
    const { code, stdout, stderr } = await job.ended();
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(stdout.trim().split("\n").sort(), ["done", "done", "go on", "here", "here"]);
  });

  await t.step("a job on a node that goes ends and names it", async () => {
    await scale(4);
    const job = await startJob(world, ["--hosts", "worker-1,worker-4", ...SLEEP], 2);
    await scale(2);
    const { code, stderr } = await job.ended();
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /^docker mpi run: Lost during the run: worker-4 \(rank 1\)\nhint: docker mpi hosts {2}# .*\n$/,
    );
    await noProcess(world, 15);
  });
});
