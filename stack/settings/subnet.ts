import { MpiError, type MpiErrorCode } from "../errors.ts";

/** The size of the network that a swarm gives a stack which asks for no subnet, unless `docker swarm init` said another. */
const DEFAULT_PREFIX = 24;

const IN_FILE = 'Set a larger one in mpi.yaml: "network: { subnet: 10.20.0.0/16 }"; one that no host uses already';

/** The network itself, broadcast, the gateway. */
const TAKEN_ADDRESSES = 3;

/** An IPv4 network. */
export interface Subnet {
  /** Its address and prefix as in `10.20.0.0/16`, with no bit set behind the prefix. */
  cidr: string;
  /** Length of the prefix, 0 to 32. */
  prefix: number;
}

/**
 * Reads an IPv4 network in CIDR notation.
 *
 * Bits behind the prefix are cleared; whoever minds compares the result's `cidr` with the text.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseSubnet } from "./subnet.ts";
 *
 * assert.deepEqual(parseSubnet("10.20.0.5/16"), { cidr: "10.20.0.0/16", prefix: 16 });
 * assert.equal(parseSubnet("10.20.0.0"), undefined);
 * ```
 *
 * @param text What was written.
 * @returns The network, or nothing if the text is none, or one that hosts can't have (0, 127, 224 and up).
 */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match || /(^|[./])0\d/.test(text)) return undefined;
  const [a, b, c, d, prefix] = match.slice(1).map(Number) as [number, number, number, number, number];
  if (a === 0 || a === 127 || a >= 224 || Math.max(b, c, d) > 255 || prefix > 32) return undefined;
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const size = 2 ** (32 - prefix);
  const start = address - address % size;
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256);
  return { cidr: `${octets.join(".")}/${prefix}`, prefix };
}

/**
 * Tells whether two networks share addresses.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { overlap } from "./subnet.ts";
 *
 * assert.ok(overlap("10.20.0.0/16", "10.20.3.0/24"));
 * assert.ok(!overlap("10.20.0.0/16", "10.21.0.0/24"));
 * ```
 *
 * @param a A network in CIDR notation.
 * @param b Another; what is no IPv4 network shares nothing.
 */
export function overlap(a: string, b: string): boolean {
  const prefix = Math.min(parseSubnet(a)?.prefix ?? NaN, parseSubnet(b)?.prefix ?? NaN);
  const cut = (cidr: string) => parseSubnet(cidr.replace(/\/.*/, `/${prefix}`))?.cidr;
  return !Number.isNaN(prefix) && cut(a) === cut(b);
}

/**
 * Finds a /16 for a cluster, from 10.20.0.0 on and then from 172.20.0.0 on.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { freeSubnet } from "./subnet.ts";
 *
 * assert.equal(freeSubnet(["10.0.1.0/24"]), "10.20.0.0/16");
 * assert.equal(freeSubnet(["10.20.3.0/24", "10.21.0.0/16"]), "10.22.0.0/16");
 * assert.equal(freeSubnet(["10.0.0.0/8", "172.16.0.0/12"]), undefined);
 * ```
 *
 * @param taken Networks that there are, in CIDR notation.
 * @returns The first that overlaps none of them; nothing if each does.
 */
export function freeSubnet(taken: readonly string[]): string | undefined {
  const second = (first: number, last: number) =>
    Array.from({ length: last - 19 }, (_, at) => `${first}.${20 + at}.0.0/16`);
  return [...second(10, 255), ...second(172, 31)].find((each) => !taken.some((other) => overlap(each, other)));
}

/**
 * Tells how many MPI nodes find an address in a network with a prefix of that length.
 *
 * Every Docker host that runs one of them takes one more address, for a load balancer that we don't use.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { nodeCapacity } from "./subnet.ts";
 *
 * assert.equal(nodeCapacity(24), 252);
 * assert.equal(nodeCapacity(29, 3), 2);
 * ```
 *
 * @param prefix Length of the prefix, 0 to 32.
 * @param hosts On how many Docker hosts they may run.
 * @returns A number of nodes, the master among them, 0 or more.
 */
export function nodeCapacity(prefix: number, hosts = 1): number {
  const addresses = 2 ** (32 - prefix) - TAKEN_ADDRESSES;
  // Nodes that are fewer than the hosts take one of their own and one of their host each.
  return Math.max(0, hosts * 2 <= addresses ? addresses - hosts : Math.floor(addresses / 2));
}

/** What is to find addresses, and how to say that it does not. */
export interface Capacity {
  /** How many workers there are to be, beside the master. */
  workers: number;
  /** The network's CIDR; none: one that the swarm chooses. */
  subnet: string | undefined;
  /** Length of the prefix of those; none: Docker's own, 24. */
  prefix?: number | undefined;
  /** On how many Docker hosts the nodes may run; 1 if nothing is said. */
  hosts?: number;
  /** What the error counts as: `usage` where the number comes from the command line, or else `settings`. */
  code?: MpiErrorCode;
  /** Where it is said, for the message to name. */
  place?: string | undefined;
  /** How to get a larger network; a line for `mpi.yaml` if nothing is said. */
  hint?: string | undefined;
}

/**
 * Makes sure that a master and so many workers find an address each.
 *
 * A swarm with no address left says nothing: the tasks stay in state "new" for ever. Hence this, before.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkCapacity } from "./subnet.ts";
 *
 * checkCapacity({ workers: 251, subnet: undefined });
 * assert.throws(() => checkCapacity({ workers: 252, subnet: undefined }), /do not fit/);
 * checkCapacity({ workers: 252, subnet: undefined, prefix: 23 });
 * checkCapacity({ workers: 252, subnet: "10.20.0.0/16" });
 * ```
 *
 * @param capacity What is to find addresses.
 * @throws {MpiError} `settings`, or the code given, if they do not fit.
 */
export function checkCapacity(
  { workers, subnet, prefix = DEFAULT_PREFIX, hosts = 1, code = "settings", place, hint = IN_FILE }: Capacity,
): void {
  const length = subnet === undefined ? prefix : parseSubnet(subnet)?.prefix ?? prefix;
  const capacity = nodeCapacity(length, hosts);
  if (workers + 1 <= capacity) return;
  const nodes = workers === 1 ? "1 worker" : `${workers} workers`;
  const network = subnet === undefined ? `a swarm's default network, a /${prefix},` : `the subnet "${subnet}"`;
  const on = hosts === 1 ? "" : ` on ${hosts} hosts`;
  const where = place === undefined ? "" : `${place}: `;
  const message = `${where}A master and ${nodes} do not fit: ${network} has addresses for ${capacity} nodes${on}`;
  throw new MpiError(code, message, { hint });
}
