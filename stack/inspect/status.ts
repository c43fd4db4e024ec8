import { type Cluster, traitsOf } from "../cluster/cluster.ts";
import { diagnose, type Problem } from "../cluster/diagnose.ts";
import type { Picture } from "../cluster/picture.ts";
import { LABELS } from "../labels.ts";
import type { Host } from "../master/hosts.ts";

/** How a node of a cluster is, to the swarm and to the launcher. */
export interface NodeHealth {
  /** `master` or `worker-3`. */
  name: string;
  /** The Docker host; empty while it has none. */
  host: string;
  /** The state of its task: `running`, `pending`, … */
  state: string;
  /** Whether it is in the hostfile; unknown where the master can't be asked. */
  answers: boolean | undefined;
  /** How many ranks it takes; 0 while it doesn't answer. */
  slots: number;
}

/** How a cluster is. */
export interface ClusterStatus {
  /** Its name. */
  name: string;
  /** Whether every node that is wanted runs and answers. */
  healthy: boolean;
  /** How many nodes there are to be, the master included. */
  wanted: number;
  /** How many of them run. */
  running: number;
  /** How many answer; unknown where the master can't be asked. */
  answering: number | undefined;
  /** How many ranks they take. */
  slots: number;
  /** The Docker host of the master; empty while it has none. */
  masterHost: string;
  /** Its port there. */
  port: number;
  /** The image, as the settings name it. */
  image: string;
  /** The version of `docker mpi` that deployed it. */
  version: string;
  /** When it was deployed first, ISO 8601. */
  createdAt: string;
  /** Its nodes. */
  nodes: NodeHealth[];
  /** What is wrong, and what to do. */
  problems: Problem[];
}

/** What the master says of its nodes, or why it can't be asked. */
export type Answers = { hosts: readonly Host[] } | { error: string; remedy: string };

/**
 * Tells how a cluster is, from what the swarm and the master say of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { clusterStatus } from "./status.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels: {}, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * const past = { error: "", failures: 0, lastError: "", failedHosts: [] };
 * const node = { ...past, name: "master", state: "running", host: "rack-1", since: "", task: "t1", container: "c1" };
 * const subject = { name: "hello", port: 2222 };
 * const picture = { cluster, nodes: [node], hosts: [], running: 1, wanted: 1, live: 1, subject };
 * const host = { name: "master", address: "10.0.1.2", slots: 4, host: "rack-1" };
 * assert.equal(clusterStatus(picture, { hosts: [host] }).healthy, true);
 * assert.equal(clusterStatus(picture, { hosts: [] }).problems[0]?.error, "runs, and the master has no connection to it");
 * ```
 *
 * @param picture What the swarm says.
 * @param answers What the master says.
 * @returns How it is; a node that runs and does not answer is a problem, too.
 */
export function clusterStatus({ cluster, nodes, wanted, running, subject }: Picture, answers: Answers): ClusterStatus {
  const { master } = cluster;
  const listed = "hosts" in answers ? new Map(answers.hosts.map((host) => [host.name, host])) : undefined;
  const health = nodes.map(({ name, host, state }): NodeHealth => ({
    name,
    host,
    state,
    answers: listed?.has(name),
    slots: listed?.get(name)?.slots ?? 0,
  }));
  const answering = listed === undefined ? undefined : health.filter((node) => node.answers).length;
  const problems = [...diagnose(nodes, subject), ...silence(health, cluster, answers)];
  return {
    name: cluster.name,
    healthy: problems.length === 0 && running === wanted && answering === wanted,
    wanted,
    running,
    answering,
    slots: health.reduce((sum, { slots }) => sum + slots, 0),
    masterHost: health.find(({ name }) => name === "master")?.host ?? "",
    port: subject.port,
    image: traitsOf(cluster).image,
    version: master.labels[LABELS.version] ?? "",
    createdAt: master.createdAt,
    nodes: health,
    problems,
  };
}

/** Nodes that run and don't answer, or a master that can't be asked. */
function silence(nodes: readonly NodeHealth[], cluster: Cluster, answers: Answers): Problem[] {
  if ("error" in answers) {
    const runs = nodes.some((node) => node.name === "master" && node.state === "running");
    return runs ? [{ nodes: ["master"], error: answers.error, hosts: [], remedy: answers.remedy, final: false }] : [];
  }
  const silent = nodes.filter(({ state, answers }) => state === "running" && !answers);
  if (silent.length === 0) return [];
  const { network, port } = traitsOf(cluster);
  const ports = network === "host" ? `${port}/tcp` : "7946/tcp+udp and 4789/udp";
  return [{
    nodes: silent.map((node) => node.name),
    error: "runs, and the master has no connection to it",
    hosts: [...new Set(silent.map(({ host }) => host))],
    remedy: `docker mpi logs ${cluster.name}  # says why; between hosts ${ports} must be open`,
    final: false,
  }];
}

/**
 * Tells in a few words how whole a cluster is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { wholeness } from "./status.ts";
 *
 * const counts = { healthy: false, wanted: 4, running: 4, answering: 3, slots: 3 };
 * const master = { masterHost: "rack-1", port: 2222, image: "hello", version: "1.0.0", createdAt: "" };
 * const status = { name: "hello", ...counts, ...master, nodes: [], problems: [] };
 * assert.equal(wholeness(status), "3 of 4 nodes answer");
 * assert.equal(wholeness({ ...status, answering: undefined }), "4 of 4 nodes run");
 * ```
 */
export function wholeness({ wanted, running, answering }: ClusterStatus): string {
  return answering === undefined ? `${running} of ${wanted} nodes run` : `${answering} of ${wanted} nodes answer`;
}
