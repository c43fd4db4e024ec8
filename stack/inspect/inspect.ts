import { type Cluster, nodeStatuses, stackLabel, traitsOf } from "../cluster/cluster.ts";
import { partsOf } from "../cluster/parts.ts";
import type { Engine, Service } from "../engine/swarm.ts";
import type { JsonObject } from "../json.ts";
import { authorized } from "../keys/public_key.ts";
import { LABELS } from "../labels.ts";
import { masterHost } from "../master/master.ts";
import { fingerprint } from "../names.ts";

/**
 * Gathers all that the swarm knows of a cluster, with keys as Docker writes them. Of secrets it has the names alone: what they
 * hold can't be read.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Cluster } from "../cluster/cluster.ts";
 * import type { Engine } from "../engine/swarm.ts";
 * import { inspectCluster } from "./inspect.ts";
 *
 * const service = { id: "s1", name: "hello_master", image: "hello", labels: {}, constraints: [], volumes: [] };
 * const cluster = { name: "hello", master: service, worker: { ...service, id: "s2" } } as unknown as Cluster;
 * const of = <T>(...all: T[]) => () => Promise.resolve(all);
 * const task = { id: "t1", serviceId: "s1", slot: 1, nodeId: "n1", state: "running", desired: "running" };
 * const key = { id: "k1", name: "hello_key", createdAt: "2026-01-31T12:00:00Z" };
 * const parts = { services: of(service), networks: of(), secrets: of(key), configs: of() };
 * const engine = { ...parts, tasks: of(task), nodes: of({ id: "n1", hostname: "rack-1", address: "10.0.0.1" }) };
 * const { Master, Secrets } = await inspectCluster(engine as unknown as Engine, cluster);
 * assert.deepEqual(Master, { Host: "rack-1", Address: "10.0.0.1", Port: 2222, HostKey: "" });
 * assert.deepEqual(Secrets, [{ Id: "k1", Name: "hello_key", CreatedAt: "2026-01-31T12:00:00Z" }]);
 * ```
 *
 * @param engine The engine.
 * @param cluster The cluster.
 */
export async function inspectCluster(engine: Engine, cluster: Cluster): Promise<JsonObject> {
  const { name, master, worker } = cluster;
  const [parts, tasks, hosts] = await Promise.all([
    partsOf(engine, name),
    engine.tasks(stackLabel(name)),
    engine.nodes(),
  ]);
  const nodes = nodeStatuses(cluster, tasks, hosts);
  const host = masterHost(cluster, tasks, hosts);
  const traits = traitsOf(cluster);
  const named = ({ id: Id, name: Name, createdAt: CreatedAt }: { id: string; name: string; createdAt: string }) => ({
    Id,
    Name,
    CreatedAt,
  });
  return {
    Name: name,
    CreatedAt: master.createdAt,
    Version: master.labels[LABELS.version] ?? "",
    Image: traits.image,
    Slots: traits.slots,
    Workers: worker.replicas ?? "per-node",
    Master: {
      Host: host?.hostname ?? "",
      Address: host?.address ?? "",
      Port: traits.port,
      HostKey: fingerprintOf(master.labels[LABELS.hostKey]),
    },
    UserKeys: authorized(master),
    Services: parts.services.map(describeService),
    Nodes: nodes.map((node) => ({
      Name: node.name,
      State: node.state,
      Host: node.host,
      Since: node.since,
      Error: node.error,
      Failures: node.failures,
      Task: node.task,
      Container: node.container,
    })),
    Networks: parts.networks.map((network) => ({
      ...named(network),
      Subnet: network.subnet ?? "",
      Options: network.options,
    })),
    Secrets: parts.secrets.map(named),
    Configs: parts.configs.map(named),
    Volumes: [...new Set(parts.services.flatMap(({ volumes }) => volumes))],
  };
}

function fingerprintOf(publicKey: string | undefined): string {
  return publicKey === undefined ? "" : fingerprint(publicKey);
}

function describeService(service: Service): JsonObject {
  const { id, name, image, labels, replicas, constraints, maxPerNode, update } = service;
  return {
    Id: id,
    Name: name,
    Role: labels[LABELS.role] ?? "",
    Image: image,
    Replicas: replicas ?? null,
    Constraints: constraints,
    MaxPerNode: maxPerNode ?? null,
    Update: update === undefined ? null : { State: update.state, Message: update.message },
  };
}
