import type { SwarmNode } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { isJsonObject, type Json } from "../json.ts";
import { HOST_NAME } from "../names.ts";
import { meets } from "../settings/constraint.ts";
import type { StackFile } from "./stack_file.ts";

/**
 * Tells whether the swarm may put a task on a host: it takes tasks, and the constraints allow it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { takesTasks } from "./placement.ts";
 *
 * const attributes = { "node.role": "worker", "node.labels.rack": "7" };
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes };
 * assert.ok(takesTasks(host, ["node.role != manager", "node.labels.rack == 7"]));
 * assert.ok(!takesTasks(host, ["node.role == manager"]));
 * assert.ok(!takesTasks({ ...host, availability: "drain" }, []));
 * ```
 *
 * @param node The host.
 * @param constraints As `deploy.placement.constraints` has them; one that says nothing to us allows every host.
 */
export function takesTasks(node: SwarmNode, constraints: readonly string[]): boolean {
  const free = node.state === "ready" && node.availability === "active";
  return free && constraints.every((constraint) => meets(node, constraint));
}

/**
 * Finds the Docker hosts that may get nodes of a cluster.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { nodeHosts } from "./placement.ts";
 *
 * const host = (hostname: string, rack: string) => {
 *   const attributes = { "node.labels.rack": rack };
 *   return { id: hostname, hostname, address: "10.0.0.1", state: "ready", availability: "active", attributes };
 * };
 * const deploy = { placement: { constraints: ["node.labels.rack == 7"] } };
 * const stack = { version: "3.8", services: { master: { deploy }, worker: { deploy } }, networks: {}, secrets: {} };
 * assert.deepEqual(nodeHosts(stack, [host("a", "7"), host("b", "8")]).map(({ hostname }) => hostname), ["a"]);
 * ```
 *
 * @param stack Its stack file.
 * @param nodes All hosts of the swarm.
 * @returns Those that may run the master or a worker, in the same order; a service of no tasks needs none.
 */
export function nodeHosts({ services }: StackFile, nodes: readonly SwarmNode[]): SwarmNode[] {
  const wishes = ["master", "worker"].map((role) => wishOf(services[role])).filter(({ count }) => count !== 0);
  return nodes.filter((node) => wishes.some(({ constraints }) => takesTasks(node, constraints)));
}

/**
 * What a host has to meet that is to run a service.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { constraintsOf } from "./placement.ts";
 *
 * const deploy = { placement: { constraints: ["node.role == worker"] } };
 * const stack = { version: "3.8", services: { master: {}, worker: { deploy } }, networks: {}, secrets: {} };
 * assert.deepEqual(constraintsOf(stack, "worker"), ["node.role == worker"]);
 * assert.deepEqual(constraintsOf(stack, "master"), []);
 * ```
 *
 * @param stack The cluster's stack file.
 * @param role Which of its services.
 * @returns Its constraints; empty where every host will do.
 */
export function constraintsOf({ services }: StackFile, role: "master" | "worker"): readonly string[] {
  return wishOf(services[role]).constraints;
}

/** Where the tasks of a service are to be. */
export interface Wish {
  /** How many there are to be; none: one on each host. */
  count: number | undefined;
  /** What a host has to meet. */
  constraints: readonly string[];
  /** How many at most on one host; none: any number. */
  maxPerNode: number | undefined;
}

/** Reads from a stack file where the tasks of a service are to be. */
function wishOf(service: Json | undefined): Wish {
  const deploy = at(service, "deploy");
  const placement = at(deploy, "placement");
  const [count, constraints, most] = [at(deploy, "replicas"), at(placement, "constraints"), "max_replicas_per_node"];
  return {
    count: at(deploy, "mode") === "global" ? undefined : Number(count ?? 1),
    constraints: Array.isArray(constraints) ? constraints.map(String) : [],
    maxPerNode: Number(at(placement, most) ?? 0) || undefined,
  };
}

/**
 * Makes sure that there is a Docker host for the master, and room for the workers, as far as constraints tell.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requirePlaces } from "./placement.ts";
 *
 * const attributes = { "node.labels.rack": "7" };
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes };
 * const worker = { deploy: { placement: { constraints: ["node.labels.rack == 8"] } } };
 * const stack = { version: "3.8", services: { master: {}, worker }, networks: {}, secrets: {} };
 * assert.throws(() => requirePlaces(stack, [host]), /workers find no host: none meets "node.labels.rack == 8"/);
 * requirePlaces(stack, [host, { ...host, id: "2", hostname: "b", attributes: { "node.labels.rack": "8" } }]);
 * ```
 *
 * @param stack The cluster's stack file.
 * @param nodes All hosts of the swarm.
 * @throws {MpiError} `cluster` with the constraint that no host meets, before anything is made.
 */
export function requirePlaces({ services }: StackFile, nodes: readonly SwarmNode[]): void {
  requirePlace("The master", wishOf(services["master"]), nodes);
  const workers = wishOf(services["worker"]);
  requirePlace("The workers", workers, nodes);
  if (workers.count === undefined) requireNames(nodes.filter((node) => takesTasks(node, workers.constraints)));
}

/** Makes sure that workers which are named after their hosts have names, and each one of its own. */
function requireNames(hosts: readonly SwarmNode[]): void {
  const names = hosts.map(({ hostname }) => hostname);
  const wrong = names.find((name, index) => names.indexOf(name) !== index || !HOST_NAME.test(name));
  if (wrong === undefined) return;
  const why = HOST_NAME.test(wrong) ? "several hosts have it" : "want at most 57 letters, digits, hyphens and dots";
  throw new MpiError("cluster", `One worker on each host is named after it, and "${wrong}" can't be: ${why}`, {
    hint: "hostnamectl set-hostname NAME  # on that host, and restart Docker; or --workers N --max-per-node 1",
  });
}

/**
 * The same for one service.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requirePlace } from "./placement.ts";
 *
 * const attributes = { "node.labels.rack": "7" };
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes };
 * const wish = { count: 2, constraints: ["node.labels.rack == 8"], maxPerNode: undefined };
 * assert.throws(() => requirePlace("The workers", wish, [host]), /find no host: none meets "node.labels.rack == 8"/);
 * ```
 *
 * @param who Who finds no place: the message begins with it.
 * @param wish What is asked for.
 * @param nodes All hosts of the swarm.
 * @param command What a number of workers is added to, to say it better.
 * @throws {MpiError} `cluster` with the constraint that no host meets, or how many find room.
 */
export function requirePlace(
  who: string,
  { count, constraints, maxPerNode }: Wish,
  nodes: readonly SwarmNode[],
  command = "docker mpi deploy --workers",
): void {
  if (count === 0) return;
  const fit = nodes.filter((node) => constraints.every((constraint) => meets(node, constraint)));
  if (fit.length === 0) throw noHost(who, constraints, nodes);
  const free = fit.filter((node) => takesTasks(node, []));
  if (free.length === 0) throw noneFree(who, constraints, fit);
  if (count === undefined || maxPerNode === undefined || count <= maxPerNode * free.length) return;
  const hosts = free.length === 1 ? `1 host, ${free[0]!.hostname}` : `${free.length} hosts`;
  const most = maxPerNode * free.length;
  throw new MpiError("cluster", `${who} find no place: ${count}, at most ${maxPerNode} on each of ${hosts}`, {
    hint: `${command} ${most}  # as many as fit; deploy --max-per-node ${
      Math.ceil(count / free.length)
    } lets more be on a host`,
  });
}

/** Names what no host meets, or else all that no host meets at once. */
function noHost(who: string, constraints: readonly string[], nodes: readonly SwarmNode[]): MpiError {
  const impossible = constraints.filter((constraint) => !nodes.some((node) => meets(node, constraint)));
  const named = (impossible.length > 0 ? impossible : constraints).map((each) => `"${each}"`).join(" and ");
  const [, label, value] = /^node\.labels\.(\S+)\s*==\s*(\S+)$/.exec(impossible[0]?.trim() ?? "") ?? [];
  const first = nodes.map(({ hostname }) => hostname).sort()[0] ?? "HOST";
  return new MpiError("cluster", `${who} ${verb(who)} no host: none meets ${named}; there ${listed(nodes)}`, {
    hint: label === undefined
      ? "docker node ls  # shows the hosts; docker node inspect shows what constraints can ask for"
      : `docker node update --label-add ${label}=${value} ${first}  # gives a host that label`,
  });
}

/** Hosts that would fit, and take no tasks now. */
function noneFree(who: string, constraints: readonly string[], fit: readonly SwarmNode[]): MpiError {
  const states = fit.slice(0, 3).map(({ hostname, state, availability }) =>
    `${hostname} is ${state === "ready" ? availability === "drain" ? "drained" : "paused" : state}`
  );
  const which = constraints.length === 0 ? "" : ` that meets ${constraints.map((each) => `"${each}"`).join(" and ")}`;
  const idle = fit.find(({ state }) => state === "ready");
  return new MpiError("cluster", `${who} ${verb(who)} no host${which} and takes tasks: ${states.join(", ")}`, {
    hint: idle === undefined
      ? "docker node ls  # shows the hosts"
      : `docker node update --availability active ${idle.hostname}  # lets it take tasks again`,
  });
}

function verb(who: string): string {
  return who.endsWith("s") ? "find" : "finds";
}

function listed(nodes: readonly SwarmNode[]): string {
  const names = nodes.map(({ hostname }) => hostname).sort();
  const more = names.length > 4 ? ` and ${names.length - 4} more` : "";
  return `${names.length === 1 ? "is" : "are"} ${names.slice(0, 4).join(", ")}${more}`;
}

function at(value: Json | undefined, key: string): Json | undefined {
  return isJsonObject(value) ? value[key] : undefined;
}
