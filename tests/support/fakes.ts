/**
 * Hand-written fakes of the domain's ports: objects of optional functions. What a test does not state is not to be called,
 * and fails the test.
 */
import type { DockerCli, DockerResult, DockerRunOptions } from "../../stack/engine/docker_cli.ts";
import type {
  Engine,
  EngineInfo,
  Labelled,
  LocalImage,
  Network,
  Service,
  SwarmNode,
  Task,
} from "../../stack/engine/swarm.ts";
import type { Event } from "../../stack/event.ts";
import { LABELS } from "../../stack/labels.ts";

/** Makes an engine of the functions given; any other fails. */
export function fakeEngine(parts: Partial<Engine> = {}): Engine {
  const unexpected = (name: string) => (...args: unknown[]): never => {
    throw new Error(`unexpected call of engine.${name}(${args.map((arg) => JSON.stringify(arg)).join(", ")})`);
  };
  return {
    info: unexpected("info"),
    services: unexpected("services"),
    tasks: unexpected("tasks"),
    nodes: unexpected("nodes"),
    secrets: unexpected("secrets"),
    configs: unexpected("configs"),
    networks: unexpected("networks"),
    containers: unexpected("containers"),
    image: unexpected("image"),
    createSecret: unexpected("createSecret"),
    removeSecret: unexpected("removeSecret"),
    removeConfig: unexpected("removeConfig"),
    removeNetwork: unexpected("removeNetwork"),
    removeService: unexpected("removeService"),
    scaleService: unexpected("scaleService"),
    ...parts,
  };
}

/** A docker command that notes what it was asked. */
export interface FakeDocker extends DockerCli {
  /** The argument lists, joined. */
  calls: string[];
  /** What the commands got on standard input, as text. */
  inputs: string[];
}

/** What a fake docker command prints and ends with. */
export type Answer = Partial<DockerResult> & { lines?: string[] };

/** Makes a docker command; `answer` says what it does, and `undefined` that it was not expected. */
export function fakeDocker(
  answer: (args: string, options: DockerRunOptions) => Answer | undefined | Promise<Answer | undefined> = () =>
    undefined,
): FakeDocker {
  const [calls, inputs]: [string[], string[]] = [[], []];
  return {
    calls,
    inputs,
    async run(args, options = {}) {
      const line = args.join(" ");
      calls.push(line);
      if (options.stdin !== undefined) inputs.push(await new Response(options.stdin as BodyInit).text());
      const result = await answer(line, options);
      if (result === undefined) throw new Error(`unexpected call of docker ${line}`);
      for (const text of result.lines ?? []) options.onLine?.(text);
      return { code: 0, stdout: "", stderr: "", ...result };
    },
    attach(args) {
      throw new Error(`unexpected attached call of docker ${args.join(" ")}`);
    },
  };
}

/** Collects events as `resource: text`, or `resource! text` for a warning. */
export function events(): { report: (event: Event) => void; texts: string[] } {
  const texts: string[] = [];
  return {
    texts,
    report: ({ resource, state, text, hint }) =>
      texts.push(`${resource}${state === "warning" ? "!" : ":"} ${text}${hint === undefined ? "" : `: ${hint}`}`),
  };
}

/** An engine that is a manager. */
export const MANAGER: EngineInfo = {
  version: "28.0.0",
  swarm: "active",
  manager: true,
  clusterId: "swarm0123456789abcdef",
  nodeId: "node-1",
  nodeAddress: "10.0.0.1",
  managers: ["10.0.0.1:2377"],
  subnetSize: undefined,
  users: "same",
};

/** One of a cluster's two services. */
export function aService(cluster: string, role: "master" | "worker", parts: Partial<Service> = {}): Service {
  const { labels, ...others } = parts;
  return {
    id: `${cluster}-${role}`,
    name: `${cluster}_${role}`,
    labels: {
      "com.docker.stack.namespace": cluster,
      [LABELS.cluster]: cluster,
      [LABELS.role]: role,
      [LABELS.slots]: "1",
      ...(role === "master" ? { [LABELS.port]: "2222" } : {}),
      ...labels,
    },
    image: `${cluster}:latest`,
    secretIds: [],
    volumes: [],
    ports: [],
    constraints: [],
    maxPerNode: undefined,
    replicas: role === "master" ? 1 : 2,
    update: undefined,
    createdAt: "2026-01-01T00:00:00Z",
    ...others,
  };
}

/** A task that runs; the tests state what is different. */
export function aTask(service: string, slot: number, parts: Partial<Task> = {}): Task {
  return {
    id: `${service}.${slot}`,
    serviceId: service,
    slot,
    nodeId: "node-1",
    containerId: `container-${service}-${slot}`,
    state: "running",
    desired: "running",
    error: "",
    since: "2026-01-01T00:00:01Z",
    ...parts,
  };
}

/** A Docker host. */
export function aNode(number = 1, parts: Partial<SwarmNode> = {}): SwarmNode {
  const [id, hostname, address] = [`node-${number}`, `rack-${number}`, `10.0.0.${number}`];
  const { attributes, ...others } = parts;
  return {
    id,
    hostname,
    address,
    state: "ready",
    availability: "active",
    attributes: {
      "node.id": id,
      "node.hostname": hostname,
      "node.ip": address,
      "node.role": number === 1 ? "manager" : "worker",
      "node.platform.os": "linux",
      "node.platform.arch": "x86_64",
      ...attributes,
    },
    ...others,
  };
}

/** An image that was only built here. */
export function anImage(parts: Partial<LocalImage> = {}): LocalImage {
  return { id: "sha256:1", labels: {}, digests: [], ...parts };
}

/** A swarm in memory: what is in it, and an engine that works on it. */
export class FakeSwarm {
  info: EngineInfo = { ...MANAGER };
  services: Service[] = [];
  tasks: Task[] = [];
  nodes: SwarmNode[] = [aNode()];
  secrets: Labelled[] = [];
  configs: Labelled[] = [];
  networks: Network[] = [];
  images: Record<string, LocalImage> = {};

  /** Has what a `docker build` with these arguments makes. */
  build(args: string): void {
    const labels = Object.fromEntries(
      [...args.matchAll(/ --label (\S+?)=(\S+)/g)].map(([, key, value]) => [key, value]),
    );
    const [, name = ""] = / -t (\S+)/.exec(args) ?? [];
    this.images[name] = anImage({ ...this.images[name], labels });
  }

  /** The changes that were asked for, in order. */
  changes: string[] = [];
  /** The contents of the secrets that were made, by name. */
  contents: Record<string, string> = {};

  /** Adds a running cluster of so many workers. */
  addCluster(name: string, workers: number, labels: { master?: Record<string, string> } = {}): void {
    this.services.push(
      aService(name, "master", { labels: labels.master ?? {} }),
      aService(name, "worker", { replicas: workers }),
    );
    this.tasks.push(aTask(`${name}-master`, 1));
    for (let slot = 1; slot <= workers; slot++) this.tasks.push(aTask(`${name}-worker`, slot));
    this.networks.push(aNetwork(name));
  }

  /** The port. */
  engine(parts: Partial<Engine> = {}): Engine {
    const has = (label: string) => ({ labels }: { labels: Readonly<Record<string, string>> }) => {
      const [key = "", value] = label.split("=");
      return value === undefined ? key in labels : labels[key] === value;
    };
    const without = <T extends { id: string }>(list: T[], id: string) => list.filter((each) => each.id !== id);
    return fakeEngine({
      info: () => Promise.resolve(this.info),
      services: (labels) => Promise.resolve(this.services.filter((each) => labels.every((label) => has(label)(each)))),
      tasks: (label) => {
        const own = new Set(this.services.filter(has(label)).map(({ id }) => id));
        const stack = label.split("=")[1];
        return Promise.resolve(
          this.tasks.filter((task) => own.has(task.serviceId) || task.serviceId === `${stack}-old`),
        );
      },
      nodes: () => Promise.resolve(this.nodes),
      secrets: (label) => Promise.resolve(this.secrets.filter(has(label))),
      configs: (label) => Promise.resolve(this.configs.filter(has(label))),
      networks: (label) => Promise.resolve(label === undefined ? this.networks : this.networks.filter(has(label))),
      containers: () => Promise.resolve([]),
      image: (reference) => Promise.resolve(this.images[reference]),
      createSecret: (name, content, labels) => {
        this.changes.push(`create secret ${name}`);
        this.contents[name] = content;
        this.secrets.push({ id: `id-${name}`, name, labels, createdAt: new Date().toISOString() });
        return Promise.resolve();
      },
      removeSecret: (id) => {
        this.changes.push(`remove secret ${id}`);
        this.secrets = without(this.secrets, id);
        return Promise.resolve();
      },
      removeConfig: (id) => {
        this.changes.push(`remove config ${id}`);
        this.configs = without(this.configs, id);
        return Promise.resolve();
      },
      removeNetwork: (id) => {
        this.changes.push(`remove network ${id}`);
        this.networks = without(this.networks, id);
        return Promise.resolve();
      },
      removeService: (id) => {
        this.changes.push(`remove service ${id}`);
        this.services = without(this.services, id);
        return Promise.resolve();
      },
      scaleService: (id, replicas) => {
        this.changes.push(`scale ${id} to ${replicas}`);
        this.services = this.services.map((each) => each.id === id ? { ...each, replicas } : each);
        return Promise.resolve();
      },
      ...parts,
    });
  }
}

/** A cluster's network. */
export function aNetwork(cluster: string, parts: Partial<Network> = {}): Network {
  return {
    id: `${cluster}-net`,
    name: `${cluster}_cluster`,
    labels: { "com.docker.stack.namespace": cluster, [LABELS.cluster]: cluster },
    createdAt: "2026-01-01T00:00:00Z",
    subnet: "10.0.1.0/24",
    options: {},
    ...parts,
  };
}
