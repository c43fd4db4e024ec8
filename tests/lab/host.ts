/** A host of the lab: an engine with its name, its address, its data and its cable. */
import { type CommandOptions, must, poll, type Result, run } from "../box/command.ts";
import { answers, dockerd, type EnginePlace, pings, plant } from "../box/engine.ts";
import { boxData } from "../box/words.ts";
import type { Place } from "./client.ts";
import { type Machine, recordedMachine, startMachine } from "./machine.ts";
import { CLIENT, ENGINE_PORT, NETWORK, type Plugged, Switch } from "./network.ts";

/** How a host is: cut off, nothing reaches it; dead, it has no power. */
export type HostState = "up" | "cut" | "dead";

/** How long an engine may take to answer after its start. */
const ANSWER_SECONDS = 60;

/** One host. */
export class Host implements Place {
  readonly name: string;
  readonly address: string;
  /** Its socket, and `log`, what its engine said. */
  readonly folder: string;
  /** What `docker` needs in its environment to use its engine. */
  readonly env: Record<string, string>;
  readonly #plugged: Plugged;
  readonly #engine: EnginePlace;

  /** @param lab The lab's folder. */
  constructor(plugged: Plugged, lab: string) {
    this.#plugged = plugged;
    this.name = plugged.name;
    this.address = plugged.address;
    this.folder = `${lab}/${plugged.name}`;
    this.#engine = {
      data: `${boxData()}/${plugged.name}`,
      socket: `${this.folder}/docker.sock`,
      log: `${this.folder}/log`,
      group: plugged.name,
    };
    this.env = {
      DOCKER_HOST: `unix://${this.#engine.socket}`,
      DOCKER_CONTEXT: "",
      DOCKER_TLS: "",
      DOCKER_TLS_VERIFY: "",
      DOCKER_CERT_PATH: "",
    };
  }

  /** Where its engine keeps what it has; the host sees it at the same place. */
  get data(): string {
    return this.#engine.data;
  }

  /** How it is. */
  async state(): Promise<HostState> {
    if (!(await (await recordedMachine(this.folder))?.isAlive())) return "dead";
    return await Switch.isCut(this.name) ? "cut" : "up";
  }

  /** Words before a command that is to run on it; its files are those of the box. */
  async inside(folder = Deno.cwd()): Promise<string[]> {
    return (await this.#machine()).inside(folder);
  }

  /** Runs a command on it, with its engine. */
  async exec(command: readonly string[], options: CommandOptions = {}): Promise<Result> {
    const words = [...await this.inside(options.cwd), ...command];
    return await run(words, { ...options, env: { ...this.env, ...options.env } });
  }

  /** Drops everything that it sends and that is sent to it. */
  async cut(): Promise<void> {
    await this.#machine();
    await Switch.cut(this.name);
  }

  /** Ends a cut. */
  async heal(): Promise<void> {
    await this.#machine();
    await Switch.heal(this.name);
  }

  /**
   * Takes its power away: engine, containers and link are gone at once. The link goes first, so that nobody hears the
   * kernel close the connections.
   */
  async kill(): Promise<void> {
    const machine = await this.#machine();
    await Switch.cut(this.name);
    await machine.kill();
    await Switch.unplug(this.name);
  }

  /** Gives it power, again with the data and the address that it had; returns when its engine answers. */
  async start(): Promise<void> {
    if (await this.state() !== "dead") throw new Error(`${this.name} has power already`);
    const words = [HOST_PROGRAM, this.name, this.folder, this.address, String(ENGINE_PORT), CLIENT.address];
    await startMachine({
      folder: this.folder,
      command: [...words, ...dockerd(this.#engine)],
      connect: (machine) => Switch.plug(machine, this.#plugged),
    });
    await this.answers();
  }

  /** Has its engine end, with the containers of this host, and start again, as an update would; returns when it answers. */
  async restartEngine(): Promise<void> {
    const machine = await this.#machine();
    const inside = (script: string) => run([...machine.inside(), "sh", "-c", script]);
    const before = await must([...machine.inside(), "cat", "/run/docker.pid"]);
    await must([...machine.inside(), "kill", before]);
    const another = async () => {
      const { code, stdout } = await inside("cat /run/docker.pid");
      return code === 0 && stdout !== before && await pings(this.#engine.socket);
    };
    await poll(`another engine on ${this.name}`, another, { seconds: ANSWER_SECONDS });
  }

  /** Waits for its engine to answer. */
  async answers(): Promise<void> {
    await answers(this.#engine, async () => await this.state() !== "dead");
  }

  /** Writes down what it starts with: images, registries without TLS, and no way to Docker Hub. */
  async write(): Promise<void> {
    await Deno.mkdir(this.folder);
    await plant(this.#engine.data);
    const config = { "insecure-registries": [NETWORK], features: { "containerd-snapshotter": false } };
    await Deno.writeTextFile(`${this.folder}/daemon.json`, JSON.stringify(config));
    await Deno.writeTextFile(`${this.folder}/hosts`, HOSTS_FILE);
  }

  async #machine(): Promise<Machine> {
    const machine = await recordedMachine(this.folder);
    if (!(await machine?.isAlive())) throw new Error(`${this.name} is dead\n  hint: ./dev lab start ${this.name}`);
    return machine!;
  }
}

const HOST_PROGRAM = decodeURIComponent(new URL("host.sh", import.meta.url).pathname);

/** An image that no registry of the lab has is refused at once, on any machine; it's the same for every run of a test. */
const HOSTS_FILE = `127.0.0.1 localhost
127.0.0.1 docker.io index.docker.io auth.docker.io registry-1.docker.io
`;
