/** What `docker mpi doctor` makes of the facts: functions from values to findings. */
import { type Cluster, findClusters } from "../cluster/cluster.ts";
import { describeProblem, type Problem } from "../cluster/diagnose.ts";
import type { EngineInfo, Service, SwarmNode } from "../engine/swarm.ts";
import { digestOf, type Distribution, mayBeLocal, needsRegistry, onlyHere, refusalOf } from "../image/distribution.ts";
import { namesRegistry } from "../image/image_name.ts";
import { LABELS, STACK_LABEL } from "../labels.ts";
import type { ClusterStatus } from "./status.ts";

/** What one check has found. */
export interface Finding {
  /** What was looked at: `Engine`, `Hosts`, … */
  check: string;
  /** `ok`, `warning`: works, and could be better, or `problem`: does not work. */
  verdict: "ok" | "warning" | "problem";
  /** What was found. */
  text: string;
  /** What to do about it, a line that works when pasted; none where all is well. */
  remedy?: string;
}

/** The oldest engine that has what a cluster needs. */
const OLDEST_ENGINE = [20, 10] as const;

/** Judges the engine that answers. */
export function checkEngine({ version }: EngineInfo, host: string): Finding {
  const check = "Engine";
  if (!isOld(version)) return { check, verdict: "ok", text: `${version} at ${host}` };
  return {
    check,
    verdict: "problem",
    text: `${version} at ${host} is too old: want ${OLDEST_ENGINE.join(".")} or newer`,
    remedy: "docker version  # shows which engine it is; install a newer one: https://docs.docker.com/engine/install",
  };
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST_ENGINE[0] || (major === OLDEST_ENGINE[0] && minor < OLDEST_ENGINE[1]);
}

/**
 * Judges the hosts of the swarm.
 *
 * @param hosts All of them.
 * @param here The node id of this engine.
 */
export function checkHosts(hosts: readonly SwarmNode[], here: string): Finding[] {
  const check = "Hosts";
  const down = hosts.filter(({ state }) => state !== "ready");
  const idle = hosts.filter(({ state, availability }) => state === "ready" && availability !== "active");
  const found: Finding[] = [
    ...down.map(({ hostname, state, address }): Finding => ({
      check,
      verdict: "problem",
      text: `${hostname} is ${state}`,
      remedy: `docker node ls  # shows it; on ${hostname} (${address || "address unknown"}) docker info says why; ` +
        "2377/tcp to the managers must be open",
    })),
    ...idle.map(({ hostname, availability }): Finding => ({
      check,
      verdict: "warning",
      text: `${hostname} takes no tasks: its availability is ${availability}`,
      remedy: `docker node update --availability active ${hostname}`,
    })),
    ...hosts.filter(({ engine }) => engine !== undefined && isOld(engine)).map(({ hostname, engine }): Finding => ({
      check,
      verdict: "problem",
      text: `${hostname} has engine ${engine}, which is too old: want ${OLDEST_ENGINE.join(".")} or newer`,
      remedy: `docker node update --availability drain ${hostname}  # keeps nodes off it until it has a newer one`,
    })),
    ...mixtures(hosts, here),
  ];
  if (found.length > 0) return found;
  const cpus = hosts.reduce((sum, host) => sum + (host.cpus ?? 0), 0);
  const count = hosts.length === 1 ? "1 host is ready" : `${hosts.length} hosts are ready`;
  return [{ check, verdict: "ok", text: `${count}${cpus > 0 ? `, ${cpus} CPUs` : ""}` }];
}

/** Hosts that differ in what they can run, and managers whose number is a trap. */
function mixtures(hosts: readonly SwarmNode[], here: string): Finding[] {
  const distinct = (values: (string | undefined)[]) => [...new Set(values.filter((value) => value))].sort();
  const architectures = distinct(hosts.map(({ attributes }) => attributes["node.platform.arch"]));
  const managers = hosts.filter(({ attributes }) => attributes["node.role"] === "manager");
  const other = managers.find(({ id }) => id !== here);
  return [
    ...(architectures.length < 2 ? [] : [{
      check: "Hosts",
      verdict: "warning" as const,
      text: `the hosts have different processors: ${architectures.join(", ")}; an image runs on one kind`,
      remedy: `docker mpi deploy --worker-constraint "node.platform.arch == ${architectures.at(-1)}" ` +
        `--master-constraint "node.platform.arch == ${architectures.at(-1)}"`,
    }]),
    ...(managers.length !== 2 || other === undefined ? [] : [{
      check: "Hosts",
      verdict: "warning" as const,
      text: "the swarm has 2 managers, and stops when it loses either",
      remedy: `docker node demote ${other.hostname}  # one manager is safer than two; three are safer than one`,
    }]),
  ];
}

/** Judges whether every host that may get nodes can get the image. */
export function checkImage(needs: Distribution): Finding {
  const { image, local } = needs;
  const check = "Image";
  if (local === undefined) {
    return {
      check,
      verdict: "warning",
      text: `this engine does not have ${image} yet`,
      remedy: namesRegistry(image)
        ? `docker pull ${image}  # if its registry has it; docker mpi deploy --push makes it, and takes it there`
        : "docker mpi build  # makes it; deploy does so as well",
    };
  }
  const refusal = refusalOf(needs);
  if (refusal !== undefined) {
    return { check, verdict: "problem", text: refusal.message, ...(refusal.hint && { remedy: refusal.hint }) };
  }
  if (!needsRegistry(needs)) return { check, verdict: "ok", text: `${image} is here, where all nodes run` };
  const digest = digestOf(image, local);
  if (mayBeLocal(image, local)) {
    const { hint } = onlyHere(needs);
    return { check, verdict: "warning", text: `${image} may be on this engine only`, ...(hint && { remedy: hint }) };
  }
  // An engine that keeps images in containerd knows by this digest what it built itself, too.
  const where = digest === local.id
    ? `here as ${digest.slice(0, 19)}…, and deploy asks its registry for it`
    : `in its registry as ${digest?.slice(0, 19)}…`;
  return { check, verdict: "ok", text: `${image} is ${where}` };
}

/** Judges whether another cluster, or any other service of the swarm, has the port that the project wants. */
export function checkPort(name: string, port: number, services: readonly Service[]): Finding {
  const check = "Port";
  const owners = new Map<number, string>();
  for (const { name: service, labels, ports } of services) {
    if (labels[STACK_LABEL] === name) continue;
    for (const taken of ports) owners.set(taken, `service "${service}"`);
  }
  for (const { name: cluster, master } of findClusters(services)) {
    if (cluster !== name) owners.set(Number(master.labels[LABELS.port] ?? 2222), `cluster "${cluster}"`);
  }
  const owner = owners.get(port);
  if (owner === undefined) return { check, verdict: "ok", text: `${port} is no other service's in this swarm` };
  let free = port + 1;
  while (owners.has(free)) free++;
  return {
    check,
    verdict: "warning",
    text: `${port} is the port of ${owner}: on one host both can't have it`,
    remedy: `docker mpi deploy --port ${free}`,
  };
}

/** Judges how whole a cluster is. */
export function checkCluster(status: ClusterStatus): Finding[] {
  const check = "Nodes";
  if (status.healthy) {
    return [{ check, verdict: "ok", text: `all ${status.wanted} nodes answer, ${status.slots} slots` }];
  }
  if (status.problems.length > 0) return checkProblems(status.problems);
  return [{
    check,
    verdict: "problem",
    text: `${status.running} of ${status.wanted} nodes run`,
    remedy: `docker mpi ps ${status.name}  # shows how they go on`,
  }];
}

/** The reasons why nodes do not come up, as findings. */
export function checkProblems(problems: readonly Problem[]): Finding[] {
  return problems.map((problem) => ({
    check: "Nodes",
    verdict: "problem",
    text: describeProblem(problem),
    remedy: problem.remedy,
  }));
}

/** Judges whether the cluster is of this program's version. */
export function checkVersion({ name, version }: ClusterStatus, own: string): Finding {
  const check = "Version";
  if (version === own) return { check, verdict: "ok", text: `${name} was deployed by this version, ${own}` };
  return {
    check,
    verdict: "warning",
    text: `${name} was deployed by version ${version || "unknown"}, and this is ${own}`,
    remedy:
      `docker mpi deploy --cluster ${name} --build  # in its project's directory brings it to this version; what runs ends`,
  };
}

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

/** Reads the lines of `mpi_facts`: a node's name, a bar, then key and value in turn. */
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

/** The cluster that was asked. */
export type Asked = Pick<Cluster, "name" | "worker">;

/**
 * Judges what the nodes say of themselves.
 *
 * @param cluster Whose they are.
 * @param reply What they say.
 * @param nodes Those that answer the master.
 */
export function checkFacts(cluster: Asked, { status, facts, stderr }: FactsReply, nodes: readonly string[]): Finding[] {
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

function noFacts({ name }: Asked, nodes: readonly string[], stderr: string): Finding {
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

function checkTraffic({ name, worker }: Asked, missing: readonly string[]): Finding {
  const check = "Traffic";
  if (missing.length === 0) {
    return { check, verdict: "ok", text: `${PADDING / 1000} KB came from each node` };
  }
  return {
    check,
    verdict: "problem",
    text: `${PADDING / 1000} KB did not come whole from ${some(missing)}`,
    remedy: worker.labels[LABELS.network] === "host"
      ? HOSTS_MTU
      : `docker mpi rm ${name} && docker mpi deploy --cluster ${name} --mtu 1400  # if the network between the hosts ` +
        "takes only smaller packets",
  };
}

function checkMtu({ name, worker }: Asked, facts: readonly NodeFacts[]): Finding {
  const check = "MTU";
  const values = [...new Set(facts.map(({ mtu }) => mtu))].sort((a, b) => a - b);
  if (values.length < 2) return { check, verdict: "ok", text: `${values[0]} on every node` };
  return {
    check,
    verdict: "problem",
    text: `differs between nodes: ${values.join(", ")}`,
    remedy: worker.labels[LABELS.network] === "host"
      ? HOSTS_MTU
      : `docker mpi rm ${name} && docker mpi deploy --cluster ${name} --mtu ${values[0]! + 50}  # one for all`,
  };
}

/** How full the CPUs of a Docker host are. */
interface Load {
  host: string;
  nodes: number;
  slots: number;
  cpus: number;
}

function checkSlots(cluster: Asked, facts: readonly NodeFacts[]): Finding {
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
function fewerRanks({ name, worker }: Asked, loads: readonly Load[], { nodes, slots, cpus }: Load): string {
  const each = Math.max(1, Math.floor(cpus / nodes));
  if (slots > nodes) {
    return `docker mpi deploy --cluster ${name} --slots ${each}  # restarts the nodes, with a CPU for each rank`;
  }
  const workers = Math.max(1, loads.reduce((sum, load) => sum + Math.min(load.slots, load.cpus), 0) - 1);
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

function some(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
