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

/**
 * Judges the engine that answers.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkEngine } from "./checks.ts";
 *
 * const swarm = { swarm: "active", manager: true, clusterId: "c1", nodeId: "n1", nodeAddress: "10.0.0.1", managers: [] };
 * const info = { ...swarm, version: "28.2.2", subnetSize: undefined, users: "same" as const };
 * assert.equal(checkEngine(info, "unix:///var/run/docker.sock").verdict, "ok");
 * const old = checkEngine({ ...info, version: "19.03.15" }, "tcp://head:2376");
 * assert.equal(old.text, "19.03.15 at tcp://head:2376 is too old: want 20.10 or newer");
 * ```
 *
 * @param info What it says of itself; its version counts.
 * @param host Where it is, as the user knows it.
 */
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
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkHosts } from "./checks.ts";
 *
 * const host = { id: "n1", hostname: "rack-1", address: "10.0.0.1", availability: "active", cpus: 8, attributes: {} };
 * const [well] = checkHosts([{ ...host, state: "ready" }], "n1");
 * assert.deepEqual([well?.verdict, well?.text], ["ok", "1 host is ready, 8 CPUs"]);
 * const [ill] = checkHosts([{ ...host, state: "down" }], "n1");
 * assert.deepEqual([ill?.verdict, ill?.text], ["problem", "rack-1 is down"]);
 * ```
 *
 * @param hosts All of them.
 * @param here The node id of this engine.
 * @returns One finding for each thing that is wrong, or one that all is well.
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

/**
 * Judges whether every host that may get nodes can get the image.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkImage } from "./checks.ts";
 *
 * const host = { id: "n1", hostname: "rack-1", address: "", state: "ready", availability: "active", attributes: {} };
 * const needs = { image: "hello", local: { id: "sha256:1", labels: {}, digests: [] }, hosts: [host], here: "n1" };
 * assert.equal(checkImage(needs).text, "hello is here, where all nodes run");
 * assert.equal(checkImage({ ...needs, hosts: [host, { ...host, id: "n2" }] }).verdict, "problem");
 * assert.equal(checkImage({ ...needs, local: undefined }).verdict, "warning");
 * ```
 *
 * @param needs Which hosts need which image, and what this engine has of it.
 */
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

/**
 * Judges whether another cluster, or any other service of the swarm, has the port that the project wants.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkPort } from "./checks.ts";
 *
 * const rest = { secretIds: [], volumes: [], constraints: [], maxPerNode: undefined, replicas: 1, update: undefined };
 * const web = { ...rest, id: "s1", name: "web", image: "web", labels: {}, ports: [2222, 2223], createdAt: "" };
 * assert.equal(checkPort("hello", 2224, [web]).verdict, "ok");
 * assert.equal(checkPort("hello", 2222, [web]).remedy, "docker mpi deploy --port 2224");
 * ```
 *
 * @param name The project's cluster, whose own services don't count.
 * @param port The port that it wants.
 * @param services All services of the swarm.
 */
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

/**
 * Judges how whole a cluster is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkCluster } from "./checks.ts";
 *
 * const counts = { healthy: false, wanted: 4, running: 3, answering: 3, slots: 3 };
 * const master = { masterHost: "rack-1", port: 2222, image: "hello", version: "1.0.0", createdAt: "" };
 * const [finding] = checkCluster({ name: "hello", ...counts, ...master, nodes: [], problems: [] });
 * assert.deepEqual([finding?.verdict, finding?.text], ["problem", "3 of 4 nodes run"]);
 * ```
 *
 * @returns One finding for each reason that is known, else one in all.
 */
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

/**
 * The reasons why nodes do not come up, as findings.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkProblems } from "./checks.ts";
 *
 * const problem = { nodes: ["worker-1"], error: "no such image", hosts: [], remedy: "docker mpi build", final: true };
 * assert.deepEqual(checkProblems([problem]), [
 *   { check: "Nodes", verdict: "problem", text: "worker-1: no such image", remedy: "docker mpi build" },
 * ]);
 * ```
 */
export function checkProblems(problems: readonly Problem[]): Finding[] {
  return problems.map((problem) => ({
    check: "Nodes",
    verdict: "problem",
    text: describeProblem(problem),
    remedy: problem.remedy,
  }));
}

/**
 * Judges whether the cluster is of this program's version.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkVersion } from "./checks.ts";
 *
 * const counts = { healthy: true, wanted: 4, running: 4, answering: 4, slots: 4 };
 * const master = { masterHost: "rack-1", port: 2222, image: "hello", version: "1.0.0", createdAt: "" };
 * const status = { name: "hello", ...counts, ...master, nodes: [], problems: [] };
 * assert.equal(checkVersion(status, "1.0.0").verdict, "ok");
 * assert.equal(checkVersion(status, "1.1.0").text, "hello was deployed by version 1.0.0, and this is 1.1.0");
 * ```
 *
 * @param status How the cluster is.
 * @param own This program's version.
 */
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
