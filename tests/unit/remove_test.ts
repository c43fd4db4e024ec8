import assert from "node:assert/strict";
import { stackNames } from "../../stack/cluster/parts.ts";
import { removeCluster, removeParts } from "../../stack/deploy/remove.ts";
import type { Engine, Labelled } from "../../stack/engine/swarm.ts";
import { MpiError } from "../../stack/errors.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { aNetwork, aNode, aService, aTask, events, FakeSwarm } from "../support/fakes.ts";

const limit = { timeout: 60_000, signal: new AbortController().signal };

const labelled = (id: string, ours = true): Labelled => ({
  id,
  name: `hello_${id}`,
  labels: { "com.docker.stack.namespace": "hello", ...(ours ? { "docker-mpi.cluster": "hello" } : {}) },
  createdAt: "",
});

/** A cluster with all that can belong to one, whose tasks end after some looks at them. */
function leaving(looks = 0, parts: (swarm: FakeSwarm) => Partial<Engine> = () => ({})) {
  const swarm = new FakeSwarm();
  swarm.addCluster("hello", 1);
  swarm.secrets = [labelled("key"), labelled("theirs", false)];
  swarm.configs = [labelled("config", false)];
  const engine = swarm.engine({
    tasks: () =>
      Promise.resolve(looks-- > 0 ? swarm.tasks : swarm.tasks.map((task) => ({ ...task, state: "shutdown" }))),
    ...parts(swarm),
  });
  return { swarm, engine };
}

Deno.test("removeCluster() takes the services, waits for the containers, then the rest, that by which it is ours last", async () => {
  using clock = fakeClock();
  const { swarm, engine } = leaving(2);
  const { report, texts } = events();
  await removeCluster(engine, "hello", limit, report);
  assert.deepEqual(swarm.changes, [
    "remove service hello-master",
    "remove service hello-worker",
    "remove network hello-net",
    "remove config config",
    "remove secret theirs",
    "remove secret key",
  ]);
  assert.deepEqual(texts, [
    "services: removing",
    "nodes: 2 stop",
    "nodes: 2 stop",
    "nodes: gone",
    "network: removing",
    "network: removed",
  ]);
  assert.equal(clock.now(), 750);
});

Deno.test("removeCluster() leaves and tells what somebody else has put into the stack", async () => {
  using _clock = fakeClock();
  const { swarm, engine } = leaving();
  const others = { ...aService("hello", "worker"), id: "web", labels: { "com.docker.stack.namespace": "hello" } };
  swarm.services.push({ ...others, name: "hello_web" });
  const { report, texts } = events();
  await removeCluster(engine, "hello", limit, report);
  assert.deepEqual(swarm.changes, [
    "remove service hello-master",
    "remove service hello-worker",
    "remove network hello-net",
    "remove secret key",
  ]);
  assert.equal(texts[0], "service hello_web! is not docker mpi's, and stays: docker service rm hello_web");
});

Deno.test("removeCluster() takes only what is ours out of a stack that is not", async () => {
  using _clock = fakeClock();
  const { swarm, engine } = leaving();
  const labels = { "com.docker.stack.namespace": "hello" };
  swarm.services = [{ ...aService("hello", "master"), name: "hello_web", labels }];
  swarm.networks = [{ ...aNetwork("hello"), labels }];
  await removeCluster(engine, "hello", limit, () => {});
  assert.deepEqual(swarm.changes, ["remove secret key"]);
});

Deno.test("removeCluster() tells which volumes stay, each once", async () => {
  using _clock = fakeClock();
  const { engine } = leaving(0, (swarm) => {
    swarm.services = swarm.services.map((service) => ({ ...service, volumes: ["hello_share", "hello_data"] }));
    return {};
  });
  const { report, texts } = events();
  await removeCluster(engine, "hello", limit, report);
  assert.equal(texts.at(-1), "volumes! kept on the hosts, with their files: hello_data, hello_share");
});

/** What `stack:` adds: it has a name and no role. */
const viewer = {
  name: "hello_viewer",
  labels: { "com.docker.stack.namespace": "hello", "docker-mpi.cluster": "hello" },
};

const halves: [what: string, leave: (swarm: FakeSwarm) => void][] = [
  ["a secret", (swarm) => swarm.secrets = [labelled("key")]],
  ["a network", (swarm) => swarm.networks = [aNetwork("hello")]],
  ["the master", (swarm) => swarm.services = [aService("hello", "master")]],
  ["the workers", (swarm) => swarm.services = [aService("hello", "worker")]],
  ["a service of the user's", (swarm) => swarm.services = [{ ...aService("hello", "worker"), ...viewer }]],
];

for (const [what, leave] of halves) {
  Deno.test(`removeCluster() removes a stack of which only ${what} is there, and stackNames() finds it`, async () => {
    using _clock = fakeClock();
    const swarm = new FakeSwarm();
    leave(swarm);
    assert.deepEqual(await stackNames(swarm.engine()), ["hello"]);
    await removeCluster(swarm.engine(), "hello", limit, () => {});
    assert.equal(swarm.changes.length, 1);
    assert.deepEqual(await stackNames(swarm.engine()), []);
  });
}

Deno.test("stackNames() finds no stack that nothing of ours is in", async () => {
  const swarm = new FakeSwarm();
  swarm.secrets = [labelled("theirs", false)];
  assert.deepEqual(await stackNames(swarm.engine()), []);
});

Deno.test("removeCluster() does not wait for hosts that are down, and says so", async () => {
  using _clock = fakeClock();
  const { swarm, engine } = leaving(1e9);
  swarm.nodes = [aNode(1), aNode(2, { state: "down" })];
  swarm.tasks = [aTask("hello-worker", 1, { nodeId: "node-2" }), aTask("hello-worker", 2, { nodeId: "node-2" })];
  const { report, texts } = events();
  await removeCluster(engine, "hello", limit, report);
  assert.ok(texts.includes("nodes! 2 left on hosts that are down, until they are back: rack-2"), texts.join("\n"));
  assert.deepEqual(swarm.networks, []);
});

Deno.test("removeCluster() waits for the containers that have ended and are still there", async () => {
  using clock = fakeClock();
  let looks = 0;
  const { engine } = leaving(0, () => ({ containers: () => Promise.resolve(looks++ < 2 ? ["abc"] : []) }));
  const { report, texts } = events();
  await removeCluster(engine, "hello", limit, report);
  assert.deepEqual(texts.slice(-2), ["containers: removing", "containers: removed"]);
  assert.ok(clock.now() > 0);
  const never = leaving(0, () => ({ containers: () => Promise.resolve(["abc"]) }));
  await assert.rejects(removeCluster(never.engine, "hello", limit, () => {}), {
    code: "timeout",
    message: 'Containers of "hello" were not removed within 60 s',
    hint: "docker ps --all --filter label=com.docker.stack.namespace=hello  # shows them",
  });
});

Deno.test("removeCluster() says what does not go", async () => {
  using _clock = fakeClock();
  await assert.rejects(removeCluster(leaving(1e9).engine, "hello", limit, () => {}), {
    code: "timeout",
    message: '2 containers of "hello" did not end within 60 s',
    hint: "docker node ls  # shows whether a host does not answer: its containers can't report their end",
  });
  const { engine } = leaving(0, () => ({ removeNetwork: () => Promise.resolve() }));
  await assert.rejects(removeCluster(engine, "hello", limit, () => {}), {
    code: "timeout",
    message: 'The network of "hello" was not removed within 60 s',
  });
});

Deno.test("removeCluster() tries again what containers still use, and leaves what new services use", async () => {
  using _clock = fakeClock();
  const inUse = new MpiError("conflict", "network n is in use by service s");
  let tries = 0;
  const { swarm, engine } = leaving(0, (swarm) => ({
    removeNetwork: (id) => ++tries < 3 ? Promise.reject(inUse) : swarm.engine().removeNetwork(id),
  }));
  await removeCluster(engine, "hello", limit, () => {});
  assert.equal(tries, 3);
  assert.deepEqual(swarm.networks, []);

  const again = leaving(0, (swarm) => ({
    removeNetwork: () => {
      swarm.addCluster("hello", 1);
      return Promise.reject(inUse);
    },
  }));
  await assert.rejects(removeCluster(again.engine, "hello", limit, () => {}), {
    code: "conflict",
    message: 'Cluster "hello" was deployed anew while it was being removed',
    hint: "docker mpi rm hello  # removes that one too",
  });
  assert.equal(again.swarm.services.length, 2);
});

Deno.test("removeCluster() does not wait for somebody else's service to leave the network", async () => {
  using clock = fakeClock();
  const error = new MpiError("conflict", "The Docker engine refuses: network n is in use by service web");
  const { swarm, engine } = leaving(0, () => ({ removeNetwork: () => Promise.reject(error) }));
  swarm.services.push({ ...aService("shop", "worker"), id: "web", name: "shop_web" });
  await assert.rejects(removeCluster(engine, "hello", limit, () => {}), {
    code: "conflict",
    message: 'Service "shop_web", which is not docker mpi\'s, uses the network of "hello"',
    hint: `docker service update --network-rm ${aNetwork("hello").name} shop_web && docker mpi rm hello`,
  });
  assert.equal(clock.now(), 0);
  assert.deepEqual(swarm.secrets.map(({ id }) => id), ["key", "theirs"]);
});

Deno.test("removeCluster() does not say that all is gone where a secret is still used", async () => {
  using _clock = fakeClock();
  const text = "config 'hello_config' is in use by the following service: web";
  const error = new MpiError("conflict", `The Docker engine refuses: ${text}`);
  const { swarm, engine } = leaving(0, () => ({ removeConfig: () => Promise.reject(error) }));
  await assert.rejects(removeCluster(engine, "hello", limit, () => {}), {
    code: "conflict",
    message: `What is left of "hello" can't be removed: ${text}`,
  });
  assert.deepEqual(swarm.secrets.map(({ id }) => id), ["key", "theirs"]);
});

Deno.test("removeCluster() leaves what came after it began to somebody else", async () => {
  using _clock = fakeClock();
  const { swarm, engine } = leaving(0, (swarm) => ({
    removeService: async (id) => {
      await swarm.engine().removeService(id);
      if (swarm.services.length > 0) return;
      swarm.services.push(aService("hello", "master", { id: "new" }), aService("hello", "worker", { id: "newer" }));
      swarm.networks.push(aNetwork("hello", { id: "new-net" }));
      swarm.secrets.push(labelled("new-key"));
    },
  }));
  await removeCluster(engine, "hello", limit, () => {});
  const ids = [...swarm.services, ...swarm.networks, ...swarm.secrets].map(({ id }) => id);
  assert.deepEqual(ids, ["new", "newer", "new-net", "new-key"]);
});

Deno.test("removeParts() removes all there is, and waits for nothing", async () => {
  const { swarm, engine } = leaving(1e9);
  await removeParts(engine, "hello");
  assert.deepEqual([swarm.services, swarm.networks, swarm.secrets, swarm.configs], [[], [], [], []]);
});

Deno.test("removeParts() leaves what somebody else has put into the stack in the meantime", async () => {
  const { swarm, engine } = leaving(1e9);
  const others = { ...aService("hello", "worker"), labels: { "com.docker.stack.namespace": "hello" } };
  swarm.services.push({ ...others, id: "web", name: "hello_web" });
  await removeParts(engine, "hello");
  const ids = [...swarm.services, ...swarm.secrets, ...swarm.configs].map(({ id }) => id);
  assert.deepEqual(ids, ["web", "theirs", "config"]);
});
