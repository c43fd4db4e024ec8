import { asYaml, isJsonObject, type Json, type JsonObject } from "../json.ts";
import { LABELS } from "../labels.ts";
import { fingerprint, SSH_PORT } from "../names.ts";
import { mergeStack } from "../settings/merge.ts";
import type { Settings } from "../settings/settings.ts";
import type { HostNetwork } from "./host_network.ts";
import { markServices } from "./ownership.ts";

/** The account in the image, which owns the mounted keys. */
const USER_ID = "1000";

/** The keys of a cluster: public halves as lines of OpenSSH `.pub` files, private halves as names of swarm secrets. */
export interface StackKeys {
  /** The user's key, which opens the master. */
  userPublic: string;
  /** Further keys that open the master. */
  addedPublic?: readonly string[] | undefined;
  /** The cluster's key, by which the master opens the workers. */
  clusterPublic: string;
  /** The master's SSH host key. */
  masterHostPublic: string;
  /** The SSH host key that all workers share. */
  workerHostPublic: string;
  /** Secret with the private half of the cluster's key. */
  clusterSecret: string;
  /** Secret with the private half of the master's host key. */
  masterHostSecret: string;
  /** Secret with the private half of the workers' host key. */
  workerHostSecret: string;
}

/** All that a stack file is made of. */
export interface StackInput {
  /** The settings; their `workers` is not looked at. */
  settings: Settings;
  /** How many workers, settled. */
  workers: number | "per-node";
  /** Where nodes are that are on their hosts' network. */
  hostNetwork?: HostNetwork | undefined;
  /** The image's id, so that another image of the same name replaces the nodes; none: they stay. */
  imageId?: string | undefined;
  /** How the nodes are to know it, so that it can be no other; none: by the name that the settings have. */
  reference?: string | undefined;
  /** The keys. */
  keys: StackKeys;
  /** The version of `docker mpi`. */
  version: string;
}

/** A compose file of version 3.8, as data. */
export interface StackFile extends JsonObject {
  /** The version of the format that the oldest client wants to see. */
  version: string;
  /** `master`, `worker` and what the user adds. */
  services: JsonObject;
  /** `cluster` and what the user adds. */
  networks: JsonObject;
  /** The keys; all of them are in the swarm already. */
  secrets: JsonObject;
}

type Role = "master" | "worker";

/**
 * Makes the stack file of a cluster.
 *
 * The same input gives the same file, and Docker restarts nothing when it gets the same file again. The settings'
 * `stack` fragment is laid over the result last, see {@linkcode mergeStack}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resolveSettings } from "../settings/settings.ts";
 * import { renderStack } from "./stack_file.ts";
 *
 * const keys = {
 *   userPublic: "ssh-ed25519 AAAA me@here",
 *   clusterPublic: "ssh-ed25519 BBBB",
 *   masterHostPublic: "ssh-ed25519 CCCC",
 *   workerHostPublic: "ssh-ed25519 DDDD",
 *   clusterSecret: "hello_cluster_key-0123456789ab",
 *   masterHostSecret: "hello_master_host-0123456789ab",
 *   workerHostSecret: "hello_worker_host-0123456789ab",
 * };
 * const settings = await resolveSettings({ directory: "/home/ada/hello" });
 * const stack = renderStack({ settings, workers: 3, keys, version: "1.0.0" });
 * assert.deepEqual(Object.keys(stack.services), ["master", "worker"]);
 * ```
 *
 * @param input What it is made of.
 */
export function renderStack(input: StackInput): StackFile {
  const { settings, keys } = input;
  const stack: StackFile = {
    version: "3.8",
    services: { master: service("master", input), worker: service("worker", input) },
    networks: { cluster: network(settings) },
    ...volumes(settings),
    secrets: {
      cluster_key: { external: true, name: keys.clusterSecret },
      master_host: { external: true, name: keys.masterHostSecret },
      worker_host: { external: true, name: keys.workerHostSecret },
    },
  };
  const merged = mergeStack(escapeDollars(stack) as StackFile, settings.stack) as StackFile;
  return { ...merged, services: markServices(merged.services, settings.name) };
}

function service(role: Role, input: StackInput): JsonObject {
  const { settings, imageId } = input;
  return {
    image: input.reference ?? settings.image,
    hostname: hostname(role, input),
    user: "mpi",
    init: true,
    command: ["mpi_bootstrap", role],
    cap_drop: ["ALL"],
    environment: environment(role, input),
    ...(imageId === undefined ? {} : { labels: { [LABELS.image]: imageId } }),
    secrets: secrets(role),
    networks: { cluster: {} },
    ...(role === "master" && settings.network !== "host" ? { ports: [publishedPort(settings.port)] } : {}),
    // Swarm ignores shm_size, and a container's own /dev/shm has 64 MB.
    volumes: [{ type: "tmpfs", target: "/dev/shm", tmpfs: { size: settings.shm } }, ...settings.volumes.mounts],
    // A node has a name in the network only while it is healthy, hence the short interval.
    healthcheck: { test: ["CMD", "mpi_health"], interval: "1s", timeout: "60s", retries: 3, start_period: "30s" },
    stop_grace_period: "3s",
    deploy: deploy(role, input),
  };
}

/** Workers have numbers; where each host has one, its name tells which: the tasks of a global service have no number. */
function hostname(role: Role, { workers }: StackInput): string {
  if (role === "master") return "master";
  return workers === "per-node" ? "worker-{{.Node.Hostname}}" : "worker-{{.Task.Slot}}";
}

function environment(role: Role, { settings, keys, hostNetwork }: StackInput): JsonObject {
  const common = {
    MPI_ROLE: role,
    MPI_CLUSTER: settings.name,
    MPI_SLOTS: String(settings.slots),
    ...(settings.network === "host"
      ? { MPI_PORT: String(settings.port), MPI_HOST_ADDRESSES: hostNetwork?.addresses.join(" ") ?? "" }
      : {}),
  };
  const own = role === "worker" ? { MPI_AUTHORIZED_KEYS: keys.clusterPublic } : {
    MPI_AUTHORIZED_KEYS: userKeys(keys).join("\n"),
    MPI_KNOWN_HOST_KEY: keys.workerHostPublic,
    ...(settings.forwarding ? { MPI_FORWARDING: "local" } : {}),
  };
  // The swarm expands the values as Go templates.
  const literal = (text: string) => text.trim().replaceAll("{{", '{{"{{"}}');
  const fixed = Object.entries({ ...common, ...own }).map(([name, value]) => [name, literal(value)]);
  return { ...Object.fromEntries(fixed), MPI_NODE: "{{.Node.Hostname}}" };
}

/** The keys that open the master, the owner's first. */
function userKeys({ userPublic, addedPublic = [] }: StackKeys): string[] {
  return [userPublic, ...addedPublic].map((line) => line.trim());
}

function secrets(role: Role): JsonObject[] {
  const file = (source: string, name: string): JsonObject => ({
    source,
    target: `/run/secrets/${name}`,
    uid: USER_ID,
    gid: USER_ID,
    mode: 0o400,
  });
  return role === "master"
    ? [file("cluster_key", "cluster_key"), file("master_host", "host_key")]
    : [file("worker_host", "host_key")];
}

/** In host mode: the routing mesh has no place for a service without a virtual address. */
function publishedPort(published: number): JsonObject {
  return { target: SSH_PORT, published, protocol: "tcp", mode: "host" };
}

function deploy(role: Role, input: StackInput): JsonObject {
  const { settings, workers, keys, version } = input;
  const labels = {
    [LABELS.role]: role,
    [LABELS.cluster]: settings.name,
    [LABELS.version]: version,
    [LABELS.imageName]: settings.image,
    [LABELS.slots]: String(settings.slots),
    [LABELS.network]: settings.network ?? "overlay",
    [LABELS.userKey]: fingerprint(keys.userPublic),
    ...(role === "master"
      ? {
        [LABELS.port]: String(settings.port),
        [LABELS.hostKey]: keys.masterHostPublic.trim(),
        ...(userKeys(keys).length > 1 ? { [LABELS.userKeys]: userKeys(keys).join("\n") } : {}),
      }
      : {}),
  };
  const count = role === "master" ? 1 : workers;
  return {
    ...(count === "per-node" ? { mode: "global" } : { replicas: count }),
    ...placement(role, input),
    endpoint_mode: "dnsrr",
    labels,
    restart_policy: { condition: "any", delay: "1s" },
    // Parallelism 0 is all at once; a node can't start before the one in its place, and on its port, has stopped. The swarm
    // goes on watching a node that is healthy for `monitor`, and a deployment waits for that.
    update_config: {
      parallelism: role === "master" ? 1 : 0,
      order: "stop-first",
      failure_action: "pause",
      monitor: "1s",
    },
  };
}

function placement(role: Role, { settings, workers, hostNetwork }: StackInput): JsonObject {
  const asked = role === "master" ? settings.masterConstraint : settings.workerConstraint;
  const master = hostNetwork?.master;
  const constraints = [
    ...(asked === undefined ? [] : asked.split(", ")),
    ...(master === undefined ? [] : [`node.id ${role === "master" ? "==" : "!="} ${master}`]),
  ];
  const limit = settings.network === "host" ? 1 : settings.maxPerNode;
  const most = role === "master" || workers === "per-node" ? undefined : limit;
  const made = {
    ...(constraints.length === 0 ? {} : { constraints }),
    ...(most === undefined ? {} : { max_replicas_per_node: most }),
  };
  return Object.keys(made).length === 0 ? {} : { placement: made };
}

function network({ name, network, subnet, mtu, encrypted }: Settings): JsonObject {
  if (network === "host") return { external: true, name: "host" };
  const options: JsonObject = {
    ...(mtu === undefined ? {} : { "com.docker.network.driver.mtu": String(mtu) }),
    ...(encrypted ? { encrypted: "true" } : {}),
  };
  return {
    driver: "overlay",
    attachable: false,
    ...(Object.keys(options).length === 0 ? {} : { driver_opts: options }),
    ...(subnet === undefined ? {} : { ipam: { config: [{ subnet }] } }),
    labels: { [LABELS.cluster]: name },
  };
}

/** What the swarm's hosts make of a volume keeps this label, by which it is found when the cluster is gone. */
function volumes({ name, volumes: { definitions } }: Settings): JsonObject {
  const entries = Object.entries(definitions).map(([volume, definition]) => {
    const isThere = definition["external"] === true;
    return [volume, isThere ? definition : { ...definition, labels: { [LABELS.cluster]: name } }];
  });
  return entries.length === 0 ? {} : { volumes: Object.fromEntries(entries) };
}

/** Docker fills in `$NAME` in every text of a stack file; what we write there is meant as it stands. */
function escapeDollars(value: Json): Json {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(escapeDollars);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escapeDollars(inner)]));
}

/**
 * Prints a stack file as JSON, which is YAML to every Docker client, and has none of YAML's surprises.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatStack } from "./stack_file.ts";
 *
 * const text = formatStack({ version: "3.8", services: {}, networks: {}, secrets: {} });
 * assert.equal(text, '{\n  "version": "3.8",\n  "services": {},\n  "networks": {},\n  "secrets": {}\n}\n');
 * ```
 *
 * @param stack The stack file.
 * @returns The text, ending in a line end.
 */
export function formatStack(stack: StackFile): string {
  return `${asYaml(JSON.stringify(stack, null, 2))}\n`;
}
