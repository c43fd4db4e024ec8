import assert from "node:assert/strict";
import { containerOf, hostfileLists, nodeNames, onNode, onNodes } from "../support/nodes.ts";
import { eventually, expectOk, openWorld } from "../support/swarm.ts";

Deno.test("the hostfile must list exactly the nodes that answer", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.shared(2);

  await t.step("a worker that is killed leaves, and its successor enters", async () => {
    const before = await onNode(world, "master", "grep worker-1 /run/mpi/nodes");
    await expectOk(world.docker(["kill", await containerOf(world, "worker-1")]));
    await hostfileLists(world, ["master", "worker-2"]);
    await hostfileLists(world, nodeNames(2));
    assert.notEqual(await onNode(world, "master", "grep worker-1 /run/mpi/nodes"), before);
  });

  await t.step("of two nodes of a name the one that started last counts, until it is gone", async () => {
    const lists = (lines: string[]) =>
      eventually(`the hostfile has ${lines}`, async () => {
        const nodes = await onNode(world, "master", "awk '/^worker-1 / { print $2, $4 }' /run/mpi/nodes");
        return JSON.stringify(nodes.split("\n")) === JSON.stringify(lines);
      });
    const now = await onNode(world, "master", "awk '/^worker-1 / { print $2, $4 }' /run/mpi/nodes");
    const tell = (event: string) => onNode(world, "master", `echo '${event}' 1<>/run/mpi/events`);
    await tell("up 192.0.2.7 worker-1 1 1 earlier");
    await tell("up 192.0.2.8 worker-1 1 999999999999 later");
    await lists(["192.0.2.8 later"]);
    await tell("down 192.0.2.8");
    await lists([now]);
    await tell("down 192.0.2.7");
    await lists([now]);
  });

  await t.step("an agent that is killed is started again, with one connection to each worker", async () => {
    const agent = "ps -e -o pid=,sess=,args= | awk '$1 == $2 && /mpi_agent/ { print $1 }'";
    const before = await onNode(world, "master", agent);
    await onNode(world, "master", `kill -KILL ${before}`);
    await eventually("another agent", async () => !["", before].includes(await onNode(world, "master", agent)));
    const counts = "pgrep -c -f '^ssh -M'; pgrep -c -x cat; ls /run/mpi/mux | wc -l";
    const want = { master: "2\n0\n2", "worker-1": "0\n1\n0", "worker-2": "0\n1\n0" };
    const single = async () => JSON.stringify(await onNodes(world, counts)) === JSON.stringify(want);
    await eventually("one connection to each worker", single);
    await hostfileLists(world, nodeNames(2));
    await expectOk(world.docker(["mpi", "run", "true"]));
  });
});
