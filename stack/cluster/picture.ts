import type { Engine, SwarmNode, Task } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { LABELS } from "../labels.ts";
import { takesTasks } from "../stackfile/placement.ts";
import { type Cluster, findClusters, isLive, type NodeStatus, nodeStatuses, stackLabel, traitsOf } from "./cluster.ts";
import type { Subject } from "./diagnose.ts";

/** How a cluster is at one moment. */
export interface Picture {
  /** Its services. */
  cluster: Cluster;
  /** How each node stands. */
  nodes: NodeStatus[];
  /** The Docker hosts of the swarm. */
  hosts: SwarmNode[];
  /** How many nodes run. */
  running: number;
  /** How many there are to be. */
  wanted: number;
  /** How many tasks there are that have not ended, those on their way out included. */
  live: number;
  /** What remedies name. */
  subject: Subject;
}

/**
 * Asks the swarm how a cluster is.
 *
 * @example Whether all nodes of a cluster run
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { openEngine } from "../engine/engine.ts";
 * import { takePicture } from "./picture.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const { wanted, running, nodes } = await takePicture(engine, "hello");
 * assert.deepEqual([wanted, running], [3, 3]);
 * assert.ok(nodes.every(({ state }) => state === "running"));
 * ```
 *
 * @param engine The engine.
 * @param name The cluster.
 * @param past Tasks that, if they have ended, say nothing.
 * @throws {MpiError} `not-found` if there is no such cluster any more.
 */
export async function takePicture(
  engine: Engine,
  name: string,
  past: ReadonlySet<string> = new Set(),
): Promise<Picture> {
  const [services, allTasks, hosts] = await Promise.all([
    engine.services([`${LABELS.cluster}=${name}`]),
    engine.tasks(stackLabel(name)),
    engine.nodes(),
  ]);
  const [cluster] = findClusters(services);
  if (cluster === undefined) {
    throw new MpiError("not-found", `Cluster "${name}" is not there any more`, { hint: "docker mpi ls" });
  }
  const { worker } = cluster;
  // A host that is down can't report the end of what the swarm has replaced.
  const down = new Set(hosts.filter(({ state }) => state === "down").map(({ id }) => id));
  const isLost = ({ desired, nodeId }: Task) => /^(shutdown|remove)$/.test(desired) && down.has(nodeId);
  const tasks = allTasks.filter((task) => isLive(task) ? !isLost(task) : !past.has(task.id));
  const nodes = nodeStatuses(cluster, tasks, hosts);
  return {
    cluster,
    nodes,
    hosts,
    running: nodes.filter(({ state }) => state === "running").length,
    wanted: 1 + (worker.replicas ?? hosts.filter((host) => takesTasks(host, worker.constraints)).length),
    live: tasks.filter((task) => isLive(task) && isOf(cluster, task)).length,
    subject: {
      name,
      port: traitsOf(cluster).port,
      subnet: await subnetOf(engine, name, nodes),
      hosts: hosts.filter((host) => takesTasks(host, worker.constraints)).length,
    },
  };
}

/** The subnet that nodes in the first state wait for an address in; not asked for where there are none. */
async function subnetOf(engine: Engine, name: string, nodes: readonly NodeStatus[]): Promise<string | undefined> {
  if (!nodes.some(({ state }) => state === "new")) return undefined;
  const network = (await engine.networks(stackLabel(name))).find(({ labels }) => labels[LABELS.cluster] === name);
  return network === undefined ? undefined : network.subnet ?? "";
}

/** Whether a task is one of our nodes: a `stack:` fragment can add services of the user's. */
function isOf({ master, worker }: Cluster, { serviceId }: Task): boolean {
  return serviceId === master.id || serviceId === worker.id;
}
