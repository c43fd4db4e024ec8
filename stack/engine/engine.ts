import type { Agent } from "node:http";
import type Docker from "dockerode";
import { MpiError } from "../errors.ts";
import { LABELS } from "../labels.ts";
import type { Engine, EngineInfo, Labelled, LocalImage, Network, Service, SwarmNode, Task } from "./swarm.ts";

/** How to reach the engine. */
export interface EngineOptions {
  /** As the user knows it, for messages: `unix:///var/run/docker.sock`. */
  host: string;
  /** A socket of this machine, or an agent that makes the connections. */
  connection: { socketPath: string } | { agent: Agent };
  /** The API version to speak, `v1.41`; none: the engine's newest. */
  version?: string | undefined;
  /** What every request carries besides. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long one answer may take, in milliseconds. */
  patience?: number | undefined;
  /** Ends a call that waits when it fires; those that are made later are to tidy up, and have their time. */
  signal?: AbortSignal | undefined;
}

/** An engine that has said nothing for so long won't: as long as docker gives an SSH connection. */
const PATIENCE = 30_000;

/**
 * Opens an engine; nothing is sent before the first call.
 *
 * @example The hosts of a swarm that are ready
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { openEngine } from "./engine.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const { nodeId } = await engine.info();
 * const ready = (await engine.nodes()).filter(({ state }) => state === "ready");
 * assert.ok(ready.some(({ id }) => id === nodeId));
 * ```
 *
 * @param options How to reach it.
 * @throws {MpiError} Nothing by itself; its methods `engine` if none answers, `swarm` if it is no manager, and `conflict` if
 * something is in use.
 */
export function openEngine(options: EngineOptions): Engine {
  let client: Promise<Docker> | undefined;
  const call = async <T>(request: (docker: Docker) => Promise<T>): Promise<T> => {
    const signal = options.signal?.aborted ? undefined : options.signal;
    try {
      const docker = await (client ??= connect(options));
      return await within(options.patience ?? PATIENCE, signal, request(docker));
    } catch (error) {
      throw explain(error, options.host);
    }
  };
  const filter = (label: readonly string[]) => ({ filters: { label: [...label] } });
  return {
    info: () => call(async (docker) => toInfo(await docker.info())),
    services: (labels) => call(async (docker) => (await docker.listServices(filter(labels))).map(toService)),
    tasks: (label) => call(async (docker) => (await docker.listTasks(filter([label]))).map(toTask)),
    nodes: () => call(async (docker) => (await docker.listNodes()).map(toNode)),
    secrets: (label) => call(async (docker) => (await docker.listSecrets(filter([label]))).map(toLabelledSpec)),
    configs: (label) => call(async (docker) => (await docker.listConfigs(filter([label]))).map(toLabelledSpec)),
    networks: (label) =>
      call(async (docker) => (await docker.listNetworks(filter(label === undefined ? [] : [label]))).map(toNetwork)),
    containers: (label) =>
      call(async (docker) => (await docker.listContainers({ all: true, ...filter([label]) })).map(({ Id }) => Id)),
    image: (reference) => call((docker) => unlessGone(inspectImage(docker, reference))),
    createSecret: (Name, content, Labels) =>
      call(async (docker) => {
        await docker.createSecret({ Name, Labels, Data: new TextEncoder().encode(content).toBase64() });
      }),
    removeSecret: (id) => call(async (docker) => void await unlessGone(docker.getSecret(id).remove())),
    removeConfig: (id) => call(async (docker) => void await unlessGone(docker.getConfig(id).remove())),
    removeNetwork: (id) => call(async (docker) => void await unlessGone(docker.getNetwork(id).remove())),
    removeService: (id) => call(async (docker) => void await unlessGone(docker.getService(id).remove())),
    scaleService: (id, replicas) => call((docker) => scale(docker, id, replicas)),
  };
}

/** The library's own limit ends the connection, but there is none where docker makes it. */
async function within<T>(milliseconds: number, signal: AbortSignal | undefined, request: Promise<T>): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`nothing came within ${milliseconds / 1000} s`)), milliseconds);
  const stop = () => reject(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  return await Promise.race([request, silence]).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  });
}

async function connect(
  { connection, version, headers = {}, patience: timeout = PATIENCE }: EngineOptions,
): Promise<Docker> {
  const { default: Client } = await import("dockerode");
  // Without `host: undefined` the library would take DOCKER_HOST over what it is given.
  const fixed = { host: undefined, port: undefined, timeout, headers, ...(version ? { version } : {}) };
  const options = "agent" in connection
    ? { ...fixed, host: "docker", port: 80, protocol: "http", agent: connection.agent }
    : { ...fixed, socketPath: connection.socketPath };
  return new Client(options as Docker.DockerOptions);
}

async function inspectImage(docker: Docker, reference: string): Promise<LocalImage> {
  const { Id, RepoDigests, Config } = await docker.getImage(reference).inspect();
  return { id: Id, labels: Config?.Labels ?? {}, digests: RepoDigests ?? [] };
}

/** The version in the request guards against a change in between; then it is done again. */
async function scale(docker: Docker, id: string, replicas: number): Promise<void> {
  const service = docker.getService(id);
  for (let attempt = 1;; attempt++) {
    const { Spec, Version } = await service.inspect();
    try {
      await service.update({ ...Spec, version: Version.Index, Mode: { Replicated: { Replicas: replicas } } });
      return;
    } catch (error) {
      if (attempt === 5 || !/update out of sequence/.test(String(error))) throw error;
    }
  }
}

async function unlessGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}

/** Puts what the library throws into words. */
function explain(error: unknown, host: string): MpiError {
  if (error instanceof MpiError) return error;
  const { code, message, json } = error as { code?: string; message?: string; json?: { message?: string } };
  const text = (json?.message ?? message ?? String(error)).trim().replace(/^rpc error: code = \w+ desc = /, "");
  if (/not a swarm manager|is not part of a swarm/i.test(text)) {
    return new MpiError("swarm", `The engine at "${host}" is not a manager of a swarm`, {
      hint: "docker swarm init  # makes one; or choose a manager: docker --context NAME mpi ls",
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new MpiError("engine", `No permission to talk to the Docker engine at "${host}"`, {
      hint: "sudo usermod -aG docker $USER  # and a new login let you use Docker",
      cause: error,
    });
  }
  if (statusOf(error) === undefined) {
    return new MpiError("engine", `No Docker engine answers at "${host}": ${reason(code, text)}`, {
      hint: "docker info  # shows why; start Docker, or choose another engine: docker --context NAME mpi ls",
      cause: error,
    });
  }
  if (/HTTP request to an HTTPS server/.test(text)) {
    return new MpiError("engine", `The Docker engine at "${host}" wants TLS: ${text}`, {
      hint:
        "export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=…  # the folder with ca.pem, cert.pem and key.pem; or a context has them",
      cause: error,
    });
  }
  const inTheWay = statusOf(error) === 409 || /is in use by/.test(text);
  return new MpiError(inTheWay ? "conflict" : "engine", `The Docker engine refuses: ${text}`, {
    hint: "docker mpi --debug …  # shows where it comes from",
    cause: error,
  });
}

/** What keeps us from the engine, without the layers of programs that it came through. */
function reason(code: string | undefined, text: string): string {
  if (code === "ENOENT") return "there is no such socket";
  if (code === "ECONNREFUSED") return "nobody listens on that socket";
  if (/^Parse Error: Expected HTTP/.test(text)) return "what answers there is no Docker engine";
  const ssh = /stderr=(.+)$/s.exec(text)?.[1];
  if (ssh !== undefined) return ssh.trim();
  return /no such host/.test(text) ? "there is no such host" : text.replace(/^.*\bdial .*: connect: /s, "");
}

// The library's own types leave the swarm's answers open; this is what the API's documentation promises.
interface ApiMeta {
  ID: string;
  CreatedAt: string;
  UpdatedAt: string;
}

interface ApiSpec {
  Name: string;
  Labels?: Record<string, string>;
}

function toInfo(info: Record<string, unknown>): EngineInfo {
  const swarm = (info.Swarm ?? {}) as {
    LocalNodeState?: string;
    ControlAvailable?: boolean;
    NodeID?: string;
    NodeAddr?: string;
    Cluster?: { ID?: string; SubnetSize?: number } | null;
    RemoteManagers?: { Addr: string }[] | null;
  };
  return {
    version: String(info.ServerVersion ?? ""),
    swarm: swarm.LocalNodeState ?? "inactive",
    manager: swarm.ControlAvailable ?? false,
    clusterId: swarm.Cluster?.ID ?? "",
    nodeId: swarm.NodeID ?? "",
    nodeAddress: swarm.NodeAddr ?? "",
    managers: (swarm.RemoteManagers ?? []).map(({ Addr }) => Addr),
    subnetSize: swarm.Cluster?.SubnetSize || undefined,
    users: usersOf(String(info.OperatingSystem ?? ""), (info.SecurityOptions ?? []) as string[]),
  };
}

function usersOf(system: string, options: readonly string[]): EngineInfo["users"] {
  const has = (name: string) => options.some((option) => option.split(",").includes(`name=${name}`));
  if (has("rootless") || system === "Docker Desktop") return "root-is-caller";
  return has("userns") ? "remapped" : "same";
}

interface ApiMount {
  Type: string;
  Source?: string;
  VolumeOptions?: { Labels?: Record<string, string> | null };
}

function toService(value: unknown): Service {
  const { ID, CreatedAt, Spec, Endpoint, UpdateStatus } = value as ApiMeta & {
    Spec: ApiSpec & {
      Mode: { Replicated?: { Replicas?: number } };
      TaskTemplate: {
        ContainerSpec?: { Image?: string; Secrets?: { SecretID: string }[] | null; Mounts?: ApiMount[] | null };
        Placement?: { Constraints?: string[] | null; MaxReplicas?: number };
      };
    };
    Endpoint?: { Ports?: { Protocol?: string; PublishedPort?: number }[] | null };
    UpdateStatus?: { State?: string; Message?: string };
  };
  const container = Spec.TaskTemplate.ContainerSpec;
  return {
    id: ID,
    name: Spec.Name,
    labels: Spec.Labels ?? {},
    image: container?.Image ?? "",
    secretIds: (container?.Secrets ?? []).map(({ SecretID }) => SecretID),
    volumes: (container?.Mounts ?? []).flatMap(({ Type, Source, VolumeOptions }) =>
      Type === "volume" && Source && VolumeOptions?.Labels?.[LABELS.cluster] !== undefined ? [Source] : []
    ),
    ports: (Endpoint?.Ports ?? []).flatMap(({ Protocol, PublishedPort }) =>
      Protocol === "tcp" && PublishedPort ? [PublishedPort] : []
    ),
    constraints: Spec.TaskTemplate.Placement?.Constraints ?? [],
    maxPerNode: Spec.TaskTemplate.Placement?.MaxReplicas || undefined,
    replicas: Spec.Mode.Replicated?.Replicas,
    update: UpdateStatus?.State ? { state: UpdateStatus.State, message: UpdateStatus.Message ?? "" } : undefined,
    createdAt: CreatedAt,
  };
}

function toTask(value: unknown): Task {
  const { ID, ServiceID, Slot, NodeID, Status, DesiredState } = value as ApiMeta & {
    ServiceID: string;
    Slot?: number;
    NodeID?: string;
    DesiredState: string;
    Status: { State: string; Err?: string; Timestamp: string; ContainerStatus?: { ContainerID?: string } };
  };
  return {
    id: ID,
    serviceId: ServiceID,
    slot: Slot ?? 0,
    nodeId: NodeID ?? "",
    containerId: Status.ContainerStatus?.ContainerID ?? "",
    state: Status.State,
    desired: DesiredState,
    error: Status.Err ?? "",
    since: Status.Timestamp,
  };
}

function toNode(value: unknown): SwarmNode {
  const { ID, Spec, Description: { Hostname, Platform, Engine, Resources }, Status, ManagerStatus } = value as
    & ApiMeta
    & {
      Spec: { Availability: string; Role?: string; Labels?: Record<string, string> | null };
      Description: {
        Hostname: string;
        Platform?: { OS?: string; Architecture?: string };
        Engine?: { EngineVersion?: string; Labels?: Record<string, string> | null };
        Resources?: { NanoCPUs?: number };
      };
      Status: { State: string; Addr?: string };
      ManagerStatus?: { Addr?: string };
    };
  const { State: state, Addr: seen = "" } = Status;
  // A manager sees itself where it listens, which may be everywhere; by its other address the swarm knows it.
  const address = /^(0\.|127\.|::1?$|$)/.test(seen)
    ? ManagerStatus?.Addr?.replace(/:\d+$/, "").replace(/^\[|\]$/g, "") ?? seen
    : seen;
  const labels = (kind: string, all: Record<string, string> | null = {}) =>
    Object.entries(all ?? {}).map(([name, text]) => [`${kind}.labels.${name}`, text]);
  const attributes = {
    "node.id": ID,
    "node.hostname": Hostname,
    "node.ip": address,
    "node.role": Spec.Role ?? "",
    "node.platform.os": Platform?.OS ?? "",
    "node.platform.arch": Platform?.Architecture ?? "",
    ...Object.fromEntries([...labels("node", Spec.Labels), ...labels("engine", Engine?.Labels)]),
  };
  const known = {
    ...(Engine?.EngineVersion === undefined ? {} : { engine: Engine.EngineVersion }),
    ...(Resources?.NanoCPUs === undefined ? {} : { cpus: Resources.NanoCPUs / 1e9 }),
  };
  return { id: ID, hostname: Hostname, address, state, availability: Spec.Availability, ...known, attributes };
}

function toLabelledSpec(value: unknown): Labelled {
  const { ID, CreatedAt, Spec } = value as ApiMeta & { Spec: ApiSpec };
  return { id: ID, name: Spec.Name, labels: Spec.Labels ?? {}, createdAt: CreatedAt };
}

function toNetwork(value: unknown): Network {
  const { Id, Name, Labels, Created, IPAM, Options } = value as {
    Id: string;
    Name: string;
    Labels?: Record<string, string>;
    Created: string;
    IPAM?: { Config?: { Subnet?: string }[] | null };
    Options?: Record<string, string> | null;
  };
  return {
    id: Id,
    name: Name,
    labels: Labels ?? {},
    createdAt: Created,
    subnet: IPAM?.Config?.[0]?.Subnet,
    options: Options ?? {},
  };
}
