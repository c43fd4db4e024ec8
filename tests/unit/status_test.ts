/** How a cluster is, from what the swarm and the master say of it. */
import assert from "node:assert/strict";
import { takePicture } from "../../stack/cluster/picture.ts";
import { type Answers, clusterStatus, wholeness } from "../../stack/inspect/status.ts";
import type { Host } from "../../stack/master/hosts.ts";
import { aNode, aTask, FakeSwarm } from "../support/fakes.ts";

/** A swarm with a cluster of two workers, one on each of two hosts. */
function twoHosts(): FakeSwarm {
  const swarm = new FakeSwarm();
  swarm.nodes = [aNode(1), aNode(2)];
  swarm.addCluster("hello", 2, {
    master: { "docker-mpi.version": "0.1.0", "docker-mpi.image-name": "hello:1", "docker-mpi.port": "2300" },
  });
  swarm.tasks[2]!.nodeId = "node-2";
  return swarm;
}

const host = (name: string, slots: number): Host => ({ name, address: "10.0.1.2", slots, host: "x" });
const all: Answers = { hosts: [host("master", 1), host("worker-1", 2), host("worker-2", 4)] };
const ask = async (swarm: FakeSwarm, answers: Answers) =>
  clusterStatus(await takePicture(swarm.engine(), "hello"), answers);
const running = { state: "running", answers: true };

Deno.test("a cluster is whole when all that is wanted runs and answers", async () => {
  const status = await ask(twoHosts(), all);
  assert.deepEqual(status, {
    name: "hello",
    healthy: true,
    wanted: 3,
    running: 3,
    answering: 3,
    slots: 7,
    masterHost: "rack-1",
    port: 2300,
    image: "hello:1",
    version: "0.1.0",
    createdAt: "2026-01-01T00:00:00Z",
    nodes: [
      { name: "master", host: "rack-1", slots: 1, ...running },
      { name: "worker-1", host: "rack-1", slots: 2, ...running },
      { name: "worker-2", host: "rack-2", slots: 4, ...running },
    ],
    problems: [],
  });
  assert.equal(wholeness(status), "3 of 3 nodes answer");
});

Deno.test("a cluster that an old version deployed has no version, and the image that its service has", async () => {
  const swarm = new FakeSwarm();
  swarm.addCluster("hello", 2);
  const { version, image, port } = await ask(swarm, all);
  assert.deepEqual({ version, image, port }, { version: "", image: "hello:latest", port: 2222 });
});

Deno.test("a node that waits has the swarm's reason, and is not said to be silent as well", async () => {
  const swarm = twoHosts();
  const error = "no suitable node (insufficient resources on 2 nodes)";
  Object.assign(swarm.tasks[2]!, { state: "pending", nodeId: "", containerId: "", error });
  const status = await ask(swarm, { hosts: [host("master", 1), host("worker-1", 2)] });
  assert.deepEqual(
    [status.healthy, status.running, status.answering, status.slots, wholeness(status)],
    [false, 2, 2, 3, "2 of 3 nodes answer"],
  );
  assert.deepEqual(status.nodes[2], { name: "worker-2", host: "", state: "pending", answers: false, slots: 0 });
  assert.deepEqual(status.problems, [{
    nodes: ["worker-2"],
    error,
    hosts: [],
    remedy:
      "docker node ls  # shows the hosts; ask for fewer workers, or loosen what placement: and stack: in mpi.yaml demand",
    final: false,
  }]);
});

Deno.test("a node that runs and does not answer is a problem of the network", async () => {
  const swarm = twoHosts();
  swarm.services[1]!.replicas = 3;
  swarm.tasks.push(aTask("hello-worker", 3, { nodeId: "node-2" }));
  const status = await ask(swarm, { hosts: [host("master", 1), host("worker-1", 2)] });
  assert.deepEqual([status.healthy, status.running, status.answering], [false, 4, 2]);
  assert.deepEqual(status.problems, [{
    nodes: ["worker-2", "worker-3"],
    error: "runs, and the master has no connection to it",
    hosts: ["rack-2"],
    remedy: "docker mpi logs hello  # says why; between hosts 7946/tcp+udp and 4789/udp must be open",
    final: false,
  }]);
});

Deno.test("on the hosts' network other ports have to be open", async () => {
  const swarm = twoHosts();
  swarm.services[0]!.labels = { ...swarm.services[0]!.labels, "docker-mpi.network": "host" };
  const { problems } = await ask(swarm, { hosts: [host("master", 1), host("worker-1", 2)] });
  assert.deepEqual(problems.map(({ remedy }) => remedy), [
    "docker mpi logs hello  # says why; between hosts 2300/tcp must be open",
  ]);
});

Deno.test("a cluster whose nodes are too few is not whole, though the swarm gives no reason", async () => {
  const swarm = twoHosts();
  swarm.tasks.pop();
  const status = await ask(swarm, { hosts: [host("master", 1), host("worker-1", 2)] });
  assert.deepEqual([status.healthy, status.running, status.wanted, status.problems], [false, 2, 3, []]);
});

const silent: Answers = { error: "The master does not answer", remedy: "docker mpi ps  # shows how it is" };

Deno.test("what answers is unknown where the master can't be asked, and that is the problem", async () => {
  const status = await ask(twoHosts(), silent);
  assert.deepEqual(
    [status.healthy, status.running, status.answering, status.slots, wholeness(status)],
    [false, 3, undefined, 0, "3 of 3 nodes run"],
  );
  assert.deepEqual(status.nodes.map(({ answers }) => answers), [undefined, undefined, undefined]);
  assert.deepEqual(status.problems, [{ nodes: ["master"], hosts: [], final: false, ...silent }]);
});

Deno.test("a master that does not run has the swarm's reason alone", async () => {
  const swarm = twoHosts();
  Object.assign(swarm.tasks[0]!, { state: "rejected", nodeId: "", error: "No such image: hello:latest" });
  const status = await ask(swarm, silent);
  assert.deepEqual(status.problems.map(({ nodes, error }) => ({ nodes, error })), [
    { nodes: ["master"], error: "No such image: hello:latest" },
  ]);
  assert.deepEqual([status.masterHost, status.healthy, status.answering], ["", false, undefined]);
});
