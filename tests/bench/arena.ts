/** Where figures are measured: an engine or a lab, the installed plugin, images and one cluster at a time. */
import { type CommandOptions, run } from "../engine/command.ts";
import type { Ending } from "../engine/ending.ts";
import { MAX_HOURS } from "../engine/hours.ts";
import { removeNewImages } from "../engine/images.ts";
import { needEngine } from "../engine/mod.ts";
import { needPrograms } from "../engine/packages.ts";
import { tell } from "../engine/tell.ts";
import { startLab } from "../lab/start.ts";
import { root } from "../support/plugin_cli.ts";
import { Site } from "./site.ts";

/** Everything that is made on an engine begins so. */
export const PREFIX = "mpibench";

/** What the families share; each part is made when it is first asked for, and undone at the end. */
export class Arena {
  /** Ends what the family that is being measured waits for. */
  signal: AbortSignal;
  /** A folder for files, removed at the end. */
  readonly scratch: string;
  /** What `docker` needs in its environment, once an engine has been used. */
  env: Record<string, string> | undefined;
  readonly #ending: Ending;
  readonly #parts = new Map<string, Promise<unknown>>();

  constructor(ending: Ending, scratch: string) {
    this.#ending = ending;
    this.signal = ending.signal;
    this.scratch = scratch;
  }

  /** Does something once in a run; what failed is tried again by the next that asks. */
  once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const part = this.#parts.get(name) ?? make();
    this.#parts.set(name, part);
    part.catch(() => this.#parts.delete(name));
    return part as Promise<T>;
  }

  /** Has something undone at the end. */
  defer(what: string, undo: () => Promise<void>): void {
    this.#ending.defer(what, undo);
  }

  /** The options of a command that ends with the family. */
  get limits(): { signal: AbortSignal } {
    return { signal: this.signal };
  }

  /** Runs a program that must succeed; the reason why it did not has room in a line. */
  async must(command: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await run(command, { ...this.limits, ...options });
    if (code === 0) return stdout;
    const said = (stderr.trim() || stdout.trim()).split("\n").slice(-3).join("; ");
    const words = command.slice(Math.max(0, command.indexOf("docker"))).join(" ").split("\n")[0]!;
    throw new Error(`\`${words.slice(0, 80)}\` ended with status ${code}: ${said}`);
  }

  /** The Docker configuration directory that the plugin is installed in. */
  config(): Promise<string> {
    return this.once("config", async () => {
      const config = `${this.scratch}/config`;
      await Deno.mkdir(config);
      await this.must([Deno.execPath(), "task", "install"], { cwd: root, env: { DOCKER_CONFIG: config } });
      return config;
    });
  }

  /** The plugin's own file. */
  async plugin(): Promise<string> {
    return `${await this.config()}/cli-plugins/docker-mpi`;
  }

  /** One host. */
  engine(): Promise<Site> {
    return this.once("engine", async () => {
      await needPrograms({ ssh: "openssh-client", nsenter: "util-linux" }, this.signal);
      const engine = await needEngine(this.#ending);
      if (!engine.private) await removeNewImages(PREFIX, engine.env, this.#ending);
      return await this.#site({ enter: engine.enter, env: engine.env, socket: engine.host.replace("unix://", "") });
    });
  }

  /** Two hosts: a site at the lab's client. */
  lab(): Promise<Site> {
    return this.once("lab", async () => {
      const { lab, end } = await startLab({ hosts: 2, hours: MAX_HOURS, signal: this.#ending.signal });
      this.#ending.defer("end the lab", end);
      return await this.#site({
        enter: lab.enter,
        env: lab.client.env,
        socket: lab.env.DOCKER_HOST!.replace("unix://", ""),
        registry: lab.registry.address,
        imagesFrom: (await (this.#parts.get("engine") as Promise<Site> | undefined))?.place.socket,
      });
    });
  }

  async #site(place: Omit<ConstructorParameters<typeof Site>[1], "folder">): Promise<Site> {
    const folder = await Deno.makeTempDir({ dir: this.scratch });
    const env = { ...place.env, DOCKER_CONFIG: await this.config(), NO_COLOR: "1" };
    this.env ??= env;
    const site = new Site(this, { ...place, env, folder });
    this.#ending.defer("remove the cluster", () => site.removeCluster());
    return site;
  }

  /** Whether a program ends well. */
  async succeeds(command: readonly string[], options: CommandOptions = {}): Promise<boolean> {
    return (await run(command, { ...this.limits, ...options })).code === 0;
  }

  /** Tells what is being done. */
  tell(line: string): void {
    tell(`  ${line}`);
  }
}
