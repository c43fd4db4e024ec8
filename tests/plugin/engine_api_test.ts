/** What the Engine API says, in the words of the domain; the engine is a web server on a socket. */
import assert from "node:assert/strict";
import { openEngine } from "../../stack/engine/engine.ts";
import type { Engine } from "../../stack/engine/swarm.ts";
import { fakeEngine, type Reply, type Request } from "../support/fake_engine.ts";
import { fakeSwarmApi } from "../support/fake_swarm_api.ts";
import { aNetwork, aNode, aService, aTask, FakeSwarm } from "../support/fakes.ts";

/** Asks an engine that answers so. */
async function ask<T>(answer: (request: Request) => Reply, question: (engine: Engine) => Promise<T>): Promise<T> {
  await using server = await fakeEngine(answer);
  const { host, connection } = await server.endpoint();
  return await question(openEngine({ host, connection }));
}

Deno.test("services, tasks, nodes, secrets, configs and networks come as the domain knows them", async () => {
  const swarm = new FakeSwarm();
  swarm.info.subnetSize = 22;
  swarm.addCluster("hello", 2);
  swarm.addCluster("other", 1);
  swarm.services[0] = aService("hello", "master", {
    secretIds: ["s1", "s2"],
    constraints: ["node.role == manager"],
    update: { state: "paused", message: "task failed" },
  });
  swarm.services.push(aService("hello", "worker", { id: "extra", replicas: undefined }));
  swarm.tasks[0] = aTask("hello-master", 1, { state: "failed", error: "it crashed", containerId: "" });
  swarm.secrets.push({ id: "1", name: "hello_x", labels: { "com.docker.stack.namespace": "hello" }, createdAt: "t" });
  swarm.configs.push({ id: "2", name: "hello_y", labels: { "com.docker.stack.namespace": "hello" }, createdAt: "t" });
  swarm.nodes.push(
    aNode(2, { attributes: { "node.labels.rack": "2", "node.labels.a.b": "c=d", "engine.labels.gpu": "" } }),
  );
  swarm.networks = [aNetwork("hello", { subnet: undefined, options: { encrypted: "" } }), aNetwork("other")];
  await using api = await fakeSwarmApi(swarm);
  const { host, connection } = await api.endpoint();
  const [port, engine] = [swarm.engine(), openEngine({ host, connection })];
  const label = "com.docker.stack.namespace=hello";
  assert.deepEqual(await engine.info(), await port.info());
  assert.deepEqual(await engine.services([label, "docker-mpi.role"]), await port.services([label, "docker-mpi.role"]));
  assert.equal((await engine.services([label])).length, 3);
  assert.deepEqual(await engine.tasks(label), await port.tasks(label));
  assert.deepEqual(await engine.nodes(), await port.nodes());
  assert.deepEqual(await engine.secrets(label), await port.secrets(label));
  assert.deepEqual(await engine.configs(label), await port.configs(label));
  assert.deepEqual(await engine.networks(label), await port.networks(label));
  assert.equal((await engine.networks(label)).length, 1);
});

Deno.test("an engine tells whose numbers users have in its containers", async () => {
  const users = async (info: Record<string, unknown>) =>
    (await ask(() => ({ json: info }), (engine) => engine.info())).users;
  assert.equal(await users({ SecurityOptions: ["name=seccomp,profile=default", "name=cgroupns"] }), "same");
  assert.equal(await users({ SecurityOptions: ["name=seccomp,profile=builtin", "name=userns"] }), "remapped");
  assert.equal(await users({ SecurityOptions: ["name=rootless"] }), "root-is-caller");
  assert.equal(await users({ OperatingSystem: "Docker Desktop" }), "root-is-caller");
});

Deno.test("every request carries what the user's docker sends along", async () => {
  const asked: Request[] = [];
  await using server = await fakeEngine((request) => {
    asked.push(request);
    return { json: [] };
  });
  const { host, connection } = await server.endpoint();
  await openEngine({ host, connection, headers: { "X-Site": "north" } }).nodes();
  assert.deepEqual(asked.map(({ line, headers }) => [line, headers.get("X-Site")]), [["GET /nodes", "north"]]);
});

Deno.test("what an engine leaves out is taken for what that means", async () => {
  const bare: Record<string, unknown> = {
    "GET /info": { ServerVersion: "20.10.24" },
    "GET /services": [{ ID: "1", CreatedAt: "t", Spec: { Name: "n", Mode: { Global: {} }, TaskTemplate: {} } }],
    "GET /tasks": [{ ID: "1", ServiceID: "s", DesiredState: "running", Status: { State: "new", Timestamp: "t" } }],
    "GET /networks": [{ Id: "1", Name: "n", Created: "t", IPAM: { Config: null }, Options: null }],
    "GET /nodes": [{ ID: "1", Spec: {}, Description: { Hostname: "h" }, Status: { State: "ready" } }],
    "GET /images/a/json": { Id: "sha256:1" },
  };
  const json = ({ line }: Request) => ({ json: bare[line] });
  assert.deepEqual(await ask(json, (engine) => engine.info()), {
    version: "20.10.24",
    swarm: "inactive",
    manager: false,
    clusterId: "",
    nodeId: "",
    users: "same",
    nodeAddress: "",
    managers: [],
    subnetSize: undefined,
  });
  assert.deepEqual(await ask(json, (engine) => engine.services([])), [{
    id: "1",
    name: "n",
    labels: {},
    image: "",
    secretIds: [],
    ports: [],
    constraints: [],
    maxPerNode: undefined,
    volumes: [],
    replicas: undefined,
    update: undefined,
    createdAt: "t",
  }]);
  const [task] = await ask(json, (engine) => engine.tasks("x"));
  assert.deepEqual([task?.slot, task?.nodeId, task?.containerId, task?.error], [0, "", "", ""]);
  const [network] = await ask(json, (engine) => engine.networks("x"));
  assert.deepEqual([network?.labels, network?.subnet, network?.options], [{}, undefined, {}]);
  const [node] = await ask(json, (engine) => engine.nodes());
  assert.deepEqual([node?.address, node?.attributes["node.role"], node?.attributes["node.id"]], ["", "", "1"]);
  const image = await ask(json, (engine) => engine.image("a"));
  assert.deepEqual([image?.id, image?.digests, image?.labels], ["sha256:1", [], {}]);
});

Deno.test("an image that isn't there is none; a part of a stack that is gone is removed", async () => {
  const gone = () => ({ status: 404, message: "no such thing" });
  assert.equal(await ask(gone, (engine) => engine.image("hello:latest")), undefined);
  await ask(gone, (engine) => engine.removeSecret("1"));
  await ask(gone, (engine) => engine.removeConfig("1"));
  await ask(gone, (engine) => engine.removeNetwork("1"));
  await ask(gone, (engine) => engine.removeService("1"));
});

Deno.test("a secret goes to the engine in base64, under its labels", async () => {
  const asked: Request[] = [];
  const answer = (request: Request) => {
    asked.push(request);
    return { json: { ID: "1" } };
  };
  await ask(answer, (engine) => engine.createSecret("hello_key", "träge\n", { a: "b" }));
  assert.deepEqual(asked.map(({ line, json }) => [line, json]), [[
    "POST /secrets/create",
    { Name: "hello_key", Labels: { a: "b" }, Data: "dHLDpGdlCg==" },
  ]]);
});

/** A service whose updates come too late so many times. */
function busy(times: number) {
  const asked: Request[] = [];
  let index = 7;
  const answer = (request: Request): Reply => {
    if (request.line === "GET /services/1") {
      const Spec = { Name: "w", Labels: { a: "b" }, Mode: { Replicated: { Replicas: 2 } }, TaskTemplate: { Kept: 1 } };
      return { json: { ID: "1", Version: { Index: index++ }, Spec } };
    }
    asked.push(request);
    return times-- > 0 ? { status: 500, message: "rpc error: update out of sequence" } : { json: {} };
  };
  return { asked, answer };
}

Deno.test("scaling changes the number alone, and does it again if something came in between", async () => {
  const { asked, answer } = busy(2);
  await ask(answer, (engine) => engine.scaleService("1", 9));
  assert.deepEqual(asked.map(({ line, query }) => [line, query.get("version")]), [
    ["POST /services/1/update", "7"],
    ["POST /services/1/update", "8"],
    ["POST /services/1/update", "9"],
  ]);
  const { Name, Labels, Mode, TaskTemplate } = asked[2]?.json as Record<string, unknown>;
  assert.deepEqual([Name, Labels, Mode, TaskTemplate], [
    "w",
    { a: "b" },
    { Replicated: { Replicas: 9 } },
    { Kept: 1 },
  ]);
  const never = busy(100);
  await assert.rejects(ask(never.answer, (engine) => engine.scaleService("1", 9)), /update out of sequence/);
  assert.equal(never.asked.length, 5);
});

const refusals: [reply: Reply, code: string, message: RegExp][] = [
  [
    { status: 503, message: "This node is not a swarm manager. Use docker swarm init" },
    "swarm",
    /^The engine at "unix:.*" is not a manager of a swarm$/,
  ],
  [{ status: 409, message: "secret is in use" }, "conflict", /^The Docker engine refuses: secret is in use$/],
  [
    { status: 400, message: "rpc error: code = FailedPrecondition desc = network n is in use by service s" },
    "conflict",
    /^The Docker engine refuses: network n is in use by service s$/,
  ],
  [{ status: 500, message: "oh no" }, "engine", /^The Docker engine refuses: oh no$/],
];

for (const [reply, code, message] of refusals) {
  Deno.test(`a refusal becomes an error of the kind "${code}"`, async () => {
    await assert.rejects(ask(() => reply, (engine) => engine.removeSecret("1")), { code, message });
  });
}
