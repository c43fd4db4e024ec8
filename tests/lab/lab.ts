/** The lab of this box, as any process in the box sees it. */
import { must, poll, run } from "../box/command.ts";
import { Client, type Place } from "./client.ts";
import { Host } from "./host.ts";
import { recordedMachine } from "./machine.ts";
import { CLIENT, hostsOf } from "./network.ts";
import { PRIVATE_REGISTRY, type PrivateRegistry, REGISTRY, type Registry } from "./registries.ts";

/** Where it is: sockets, logs, and what other processes have to know. */
export const FOLDER = "/srv/lab";

/** What is written down of it. */
export interface LabRecord {
  /** How many hosts it has. */
  hosts: number;
}

/** An image may be large, and is compressed and extracted on all hosts by one machine. */
const SHARE_SECONDS = 600;

/** How long the swarm may take to see all hosts again: it looks every few seconds. */
const MEND_SECONDS = 90;

/** A swarm of several hosts, with registries and a client. */
export class Lab {
  /** The first one is the swarm's manager, and has the base image. */
  readonly hosts: Host[];
  /** Where users are that run `docker mpi` from elsewhere. */
  readonly client: Client;
  /** Open to all hosts. */
  readonly registry: Registry = REGISTRY;
  /** Wants a password. */
  readonly privateRegistry: PrivateRegistry = PRIVATE_REGISTRY;

  private constructor(count: number, enter: string[]) {
    this.hosts = hostsOf(count).map((plugged) => new Host(plugged, FOLDER));
    this.client = new Client(enter, this.manager);
  }

  /** Takes it up. */
  static async open(): Promise<Lab> {
    const record = await labRecord();
    const client = await recordedMachine(`${FOLDER}/${CLIENT.name}`);
    if (record === undefined || client === undefined) throw new Error("there is no lab here\n  hint: ./dev lab");
    return new Lab(record.hosts, client.network);
  }

  /** What `docker` needs in its environment to use the manager's engine by its socket, from anywhere. */
  get env(): Record<string, string> {
    return this.manager.env;
  }

  /** Words before a command that is to run at the client's place: it reaches every host, and ports that they publish. */
  get enter(): string[] {
    return this.client.enter;
  }

  /** The host that manages the swarm. */
  get manager(): Host {
    return this.hosts[0]!;
  }

  /** The host of that name. */
  host(name: string): Host {
    const host = this.hosts.find((each) => each.name === name);
    if (host !== undefined) return host;
    const known = this.hosts.map((each) => each.name).join(", ");
    throw new Error(`the lab has no host ${JSON.stringify(name)}\n  hint: its hosts are ${known}`);
  }

  /** The host of that name, or the client. */
  place(name: string): Place {
    return name === CLIENT.name ? this.client : this.host(name);
  }

  /** What `docker` needs in its environment to use the engine of that host. */
  at(host: string): Record<string, string> {
    return this.host(host).env;
  }

  /**
   * Brings an image of the manager to all hosts, as a user would: through the registry.
   *
   * @returns Its name there, which the stack has to use.
   */
  async share(image: string): Promise<string> {
    const shared = `${this.registry.address}/${image}`;
    await must(["docker", "tag", image, shared], { env: this.env });
    await must(["docker", "push", "--quiet", shared], { env: this.env, seconds: SHARE_SECONDS });
    await Promise.all(
      this.hosts.slice(1).map(({ env }) =>
        must(["docker", "pull", "--quiet", shared], { env, seconds: SHARE_SECONDS })
      ),
    );
    return shared;
  }

  /** Makes every host as it was at first: with power, healed, and seen by the swarm. */
  async mend(): Promise<void> {
    await this.client.heal();
    await Promise.all(this.hosts.map(async (host) => {
      const state = await host.state();
      if (state === "dead") await host.start();
      if (state === "cut") await host.heal();
      await host.answers();
    }));
    await this.ready();
  }

  /** Waits until the swarm sees all hosts and gives them tasks, and every host knows itself to be in it. */
  async ready(): Promise<void> {
    const expected = this.hosts.map(({ name }) => `${name} Ready Active`).join("\n");
    let seen = "";
    const ready = async () => (seen = await this.#nodes()) === expected && await this.#allActive();
    await poll("all hosts to be ready in the swarm", ready, { seconds: MEND_SECONDS }).catch((error) => {
      throw new Error(`${(error as Error).message}\n${seen}`);
    });
  }

  /** The swarm's own list, or why it gives none. */
  async #nodes(): Promise<string> {
    const list = ["docker", "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.Availability}}"];
    const { code, stdout, stderr } = await run(list, { env: this.env });
    return code === 0 ? stdout.trim().split("\n").sort().join("\n") : stderr.trim();
  }

  async #allActive(): Promise<boolean> {
    const info = ["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"];
    const states = await Promise.all(this.hosts.map(({ env }) => run(info, { env })));
    return states.every(({ stdout }) => stdout.trim() === "active");
  }
}

/** What is written down of the lab, if there is one. */
export async function labRecord(): Promise<LabRecord | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${FOLDER}/lab.json`));
  } catch {
    return undefined;
  }
}
