import type { Duplex } from "node:stream";
import { type Cluster, nodeStatuses, stackLabel, traitsOf } from "../cluster/cluster.ts";
import type { Engine, EngineInfo, SwarmNode, Task } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { readUserKeys, type UserKeys } from "../keys/key_store.ts";
import { OTHER_MACHINE, otherKey } from "../keys/keys.ts";
import { authorized } from "../keys/public_key.ts";
import { LABELS } from "../labels.ts";
import { fingerprint } from "../names.ts";
import { reach } from "../ssh/reach.ts";
import type { SshConnection, SshTarget } from "../ssh/ssh.ts";

/** Where the engine is, seen from the user. */
export interface Vantage {
  /** Whether it is reached by a socket of this machine. */
  local: boolean;
  /** Its name or address, where it is not. */
  hostname?: string;
  /** Runs a command in a container of that engine, and gives its streams as one; none: there is no such way. */
  enter?: ((container: string, command: readonly string[]) => Promise<Duplex>) | undefined;
  /** Told which way is taken, where it is not the usual one. */
  note?: ((text: string) => void) | undefined;
}

/**
 * Tells the address at which the master's SSH port is reached.
 *
 * The port is published on the Docker host where the master runs. If that is the engine that we talk to, the way that
 * leads to the engine leads there too: this machine itself, also with Docker Desktop, whose node address can't be
 * reached from outside, or the endpoint's host. Otherwise it is the address under which the swarm knows the node.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { masterAddress } from "./master.ts";
 *
 * assert.equal(masterAddress({ local: true }, "node-1", "node-1", "192.168.65.3"), "127.0.0.1");
 * assert.equal(masterAddress({ local: false, hostname: "head" }, "node-1", "node-1", "10.0.0.1"), "head");
 * assert.equal(masterAddress({ local: true }, "node-1", "node-2", "10.0.0.2"), "10.0.0.2");
 * ```
 *
 * @param vantage Where the engine is.
 * @param engineNode The engine's node id.
 * @param masterNode The node id of the master's host.
 * @param address The address of that host in the swarm.
 */
export function masterAddress(vantage: Vantage, engineNode: string, masterNode: string, address: string): string {
  if (engineNode !== masterNode) return address;
  return vantage.local ? "127.0.0.1" : vantage.hostname ?? address;
}

/** What is needed to find the master of a cluster. */
export interface MasterSearch {
  /** The engine. */
  engine: Engine;
  /** Where it is. */
  vantage: Vantage;
  /** The directory with the cluster's keys on this machine. */
  keys: string;
}

/**
 * Finds out how to log in to the master of a cluster.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Cluster } from "../cluster/cluster.ts";
 * import type { Engine, EngineInfo } from "../engine/swarm.ts";
 * import { writeUserKeys } from "../keys/key_store.ts";
 * import { findMaster } from "./master.ts";
 *
 * const keys = await Deno.makeTempDir();
 * const own = { privateKey: "(a key file)\n", publicKey: "ssh-ed25519 AAAA", masterHostKey: "ssh-ed25519 BBBB" };
 * await writeUserKeys(keys, "hello", own);
 * const task = { id: "t1", serviceId: "s1", slot: 1, nodeId: "n2", state: "running", desired: "running" };
 * const node = { id: "n2", address: "10.0.0.2" };
 * const engine = { tasks: () => Promise.resolve([task]), nodes: () => Promise.resolve([node]) } as unknown as Engine;
 * const search = { engine, keys, vantage: { local: true } };
 * const master = { id: "s1", labels: { "docker-mpi.port": "2300" } };
 * const cluster = { name: "hello", master, worker: { id: "s2", labels: {} } } as unknown as Cluster;
 * const { host, port, hostKey } = await findMaster(search, { nodeId: "n1" } as EngineInfo, cluster);
 * assert.deepEqual([host, port, hostKey], ["10.0.0.2", 2300, "ssh-ed25519 BBBB"]);
 * await Deno.remove(keys, { recursive: true });
 * ```
 *
 * @throws {MpiError} `cluster` if the master is not running, `ssh` if this machine has no key for it.
 */
export async function findMaster(search: MasterSearch, info: EngineInfo, cluster: Cluster): Promise<SshTarget> {
  const [tasks, nodes] = await Promise.all([search.engine.tasks(stackLabel(cluster.name)), search.engine.nodes()]);
  const host = requireMasterHost(cluster, tasks, nodes);
  const keys = await requireKeys(search, cluster);
  return {
    host: masterAddress(search.vantage, info.nodeId, host.id, host.address),
    port: traitsOf(cluster).port,
    user: "mpi",
    privateKey: keys.privateKey,
    hostKey: keys.masterHostKey,
  };
}

/**
 * Reads the keys that open a cluster.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Cluster } from "../cluster/cluster.ts";
 * import type { Engine } from "../engine/swarm.ts";
 * import { requireKeys } from "./master.ts";
 *
 * const cluster = { name: "hello", master: { labels: {} } } as unknown as Cluster;
 * const search = { engine: {} as Engine, keys: "/no/such/directory", vantage: { local: true } };
 * await assert.rejects(requireKeys(search, cluster), /This machine has no key for cluster "hello"/);
 * ```
 *
 * @param search Where the keys are.
 * @param cluster The cluster.
 * @throws {MpiError} `ssh` if this machine has none, or one that the cluster does not take.
 */
export async function requireKeys(search: MasterSearch, cluster: Cluster): Promise<UserKeys> {
  const deployed = cluster.master.labels[LABELS.userKey];
  const keys = await readUserKeys(search.keys, deployed);
  if (keys === undefined) {
    throw new MpiError("ssh", `This machine has no key for cluster "${cluster.name}": nothing in ${search.keys}`, {
      hint: OTHER_MACHINE,
    });
  }
  if (deployed !== undefined && !authorized(cluster.master).includes(fingerprint(keys.publicKey))) {
    throw otherKey(cluster.name, deployed);
  }
  return keys;
}

/**
 * The Docker host that has the master, running or not; none: it is on no host, or on one that has left.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { masterHost } from "./master.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels: {}, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * const states = { state: "starting", desired: "running", error: "", since: "2026-01-31T12:00:00Z" };
 * const task = { id: "t1", serviceId: "s1", slot: 1, nodeId: "n1", containerId: "", ...states };
 * const host = { id: "n1", hostname: "rack-1", address: "", state: "ready", availability: "active", attributes: {} };
 * assert.equal(masterHost(cluster, [task], [host])?.hostname, "rack-1");
 * assert.equal(masterHost(cluster, [task], []), undefined);
 * ```
 *
 * @param cluster Its services.
 * @param tasks The tasks of its stack, past ones included.
 * @param nodes The Docker hosts.
 */
export function masterHost(
  cluster: Cluster,
  tasks: readonly Task[],
  nodes: readonly SwarmNode[],
): SwarmNode | undefined {
  const status = nodeStatuses(cluster, tasks, nodes).find(({ name }) => name === "master");
  const task = tasks.find(({ id }) => id === status?.task);
  return nodes.find(({ id }) => id === task?.nodeId);
}

/** The Docker host where the master runs. */
function requireMasterHost(cluster: Cluster, tasks: readonly Task[], nodes: readonly SwarmNode[]): SwarmNode {
  const status = nodeStatuses(cluster, tasks, nodes).find(({ name }) => name === "master");
  const host = masterHost(cluster, tasks, nodes);
  if (status?.state === "running" && host !== undefined) return host;
  const why = status === undefined ? "it has no task" : status.error || status.lastError || `it is ${status.state}`;
  throw new MpiError("cluster", `The master of cluster "${cluster.name}" is not running: ${why}`, {
    hint: `docker mpi ps ${cluster.name}  # shows how it goes on`,
  });
}

/**
 * Logs in to the master of a cluster.
 *
 * @example What the nodes of a cluster are called, and what the master says to a command
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { listClusters } from "../cluster/cluster.ts";
 * import { openEngine } from "../engine/engine.ts";
 * import { keyDirectory } from "../keys/key_store.ts";
 * import { openMaster } from "./master.ts";
 * import { listHosts } from "./hosts.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const [info, clusters] = await Promise.all([engine.info(), listClusters(engine)]);
 * const cluster = clusters.find(({ name }) => name === "hello")!;
 * const keys = keyDirectory(Deno.env.get("DOCKER_CONFIG")!, info.clusterId, cluster.name);
 * const master = await openMaster({ engine, keys, vantage: { local: true } }, info, cluster);
 * try {
 *   const hosts = await listHosts(master, cluster.name);
 *   assert.deepEqual(hosts.map(({ name }) => name), ["master", "worker-1", "worker-2"]);
 *   assert.equal((await master.capture("hostname")).stdout, "master\n");
 * } finally {
 *   master.close();
 * }
 * ```
 */
export async function openMaster(
  search: MasterSearch,
  info: EngineInfo,
  cluster: Cluster,
  signal?: AbortSignal,
): Promise<SshConnection> {
  const target = await findMaster(search, info, cluster);
  const { engine, vantage: { enter, note } } = search;
  const openTunnel = async () => {
    const container = containerHere(cluster, await engine.tasks(stackLabel(cluster.name)), info.nodeId);
    if (container === undefined || enter === undefined) return undefined;
    note?.(`${target.host}:${target.port} does not answer; trying container ${container.slice(0, 12)} of the engine`);
    return await enter(container, ["mpi_tunnel"]);
  };
  return await reach(target, openTunnel, signal);
}

/**
 * Does something over a connection that a signal ends.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { untilAborted } from "./master.ts";
 *
 * const [user, broken] = [new AbortController(), Promise.withResolvers<string>()];
 * const master = { close: () => broken.reject(new Error("connection closed")) };
 * const doing = untilAborted(user.signal, master, () => broken.promise);
 * user.abort(new Error("the user gave up"));
 * await assert.rejects(doing, /the user gave up/);
 * ```
 *
 * @param signal Ends it.
 * @param master The connection, which is closed when the signal fires, and only then.
 * @param action What to do; it fails when its connection is closed.
 * @returns What `action` gives.
 * @throws The signal's reason once it fired; otherwise what `action` throws.
 */
export async function untilAborted<T>(
  signal: AbortSignal,
  master: Pick<SshConnection, "close">,
  action: () => Promise<T>,
): Promise<T> {
  const stop = () => master.close();
  signal.throwIfAborted();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await action();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Finds a container of a cluster on a Docker host, from which the master can be reached whatever firewall there is: the
 * master's own, or else a worker's, since both are in the cluster's network.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { containerHere } from "./master.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels: {}, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * const states = { state: "running", desired: "running", error: "", since: "2026-01-31T12:00:00Z" };
 * const task = { id: "t1", serviceId: "s2", slot: 1, nodeId: "n1", containerId: "c0ffee", ...states };
 * assert.equal(containerHere(cluster, [task], "n1"), "c0ffee");
 * assert.equal(containerHere(cluster, [task], "n2"), undefined);
 * assert.equal(containerHere(cluster, [{ ...task, desired: "shutdown" }], "n1"), undefined);
 * ```
 *
 * @param cluster Its services.
 * @param tasks The tasks of its stack.
 * @param nodeId The node id of the Docker host.
 * @returns Its id; nothing if there is none.
 */
export function containerHere({ master, worker }: Cluster, tasks: readonly Task[], nodeId: string): string | undefined {
  const here = tasks.filter((task) => task.nodeId === nodeId && task.containerId !== "" && stays(task));
  const [best] = [master, worker].flatMap(({ id }) => here.filter(({ serviceId }) => serviceId === id));
  return best?.containerId;
}

/** Runs, and isn't being replaced. */
function stays({ state, desired }: Task): boolean {
  return state === "running" && desired === "running";
}
