/** The nodes of a test cluster from below: their containers. */
import { type Ended, eventually, type World } from "./swarm.ts";

/** A node from below. */
export interface Node {
  /** Its container. */
  id: string;
  /** Runs `docker ARGS…` with the engine that has it. */
  docker(args: string[]): Promise<Ended>;
}

/** Each running node, by its host name: `master`, `worker-1`, … What engines that don't answer have is not among them. */
export async function nodes(world: World, cluster = "mpitest"): Promise<Map<string, Node>> {
  const engines = world.place.engines ?? [{}];
  const found = await Promise.all(engines.map((env) => nodesOn(world, env, cluster)));
  return new Map(found.flat());
}

async function nodesOn(world: World, env: Record<string, string>, cluster: string): Promise<[string, Node][]> {
  const docker = (args: string[]) => world.docker(args, { env });
  const filter = ["--filter", `label=com.docker.stack.namespace=${cluster}`, "--filter", "status=running"];
  const ids = (await docker(["ps", "-q", ...filter])).stdout.split("\n").filter((id) => id !== "");
  if (ids.length === 0) return [];
  // One that ends in between is none of the running ones.
  const { stdout } = await docker(["inspect", "--format", "{{.Config.Hostname}} {{.Id}}", ...ids]);
  return stdout.trim().split("\n").filter((line) => line !== "").map((line) => {
    const [name = "", id = ""] = line.split(" ");
    return [name, { id, docker }];
  });
}

/** The container of each running node, where one engine has them all. */
export async function containers(world: World, cluster?: string): Promise<Map<string, string>> {
  return new Map([...await nodes(world, cluster)].map(([name, { id }]) => [name, id]));
}

/** The container of a node; empty where it does not run. */
export async function containerOf(world: World, node: string): Promise<string> {
  return (await containers(world)).get(node) ?? "";
}

/** Runs a line of shell in the container of one node, whatever its status. */
export async function onNode(world: World, node: string, line: string): Promise<string> {
  return (await world.docker(["exec", await containerOf(world, node), "sh", "-c", line])).stdout.trim();
}

/** Runs a line of shell in the container of each node; gives what they print, by host name. */
export async function onNodes(world: World, line: string, cluster?: string): Promise<Record<string, string>> {
  const answers = [...await nodes(world, cluster)].sort().map(async ([name, { id, docker }]) => {
    const { stdout } = await docker(["exec", id, "sh", "-c", line]);
    return [name, stdout.trim()] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** The processes of jobs, as `node: command line`: what is left on the nodes when nothing runs must be none. */
export async function jobProcesses(world: World, cluster?: string): Promise<string[]> {
  const line = `for p in $(grep -lz '^MPI_JOB=' /proc/[0-9]*/environ 2>/dev/null); do
    tr '\\0' ' ' 2>/dev/null <"\${p%environ}cmdline" && echo; done; pgrep -a 'hydra_pmi|prte|mpiexec|mpirun|mpi_run|mpi_feed|mpi_relay|mpi_rank'; ls -d /run/mpi/jobs/* /run/mpi/ranks/* 2>/dev/null; echo looked`;
  return leftOf(await onNodes(world, line, cluster));
}

/**
 * What is left on nodes, as `node: command line`, by what each of them printed.
 *
 * @throws If a node did not get as far as `looked`, or there is none: that nobody looked does not mean that nothing is left.
 */
export function leftOf(found: Record<string, string>): string[] {
  const nodes = Object.entries(found);
  if (nodes.length === 0) throw new Error("There is no node to look for processes of jobs on");
  return nodes.flatMap(([node, text]) => {
    const lines = text.split("\n");
    if (lines.pop() !== "looked") throw new Error(`${node} could not be asked what runs there: it printed "${text}"`);
    return lines.filter((line) => line !== "").map((line) => `${node}: ${line}`);
  });
}

/** Waits until nothing of a job is left on any node; fails with what there is. */
export async function noProcess(world: World, seconds = 30): Promise<void> {
  let left: string[] = [];
  const isNone = async () => {
    // A node that goes or comes just now can be asked a moment later.
    left = await jobProcesses(world).catch((error) => [String(error)]);
    return left.length === 0;
  };
  await eventually("no process of a job", isNone, seconds)
    .catch((error) => Promise.reject(new Error(`${error.message}; there are\n${left.join("\n")}`)));
}

/** The names in the hostfile, as the master has it. */
export async function hostNames(world: World, cluster?: string): Promise<string[]> {
  const master = (await nodes(world, cluster)).get("master");
  if (master === undefined) return [];
  const { stdout } = await master.docker(["exec", master.id, "sh", "-c", "cut -d' ' -f1 /run/mpi/nodes"]);
  return stdout.trim().split("\n");
}

/** The names of all nodes of a cluster with so many workers, in the hostfile's order. */
export function nodeNames(workers: number): string[] {
  return ["master", ...Array.from({ length: workers }, (_, index) => `worker-${index + 1}`)];
}

/** Waits until the hostfile has these names. */
export async function hostfileLists(world: World, names: string[], seconds = 40): Promise<void> {
  await eventually(`the list ${names}`, async () => `${await hostNames(world)}` === `${names}`, seconds);
}
