import assert from "node:assert/strict";
import { waitForTasks } from "../../stack/deploy/wait.ts";
import { MpiError } from "../../stack/errors.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { aNode, aService, aTask, events, FakeSwarm } from "../support/fakes.ts";

const signal = new AbortController().signal;
const limit = { timeout: 60_000, signal };

/** A swarm whose tasks change with each look at them. */
function movie(...scenes: ((swarm: FakeSwarm) => void)[]) {
  const swarm = new FakeSwarm();
  swarm.addCluster("hello", 2);
  const engine = swarm.engine();
  const { services } = engine;
  let scene = 0;
  return {
    swarm,
    engine: {
      ...engine,
      services: (labels: readonly string[]) => {
        scenes[Math.min(scene++, scenes.length - 1)]?.(swarm);
        return services(labels);
      },
    },
  };
}

const worker = (slot: number, parts: Partial<ReturnType<typeof aTask>> = {}) => aTask("hello-worker", slot, parts);
const master = aTask("hello-master", 1);

Deno.test("waitForTasks() ends when master and workers run, and tells how many do", async () => {
  using _clock = fakeClock();
  const { engine } = movie(
    (swarm) => swarm.tasks = [],
    (swarm) => swarm.tasks = [master, worker(1, { state: "starting" })],
    (swarm) => swarm.tasks = [master, worker(1), worker(2)],
  );
  const { report, texts } = events();
  const { cluster, names } = await waitForTasks(engine, "hello", limit, report);
  assert.equal(cluster.worker.replicas, 2);
  assert.deepEqual(names, ["master", "worker-1", "worker-2"]);
  assert.deepEqual(texts, ["nodes: 0 of 3 run", "nodes: 1 of 3 run", "nodes: 3 of 3 run"]);
});

const unsettled: [what: string, scene: (swarm: FakeSwarm) => void][] = [
  ["a node of before still stops", (swarm) => swarm.tasks.push(worker(3, { desired: "shutdown" }))],
  ["a node waits for its predecessor's place", (swarm) => {
    swarm.tasks[0] = { ...master, desired: "shutdown" };
    swarm.tasks.push(aTask("hello-master", 1, { id: "next", state: "ready", desired: "ready" }));
  }],
  ["an update is under way", (swarm) => {
    swarm.services[1] = { ...swarm.services[1]!, update: { state: "updating", message: "" } };
  }],
  ["an update is being rolled back", (swarm) => {
    swarm.services[0] = { ...swarm.services[0]!, update: { state: "rollback_started", message: "" } };
  }],
  ["a worker is missing", (swarm) => swarm.tasks.pop()],
];

for (const [what, scene] of unsettled) {
  Deno.test(`waitForTasks() goes on as long as ${what}`, async () => {
    using clock = fakeClock();
    const { engine } = movie(scene);
    await assert.rejects(waitForTasks(engine, "hello", limit, () => {}), { code: "timeout" });
    assert.equal(clock.now(), 60_000);
  });
}

Deno.test("waitForTasks() does not wait for the end of what runs on a host that is down", async () => {
  using _clock = fakeClock();
  const { swarm, engine } = movie((swarm) => {
    const lost = worker(2, { id: "lost", nodeId: "node-2", desired: "shutdown", since: "2026-01-01T00:00:00Z" });
    swarm.tasks = [master, worker(1), worker(2), lost];
  });
  swarm.nodes = [aNode(1), aNode(2, { state: "down" })];
  assert.deepEqual((await waitForTasks(engine, "hello", limit, () => {})).names, ["master", "worker-1", "worker-2"]);
});

Deno.test("waitForTasks() takes no notice of services that a user added, nor of an update that is over", async () => {
  using _clock = fakeClock();
  const { engine } = movie((swarm) => {
    swarm.services.push(
      aService("hello", "worker", { id: "extra", labels: { "docker-mpi.role": "", "docker-mpi.cluster": "" } }),
    );
    swarm.tasks.push(aTask("extra", 1, { state: "starting" }));
    swarm.services[0] = { ...swarm.services[0]!, update: { state: "completed", message: "" } };
  });
  await waitForTasks(engine, "hello", limit, () => {});
});

Deno.test("waitForTasks() ends at once where waiting can't help", async () => {
  using clock = fakeClock();
  const error = "No such image: hello:latest";
  const { engine } = movie((swarm) =>
    swarm.tasks = [master, worker(1), worker(2, { state: "rejected", desired: "running", error })]
  );
  await assert.rejects(waitForTasks(engine, "hello", limit, () => {}), {
    code: "cluster",
    message: `Cluster "hello" does not come up: worker-2: ${error} (on rack-1)`,
    hint: "docker mpi build  # makes the image here; other hosts need it from a registry: docker mpi build --push",
  });
  assert.equal(clock.now(), 0);
});

Deno.test("waitForTasks() gives what may pass by itself 20 seconds, counted anew once it passed", async () => {
  using clock = fakeClock();
  const stuck = worker(2, {
    state: "pending",
    nodeId: "",
    error: "no suitable node (insufficient resources on 1 node)",
  });
  const bad = (swarm: FakeSwarm) => void (swarm.tasks = [master, worker(1), stuck]);
  const good = (swarm: FakeSwarm) => void (swarm.tasks = [master, worker(1), worker(2, { state: "starting" })]);
  const { engine } = movie(...Array(40).fill(bad), good, bad);
  await assert.rejects(waitForTasks(engine, "hello", limit, () => {}), {
    code: "cluster",
    message: 'Cluster "hello" does not come up: worker-2: no suitable node (insufficient resources on 1 node)',
  });
  // 40 looks, one that went well, and 20 s from the next one on.
  assert.equal(clock.now(), 41 * 250 + 20_250);
});

Deno.test("waitForTasks() says that the swarm paused an update", async () => {
  const { engine } = movie((swarm) => {
    swarm.services[1] = { ...swarm.services[1]!, update: { state: "paused", message: "task failed early" } };
  });
  await assert.rejects(waitForTasks(engine, "hello", limit, () => {}), {
    code: "cluster",
    message: 'The swarm paused the update of service "hello_worker": task failed early',
    hint: "docker service ps --no-trunc hello_worker  # shows why; then docker mpi deploy again",
  });
});

Deno.test("waitForTasks() says that the cluster was removed meanwhile", async () => {
  const { engine } = movie((swarm) => swarm.services = []);
  await assert.rejects(waitForTasks(engine, "hello", limit, () => {}), {
    code: "not-found",
    message: 'Cluster "hello" is not there any more',
  });
});

Deno.test("waitForTasks() says at the limit what it waited for", async () => {
  using _clock = fakeClock();
  const { engine } = movie((swarm) =>
    swarm.tasks = [master, worker(1, { state: "preparing" }), worker(2, { state: "starting" })]
  );
  await assert.rejects(waitForTasks(engine, "hello", { timeout: 5000, signal }, () => {}), {
    code: "timeout",
    message: 'Cluster "hello" did not come up within 5 s: worker-1 is preparing, worker-2 is starting',
    hint: "docker mpi ps hello  # shows how it goes on; --wait-timeout 15m waits longer",
  });
  const full = worker(2, { state: "pending", error: "no space left on device" });
  const { engine: other } = movie((swarm) => swarm.tasks = [master, worker(1), full]);
  await assert.rejects(waitForTasks(other, "hello", { timeout: 5000, signal }, () => {}), {
    code: "timeout",
    message: 'Cluster "hello" did not come up within 5 s: worker-2: no space left on device (on rack-1)',
    hint: "docker system df  # on that host shows what fills it",
  });
});

Deno.test("waitForTasks() says that a node gets no address, in 20 seconds", async () => {
  using clock = fakeClock();
  const { engine } = movie((swarm) => swarm.tasks = [master, worker(1), worker(2, { state: "new", nodeId: "" })]);
  await assert.rejects(waitForTasks(engine, "hello", limit, () => {}), {
    code: "cluster",
    message: 'Cluster "hello" does not come up: worker-2: ' +
      "no address in the cluster's network: its subnet 10.0.1.0/24 seems used up",
  });
  assert.equal(clock.now(), 20_250);
});

Deno.test("waitForTasks() gives what no host fits 10 seconds", async () => {
  using clock = fakeClock();
  const error = "no suitable node (scheduling constraints not satisfied on 1 node)";
  const stuck = worker(2, { state: "pending", nodeId: "", error });
  const { engine } = movie((swarm) => swarm.tasks = [master, worker(1), stuck]);
  const { report, texts } = events();
  await assert.rejects(waitForTasks(engine, "hello", limit, report), {
    code: "cluster",
    message: `Cluster "hello" does not come up: worker-2: ${error}`,
  });
  assert.equal(clock.now(), 10_250);
  assert.deepEqual(texts.slice(3, 5), ["nodes: 2 of 3 run", `nodes: 2 of 3 run, worker-2: ${error}`]);
});

Deno.test("waitForTasks() ends with what the caller finds wrong with the cluster", async () => {
  const inspect = () => {
    throw new MpiError("conflict", "Not the one");
  };
  await assert.rejects(waitForTasks(movie().engine, "hello", limit, () => {}, { inspect }), /Not the one/);
});
