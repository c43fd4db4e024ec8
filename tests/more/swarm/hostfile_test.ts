import assert from "node:assert/strict";
import { containerOf, hostfileLists, nodeNames, onNode } from "../../support/nodes.ts";
import { eventually, expectOk, openWorld } from "../../support/swarm.ts";

Deno.test("the hostfile must list exactly the nodes that answer, whatever becomes of them", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(2);

  await t.step("one that hangs leaves, nothing waits for it for ever, and it comes back", async () => {
    const hung = await containerOf(world, "worker-2");
    await expectOk(world.docker(["pause", hung]));
    try {
      const { code } = await world.docker(["mpi", "run", "hostname"], { seconds: 30 });
      assert.notEqual(code, 0);
      await hostfileLists(world, ["master", "worker-1"]);
      await expectOk(world.docker(["mpi", "run", "hostname"]));
    } finally {
      await world.docker(["unpause", hung]);
    }
    await hostfileLists(world, nodeNames(2));
  });

  await t.step("a reader never sees half a list while nodes come and go; the order is by number", async () => {
    const watch = world.docker(["exec", await containerOf(world, "master"), "sh", "-c", watching], { seconds: 120 });
    await expectOk(world.docker(["mpi", "scale", "11"], { seconds: 120 }));
    await hostfileLists(world, nodeNames(11));
    await expectOk(world.docker(["mpi", "scale", "2"], { seconds: 120 }));
    await hostfileLists(world, nodeNames(2));
    await onNode(world, "master", "touch /tmp/enough");
    const { stdout } = await watch;
    assert.match(stdout, /^\d{3,} whole\n$/);
  });

  await t.step("a master that is killed comes back with the whole list and the same host key", async () => {
    const before = await containerOf(world, "master");
    await expectOk(world.docker(["kill", before]));
    await eventually("another master", async () => !["", before].includes(await containerOf(world, "master")));
    await hostfileLists(world, nodeNames(2), 60);
    await eventually("a run on the new master", async () => {
      const { code, stderr } = await world.docker(["mpi", "run", "hostname"]);
      assert.doesNotMatch(stderr, /host key/);
      return code === 0;
    });
  });

  await t.step("a node without its SSH server is replaced", async () => {
    const before = await containerOf(world, "worker-1");
    await onNode(world, "worker-1", "pkill -KILL -o -x sshd");
    await eventually("another worker-1", async () => !["", before].includes(await containerOf(world, "worker-1")));
    await hostfileLists(world, nodeNames(2));
  });
});

/** Reads the list again and again, and counts: a line that is no `ADDRESS:SLOTS`, or no line at all, is not whole. */
const watching = `whole=0
until [ -e /tmp/enough ]; do
  list=$(cat /run/mpi/hosts && echo .)
  case $list in *1?.) ;; *) echo "torn: $list"; exit 1;; esac
  if printf '%s\\n' "\${list%?.}" | grep -qvE '^[0-9.]+:1$'; then echo "torn: $list"; exit 1; fi
  whole=$((whole + 1))
done
echo "$whole whole"`;
