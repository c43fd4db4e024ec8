import assert from "node:assert/strict";
import { containers, hostNames } from "../../support/nodes.ts";
import { eventually, expectOk, openWorld } from "../../support/swarm.ts";

const workers = (count: number) => Array.from({ length: count }, (_, index) => `worker-${index + 1}`);

Deno.test("the hostfile must list exactly the nodes that answer, whatever becomes of them", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(2);
  const lists = (names: string[], seconds = 40) =>
    eventually(`the list ${names}`, async () => `${await hostNames(world)}` === `${names}`, seconds);
  const inside = async (node: string, line: string) => {
    const id = (await containers(world)).get(node) ?? "";
    return (await world.docker(["exec", id, "sh", "-c", line])).stdout.trim();
  };
  const id = async (node: string) => (await containers(world)).get(node) ?? "";

  await t.step("one that hangs leaves, nothing waits for it for ever, and it comes back", async () => {
    const hung = await id("worker-2");
    await expectOk(world.docker(["pause", hung]));
    try {
      const { code } = await world.docker(["mpi", "run", "hostname"], { seconds: 30 });
      assert.notEqual(code, 0);
      await lists(["master", "worker-1"]);
      await expectOk(world.docker(["mpi", "run", "hostname"]));
    } finally {
      await world.docker(["unpause", hung]);
    }
    await lists(["master", "worker-1", "worker-2"]);
  });

  await t.step("a reader never sees half a list while nodes come and go; the order is by number", async () => {
    const watch = world.docker(["exec", await id("master"), "sh", "-c", watching], { seconds: 120 });
    await expectOk(world.docker(["mpi", "scale", "11"], { seconds: 120 }));
    await lists(["master", ...workers(11)]);
    await expectOk(world.docker(["mpi", "scale", "2"], { seconds: 120 }));
    await lists(["master", ...workers(2)]);
    await inside("master", "touch /tmp/enough");
    const { stdout } = await watch;
    assert.match(stdout, /^\d{3,} whole\n$/);
  });

  await t.step("a master that is killed comes back with the whole list and the same host key", async () => {
    const before = await id("master");
    await expectOk(world.docker(["kill", before]));
    await eventually("another master", async () => !["", before].includes(await id("master")));
    await lists(["master", ...workers(2)], 60);
    await eventually("a run on the new master", async () => {
      const { code, stderr } = await world.docker(["mpi", "run", "hostname"]);
      assert.doesNotMatch(stderr, /host key/);
      return code === 0;
    });
  });

  await t.step("a node without its SSH server is replaced", async () => {
    const before = await id("worker-1");
    await inside("worker-1", "pkill -KILL -o -x sshd");
    await eventually("another worker-1", async () => !["", before].includes(await id("worker-1")));
    await lists(["master", ...workers(2)]);
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
