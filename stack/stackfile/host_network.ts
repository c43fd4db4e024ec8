import type { SwarmNode } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { takesTasks } from "./placement.ts";

const IPV4 = /^\d+(\.\d+){3}$/;

/** Where the nodes of a cluster are that is on its hosts' network: each is the only one of its host, and has its address. */
export interface HostNetwork {
  /** Id of the host that the master has for itself; none: no host may run it. */
  master: string | undefined;
  /** The IPv4 addresses of all hosts, the master's first. */
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
  const known = nodes.filter(({ address }) => IPV4.test(address));
  const fit = known.filter((node) => takesTasks(node, constraints))
    .sort((a, b) => a.hostname < b.hostname ? -1 : 1);
  const master = preferred.map((id) => fit.find((node) => node.id === id)).find(Boolean) ?? fit[0];
  const others = known.filter(({ id }) => id !== master?.id).map(({ address }) => address).sort();
  return { master: master?.id, addresses: [...(master === undefined ? [] : [master.address]), ...others] };
}

/**
 * Makes sure that every worker has a host of its own, beside the master's, and that all of them are known by IPv4.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requireOwnHosts } from "./host_network.ts";
 *
 * const host = (id: string) => {
 *   const attributes = { "node.id": id };
 *   return { id, hostname: id, address: `10.0.0.${id}`, state: "ready", availability: "active", attributes };
 * };
 * const nodes = ["1", "2", "3"].map(host);
 * requireOwnHosts(2, ["node.id != 1"], nodes, "docker mpi scale");
 * const three = () => requireOwnHosts(3, ["node.id != 1"], nodes, "docker mpi scale");
 * assert.throws(three, { code: "cluster", hint: /^docker mpi scale 2 / });
 * ```
 *
 * @param workers How many workers there are to be; `per-node`: one on each host that will do.
 * @param constraints What a worker's host has to meet; last, not to be the master's.
 * @param nodes All hosts of the swarm.
 * @param command What a number of workers is added to, to say it better.
 * @throws {MpiError} `cluster` if there are not as many hosts. What no host at all meets is not told here.
 */
export function requireOwnHosts(
  workers: number | "per-node",
  constraints: readonly string[],
  nodes: readonly SwarmNode[],
  command: string,
): void {
  const masters = constraints.findLastIndex((each) => each.startsWith("node.id != "));
  const asked = constraints.filter((_, at) => at !== masters);
  const fit = nodes.filter((node) => takesTasks(node, asked));
  const strange = fit.find(({ address }) => !IPV4.test(address));
  if (strange !== undefined) throw noAddress(strange);
  const free = fit.filter((node) => takesTasks(node, constraints)).length;
  if (fit.length === 0 || free >= (workers === "per-node" ? 1 : workers)) return;
  const who = workers === "per-node" ? "workers" : workers === 1 ? "1 worker" : `${workers} workers`;
  const found = free === 0 ? "none is" : free === 1 ? "1 is" : `${free} are`;
  throw new MpiError(
    "cluster",
    `On the hosts' network each node needs a host of its own; beside the master's, ${found} there for ${who}`,
    {
      hint: free === 0
        ? "docker node ls  # shows the hosts; with --network overlay several nodes can be on one"
        : `${command} ${free}  # as many as there are; with --network overlay several nodes can be on one host`,
    },
  );
}

function noAddress({ hostname, address }: SwarmNode): MpiError {
  return new MpiError(
    "cluster",
    `On the hosts' network a host needs an IPv4 address; the swarm knows "${hostname}" by "${address}"`,
    { hint: "docker swarm join --advertise-addr ADDRESS …  # tells it another, when the host joins again" },
  );
}
