import assert from "node:assert/strict";
import { SLEEP, startJob } from "../../support/job.ts";
import { containerOf, hostNames, jobProcesses, noProcess, onNode } from "../../support/nodes.ts";
import { eventually, expectOk, IMPLEMENTATIONS, openWorld } from "../../support/swarm.ts";

/** More than SSH and pipes hold on the way, in bytes. */
const MUCH = 8_000_000;

/** For longer than anything waits for a reader when a run is being ended, in seconds. */
const PAUSE = 40;

for (const mpi of IMPLEMENTATIONS) {
  Deno.test(`a run must end as it should, whatever comes in between: ${mpi}`, async (t) => {
    await using world = await openWorld({ mpi });
    await using _cluster = await world.cluster(2);

    await t.step("a reader that pauses gets all of it", async () => {
      const script = `head -c ${MUCH} /dev/zero | tr '\\0' x | fold -w 99`;
      const line = `docker mpi run -n 1 sh -c "${script}" | (sleep ${PAUSE}; wc -c)`;
      const { code, stdout } = await new Deno.Command("sh", {
        args: ["-c", line],
        cwd: world.project,
        env: { DOCKER_CONFIG: world.config },
        stdin: "null",
      }).output();
      assert.deepEqual([code, new TextDecoder().decode(stdout).trim()], [0, `${MUCH + Math.floor(MUCH / 99)}`]);
    });

    await t.step(
      "a slow reader gets all of a run that fails, and one that ended in time has not run too long",
      async () => {
        const program = (status: number) => `head -c ${MUCH} /dev/zero | tr '\\0' x | fold -w 99; exit ${status}`;
        const slowly = "while (sysread STDIN, $_, 60000) { $n += length; select undef, undef, undef, 0.2 } print $n";
        const read = async (status: number, ...options: string[]) => {
          const line = `docker mpi run ${options.join(" ")} sh -c "$1" | perl -e "$2"; echo " \${PIPESTATUS[0]}"`;
          const { stdout } = await new Deno.Command("bash", {
            args: ["-c", line, "bash", program(status), slowly],
            cwd: world.project,
            env: { DOCKER_CONFIG: world.config },
            stdin: "null",
            stderr: "null",
          }).output();
          return new TextDecoder().decode(stdout);
        };
        const all = MUCH + Math.floor(MUCH / 99);
        const runs = [read(5, "-n", "1"), read(6, "--hosts", "worker-1"), read(0, "-n", "1", "--timeout", "20s")];
        assert.deepEqual(await Promise.all(runs), [5, 6, 0].map((status) => `${all} ${status}\n`));
      },
    );

    await t.step("an interrupt counts, however early it comes", async () => {
      const master = await containerOf(world, "master");
      const line = `cd /project; for i in 0 1 2 3 4 5 6 7 8 9; do
        mpi_run --job early-$i --np 3 -- sleep 600 & run=$!
        until [ -s /run/mpi/jobs/early-$i/pid ]; do :; done
        sleep 0.00$i; kill -INT $run; wait $run; echo $?; done`;
      const { stdout } = await expectOk(world.docker(["exec", master, "bash", "-c", line], { seconds: 100 }));
      assert.equal(stdout, "130\n".repeat(10));
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("the loss of rank 0's node is told as that, also while it could be given input", async () => {
      const job = await startJob(world, ["--hosts", "worker-1,worker-2", ...SLEEP], 2);
      await expectOk(world.docker(["kill", await containerOf(world, "worker-1")]));
      const { code, stderr } = await job.ended();
      assert.equal(code, 1);
      assert.match(stderr, /^docker mpi run: Lost during the run: worker-1 \(rank 0\)\n/);
      await eventually("worker-1 in the list", async () => (await hostNames(world)).includes("worker-1"));
    });

    await t.step("mpi_run is killed: nothing of the run is left", async () => {
      const job = await startJob(world, SLEEP, 3);
      await onNode(world, "master", "kill -KILL $(cat /run/mpi/jobs/*/pid)");
      assert.notEqual((await job.ended()).code, 0);
      await noProcess(world);
    });

    await t.step("whoever asked is gone before mpi_run can look: nothing of the run is left", async () => {
      const line = "cd /project; (mpi_run --job orphan --np 3 -- sleep 600 </dev/null >/dev/null 2>&1 &); sleep 3";
      await expectOk(world.docker(["exec", await containerOf(world, "master"), "bash", "-c", line]));
      await noProcess(world);
    });
  });
}
