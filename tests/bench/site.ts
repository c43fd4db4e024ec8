/** An engine, or several in a swarm, with the plugin, a project for each MPI, and one cluster at a time. */
import { type CommandOptions, must, poll } from "../engine/command.ts";
import type { Arena } from "./arena.ts";

/** The MPI implementations. */
export const MPIS = ["mpich", "openmpi"] as const;
export type Mpi = typeof MPIS[number];

/** The name of the cluster, its stack and its services. */
export const CLUSTER = "mpibench";

/** How the programs that are measured are called, in the project and in its image. */
const PROGRAMS = new URL("programs/", import.meta.url);

/** A cluster that a figure needs. */
export interface ClusterPlan {
  mpi: Mpi;
  workers: number;
  slots?: number;
  /** More flags of `deploy`. */
  flags?: string[];
}

/** What a site consists of. */
export interface SitePlace {
  /** Words before a command that is to see published ports. */
  enter: string[];
  env: Record<string, string>;
  /** The manager's own socket. */
  socket: string;
  /** For the projects. */
  folder: string;
  /** Where images go that other hosts need. */
  registry?: string;
  /** The socket of another engine that has our base images already. */
  imagesFrom?: string | undefined;
}

/** How long a deployment may take on a machine that is busy. */
const DEPLOY_SECONDS = 240;

/** The image that a project's Dockerfile begins with. */
export function baseOf(dockerfile: string, mpi: Mpi): string {
  const from = /^FROM (\S+)$/m.exec(dockerfile)?.[1];
  if (from === undefined) throw new Error(`the Dockerfile of the ${mpi} project names no image`);
  return from.replace("${MPI}", mpi);
}

/** What two clusters have to have in common for one to be made of the other by scaling. */
function keyOf({ mpi, slots = 1, flags = [] }: ClusterPlan): string {
  return JSON.stringify([mpi, slots, flags]);
}

export class Site {
  readonly #arena: Arena;
  readonly place: SitePlace;
  /** What runs now. */
  #cluster: { workers: number; key: string } | undefined;
  readonly #http: Deno.HttpClient;

  constructor(arena: Arena, place: SitePlace) {
    this.#arena = arena;
    this.place = place;
    this.#http = Deno.createHttpClient({ proxy: { transport: "unix", path: place.socket } });
  }

  /** Runs a program at the site; it must succeed. */
  must(command: readonly string[], options: CommandOptions = {}): Promise<string> {
    return this.#arena.must([...this.place.enter, ...command], {
      ...options,
      env: { ...this.place.env, ...options.env },
    });
  }

  /** Runs `docker ARGS…`; it must succeed. */
  docker(args: string[], options: CommandOptions = {}): Promise<string> {
    return this.must(["docker", ...args], options);
  }

  /** The name of a project's image. */
  image(mpi: Mpi): string {
    const name = `${CLUSTER}-${mpi}:latest`;
    return this.place.registry === undefined ? name : `${this.place.registry}/${name}`;
  }

  /** A project with the programs that are measured, and its image; returns its folder. */
  project(mpi: Mpi): Promise<string> {
    return this.#arena.once(`${this.place.folder}/${mpi}`, async () => {
      const folder = `${this.place.folder}/${mpi}`;
      await this.docker(["mpi", "init", "--force", "--mpi", mpi, "--name", CLUSTER, folder]);
      for await (const { name } of Deno.readDir(PROGRAMS)) {
        await Deno.copyFile(new URL(name, PROGRAMS), `${folder}/project/${name}`);
      }
      await Deno.writeTextFile(`${folder}/Dockerfile`, this.#additions(), { append: true });
      await this.#takeBase(folder, mpi);
      this.#arena.tell(`building the image of ${mpi}`);
      const push = this.place.registry === undefined ? [] : ["--push"];
      await this.docker(["mpi", "build", "--image", this.image(mpi), ...push], { cwd: folder, seconds: 600 });
      return folder;
    });
  }

  /** Takes our base image from the engine that has it: to make it takes minutes. */
  async #takeBase(folder: string, mpi: Mpi): Promise<void> {
    if (this.place.imagesFrom === undefined) return;
    const copy = 'docker -H "unix://$0" save "$2" | docker -H "unix://$1" load --quiet';
    const words = [
      this.place.imagesFrom,
      this.place.socket,
      baseOf(await Deno.readTextFile(`${folder}/Dockerfile`), mpi),
    ];
    await this.#arena.must(["bash", "-c", copy, ...words], { env: this.place.env, seconds: 180 });
  }

  /** What is measured with, and between hosts what is measured against. */
  #additions(): string {
    const compile = "RUN mpicc -O2 -o ping_pong ping_pong.c\n";
    if (this.place.registry === undefined) return compile;
    const install = "apt-get update && apt-get install -y --no-install-recommends iperf3";
    return `USER root\nRUN ${install} && rm -rf /var/lib/apt/lists/*\nUSER mpi\n${compile}`;
  }

  /** The words of a deployment, and where it has to be typed. */
  async deployment({ mpi, workers, slots = 1, flags = [] }: ClusterPlan): Promise<{ args: string[]; cwd: string }> {
    const cwd = await this.project(mpi);
    const numbers = ["--workers", `${workers}`, "--slots", `${slots}`];
    return { cwd, args: ["--name", CLUSTER, "--image", this.image(mpi), ...numbers, ...flags] };
  }

  /** Deploys a cluster, anew. */
  async deploy(plan: ClusterPlan): Promise<void> {
    const { args, cwd } = await this.deployment(plan);
    this.unknown();
    await this.docker(["mpi", "deploy", ...args], { cwd, seconds: DEPLOY_SECONDS });
    this.#remember(plan);
  }

  #remember(plan: ClusterPlan): void {
    this.#cluster = { workers: plan.workers, key: keyOf(plan) };
  }

  /** Sees to it that this cluster runs, by scaling where that does. */
  async cluster(plan: ClusterPlan): Promise<void> {
    if (this.#cluster?.key !== keyOf(plan)) {
      await this.removeCluster();
      this.#arena.tell(`deploying ${plan.workers} workers with ${plan.mpi}`);
      return await this.deploy(plan);
    }
    if (this.#cluster.workers === plan.workers) return;
    this.unknown();
    await this.docker(["mpi", "scale", "--name", CLUSTER, `${plan.workers}`], { seconds: DEPLOY_SECONDS });
    this.#remember(plan);
    await this.#settled(plan.workers + 1);
  }

  /** What was left behind is gone: containers of nodes that were scaled away. */
  async #settled(nodes: number): Promise<void> {
    const settled = async () => (await this.containers()).length === nodes;
    await poll("containers to be gone", settled, { seconds: 60, signal: this.#arena.signal });
  }

  /** Removes the cluster; also after the figure that needed it failed. */
  async removeCluster(): Promise<void> {
    if (this.#cluster === undefined) return;
    this.#cluster = undefined;
    await must([...this.place.enter, "docker", "mpi", "rm", CLUSTER], { env: this.place.env, seconds: 180 });
  }

  /** Says that there may be a stack of our name of which more is not known; the next cluster is made anew. */
  unknown(): void {
    this.#cluster = { workers: 0, key: "" };
  }

  /** Says that there is none. */
  none(): void {
    this.#cluster = undefined;
  }

  /** What the engine's API has at a path. */
  async api<T>(path: string): Promise<T> {
    const answer = await fetch(`http://docker${path}`, { client: this.#http, signal: this.#arena.signal });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  /** How many tasks of the cluster run, as the swarm sees it. */
  async runningTasks(): Promise<number> {
    const filters = { label: [`com.docker.stack.namespace=${CLUSTER}`], "desired-state": ["running"] };
    const tasks = await this.api<{ Status: { State: string } }[]>(
      `/tasks?filters=${encodeURIComponent(JSON.stringify(filters))}`,
    );
    return tasks.filter(({ Status }) => Status.State === "running").length;
  }

  /** Waits until so many tasks run. */
  async tasksRun(count: number): Promise<void> {
    const all = async () => await this.runningTasks() === count;
    await poll(`${count} tasks to run`, all, { seconds: DEPLOY_SECONDS, signal: this.#arena.signal });
  }

  /** The cluster's containers on the manager's host: name to id. */
  async containers(): Promise<{ name: string; id: string }[]> {
    const format = "{{.Names}} {{.ID}}";
    const list = await this.docker(["ps", "--no-trunc", "--filter", `name=^${CLUSTER}_`, "--format", format]);
    return list.split("\n").filter((line) => line !== "").map((line) => {
      const [name = "", id = ""] = line.split(" ");
      return { name, id };
    });
  }

  /** The container of a node on the manager's host, `master` or `worker.3`. */
  async container(node: string): Promise<string> {
    const found = (await this.containers()).find(({ name }) => name.startsWith(`${CLUSTER}_${node}.`));
    if (found === undefined) throw new Error(`there is no container of ${node}`);
    return found.id;
  }

  /** Runs a bash script on the master in a session as users have it, and returns what it prints. */
  onMaster(script: string, options: CommandOptions = {}): Promise<string> {
    return this.docker(["mpi", "exec", "--name", CLUSTER, "bash", "-c", script], { seconds: 300, ...options });
  }
}
