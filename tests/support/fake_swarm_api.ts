/** The Engine API over a swarm in memory: the answers of a real engine, as far as we ask. */
import type { Engine, Labelled, Network, Service, SwarmNode, Task } from "../../stack/engine/swarm.ts";
import { type FakeEngine, fakeEngine, type Reply, type Request } from "./fake_engine.ts";
import type { FakeSwarm } from "./fakes.ts";

/** Starts an engine that tells of the swarm; `extra` answers what a test adds, before anything else. */
export async function fakeSwarmApi(
  swarm: FakeSwarm,
  extra: (request: Request) => Reply = () => undefined,
): Promise<FakeEngine> {
  const port = swarm.engine();
  const list = async <T>(items: Promise<T[]>, toApi: (item: T) => unknown) => ({ json: (await items).map(toApi) });
  return await fakeEngine(async (request) => {
    const { line, filters: { label = [] } } = request;
    const first = label[0] ?? "";
    const special = extra(request);
    if (special !== undefined) return special;
    if (line === "GET /info") return { json: apiInfo(swarm) };
    if (line === "GET /services") return await list(port.services(label), apiService);
    if (line === "GET /tasks") return await list(port.tasks(first), apiTask);
    if (line === "GET /nodes") return await list(port.nodes(), apiNode);
    if (line === "GET /secrets") return await list(port.secrets(first), apiSecret);
    if (line === "GET /configs") return await list(port.configs(first), apiSecret);
    if (line === "GET /networks") return await list(port.networks(first), apiNetwork);
    if (line.startsWith("GET /containers/json")) return { json: [] };
    const [, kind = "", id = ""] = /^DELETE \/(services|secrets|configs|networks)\/(.+)$/.exec(line) ?? [];
    if (id !== "") return { json: await remove(port, kind, id) ?? {} };
    const [, image = ""] = /^GET \/images\/(.+)\/json$/.exec(line) ?? [];
    const found = swarm.images[decodeURIComponent(image)];
    if (found !== undefined) {
      return { json: { Id: found.id, RepoDigests: found.digests, Config: { Labels: found.labels } } };
    }
    return { status: 404, message: `unexpected: ${line}` };
  });
}

function remove(port: Engine, kind: string, id: string): Promise<void> {
  if (kind === "services") return port.removeService(id);
  if (kind === "secrets") return port.removeSecret(id);
  return kind === "configs" ? port.removeConfig(id) : port.removeNetwork(id);
}

/** How engines tell whose numbers users have. */
const SECURITY = { same: [], remapped: ["name=userns"], "root-is-caller": ["name=rootless"] };

function apiInfo({ info }: FakeSwarm) {
  return {
    ServerVersion: info.version,
    SecurityOptions: ["name=seccomp,profile=default", ...SECURITY[info.users]],
    Swarm: {
      LocalNodeState: info.swarm,
      ControlAvailable: info.manager,
      NodeID: info.nodeId,
      NodeAddr: info.nodeAddress,
      Cluster: info.manager ? { ID: info.clusterId, SubnetSize: info.subnetSize ?? 0 } : null,
      RemoteManagers: info.managers.map((Addr) => ({ NodeID: "x", Addr })),
    },
  };
}

const apiService = (
  { id, name, labels, image, secretIds, ports, constraints, maxPerNode, replicas, update, createdAt }: Service,
) => ({
  ID: id,
  CreatedAt: createdAt,
  Version: { Index: 7 },
  Spec: {
    Name: name,
    Labels: labels,
    Mode: replicas === undefined ? { Global: {} } : { Replicated: { Replicas: replicas } },
    TaskTemplate: {
      ContainerSpec: { Image: image, Secrets: secretIds.map((SecretID) => ({ SecretID })) },
      Placement: { Constraints: constraints, MaxReplicas: maxPerNode },
    },
  },
  Endpoint: { Ports: ports.map((PublishedPort) => ({ Protocol: "tcp", PublishedPort })) },
  ...(update === undefined ? {} : { UpdateStatus: { State: update.state, Message: update.message } }),
});

const apiTask = ({ id, serviceId, slot, nodeId, containerId, state, desired, error, since }: Task) => ({
  ID: id,
  ServiceID: serviceId,
  Slot: slot,
  NodeID: nodeId,
  DesiredState: desired,
  Status: { State: state, Err: error, Timestamp: since, ContainerStatus: { ContainerID: containerId } },
});

const apiNode = ({ id, hostname, address, state, availability, attributes }: SwarmNode) => ({
  ID: id,
  Spec: { Availability: availability, Role: attributes["node.role"], Labels: labelsOf("node", attributes) },
  Description: {
    Hostname: hostname,
    Platform: { OS: attributes["node.platform.os"], Architecture: attributes["node.platform.arch"] },
    Engine: { Labels: labelsOf("engine", attributes) },
  },
  Status: { State: state, Addr: address },
});

function labelsOf(kind: string, attributes: SwarmNode["attributes"]) {
  const prefix = `${kind}.labels.`;
  const own = Object.entries(attributes).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

const apiSecret = ({ id, name, labels, createdAt }: Labelled) => ({
  ID: id,
  CreatedAt: createdAt,
  Spec: { Name: name, Labels: labels },
});

const apiNetwork = ({ id, name, labels, createdAt, subnet, options }: Network) => ({
  Id: id,
  Name: name,
  Labels: labels,
  Created: createdAt,
  IPAM: { Config: [{ Subnet: subnet }] },
  Options: options,
});
