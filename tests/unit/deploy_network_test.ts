/** Deployments of clusters that are on their hosts' network. */
import assert from "node:assert/strict";
import { previewStack } from "../../stack/deploy/deploy.ts";
import { LABELS } from "../../stack/labels.ts";
import type { SettingsInput } from "../../stack/settings/settings.ts";
import { running, world } from "../support/deployment.ts";
import { aNode, MANAGER } from "../support/fakes.ts";

const hosts = [1, 2, 3].map((number) => aNode(number));

interface Node {
  environment: Record<string, string>;
  ports?: unknown;
  deploy: { placement: { constraints: string[] }; labels: Record<string, string> };
}

async function deployed({ deployment }: Awaited<ReturnType<typeof world>>): Promise<{ master: Node; worker: Node }> {
  const { stack } = await previewStack({ ...deployment, resolveImage: "never" }, undefined);
  return stack.services as unknown as { master: Node; worker: Node };
}

/** A swarm of three hosts where such a cluster of two workers runs, whose master is on the third. */
async function onHosts(flags: SettingsInput["flags"] = {}) {
  const found = await running({ flags });
  found.swarm.nodes = hosts;
  found.swarm.networks = [];
  const [master, worker] = found.swarm.services;
  master!.constraints = ["node.id == node-3"];
  worker!.replicas = 2;
  for (const service of [master!, worker!]) service.labels = { ...service.labels, [LABELS.network]: "host" };
  return found;
}

Deno.test("a new cluster has its master on the engine's own host, and no worker there", async () => {
  const fresh = await world({ flags: { network: "host", workers: 2 } });
  fresh.swarm.nodes = hosts;
  const { master, worker } = await deployed(fresh);
  assert.deepEqual(master.deploy.placement.constraints, [`node.id == ${MANAGER.nodeId}`]);
  assert.deepEqual(worker.deploy.placement.constraints, [`node.id != ${MANAGER.nodeId}`]);
  assert.equal(worker.environment["MPI_HOST_ADDRESSES"], "10.0.0.1 10.0.0.2 10.0.0.3");
  assert.equal(master.ports, undefined);
});

Deno.test("constraints of `stack:` choose the master's host as well", async () => {
  const fresh = await world({ flags: { network: "host", workers: 2 } });
  fresh.swarm.nodes = hosts;
  fresh.deployment.settings.stack = {
    services: { master: { deploy: { placement: { constraints: ["node.hostname == rack-2"] } } } },
  };
  const { master } = await deployed(fresh);
  assert.ok(master.deploy.placement.constraints.includes("node.id == node-2"));
});

Deno.test("a cluster that runs keeps its network and its master's host unasked", async () => {
  const { master } = await deployed(await onHosts());
  assert.deepEqual(master.deploy.placement.constraints, ["node.id == node-3"]);
  assert.equal(master.deploy.labels[LABELS.network], "host");
  assert.equal(master.environment["MPI_HOST_ADDRESSES"], "10.0.0.3 10.0.0.1 10.0.0.2");
});

Deno.test("the master of a cluster that runs gets another host when its own is lost", async () => {
  const found = await onHosts();
  found.swarm.nodes = hosts.map((host) => host.id === "node-3" ? { ...host, state: "down" } : host);
  const { master } = await deployed(found);
  assert.deepEqual(master.deploy.placement.constraints, ["node.id == node-1"]);
});

Deno.test("a cluster that runs gets no other network, and nothing that its own doesn't have", async () => {
  await assert.rejects(deployed(await onHosts({ network: "overlay" })), {
    code: "conflict",
    message: 'Cluster "hello" has the network "host", and can\'t get "overlay" while it runs',
    hint: "docker mpi rm hello && docker mpi deploy --cluster hello --network overlay",
  });
  await assert.rejects(deployed(await onHosts({ encrypted: true })), { code: "usage" });
  await assert.rejects(deployed(await running({ flags: { network: "host" } })), {
    message: 'Cluster "hello" has the network "overlay", and can\'t get "host" while it runs',
  });
});
