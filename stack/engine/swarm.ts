/** What the engine says of itself. */
export interface EngineInfo {
  /** Its version, `28.2.2`. */
  version: string;
  /** Whether it is in a swarm: `inactive`, `pending`, `active`, `error`, `locked`. */
  swarm: string;
  /** Whether it is a manager, so that services can be made through it. */
  manager: boolean;
  /** The swarm's id; empty on a worker. */
  clusterId: string;
  /** This engine's node id in the swarm. */
  nodeId: string;
  /** The address under which the other managers know this node. */
  nodeAddress: string;
  /** The addresses of the managers, `10.0.0.1:2377`, as a worker knows them. */
  managers: string[];
  /** Length of the prefix of the networks that the swarm chooses; none: it says nothing, and takes Docker's own, 24. */
  subnetSize: number | undefined;
  /**
   * Whom a user's number means in a container, for files of the host: `same` as there; `remapped`, somebody else unless the
   * container asks for the host's; `root-is-caller`, root is who runs the engine, and others are nobody.
   */
  users: "same" | "remapped" | "root-is-caller";
}

/** A service of the swarm. */
export interface Service {
  /** Its id. */
  id: string;
  /** Its name, `hello_worker`. */
  name: string;
  /** Its labels. */
  labels: Readonly<Record<string, string>>;
  /** The image, as it was asked for. */
  image: string;
  /** The ids of the secrets that it uses. */
  secretIds: string[];
  /** The names of the volumes that it has made on the hosts. */
  volumes: string[];
  /** The TCP ports that it is published at, on its hosts or on all. */
  ports: number[];
  /** Which hosts it may be placed on. */
  constraints: string[];
  /** How many tasks at most are placed on one host; none: any number. */
  maxPerNode: number | undefined;
  /** How many tasks it is to have; none for a global service. */
  replicas: number | undefined;
  /** How the last update stands: `updating`, `completed`, `paused`, …; none if there was none. */
  update: { state: string; message: string } | undefined;
  /** When it was made, ISO 8601. */
  createdAt: string;
}

/** A task of the swarm: one container on one Docker host, from the wish for it to its end. */
export interface Task {
  /** Its id. */
  id: string;
  /** The service that it belongs to. */
  serviceId: string;
  /** Its place in the service, from 1. */
  slot: number;
  /** Where it runs; none yet: empty. */
  nodeId: string;
  /** The container; none yet: empty. */
  containerId: string;
  /** How it is: `pending`, `preparing`, `starting`, `running`, `failed`, `rejected`, `shutdown`, … */
  state: string;
  /** How it is to be: `running`, `shutdown`, `remove`. */
  desired: string;
  /** Why it failed, or why it can't be placed; empty otherwise. */
  error: string;
  /** When its state last changed, ISO 8601. */
  since: string;
}

/** A Docker host in the swarm. */
export interface SwarmNode {
  /** Its id. */
  id: string;
  /** Its host name. */
  hostname: string;
  /** The address under which the swarm knows it. */
  address: string;
  /** `ready`, `down`, `unknown`, `disconnected`. */
  state: string;
  /** `active`, `pause`, `drain`. */
  availability: string;
  /** The version of its engine; none where the swarm has not been told. */
  engine?: string | undefined;
  /** How many CPUs it has. */
  cpus?: number | undefined;
  /** What placement constraints go by: `node.role`, `node.labels.rack`, `engine.labels.gpu`, … */
  attributes: Readonly<Record<string, string>>;
}

/** A network of the swarm. */
export interface Network extends Labelled {
  /** Its IPv4 CIDR; none as long as no task uses it. */
  subnet: string | undefined;
  /** The driver's options. */
  options: Readonly<Record<string, string>>;
}

/** A secret, config or network of the swarm. */
export interface Labelled {
  /** Its id. */
  id: string;
  /** Its name. */
  name: string;
  /** Its labels. */
  labels: Readonly<Record<string, string>>;
  /** When it was made, ISO 8601. */
  createdAt: string;
}

/** An image that the engine has. */
export interface LocalImage {
  /** Its id, `sha256:…`. */
  id: string;
  /** Its labels. */
  labels: Readonly<Record<string, string>>;
  /** Under which digests a registry knows it; empty for an image that was only built here. */
  digests: string[];
}

/** What the domain asks of the Docker engine: reading, and the few changes that no `docker` command does better. */
export interface Engine {
  /** What it is and whether it is in a swarm. */
  info(): Promise<EngineInfo>;
  /** The services with all these labels (`key` or `key=value`). */
  services(labels: readonly string[]): Promise<Service[]>;
  /** The tasks with this label, past ones included as far as the swarm keeps them. */
  tasks(label: string): Promise<Task[]>;
  /** The Docker hosts in the swarm. */
  nodes(): Promise<SwarmNode[]>;
  /** The secrets with this label; their content can't be read. */
  secrets(label: string): Promise<Labelled[]>;
  /** The configs with this label; a cluster has them where a `stack:` fragment asks for some. */
  configs(label: string): Promise<Labelled[]>;
  /** The networks with this label, or all that the engine knows. */
  networks(label?: string): Promise<Network[]>;
  /** The ids of this engine's containers with this label, ended ones included; those of other hosts can't be seen. */
  containers(label: string): Promise<string[]>;
  /** An image of the engine, if it has it. */
  image(reference: string): Promise<LocalImage | undefined>;
  /** Makes a secret. */
  createSecret(name: string, content: string, labels: Record<string, string>): Promise<void>;
  /** Removes a secret, as all of these: what is gone already counts as removed; what is in use stays, a `conflict`. */
  removeSecret(id: string): Promise<void>;
  /** Removes a config. */
  removeConfig(id: string): Promise<void>;
  /** Removes a network; hosts drop it when the last container has left it. */
  removeNetwork(id: string): Promise<void>;
  /** Removes a service. */
  removeService(id: string): Promise<void>;
  /** Sets how many tasks a service has, and leaves all else of it as it is. */
  scaleService(id: string, replicas: number): Promise<void>;
}
