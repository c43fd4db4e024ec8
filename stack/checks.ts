/** What `docker mpi doctor` makes of the facts: functions from values to findings. */
import type { Cluster } from "./cluster.ts";
import { describeProblem } from "./diagnose.ts";
import { digestOf, needsRegistry } from "./distribution.ts";
import { familiar, namesRegistry } from "./image_name.ts";
import { LABELS } from "./labels.ts";
import { takesTasks } from "./placement.ts";
import type { ClusterStatus } from "./status.ts";
import type { EngineInfo, LocalImage, SwarmNode } from "./swarm.ts";

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
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST_ENGINE[0] || (major === OLDEST_ENGINE[0] && minor < OLDEST_ENGINE[1]);
  if (!isOld) return { check, verdict: "ok", text: `${version} at ${host}` };
  return {
    check,
    verdict: "problem",
    text: `${version} at ${host} is too old: want ${OLDEST_ENGINE.join(".")} or newer`,
    remedy: "docker version  # shows which engine it is; install a newer one: https://docs.docker.com/engine/install",
  };
}

/** Judges the hosts of the swarm. */
export function checkHosts(hosts: readonly SwarmNode[]): Finding[] {
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
    ...mixtures(hosts),
  ];
  if (found.length > 0) return found;
  const cpus = hosts.reduce((sum, host) => sum + (host.cpus ?? 0), 0);
  const count = hosts.length === 1 ? "1 host is ready" : `${hosts.length} hosts are ready`;
  return [{ check, verdict: "ok", text: `${count}${cpus > 0 ? `, ${cpus} CPUs` : ""}` }];
}

/** Hosts that differ in what they can run, and managers whose number is a trap. */
function mixtures(hosts: readonly SwarmNode[]): Finding[] {
  const distinct = (values: (string | undefined)[]) => [...new Set(values.filter((value) => value))].sort();
  const architectures = distinct(hosts.map(({ attributes }) => attributes["node.platform.arch"]));
  const managers = hosts.filter(({ attributes }) => attributes["node.role"] === "manager");
  return [
    ...(architectures.length < 2 ? [] : [{
      check: "Hosts",
      verdict: "warning" as const,
      text: `the hosts have different processors: ${architectures.join(", ")}; an image runs on one kind`,
      remedy: `docker mpi deploy --worker-constraint "node.platform.arch == ${architectures.at(-1)}" ` +
        `--master-constraint "node.platform.arch == ${architectures.at(-1)}"`,
    }]),
    ...(managers.length !== 2 ? [] : [{
      check: "Hosts",
      verdict: "warning" as const,
      text: "the swarm has 2 managers, and stops when it loses either",
      remedy: `docker node demote ${managers[1]!.hostname}  # one manager is safer than two; three are safer than one`,
    }]),
  ];
}

/** Judges whether every host that may get nodes can get the image. */
export function checkImage(
  image: string,
  local: LocalImage | undefined,
  hosts: readonly SwarmNode[],
  here: string,
): Finding {
  const check = "Image";
  const takers = hosts.filter((host) => takesTasks(host, []));
  const many = needsRegistry({ hosts: takers, here });
  const push = `docker mpi deploy --push${
    namesRegistry(image) ? "" : ` --image registry.example.org/${familiar(image)}`
  }`;
  if (local === undefined) {
    return {
      check,
      verdict: "warning",
      text: `this engine does not have ${image} yet`,
      remedy: many
        ? `${push}  # makes it, and takes it to its registry`
        : "docker mpi build  # makes it; deploy does so as well",
    };
  }
  if (!many) return { check, verdict: "ok", text: `${image} is here, where all nodes run` };
  const digest = digestOf(image, local);
  if (digest !== undefined) {
    return { check, verdict: "ok", text: `${image} is in its registry as ${digest.slice(0, 19)}…` };
  }
  return {
    check,
    verdict: "problem",
    text: `${image} is on this engine only, and ${takers.length} hosts may get nodes`,
    remedy: `${push}  # takes it to a registry`,
  };
}

/** Judges whether another cluster has the port that the project wants. */
export function checkPort(name: string, port: number, clusters: readonly Cluster[]): Finding {
  const check = "Port";
  const others = clusters.filter((cluster) => cluster.name !== name);
  const ports = new Map(others.map((cluster) => [Number(cluster.master.labels[LABELS.port] ?? 2222), cluster.name]));
  const owner = ports.get(port);
  if (owner === undefined) return { check, verdict: "ok", text: `${port} is no other cluster's` };
  let free = port + 1;
  while (ports.has(free)) free++;
  return {
    check,
    verdict: "warning",
    text: `${port} is the port of cluster "${owner}": on one host both can't have it`,
    remedy: `docker mpi deploy --port ${free}`,
  };
}

/** Judges how whole a cluster is. */
export function checkCluster(status: ClusterStatus): Finding[] {
  const check = "Nodes";
  if (status.healthy) {
    return [{ check, verdict: "ok", text: `all ${status.wanted} nodes answer, ${status.slots} slots` }];
  }
  const problems = status.problems.map((problem): Finding => ({
    check,
    verdict: "problem",
    text: describeProblem(problem),
    remedy: problem.remedy,
  }));
  if (problems.length > 0) return problems;
  return [{
    check,
    verdict: "problem",
    text: `${status.running} of ${status.wanted} nodes run`,
    remedy: `docker mpi ps ${status.name}  # shows how they go on`,
  }];
}

/** Judges whether the cluster is of this program's version. */
export function checkVersion({ name, version }: ClusterStatus, own: string): Finding {
  const check = "Version";
  if (version === own) return { check, verdict: "ok", text: `${name} was deployed by this version, ${own}` };
  return {
    check,
    verdict: "warning",
    text: `${name} was deployed by version ${version || "unknown"}, and this is ${own}`,
    remedy: "docker mpi deploy --build  # brings it to this version; what runs ends",
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

/** Judges what the nodes say of themselves. */
export function checkFacts(facts: readonly NodeFacts[], nodes: readonly string[]): Finding[] {
  return [checkTraffic(facts, nodes), checkMtu(facts), checkSlots(facts), checkDisk(facts)];
}

function checkTraffic(facts: readonly NodeFacts[], nodes: readonly string[]): Finding {
  const check = "Traffic";
  const missing = nodes.filter((node) => !facts.some((fact) => fact.node === node && fact.received === PADDING));
  if (missing.length === 0) {
    return { check, verdict: "ok", text: `${PADDING / 1000} KB came from each node` };
  }
  return {
    check,
    verdict: "problem",
    text: `${PADDING / 1000} KB did not come whole from ${some(missing)}`,
    remedy:
      "docker mpi deploy --mtu 1400  # after docker mpi rm, if the network between the hosts takes only smaller packets",
  };
}

function checkMtu(facts: readonly NodeFacts[]): Finding {
  const check = "MTU";
  const values = [...new Set(facts.map(({ mtu }) => mtu))].sort((a, b) => a - b);
  if (values.length < 2) return { check, verdict: "ok", text: `${values[0] ?? "unknown"} on every node` };
  return {
    check,
    verdict: "problem",
    text: `differs between nodes: ${values.join(", ")}`,
    remedy: `docker mpi rm && docker mpi deploy --mtu ${values[0]! + 50}  # one for all`,
  };
}

function checkSlots(facts: readonly NodeFacts[]): Finding {
  const check = "Slots";
  const hosts = [...Map.groupBy(facts, ({ host }) => host)].map(([host, nodes]) => ({
    host,
    slots: nodes.reduce((sum, { slots }) => sum + slots, 0),
    cpus: Math.max(...nodes.map(({ cpus }) => cpus)),
  }));
  const crowded = hosts.filter(({ slots, cpus }) => slots > cpus);
  if (crowded.length === 0) return { check, verdict: "ok", text: "no host has more ranks than CPUs" };
  const [{ host, slots, cpus }] = crowded as [typeof crowded[number]];
  const more = crowded.length > 1 ? `, and ${crowded.length - 1} more like it` : "";
  return {
    check,
    verdict: "warning",
    text: `${host} has ${slots} slots and ${cpus} CPUs: ranks share them, and slow each other${more}`,
    remedy: "docker mpi deploy --per-node --slots auto  # one node on each host, a rank for each CPU",
  };
}

function checkDisk(facts: readonly NodeFacts[]): Finding {
  const check = "Disk";
  const full = facts.filter(({ full }) => full >= NEARLY_FULL);
  if (full.length === 0) {
    return { check, verdict: "ok", text: `at most ${Math.max(0, ...facts.map(({ full }) => full))} % full` };
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
