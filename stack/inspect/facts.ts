/** What `docker mpi doctor` finds in what the nodes say of themselves. */
import { type Cluster, traitsOf } from "../cluster/cluster.ts";
import { some } from "../text.ts";
import type { Finding } from "./checks.ts";

/** What one node says of itself. */
export interface NodeFacts {
  /** Its name. */
  node: string;
  /** The Docker host. */
  host: string;
  /** MTU of its interface in the cluster's network, in bytes. */
  mtu: number;
  /** How many CPUs it may use. */
  cpus: number;
  /** How many ranks it takes. */
  slots: number;
  /** How full the file system of `/project` is, in percent. */
  full: number;
  /** Bytes of a long line that reached the master. */
  received: number;
}

/**
 * Reads the lines of `mpi_facts`: a node's name, a bar, then key and value in turn.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFacts } from "./facts.ts";
 *
 * const line = "worker-1 | facts host rack-1 mtu 1450 cpus 8 slots 4 full 12 padding xxx";
 * const facts = { node: "worker-1", host: "rack-1", mtu: 1450, cpus: 8, slots: 4, full: 12, received: 3 };
 * assert.deepEqual(parseFacts(`${line}\nworker-2 | something else\n`), [facts]);
 * ```
 *
 * @param text What came from the master.
 * @returns What each node says of itself; other lines are left out.
 */
export function parseFacts(text: string): NodeFacts[] {
  return text.split("\n").flatMap((line) => {
    const [, node, rest = ""] = /^(\S+)\s*\|\s*facts (.*)$/.exec(line) ?? [];
    if (node === undefined) return [];
    const words = rest.split(" ");
    const facts = new Map(words.flatMap((word, at) => at % 2 === 0 ? [[word, words[at + 1] ?? ""]] : []));
    const of = (key: string) => facts.get(key) ?? "";
    const number = (key: string) => Number(of(key));
    return [{
      node,
      host: of("host"),
      mtu: number("mtu"),
      cpus: number("cpus"),
      slots: number("slots"),
      full: number("full"),
      received: of("padding").length,
    }];
  });
}

/** How many bytes `mpi_facts` pads its line with: more than fits into a packet of any network. */
export const PADDING = 100_000;

/** How full a disk is that soon makes programs fail, in percent. */
const NEARLY_FULL = 95;

/** What came of asking all nodes for their facts. */
export interface FactsReply {
  /** The status of the command; 124: it took too long. */
  status: number;
  /** What the nodes say. */
  facts: NodeFacts[];
  /** What went wrong, each line with its node. */
  stderr: string;
}

/**
 * Judges what the nodes say of themselves.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkFacts, PADDING } from "./facts.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels: {}, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * const fact = { node: "master", host: "rack-1", mtu: 1450, cpus: 2, slots: 4, full: 12, received: PADDING };
 * const findings = checkFacts(cluster, { status: 0, facts: [fact], stderr: "" }, ["master"]);
 * const found = findings.filter(({ verdict }) => verdict !== "ok").map(({ text }) => text);
 * assert.deepEqual(found, ["rack-1 has 4 slots and 2 CPUs: ranks share them, and slow each other"]);
 * ```
 *
 * @param cluster Whose they are.
 * @param reply What they say.
 * @param nodes Those that answer the master.
 * @returns A finding each for traffic, MTU, slots and disk, if any node has said something, and one for those that have not.
 */
export function checkFacts(
  cluster: Cluster,
  { status, facts, stderr }: FactsReply,
  nodes: readonly string[],
): Finding[] {
  const silent = nodes.filter((node) => !facts.some((fact) => fact.node === node));
  const cut = facts.filter(({ received }) => received < PADDING).map(({ node }) => node);
  // A node that can be logged in to and says nothing in time has lost its large packets.
  const late = status === 124;
  const known = facts.length > 0;
  return [
    ...(late || silent.length === 0 ? [] : [noFacts(cluster, silent, stderr)]),
    ...(late || known ? [checkTraffic(cluster, late ? [...cut, ...silent] : cut)] : []),
    ...(known ? [checkMtu(cluster, facts), checkSlots(cluster, facts), checkDisk(facts)] : []),
  ];
}

function noFacts({ name }: Cluster, nodes: readonly string[], stderr: string): Finding {
  const [why = "nothing came"] = stderr.split("\n").filter((line) => line.trim() !== "");
  return {
    check: "Facts",
    verdict: "problem",
    text: `${some(nodes)} can't say what it is like: ${why}`,
    remedy:
      `docker mpi deploy --cluster ${name} --build  # in its project's directory gives the nodes this version's image`,
  };
}

/** Nodes on their hosts' network have the hosts' own MTU, which no deployment changes. */
const HOSTS_MTU = "ip link show  # on each host shows its MTU, which its node has too; make them the same";

function checkTraffic(cluster: Cluster, missing: readonly string[]): Finding {
  const check = "Traffic";
  if (missing.length === 0) {
    return { check, verdict: "ok", text: `${PADDING / 1000} KB came from each node` };
  }
  return {
    check,
    verdict: "problem",
    text: `${PADDING / 1000} KB did not come whole from ${some(missing)}`,
    remedy: traitsOf(cluster).network === "host"
      ? HOSTS_MTU
      : `docker mpi rm ${cluster.name} && docker mpi deploy --cluster ${cluster.name} --mtu 1400  # if the network between the hosts ` +
        "takes only smaller packets",
  };
}

function checkMtu(cluster: Cluster, facts: readonly NodeFacts[]): Finding {
  const check = "MTU";
  const values = [...new Set(facts.map(({ mtu }) => mtu))].sort((a, b) => a - b);
  if (values.length < 2) return { check, verdict: "ok", text: `${values[0]} on every node` };
  return {
    check,
    verdict: "problem",
    text: `differs between nodes: ${values.join(", ")}`,
    remedy: traitsOf(cluster).network === "host"
      ? HOSTS_MTU
      : `docker mpi rm ${cluster.name} && docker mpi deploy --cluster ${cluster.name} --mtu ${
        values[0]! + 50
      }  # one for all`,
  };
}

/** How full the CPUs of a Docker host are. */
interface Load {
  host: string;
  nodes: number;
  slots: number;
  cpus: number;
}

function checkSlots(cluster: Cluster, facts: readonly NodeFacts[]): Finding {
  const check = "Slots";
  const loads = [...Map.groupBy(facts, ({ host }) => host)].map(([host, nodes]): Load => ({
    host,
    nodes: nodes.length,
    slots: nodes.reduce((sum, { slots }) => sum + slots, 0),
    cpus: Math.max(...nodes.map(({ cpus }) => cpus)),
  }));
  const [crowded, ...others] = loads.filter(({ slots, cpus }) => slots > cpus);
  if (crowded === undefined) return { check, verdict: "ok", text: "no host has more ranks than CPUs" };
  const { host, slots, cpus } = crowded;
  const more = others.length > 0 ? `, and ${others.length} more like it` : "";
  return {
    check,
    verdict: "warning",
    text: `${host} has ${slots} slots and ${cpus} CPUs: ranks share them, and slow each other${more}`,
    remedy: fewerRanks(cluster, loads, crowded),
  };
}

/** Fewer ranks on each node, or, where it is one already, fewer nodes. */
function fewerRanks({ name, worker }: Cluster, loads: readonly Load[], { nodes, slots, cpus }: Load): string {
  const each = Math.max(1, Math.floor(cpus / nodes));
  if (slots > nodes) {
    return `docker mpi deploy --cluster ${name} --slots ${each}  # restarts the nodes, with a CPU for each rank`;
  }
  const workers = Math.max(0, loads.reduce((sum, load) => sum + Math.min(load.slots, load.cpus), 0) - 1);
  const why = "# as many nodes as CPUs; to learn and to test it is fine as it is";
  return worker.replicas === undefined
    ? `docker mpi rm ${name} && docker mpi deploy --cluster ${name} --workers ${workers}  ${why}`
    : `docker mpi scale --cluster ${name} ${workers}  ${why}`;
}

function checkDisk(facts: readonly NodeFacts[]): Finding {
  const check = "Disk";
  const full = facts.filter(({ full }) => full >= NEARLY_FULL);
  if (full.length === 0) {
    return { check, verdict: "ok", text: `at most ${Math.max(...facts.map(({ full }) => full))} % full` };
  }
  return {
    check,
    verdict: "problem",
    text: `${some(full.map(({ node, host, full }) => `${node} on ${host} is ${full} % full`))}`,
    remedy: "docker system df  # on that host shows what fills it, docker system prune takes away what nobody uses",
  };
}
