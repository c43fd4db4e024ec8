/** What is measured: one engine with the installed plugin, an image, and a cluster of a master and five workers. */
import { must } from "../box/command.ts";
import { boxData } from "../box/words.ts";
import { timed } from "./stats.ts";

/** The cluster's name. */
export const CLUSTER = "mpibench";

/** Its image. */
export const IMAGE = `${CLUSTER}:latest`;

/** Its workers. */
export const WORKERS = 5;

/** All of its nodes. */
export const NODES = WORKERS + 1;

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const ENV = { DOCKER_CONFIG: "/srv/bench-config", NO_COLOR: "1" };
const LIMIT_SECONDS = 300;

/** A project whose image has `ping_pong`, on the engine of a box. */
export class Site {
  /** On the disk that the engine has its data on. */
  readonly folder = `${boxData()}/bench`;
  readonly #project = "/srv/bench";
  #deployed = false;

  /** @param plugin What `./dev install` says that it installed. */
  private constructor(readonly plugin: string) {}

  /** Installs the plugin and builds the image. */
  static async open(): Promise<Site> {
    const install = ["sh", "-c", `exec "$0" task --quiet install 2>&1`, Deno.execPath()];
    const said = await must(install, { cwd: ROOT, env: ENV, seconds: 180 });
    const site = new Site(/^Installed .* \((.+)\)$/m.exec(said)?.[1] ?? "unknown");
    await Deno.mkdir(site.folder);
    await must(["docker", "mpi", "init", "--cluster", CLUSTER, site.#project], { env: ENV });
    await Deno.copyFile(new URL("ping_pong.c", import.meta.url), `${site.#project}/project/ping_pong.c`);
    const compile = "RUN mpicc -O2 -o ping_pong ping_pong.c\n";
    await Deno.writeTextFile(`${site.#project}/Dockerfile`, compile, { append: true });
    await site.docker("mpi", "build");
    return site;
  }

  /** Runs a command in the project; it must succeed. */
  must(...command: string[]): Promise<string> {
    return must(command, { cwd: this.#project, env: ENV, seconds: LIMIT_SECONDS });
  }

  /** Runs `docker ARGS…` there. */
  docker(...args: string[]): Promise<string> {
    return this.must("docker", ...args);
  }

  /** How many seconds `docker ARGS…` takes. */
  time(...args: string[]): Promise<number> {
    return timed(() => this.docker(...args));
  }

  /** Runs a bash script on the master, in a session as users have it. */
  onMaster(script: string): Promise<string> {
    return this.docker("mpi", "exec", "bash", "-c", script);
  }

  /** Sees to it that the cluster runs. */
  async needCluster(): Promise<void> {
    if (!this.#deployed) await this.docker("mpi", "deploy", "--workers", `${WORKERS}`);
    this.#deployed = true;
  }

  /** Removes the cluster, or what else there is of its name, and waits until it is gone. */
  async clear(): Promise<void> {
    this.#deployed = false;
    await this.docker("mpi", "rm", CLUSTER);
  }
}
