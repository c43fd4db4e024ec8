/** Files over several hosts, and a host that goes in the middle of a copy. */
import assert from "node:assert/strict";
import { measured, stopwatch } from "../../support/measured.ts";
import { onNodes } from "../../support/nodes.ts";
import { eventually, expectOk } from "../../support/swarm.ts";
import { labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";

labTest("files come to the nodes of three hosts; a host that loses power in the middle is told", async (lab) => {
  await using world = await openLabWorld(lab);
  await using _cluster = await world.cluster(5);
  const bytes = new Uint8Array(60_000_000);
  for (let at = 0; at < bytes.length; at += 60_000) crypto.getRandomValues(bytes.subarray(at, at + 60_000));
  await Deno.writeFile(`${world.project}/data`, bytes);
  const cp = (name: string) =>
    world.docker(["mpi", "cp", "--progress", "quiet", "--cluster", "mpitest", "data", name], { seconds: 120 });

  const time = stopwatch();
  assert.deepEqual(await cp("first"), { code: 0, stdout: "", stderr: "" });
  measured("60 MB come to 6 nodes on three hosts", time());
  const sums = Object.values(await onNodes(world, "sha256sum </project/first"));
  assert.deepEqual([sums.length, new Set(sums).size], [6, 1]);

  const lost = lab.hosts[2]!;
  const copy = cp("second");
  await eventually("it is under way", async () => {
    return Object.values(await onNodes(world, "ls -d /project/.docker-mpi-cp.* 2>/dev/null")).some(Boolean);
  });
  await lost.kill();
  const { code, stderr } = await copy;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^docker mpi cp: Not copied to worker-\d(, worker-\d)*: lost during the copy\n/);
  const named = new Set(stderr.split("\n")[0]!.match(/worker-\d/g));
  const found = Object.entries(await onNodes(world, "stat -c %s /project/second 2>/dev/null"));
  const without = found.filter(([, size]) => size !== "60000000").map(([name]) => name);
  assert.deepEqual(without.filter((name) => !named.has(name)), []);
  assert.ok(found.length - without.length >= 6 - named.size, JSON.stringify(found));
  await expectOk(world.docker(["mpi", "exec", "--cluster", "mpitest", "true"]));
});
