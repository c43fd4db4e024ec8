import {
  CLUSTER_NAME,
  clusterNameFrom,
  IMAGE_REFERENCE,
  isClusterName,
  isImageReference,
  MAX_CLUSTER_NAME,
  SSH_PORT,
} from "../names.ts";
import { CONSTRAINTS } from "./constraint.ts";
import { choice, type Rule, sizeOf, TRUE_OR_FALSE, wholeNumber } from "./rules.ts";
import { parseSubnet } from "./subnet.ts";

/** The implementations of MPI that there are images of. */
export const IMPLEMENTATIONS = ["mpich", "openmpi"] as const;

/** An implementation of MPI. */
export type Implementation = typeof IMPLEMENTATIONS[number];

/** The networks that nodes can be on. */
export const NETWORK_TYPES = ["overlay", "host"] as const;

/** A network that nodes can be on. */
export type NetworkType = typeof NETWORK_TYPES[number];

/** How many workers a cluster gets if nobody says how many and none runs yet. */
export const DEFAULT_WORKERS = 3;

/** The settings that are a single value, by the names the program uses for them. */
export interface FieldValues {
  /** The cluster's name, which is the stack's. */
  name: string;
  /** The cluster image, a reference. */
  image: string;
  /** Which MPI the project's image is built with; none given: what its Dockerfile says. */
  mpi: Implementation | undefined;
  /**
   * How many workers, 0 leaves the master alone, `per-node` means one on each Docker host; none given: as many as run
   * already, or {@linkcode DEFAULT_WORKERS}.
   */
  workers: number | "per-node" | undefined;
  /** Ranks a node takes; `auto`: one for each CPU that it may use. */
  slots: number | "auto";
  /** Port of the master's host where SSH answers. */
  port: number;
  /** Whether SSH to the master forwards TCP ports. */
  forwarding: boolean;
  /** Size of `/dev/shm` of every node, in bytes. */
  shm: number;
  /** What a Docker host that runs the master has to meet, with commas in between; none: any may. */
  masterConstraint: string | undefined;
  /** What a Docker host that runs workers has to meet. */
  workerConstraint: string | undefined;
  /** How many workers at most run on one Docker host; none: any number. */
  maxPerNode: number | undefined;
  /** Whether nodes have a network of the cluster's own, or that of their hosts; none: a cluster keeps what it has. */
  network: NetworkType | undefined;
  /** The network's IPv4 CIDR; none: the swarm takes the next free one. */
  subnet: string | undefined;
  /** The MTU, in bytes, of the network that the hosts are on, the cluster's own is 50 less; none: Docker's default. */
  mtu: number | undefined;
  /** Whether traffic between hosts is encrypted. */
  encrypted: boolean;
}

/** The name of a setting that is a single value. */
export type FieldName = keyof FieldValues;

/** What is known already where a default is made: the project's directory, and the settings before it in the table. */
export type Known = { directory: string } & Partial<FieldValues>;

/** What a setting is if nobody says it. */
export interface Fallback<T> {
  /** In words, for people. */
  text: string;
  /** The value; nothing if it is settled later, by the swarm. */
  value?(known: Known): T;
}

/** One setting: where it is written, what it is, what is right, how to read it. */
export interface Field<T> extends Rule<T> {
  /** Its key in `mpi.yaml`; a dot leads into a mapping. */
  key: string;
  /** Its flag. */
  flag: string;
  /** Its environment variable. */
  variable: string;
  /** What stands for the flag's value in help texts; none: the flag is a switch. */
  placeholder?: string;
  /** What it is: sentence case, no full stop. Help texts and documents have it. */
  summary: string;
  /** What else documents say, if there is something. */
  detail?: string;
  /** What it is if nobody says it. */
  fallback: Fallback<T>;
}

/**
 * Every setting that is a single value, in the order of `mpi.yaml`.
 *
 * This table is the one source of their flags, variables, help texts and defaults, of how `mpi.yaml` is read, of the JSON
 * schema for editors and of `docs/settings.md`. A new one is an entry here and its type in {@linkcode FieldValues}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { FIELDS } from "./schema.ts";
 *
 * assert.equal(FIELDS.workers.variable, "MPI_WORKERS");
 * assert.equal(FIELDS.workers.parse("5"), 5);
 * assert.equal(FIELDS.workers.parse("1e9"), undefined);
 * ```
 */
export const FIELDS: { readonly [K in FieldName]: Field<FieldValues[K]> } = {
  name: {
    ...places("name"),
    flag: "--cluster",
    variable: "MPI_CLUSTER",
    placeholder: "string",
    summary: "Name of the cluster",
    detail: "The stack has the same name.",
    fallback: { text: "the directory's", value: ({ directory }) => clusterNameFrom(directory) },
    types: ["string"],
    want:
      `lower case letters, digits and hyphens, first a letter, last no hyphen, at most ${MAX_CLUSTER_NAME} characters`,
    parse: (text) => isClusterName(text) ? text : undefined,
    schema: { type: "string", pattern: CLUSTER_NAME.source, maxLength: MAX_CLUSTER_NAME },
    suggest: (text) => /[a-z]/i.test(text) ? clusterNameFrom(text) : undefined,
  },
  image: {
    ...places("image"),
    placeholder: "string",
    summary: "Image of the cluster",
    detail: "`docker mpi build` makes it. Several hosts get it from a registry, which its name says.",
    fallback: { text: "`NAME:latest`", value: ({ name }) => `${name}:latest` },
    types: ["string"],
    want: 'an image reference in lower case, such as "hello:latest" or "registry.example.org/team/hello:1.2"',
    parse: (text) => isImageReference(text) ? text : undefined,
    schema: { type: "string", pattern: IMAGE_REFERENCE.source },
  },
  mpi: {
    ...places("mpi"),
    variable: "MPI_IMPLEMENTATION",
    placeholder: "string",
    summary: "MPI implementation: mpich or openmpi",
    detail: "The image is built with it, if the Dockerfile begins with `ARG MPI`.",
    fallback: { text: "the Dockerfile's, `mpich`" },
    ...choice(...IMPLEMENTATIONS),
    suggest: (text) => IMPLEMENTATIONS.find((name) => name === text.toLowerCase().replace(/[^a-z]/g, "")),
  },
  workers: {
    ...places("workers"),
    placeholder: "int|per-node",
    summary: "Number of MPI worker nodes",
    detail:
      "The master comes on top; 0 leaves it alone. `per-node`: one on each host of the swarm, named after it; with `network.type: host`, on each but the master's. " +
      "Where none is given, a cluster that runs keeps its number; where one is, the next deployment undoes `docker mpi scale`.",
    fallback: { text: `as many as run, or ${DEFAULT_WORKERS}` },
    types: ["number", "string"],
    want: 'a whole number from 0 to 10000, or "per-node"',
    parse: (text) => text === "per-node" ? "per-node" : wholeNumber(0, 10_000).parse(text),
    schema: {
      anyOf: [wholeNumber(0, 10_000).schema, { type: "string", pattern: "^(per-node|0*([0-9]{1,4}|10000))$" }],
    },
  },
  slots: {
    ...places("slots"),
    placeholder: "int|auto",
    summary: "Ranks that a node takes",
    detail: "`auto`: one for each CPU that the node may use, by the host's CPUs, cpuset and quota (`limits.cpus`).",
    fallback: constant(1),
    types: ["number", "string"],
    want: 'a whole number from 1 to 1024, or "auto"',
    parse: (text) => text === "auto" ? "auto" : wholeNumber(1, 1024).parse(text),
    schema: {
      anyOf: [
        wholeNumber(1, 1024).schema,
        { type: "string", pattern: "^(auto|0*([1-9][0-9]{0,2}|10[01][0-9]|102[0-4]))$" },
      ],
    },
  },
  port: {
    ...places("port"),
    placeholder: "int",
    summary: "Port where the master's SSH server is published",
    detail:
      "It is a port of the host that runs the master; with `network.type: host`, of every host with a node, from 1024 up.",
    fallback: constant(SSH_PORT),
    ...wholeNumber(1, 65_535),
  },
  forwarding: {
    ...places("forwarding"),
    summary: "Let users reach TCP ports of the nodes through SSH to the master",
    detail:
      "As with `ssh -L 8888:worker-1:8888`. Whatever else the master reaches they then reach, too. A change restarts the master.",
    fallback: constant(false),
    ...TRUE_OR_FALSE,
  },
  shm: {
    ...places("shm"),
    placeholder: "bytes",
    summary: "Size of /dev/shm of each node",
    detail: "Ranks on a node exchange messages there. What is used counts as memory.",
    fallback: { text: "`1g`", value: () => 1024 ** 3 },
    ...sizeOf("64m", "1g"),
  },
  masterConstraint: {
    ...places("placement.master-constraint"),
    placeholder: "string",
    summary: 'Hosts of the master, such as "node.hostname == host1"',
    detail: "As `docker service create --constraint` takes them, with commas in between.",
    fallback: { text: "any host" },
    ...CONSTRAINTS,
  },
  workerConstraint: {
    ...places("placement.worker-constraint"),
    placeholder: "string",
    summary: 'Hosts of the workers, such as "node.labels.rack == 7"',
    detail: "`docker node update --label-add rack=7 host1` gives a host a label.",
    fallback: { text: "any host" },
    ...CONSTRAINTS,
  },
  maxPerNode: {
    ...places("placement.max-per-node"),
    placeholder: "int",
    summary: "Most workers on one host",
    fallback: { text: "any number" },
    ...wholeNumber(1, 10_000),
  },
  network: {
    ...places("network.type"),
    flag: "--network",
    variable: "MPI_NETWORK",
    placeholder: "string",
    summary: "Network of the nodes: overlay, or that of their hosts: host",
    detail:
      "`host` is faster between hosts and keeps nothing apart: each node has a host of its own, and its SSH server `port` " +
      "there.",
    fallback: { text: "as it runs, or `overlay`" },
    ...choice(...NETWORK_TYPES),
  },
  subnet: {
    ...places("network.subnet"),
    placeholder: "string",
    summary: "Subnet of the cluster's network, such as 10.20.0.0/16",
    detail: "A /24 holds 252 nodes. It can't be changed while the cluster exists.",
    fallback: { text: "Docker chooses" },
    types: ["string"],
    want: "an IPv4 network such as 10.20.0.0/16",
    parse: (text) => parseSubnet(text)?.cidr === text ? text : undefined,
    schema: { type: "string", pattern: "^([0-9]{1,3}\\.){3}[0-9]{1,3}/[0-9]{1,2}$" },
    suggest: (text) => [parseSubnet(text)?.cidr].find((cidr) => cidr !== undefined && parseSubnet(cidr)?.cidr === cidr),
  },
  mtu: {
    ...places("network.mtu"),
    placeholder: "int",
    summary: "MTU of the network that the hosts are on",
    detail: "The cluster's own network has 50 bytes less.",
    fallback: { text: "Docker's, 1500" },
    ...wholeNumber(576, 65_535),
  },
  encrypted: {
    ...places("network.encrypted"),
    summary: "Encrypt the traffic between hosts",
    detail: "IPsec: needs IP protocol 50, which many clouds drop, and costs speed.",
    fallback: constant(false),
    ...TRUE_OR_FALSE,
  },
};

/** The names of all settings that are a single value, in the order of `mpi.yaml`. */
export const FIELD_NAMES: readonly FieldName[] = Object.keys(FIELDS) as FieldName[];

/** A setting that is a mapping or a list: it has no flag and no variable. */
export interface Part {
  /** Its key in `mpi.yaml`. */
  key: string;
  /** What it is: sentence case, no full stop. */
  summary: string;
  /** What else documents say, if there is something. */
  detail?: string;
}

/** Every setting that is no single value; {@linkcode readSettingsFile} reads them. */
export const PARTS = {
  volumes: {
    key: "volumes",
    summary: "What is mounted into every node",
    detail: "Named volumes, directories of the hosts, memory, NFS.",
  },
  stack: {
    key: "stack",
    summary: "Merged into the stack file, as compose merges files",
    detail: "Placement, limits, more services: any key that `docker stack deploy` knows.",
  },
} as const satisfies Record<string, Part>;

/** The name of a setting that is no single value. */
export type PartName = keyof typeof PARTS;

/** The names of all settings that are no single value, in the order of `mpi.yaml`. */
export const PART_NAMES: readonly PartName[] = Object.keys(PARTS) as PartName[];

/** Key, flag and variable of most settings come from the last part of its key: `placement.max-per-node` is `MPI_MAX_PER_NODE`. */
function places(key: string): { key: string; flag: string; variable: string } {
  const word = key.split(".").at(-1)!;
  return { key, flag: `--${word}`, variable: `MPI_${word.toUpperCase().replaceAll("-", "_")}` };
}

/** A default that is always the same. */
function constant<T extends string | number | boolean>(value: T): Fallback<T> {
  return { text: `\`${value}\``, value: () => value };
}
