/** A host of the lab: an engine with its name, its address, its data and its cable. */
import { type Box, recordedBox, startBox } from "../engine/box.ts";
import { envOf, pings } from "../engine/client.ts";
import { type CommandOptions, must, poll, type Result, run } from "../engine/command.ts";
import { removeGroups } from "../engine/traces.ts";
import type { Place } from "./client.ts";
import { CLIENT, ENGINE_PORT, NETWORK, type Plugged, type Switch } from "./network.ts";

/** How a host is: cut off, nothing reaches it; dead, it has no power. */
export type HostState = "up" | "cut" | "dead";

/** What a host has to know of its lab. */
export interface Surroundings {
  /** The lab's folder. */
  folder: string;
  /** The lab's control group. */
  tag: string;
  /** When the lab ends, in milliseconds since 1970. */
  ends: number;
  network: Switch;
}

/** How long an engine may take to answer after its start. */
const ANSWER_SECONDS = 60;

/** One host. */
export class Host implements Place {
  readonly name: string;
  readonly address: string;
  /** Its data, its socket, and `log`, what its engine said. */
  readonly folder: string;
  /** What `docker` needs in its environment to use its engine. */
  readonly env: Record<string, string>;
  readonly #plugged: Plugged;
  readonly #place: Surroundings;

  constructor(plugged: Plugged, place: Surroundings) {
    this.#plugged = plugged;
    this.#place = place;
    this.name = plugged.name;
    this.address = plugged.address;
    this.folder = `${place.folder}/${plugged.name}`;
    this.env = envOf(this.#socket, place.folder);
  }

  /** How it is. */
  async state(): Promise<HostState> {
    if (!(await (await recordedBox(this.folder))?.isAlive())) return "dead";
    return await this.#place.network.isCut(this.name) ? "cut" : "up";
  }

  /** Words before a command that is to run on it; its files are the machine's. */
  async inside(folder = Deno.cwd()): Promise<string[]> {
    return (await this.#box()).inside(folder);
  }

  /** Runs a command on it, with its engine. */
  async exec(command: readonly string[], options: CommandOptions = {}): Promise<Result> {
    const words = [...await this.inside(options.cwd), ...command];
    return await run(words, { ...options, env: { ...this.env, ...options.env } });
  }

  /** Drops everything that it sends and that is sent to it. */
  async cut(): Promise<void> {
    await this.#box();
    await this.#place.network.cut(this.name);
  }

  /** Ends a cut. */
  async heal(): Promise<void> {
    await this.#box();
    await this.#place.network.heal(this.name);
  }

  /**
   * Takes its power away: engine, containers and link are gone at once. The link goes first, so that nobody hears the
   * kernel close the connections.
   */
  async kill(): Promise<void> {
    const box = await this.#box();
    await this.#place.network.cut(this.name);
    await box.kill();
    await this.#place.network.unplug(this.name);
    await poll(`the control group of ${this.name} to be empty`, () => removeGroups(this.#group), { seconds: 15 });
  }

  /** Gives it power, again with the data and the address that it had; returns when its engine answers. */
  async start(signal?: AbortSignal): Promise<void> {
    if (await this.state() !== "dead") throw new Error(`${this.name} has power already`);
    const { folder, ends, network } = this.#place;
    const box = await startBox({
      folder: this.folder,
      lifeline: `${folder}/lifeline`,
      seconds: (ends - Date.now()) / 1000,
      command: [HOST_PROGRAM, this.name, this.folder, this.#group, this.address, String(ENGINE_PORT), CLIENT.address],
      connect: (box) => network.plug(box, this.#plugged),
    });
    await box.reaches(`the engine of ${this.name}`, ANSWER_SECONDS, () => pings(this.#socket), signal);
  }

  /** Has its engine end, with the containers of this host, and start again, as an update would; returns when it answers. */
  async restartEngine(): Promise<void> {
    const box = await this.#box();
    const inside = (script: string) => run([...box.inside(), "sh", "-c", script]);
    const before = await must([...box.inside(), "cat", "/run/docker.pid"]);
    await must([...box.inside(), "kill", before]);
    const another = async () => {
      const { code, stdout } = await inside("cat /run/docker.pid");
      return code === 0 && stdout !== before && await pings(this.#socket);
    };
    await box.reaches(`another engine on ${this.name}`, ANSWER_SECONDS, another);
  }

  /** Waits for its engine to answer. */
  async answers(): Promise<void> {
    await (await this.#box()).reaches(`the engine of ${this.name}`, ANSWER_SECONDS, () => pings(this.#socket));
  }

  get #socket(): string {
    return `${this.folder}/docker.sock`;
  }

  get #group(): string {
    return `${this.#place.tag}/${this.name}`;
  }

  async #box(): Promise<Box> {
    const box = await recordedBox(this.folder);
    if (!(await box?.isAlive())) throw new Error(`${this.name} is dead\n  hint: ./dev lab start ${this.name}`);
    return box!;
  }
}

const HOST_PROGRAM = decodeURIComponent(new URL("host.sh", import.meta.url).pathname);

/** Writes down what a host starts with: registries without TLS, and no way to Docker Hub. */
export async function writeHost({ folder }: Host): Promise<void> {
  await Deno.mkdir(folder);
  const settings = { "insecure-registries": [NETWORK] };
  await Deno.writeTextFile(`${folder}/daemon.json`, JSON.stringify(settings));
  await Deno.writeTextFile(`${folder}/hosts`, HOSTS_FILE);
}

/** An image that no registry of the lab has is refused at once, on any machine; it's the same for every run of a test. */
const HOSTS_FILE = `127.0.0.1 localhost
127.0.0.1 docker.io index.docker.io auth.docker.io registry-1.docker.io
`;
