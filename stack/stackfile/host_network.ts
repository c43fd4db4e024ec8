import type { SwarmNode } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { takesTasks } from "./placement.ts";

/** Where the nodes of a cluster are that is on its hosts' network: each is the only one of its host, and has its address. */
export interface HostNetwork {
  /** Id of the host that the master has for itself; none: no host may run it. */
  master: string | undefined;
  /** The addresses of all hosts, the master's first. */
  addresses: readonly string[];
}

/**
 * Chooses the master's host, and tells all addresses.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chooseHosts } from "./host_network.ts";
 *
 * const host = (id: string) => ({ id, hostname: id, address: `10.0.0.${id}`, state: "ready", availability: "active", attributes: {} });
 * const hosts = ["3", "1", "2"].map(host);
 * assert.deepEqual(chooseHosts(hosts, [], ["2"]), { master: "2", addresses: ["10.0.0.2", "10.0.0.1", "10.0.0.3"] });
 * ```
 *
 * @param nodes All hosts of the swarm.
 * @param constraints What the master's host has to meet.
 * @param preferred Ids of hosts, the best first; where none of them will do, it is the first by name.
 */
export function chooseHosts(
  nodes: readonly SwarmNode[],
  constraints: readonly string[],
  preferred: readonly string[],
): HostNetwork {
  const fit = nodes.filter((node) => takesTasks(node, constraints))
    .sort((a, b) => a.hostname < b.hostname ? -1 : 1);
  const master = preferred.map((id) => fit.find((node) => node.id === id)).find(Boolean) ?? fit[0];
  const others = nodes.filter(({ id }) => id !== master?.id).map(({ address }) => address).sort();
  return { master: master?.id, addresses: [...(master === undefined ? [] : [master.address]), ...others] };
}

/**
 * Makes sure that every node has a host of its own.
 *
 * @param workers How many workers there are to be; `per-node`: one on each host but the master's.
 * @param constraints What a worker's host has to meet.
 * @param master Id of the master's host.
 * @param nodes All hosts of the swarm.
 * @throws {MpiError} `cluster` if there are not as many hosts. What no host at all meets is not told here.
 */
export function requireOwnHosts(
  workers: number | "per-node",
  constraints: readonly string[],
  master: string | undefined,
  nodes: readonly SwarmNode[],
): void {
  const fit = nodes.filter((node) => takesTasks(node, constraints));
  const free = fit.filter(({ id }) => id !== master).length;
  const wanted = workers === "per-node" ? 1 : workers;
  if (fit.length === 0 || free >= wanted) return;
  const workersWord = workers === "per-node" ? "workers" : wanted === 1 ? "1 worker" : `${wanted} workers`;
  const found = free === 0 ? "none is" : free === 1 ? "1 is" : `${free} are`;
  throw new MpiError(
    "cluster",
    `On the hosts' network each node needs a host of its own; beside the master's, ${found} there for ${workersWord}`,
    {
      hint: free === 0
        ? "docker mpi deploy --network overlay  # has several nodes on one host"
        : `docker mpi deploy --network host --workers ${free}  # as many as there are; --network overlay has several on one host`,
    },
  );
}
