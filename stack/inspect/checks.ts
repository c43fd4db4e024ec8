/** What `docker mpi doctor` makes of the facts: functions from values to findings. */
import { findClusters, traitsOf } from "../cluster/cluster.ts";
import { describeProblem, type Problem } from "../cluster/diagnose.ts";
import type { EngineInfo, Service, SwarmNode } from "../engine/swarm.ts";
import { digestOf, type Distribution, mayBeLocal, needsRegistry, onlyHere, refusalOf } from "../image/distribution.ts";
import { namesRegistry } from "../image/image_name.ts";
import { STACK_LABEL } from "../labels.ts";
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
  for (const cluster of findClusters(services)) {
    if (cluster.name !== name) owners.set(traitsOf(cluster).port, `cluster "${cluster.name}"`);
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
