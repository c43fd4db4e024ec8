import type { Engine, Service, SwarmNode, Task } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { LABELS, STACK_LABEL } from "../labels.ts";
import { SSH_PORT } from "../names.ts";
import { closest } from "../suggest.ts";
import { quote } from "../text.ts";

/** A cluster as the swarm knows it: the two services that carry its name. */
export interface Cluster {
  /** Its name, which is the stack's. */
  name: string;
  /** The service of the MPI master node. */
  master: Service;
  /** The service of the MPI worker nodes. */
  worker: Service;
}

/**
 * Finds the clusters among services.
 *
 * A cluster that is half there, as while `docker stack rm` is at work, is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { findClusters } from "./cluster.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const service = (cluster: string, role: string) => {
 *   const labels = { "docker-mpi.cluster": cluster, "docker-mpi.role": role };
 *   const id = `${cluster}-${role}`;
 *   return { ...rest, id, name: id, image: "hello", labels, update: undefined, createdAt: "" };
 * };
 * const services = [service("cfd", "worker"), service("hello", "master"), service("hello", "worker")];
 * assert.deepEqual(findClusters(services), [{ name: "hello", master: services[1], worker: services[2] }]);
 * ```
 *
 * @param services The services that carry {@linkcode LABELS}.
 * @returns The clusters by name.
 */
export function findClusters(services: readonly Service[]): Cluster[] {
  const of = (role: string) =>
    new Map(
      services.filter(({ labels }) => labels[LABELS.role] === role).map((each) => [each.labels[LABELS.cluster], each]),
    );
  const workers = of("worker");
  return [...of("master")].flatMap(([name, master]) => {
    const worker = workers.get(name);
    return name === undefined || worker === undefined ? [] : [{ name, master, worker }];
  }).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** What the labels of a cluster say of it. */
export interface Traits {
  /** The image, as it was asked for. */
  image: string;
  /** How many slots each worker has, or `auto`. */
  slots: string;
  /** Where its nodes are: in a network of their own, or in their hosts'. */
  network: "overlay" | "host";
  /** The port of the master's host that is published. */
  port: number;
}

/**
 * Reads the labels of a cluster; older versions set fewer of them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { traitsOf } from "./cluster.ts";
 *
 * const service = { image: "hello@sha256:1", labels: { "docker-mpi.image-name": "hello", "docker-mpi.port": "2300" } };
 * assert.deepEqual(traitsOf({ master: service, worker: service }), {
 *   image: "hello",
 *   slots: "1",
 *   network: "overlay",
 *   port: 2300,
 * });
 * ```
 */
export function traitsOf({ master, worker }: Record<"master" | "worker", Pick<Service, "image" | "labels">>): Traits {
  return {
    image: master.labels[LABELS.imageName] ?? master.image,
    slots: worker.labels[LABELS.slots] ?? "1",
    network: master.labels[LABELS.network] === "host" ? "host" : "overlay",
    port: Number(master.labels[LABELS.port] ?? SSH_PORT),
  };
}

/** Which cluster a command is about. */
export interface Choice {
  /** The name given by flag or variable. */
  name?: string | undefined;
  /** The name that the project in the working directory has. */
  project?: string | undefined;
}

/**
 * Chooses the cluster that a command is about: the one named, else the project's, else the only one there is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chooseCluster } from "./cluster.ts";
 *
 * assert.equal(chooseCluster([{ name: "hello" }], {}).name, "hello");
 * assert.equal(chooseCluster([{ name: "cfd" }, { name: "hello" }], { project: "hello" }).name, "hello");
 * assert.throws(() => chooseCluster([], {}), /No cluster runs in this swarm/);
 * ```
 *
 * @param clusters All there are.
 * @param choice What was said.
 * @throws {MpiError} `not-found` if it isn't there, `usage` if it is not clear which one is meant.
 */
export function chooseCluster<T extends { name: string }>(clusters: readonly T[], { name, project }: Choice): T {
  const names = clusters.map((cluster) => cluster.name);
  const wanted = name ?? project;
  const found = clusters.find((cluster) => cluster.name === wanted);
  if (found !== undefined) return found;
  if (clusters.length === 0) {
    const which = wanted === undefined
      ? "No cluster runs"
      : `Cluster ${quote(wanted)} is not deployed, and no other runs`;
    throw new MpiError("not-found", `${which} in this swarm`, {
      hint: "docker mpi deploy  # in a project's directory; docker mpi init hello makes a project",
    });
  }
  if (wanted !== undefined) {
    const near = closest(wanted, names);
    throw new MpiError("not-found", `Cluster ${quote(wanted)} is not deployed; there are: ${names.join(", ")}`, {
      hint: name === undefined
        ? `docker mpi deploy  # deploys it; export MPI_CLUSTER=${names[0]} means another`
        : near === undefined
        ? "docker mpi ls  # shows the clusters there are"
        : `did you mean "${near}"?`,
    });
  }
  const [only] = clusters;
  if (only === undefined || clusters.length > 1) {
    throw new MpiError("usage", `Several clusters run, and it is not said which is meant: ${names.join(", ")}`, {
      hint: `export MPI_CLUSTER=${names[0]}  # says it, and so does a project's directory`,
    });
  }
  return only;
}

/**
 * Gets the clusters of the swarm.
 *
 * @example The clusters of a swarm, and how many workers each is to have
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { openEngine } from "../engine/engine.ts";
 * import { listClusters } from "./cluster.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const clusters = await listClusters(engine);
 * assert.equal(clusters.find(({ name }) => name === "hello")?.worker.replicas, 2);
 * ```
 */
export async function listClusters(engine: Engine): Promise<Cluster[]> {
  return findClusters(await engine.services([LABELS.cluster]));
}

/**
 * The label that the tasks of a cluster have.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { stackLabel } from "./cluster.ts";
 *
 * assert.equal(stackLabel("hello"), "com.docker.stack.namespace=hello");
 * ```
 *
 * @param name The cluster's name.
 * @returns A filter, `key=value`; services, networks, secrets and containers of the stack have it too.
 */
export function stackLabel(name: string): string {
  return `${STACK_LABEL}=${name}`;
}

/** An MPI node that is wanted, and how its latest task stands. */
export interface NodeStatus {
  /** `master`, `worker-3`, or `worker-rack-3` where each Docker host has one: its host name. */
  name: string;
  /** The state of the latest task: `running`, `starting`, `pending`, … */
  state: string;
  /** Why it is not running, as the swarm says it; empty otherwise. */
  error: string;
  /** The Docker host; empty while it has none. */
  host: string;
  /** Since when it is in this state, ISO 8601. */
  since: string;
  /** The id of the task. */
  task: string;
  /** The id of the container; empty while it has none. */
  container: string;
  /** How many tasks in its place have failed before. */
  failures: number;
  /** What the latest of them said. */
  lastError: string;
  /** The Docker hosts where tasks in its place have failed, the latest first. */
  failedHosts: string[];
}

const ENDED = new Set(["complete", "shutdown", "failed", "rejected", "orphaned", "remove"]);

/**
 * Whether a task still runs or will.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isLive } from "./cluster.ts";
 *
 * const task = { id: "t1", serviceId: "", slot: 1, nodeId: "", containerId: "", desired: "running", error: "", since: "" };
 * assert.equal(isLive({ ...task, state: "pending" }), true);
 * assert.equal(isLive({ ...task, state: "rejected" }), false);
 * ```
 */
export function isLive(task: Task): boolean {
  return !ENDED.has(task.state);
}

/**
 * Tells how every node of a cluster stands.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { nodeStatuses } from "./cluster.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels: {}, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * const task = { id: "t1", serviceId: "s2", slot: 3, nodeId: "n1", containerId: "", error: "", since: "" };
 * const host = { id: "n1", hostname: "rack-1", address: "", state: "ready", availability: "active", attributes: {} };
 * const failed = { ...task, state: "failed", desired: "shutdown", error: "no such image: hello" };
 * const running = { ...task, id: "t2", state: "running", desired: "running" };
 * const [worker] = nodeStatuses(cluster, [failed, running], [host]);
 * assert.deepEqual([worker?.name, worker?.host, worker?.state], ["worker-3", "rack-1", "running"]);
 * assert.deepEqual([worker?.failures, worker?.lastError], [1, "no such image: hello"]);
 * ```
 *
 * @param cluster Its services.
 * @param tasks The tasks of its stack, past ones included.
 * @param nodes The Docker hosts.
 * @returns The master, then the workers by number. Nodes on their way out are left out.
 */
export function nodeStatuses(
  cluster: Cluster,
  tasks: readonly Task[],
  nodes: readonly SwarmNode[],
): NodeStatus[] {
  const hosts = new Map(nodes.map(({ id, hostname }) => [id, hostname]));
  return [cluster.master, cluster.worker].flatMap((service) => {
    // Tasks of a global service have no number, but one host each.
    const place = ({ slot, nodeId }: Task) => slot > 0 ? String(slot) : hosts.get(nodeId) ?? nodeId;
    const slots = Map.groupBy(tasks.filter((task) => task.serviceId === service.id), place);
    const inOrder = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });
    return [...slots].sort(([a], [b]) => inOrder(a, b)).flatMap(([slot, all]) => {
      const latest = all.filter((task) => task.desired === "running" || task.desired === "ready")
        .sort((a, b) => rank(b) - rank(a) || b.since.localeCompare(a.since))[0];
      if (latest === undefined) return [];
      const failed = all.filter(({ state }) => state === "failed" || state === "rejected")
        .sort((a, b) => b.since.localeCompare(a.since));
      return [{
        name: service === cluster.master ? "master" : `worker-${slot}`,
        state: latest.state,
        error: latest.error,
        host: hosts.get(latest.nodeId) ?? "",
        since: latest.since,
        task: latest.id,
        container: latest.containerId,
        failures: failed.length,
        lastError: failed[0]?.error ?? "",
        failedHosts: [...new Set(failed.flatMap(({ nodeId }) => hosts.get(nodeId) ?? []))],
      }];
    });
  });
}

/** A task that runs goes before the one that is to replace it. */
function rank({ desired, state }: Task): number {
  return (desired === "running" ? 2 : 0) + (state === "running" ? 1 : 0);
}
