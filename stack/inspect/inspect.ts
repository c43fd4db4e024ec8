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
