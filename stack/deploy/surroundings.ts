import { type Cluster, findClusters, stackLabel, traitsOf } from "../cluster/cluster.ts";
import { requireManager } from "../cluster/manager.ts";
import { allParts, type Parts, partsOf } from "../cluster/parts.ts";
import type { Engine, EngineInfo, Network, Service, SwarmNode } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import { keyDirectory, readUserKeys } from "../keys/key_store.ts";
import { type KeySituation } from "../keys/keys.ts";
import { authorizedLines } from "../keys/public_key.ts";
import { LABELS, STACK_LABEL } from "../labels.ts";
import { type Limit, poll } from "../limit.ts";
import { clusterNameFrom } from "../names.ts";
import { checkNetwork } from "../settings/network.ts";
import type { NetworkType } from "../settings/schema.ts";
import type { Settings } from "../settings/settings.ts";
import { freeSubnet, overlap } from "../settings/subnet.ts";
import type { Deployment, DeploymentPlan } from "./deployment.ts";
import { stoppingTasks, waitForEnd } from "./remove.ts";
import { Race } from "./stack_deploy.ts";

/** What a deployment finds in the swarm under its cluster's name, and around it. */
export interface Surroundings {
  /** What the engine says of itself. */
  info: EngineInfo;
  /** The hosts of the swarm. */
  nodes: SwarmNode[];
  /** Whether there is nothing at all of that name, not even a part of a cluster. */
  fresh: boolean;
  /** The type of its network, settled. */
  network: NetworkType;
  /** The subnet that its network has, or is to have; none: the swarm chooses. */
  subnet: string | undefined;
  /** The cluster, if it is whole. */
  cluster: Cluster | undefined;
  /** Its keys. */
  keys: KeySituation;
  /** Where those of this machine are. */
  directory: string;
}

/**
 * Looks around before a deployment, and changes nothing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { resolveSettings } from "../settings/settings.ts";
 * import { lookAround } from "./surroundings.ts";
 *
 * const none = () => Promise.resolve([]);
 * const info = () => Promise.resolve({ swarm: "active", manager: true, clusterId: "c1" });
 * const all = { info, nodes: none, services: none, networks: none, secrets: none, configs: none };
 * const settings = await resolveSettings({ flags: { name: "hello" }, directory: "/home/ada/hello" });
 * const known = { configDir: "/home/ada/.docker", settings, version: "1.0.0" };
 * const plan = { ...known, rotateKeys: false, resolveImage: "never" as const };
 * const { fresh, directory } = await lookAround({ ...plan, engine: all as unknown as Engine });
 * assert.deepEqual([fresh, directory], [true, "/home/ada/.docker/mpi/keys/hello-c1"]);
 * const services = () => Promise.resolve([{ name: "hello_web", labels: {}, secretIds: [] }]);
 * const taken = lookAround({ ...plan, engine: { ...all, services } as unknown as Engine });
 * await assert.rejects(taken, /Stack "hello" exists and is not a cluster of docker mpi: it has "hello_web"/);
 * ```
 *
 * @throws {MpiError} `swarm` if the engine is no manager, `conflict` if something is in the way.
 */
export async function lookAround(
  { engine, configDir, settings, rotateKeys, addKeys = [] }: DeploymentPlan,
): Promise<Surroundings> {
  const { name } = settings;
  const info = await requireManager(engine);
  const [parts, nodes] = await Promise.all([partsOf(engine, name), engine.nodes()]);
  refuseForeign(parts, name);
  const [cluster] = findClusters(parts.services.filter(({ labels }) => labels[LABELS.cluster] === name));
  if (cluster === undefined) {
    await refuseNamesakes(engine, settings);
    await refuseOverlap(engine, settings);
  } else {
    refuseOtherType(cluster, settings);
    refuseOtherNetwork(parts.networks, settings);
    refuseOtherMode(cluster, settings);
  }
  const network = settings.network ?? typeOf(cluster);
  checkNetwork({ ...settings, network });
  const directory = keyDirectory(configDir, info.clusterId, name);
  const deployed = ownerOf(parts.services);
  const keys = {
    name,
    secrets: parts.secrets,
    used: parts.services.flatMap(({ secretIds }) => secretIds),
    deployed,
    authorized: authorizedLines(masterOf(parts.services)),
    add: addKeys,
    local: await readUserKeys(directory, deployed),
    rotate: rotateKeys,
  };
  const subnet = networkOf(parts.networks, name)?.subnet ?? settings.subnet;
  return { info, nodes, fresh: allParts(parts).length === 0, network, subnet, cluster, keys, directory };
}

/** The fingerprint of the user key that a cluster takes, whole or half: the master's tells, while it is there. */
function ownerOf(services: readonly Service[]): string | undefined {
  const worker = services.find(({ labels }) => labels[LABELS.role] === "worker");
  return masterOf(services)?.labels[LABELS.userKey] ?? worker?.labels[LABELS.userKey];
}

function masterOf(services: readonly Service[]): Service | undefined {
  return services.find(({ labels }) => labels[LABELS.role] === "master");
}

/**
 * Makes sure that no other machine has deployed the cluster, or let a key in, since we looked around.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { Race } from "./stack_deploy.ts";
 * import { refuseTakeover, type Surroundings } from "./surroundings.ts";
 *
 * const master = { labels: { "docker-mpi.role": "master", "docker-mpi.user-key": "SHA256:x" } };
 * const engine = { services: () => Promise.resolve([master]) } as unknown as Engine;
 * const before = (deployed: string) => ({ keys: { name: "hello", deployed } }) as Surroundings;
 * await refuseTakeover(engine, before("SHA256:x"));
 * await assert.rejects(refuseTakeover(engine, before("SHA256:y")), Race);
 * ```
 *
 * @throws {Race} If one has.
 */
export async function refuseTakeover(engine: Engine, { keys }: Surroundings): Promise<void> {
  const { name, deployed, authorized = [] } = keys;
  const services = await engine.services([`${LABELS.cluster}=${name}`]);
  const sameKeys = authorizedLines(masterOf(services)).join("\n") === authorized.join("\n");
  if (ownerOf(services) === deployed && sameKeys) return;
  throw new Race(`Cluster "${name}" was deployed from elsewhere at the same time, with other keys`);
}

/**
 * The same when what is being removed is gone: a deployment into the midst of a removal fails.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { resolveSettings } from "../settings/settings.ts";
 * import type { Deployment } from "./deployment.ts";
 * import { lookAroundAfterRemoval } from "./surroundings.ts";
 *
 * const [none, left] = [() => Promise.resolve([]), [{ state: "running", serviceId: "s1", nodeId: "n1" }]];
 * const tasks = () => Promise.resolve(left.splice(0));
 * const info = () => Promise.resolve({ swarm: "active", manager: true, clusterId: "c1" });
 * const secrets = () => Promise.resolve(left.map(() => ({ labels: { "docker-mpi.cluster": "hello" } })));
 * const all = { info, tasks, nodes: none, services: none, networks: none, secrets, configs: none };
 * const settings = await resolveSettings({ flags: { name: "hello" }, directory: "/home/ada/hello" });
 * const deployment = { engine: all as unknown as Engine, configDir: "/home/ada/.docker", settings } as Deployment;
 * const limit = { timeout: 5000, signal: new AbortController().signal };
 * const told: string[] = [];
 * const around = await lookAroundAfterRemoval(deployment, limit, ({ text }) => void told.push(text));
 * assert.deepEqual([around.fresh, told], [true, ["the cluster of before still stops", "gone"]]);
 * ```
 *
 * @param deployment What is to be deployed.
 * @param limit When to give up.
 * @param report Told what it waits for.
 */
export async function lookAroundAfterRemoval(
  deployment: Deployment,
  limit: Limit,
  report: Report,
): Promise<Surroundings> {
  const { engine, settings } = deployment;
  const before = await lookAround(deployment);
  if (before.cluster !== undefined) return before;
  const waited = await waitForRemoval(engine, settings.name, limit, report);
  // A network that is still there belongs to a deployment that was interrupted, and this one would take it as it is.
  if (settings.network !== "host") refuseOtherNetwork(await engine.networks(stackLabel(settings.name)), settings);
  return waited ? await lookAround(deployment) : before;
}

/** A stack of this name that we did not make is left alone. */
function refuseForeign(parts: Parts, name: string): void {
  const found = allParts(parts);
  const ours = (parts.services.length > 0 ? parts.services : found).some(({ labels }) =>
    labels[LABELS.cluster] === name
  );
  const foreign = found.find(({ labels }) => labels[LABELS.cluster] === undefined);
  if (foreign === undefined || ours) return;
  throw new MpiError(
    "conflict",
    `Stack "${name}" exists and is not a cluster of docker mpi: it has "${foreign.name}"`,
    { hint: `docker mpi deploy --cluster ${clusterNameFrom(`${name}-mpi`)}  # takes another name` },
  );
}

/** Docker refuses a name that is taken, and does not tell that from a part of the stack that has just come. */
async function refuseNamesakes(engine: Engine, { name, network }: Settings): Promise<void> {
  const [services, networks] = await Promise.all([engine.services([]), engine.networks()]);
  const isNamesake = (...parts: string[]) => (there: Service | Network) =>
    parts.some((part) => there.name === `${name}_${part}`) && there.labels[STACK_LABEL] !== name;
  const service = services.find(isNamesake("master", "worker"));
  const found = service ?? (network === "host" ? undefined : networks.find(isNamesake("cluster")));
  if (found === undefined) return;
  const what = service === undefined ? "network" : "service";
  throw new MpiError(
    "conflict",
    `Cluster "${name}" would need the name "${found.name}", which a ${what} that is not docker mpi's has`,
    { hint: `docker mpi deploy --cluster ${clusterNameFrom(`${name}-mpi`)}  # takes another name` },
  );
}

function networkOf(networks: readonly Network[], name: string): Network | undefined {
  return networks.find(({ labels }) => labels[LABELS.cluster] === name);
}

function typeOf(cluster: Cluster | undefined): NetworkType {
  return cluster === undefined ? "overlay" : traitsOf(cluster).network;
}

/** Nodes would lose each other, one after the other. */
function refuseOtherType(cluster: Cluster, { network }: Settings): void {
  const [name, now] = [cluster.name, typeOf(cluster)];
  if (network === undefined || now === network) return;
  throw new MpiError(
    "conflict",
    `Cluster "${name}" has the network "${now}", and can't get "${network}" while it runs`,
    {
      hint: `docker mpi rm ${name} && docker mpi deploy --cluster ${name} --network ${network}`,
    },
  );
}

/** Docker silently keeps a network as it is, whatever the stack file says of it. */
function refuseOtherNetwork(
  networks: readonly Network[],
  { name, subnet, mtu, encrypted }: Settings,
): void {
  const network = networkOf(networks, name);
  if (network === undefined) return;
  const now = network.options["com.docker.network.driver.mtu"];
  const isEncrypted = "encrypted" in network.options;
  const other = [
    subnet !== undefined && subnet !== network.subnet ? `subnet ${network.subnet ?? "by default"}, not ${subnet}` : "",
    mtu?.toString() !== now ? `mtu ${now ?? "by default"}, not ${mtu ?? "by default"}` : "",
    encrypted !== isEncrypted ? `encryption ${isEncrypted ? "on, not off" : "off, not on"}` : "",
  ].filter(Boolean);
  if (other.length === 0) return;
  const flags = [
    subnet === undefined ? "" : ` --subnet ${subnet}`,
    mtu === undefined ? "" : ` --mtu ${mtu}`,
    encrypted ? " --encrypted" : "",
  ].join("");
  throw new MpiError(
    "conflict",
    `The network of cluster "${name}" can't be changed while it runs: it has ${other[0]}`,
    { hint: `docker mpi rm ${name} && docker mpi deploy --cluster ${name}${flags}` },
  );
}

/** A service that has so many tasks can't become one with a task on each host, nor the other way round. */
function refuseOtherMode({ name, worker }: Cluster, { workers }: Settings): void {
  if (workers === undefined || (workers === "per-node") === (worker.replicas === undefined)) return;
  const [now, wanted] = worker.replicas === undefined
    ? ["one worker on each host", `${workers} workers`]
    : [`${worker.replicas} workers`, "one on each host"];
  throw new MpiError("conflict", `Cluster "${name}" has ${now}, and can't get ${wanted} while it runs`, {
    hint: `docker mpi rm ${name} && docker mpi deploy --cluster ${name} --workers ${workers}`,
  });
}

/** A swarm takes a subnet that it can't give any task, and then says nothing. */
async function refuseOverlap(engine: Engine, { name, subnet }: Settings): Promise<void> {
  if (subnet === undefined) return;
  const networks = await engine.networks();
  const network = networks.find((other) => other.labels[STACK_LABEL] !== name && overlap(subnet, other.subnet ?? ""));
  if (network === undefined) return;
  const free = freeSubnet(networks.flatMap((each) => each.subnet ?? []));
  throw new MpiError("conflict", `The subnet "${subnet}" overlaps "${network.subnet}" of network "${network.name}"`, {
    hint: free === undefined
      ? "docker network ls  # shows the networks; choose a subnet that none of them has"
      : `docker mpi deploy --subnet ${free}  # takes another; ip route shows what the hosts use`,
  });
}

/** After `docker stack rm` the containers stay for some seconds. Tells whether there was anything to wait for. */
async function waitForRemoval(engine: Engine, name: string, limit: Limit, report: Report): Promise<boolean> {
  if ((await stoppingTasks(engine, name)).length === 0) return false;
  report({ resource: "nodes", state: "working", text: "the cluster of before still stops" });
  await waitForEnd(engine, name, limit, report);
  // The network goes a moment after the last container.
  const soon = { timeout: Math.min(5000, limit.timeout), signal: limit.signal };
  const gone = async () => (await engine.networks(stackLabel(name))).length === 0 ? true : undefined;
  const stays = new MpiError("timeout", "The network stays");
  await poll(gone, soon, () => stays).catch((error) => {
    if (error !== stays) throw error;
  });
  return true;
}
