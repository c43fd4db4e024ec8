import assert from "node:assert/strict";
import { chooseCluster, findClusters, isLive, nodeStatuses, stackLabel } from "../../stack/cluster/cluster.ts";
import { LABELS } from "../../stack/labels.ts";
import { aNode, aService, aTask } from "../support/fakes.ts";

const both = (name: string) => [aService(name, "worker"), aService(name, "master")];
const clusters = findClusters(["hello", "cfd"].flatMap(both));

Deno.test("findClusters() gives the clusters by name, each with both services", () => {
  assert.deepEqual(clusters.map(({ name, master, worker }) => [name, master.id, worker.id]), [
    ["cfd", "cfd-master", "cfd-worker"],
    ["hello", "hello-master", "hello-worker"],
  ]);
});

Deno.test("findClusters() leaves out what is half there, and services that a user added to the stack", () => {
  const extra = aService("hello", "worker", { id: "extra", labels: { [LABELS.role]: "notebook" } });
  assert.deepEqual(findClusters([aService("a", "master"), aService("b", "worker"), extra]), []);
  assert.deepEqual(findClusters([]), []);
});

Deno.test("chooseCluster() takes the one named, else the project's, else the only one", () => {
  const [cfd, hello] = clusters;
  assert.equal(chooseCluster(clusters, { name: "hello", project: "cfd" }), hello);
  assert.equal(chooseCluster(clusters, { project: "cfd" }), cfd);
  assert.equal(chooseCluster(clusters.slice(0, 1), {}), cfd);
});

const DEPLOY = "docker mpi deploy  # in a project's directory; docker mpi init hello makes a project";

const refusals: [what: string, names: string[], choice: Parameters<typeof chooseCluster>[1], error: object][] = [
  ["there is none", [], {}, { code: "not-found", message: "No cluster runs in this swarm", hint: DEPLOY }],
  ["there is none, and one is named", [], { name: "cfd" }, {
    code: "not-found",
    message: 'Cluster "cfd" is not deployed, and no other runs in this swarm',
    hint: DEPLOY,
  }],
  ["the named one is not there: it suggests", ["cfd", "hello"], { name: "helo" }, {
    code: "not-found",
    message: 'Cluster "helo" is not deployed; there are: cfd, hello',
    hint: 'did you mean "hello"?',
  }],
  ["nothing is near the name", ["cfd", "hello"], { name: "zzzzzz" }, {
    code: "not-found",
    message: 'Cluster "zzzzzz" is not deployed; there are: cfd, hello',
    hint: "docker mpi ls  # shows the clusters there are",
  }],
  ["the project's is not there: another is not taken in its place", ["cfd"], { project: "hello" }, {
    code: "not-found",
    message: 'Cluster "hello" is not deployed; there are: cfd',
    hint: "docker mpi deploy  # deploys it; export MPI_CLUSTER=cfd means another",
  }],
  ["there are several and none is meant", ["cfd", "hello"], {}, {
    code: "usage",
    message: "Several clusters run, and it is not said which is meant: cfd, hello",
    hint: "export MPI_CLUSTER=cfd  # says it, and so does a project's directory",
  }],
];

for (const [what, names, choice, error] of refusals) {
  Deno.test(`chooseCluster() refuses where ${what}`, () => {
    assert.throws(() => chooseCluster(findClusters(names.flatMap(both)), choice), error);
  });
}

const [cluster] = findClusters(both("hello"));
assert.ok(cluster);
const nodes = [aNode(1), aNode(2)];
const status = (tasks: ReturnType<typeof aTask>[]) => nodeStatuses(cluster, tasks, nodes);

Deno.test("nodeStatuses() gives the master, then the workers by number, wherever they run", () => {
  const tasks = [10, 2, 1].map((slot) => aTask("hello-worker", slot, { nodeId: `node-${slot}` }));
  const found = status([...tasks, aTask("hello-master", 1), aTask("other", 1)]);
  assert.deepEqual(found.map(({ name, host }) => [name, host]), [
    ["master", "rack-1"],
    ["worker-1", "rack-1"],
    ["worker-2", "rack-2"],
    ["worker-10", ""],
  ]);
  assert.deepEqual(found[0], {
    name: "master",
    state: "running",
    error: "",
    host: "rack-1",
    since: "2026-01-01T00:00:01Z",
    task: "hello-master.1",
    container: "container-hello-master-1",
    failures: 0,
    lastError: "",
    failedHosts: [],
  });
});

Deno.test("nodeStatuses() counts what failed before, and tells the last reason", () => {
  const failed = (second: number, error: string, state = "failed") =>
    aTask("hello-worker", 1, { state, desired: "shutdown", error, since: `2026-01-01T00:00:0${second}Z`, id: error });
  const [worker] = status([
    failed(3, "the second"),
    failed(4, "the last", "rejected"),
    failed(1, "the first"),
    aTask("hello-worker", 1, { id: "now", state: "starting", since: "2026-01-01T00:00:05Z" }),
    aTask("hello-worker", 1, { id: "replaced", state: "shutdown", desired: "shutdown" }),
  ]);
  assert.deepEqual(
    [worker?.task, worker?.state, worker?.failures, worker?.lastError, worker?.failedHosts],
    ["now", "starting", 3, "the last", ["rack-1"]],
  );
});

Deno.test("nodeStatuses() shows the task that runs before the one that waits for its place", () => {
  const ready = aTask("hello-master", 1, {
    id: "next",
    state: "ready",
    desired: "ready",
    since: "2026-01-02T00:00:00Z",
  });
  const [master] = status([ready, aTask("hello-master", 1)]);
  assert.equal(master?.task, "hello-master.1");
  assert.equal(status([ready])[0]?.task, "next");
});

Deno.test("nodeStatuses() leaves out nodes that are on their way out", () => {
  assert.deepEqual(
    status([
      aTask("hello-worker", 1, { desired: "shutdown", state: "running" }),
      aTask("hello-worker", 2, { desired: "remove", state: "running" }),
    ]),
    [],
  );
});

Deno.test("isLive() counts a task until its container has ended", () => {
  for (const state of ["new", "pending", "assigned", "preparing", "starting", "running", "ready"]) {
    assert.ok(isLive(aTask("a", 1, { state })), state);
  }
  for (const state of ["complete", "shutdown", "failed", "rejected", "orphaned", "remove"]) {
    assert.ok(!isLive(aTask("a", 1, { state })), state);
  }
  assert.equal(stackLabel("hello"), "com.docker.stack.namespace=hello");
});
