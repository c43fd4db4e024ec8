import { type Cluster, type NodeStatus, stackLabel } from "../cluster/cluster.ts";
import { describeProblem, diagnose, type Problem } from "../cluster/diagnose.ts";
import { type Picture, takePicture } from "../cluster/picture.ts";
import type { Engine } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import type { Report, Waiting } from "../event.ts";
import { endOf, type Limit, poll } from "../limit.ts";
import { followHosts, type Host } from "../master/hosts.ts";
import { type MasterSearch, openMaster } from "../master/master.ts";

/** How long a state that may pass by itself is given, in milliseconds: nobody wants to wait minutes for `pending`. */
const STUCK = 20_000;

/** How long a task that waits for its place is given at least: what is in its place may be stopping, on a busy host. */
const GRACE = 10_000;

/** What passes within so many milliseconds is no news. */
const PASSING = 1_000;

/**
 * The ids of all tasks of a cluster; asked before a change, it tells what is not the change's fault.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { taskIds } from "./wait.ts";
 *
 * const tasks = (label: string) => Promise.resolve([{ id: `a task with ${label}` }]);
 * const ids = await taskIds({ tasks } as unknown as Engine, "hello");
 * assert.deepEqual(ids, new Set(["a task with com.docker.stack.namespace=hello"]));
 * ```
 */
export async function taskIds(engine: Engine, name: string): Promise<ReadonlySet<string>> {
  return new Set((await engine.tasks(stackLabel(name))).map(({ id }) => id));
}

/** A cluster all of whose tasks run. */
export interface Running {
  /** Its services. */
  cluster: Cluster;
  /** The names of its nodes. */
  names: string[];
}

/** What else {@linkcode waitForTasks} heeds. */
export interface TaskExpectations {
  /** The tasks of before the change: those of them that have ended say nothing about it. */
  past?: ReadonlySet<string>;
  /** Throws if the cluster is not the one that is waited for. */
  inspect?: (cluster: Cluster) => void;
}

/**
 * Waits until all tasks of a cluster run, or it is clear that they won't.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { waitForTasks } from "./wait.ts";
 *
 * const services = ["master", "worker"].map((role) => {
 *   const labels = { "docker-mpi.cluster": "hello", "docker-mpi.role": role };
 *   return { id: role, name: `hello_${role}`, image: "hello", labels, constraints: [], replicas: 1 };
 * });
 * const states = ["starting", "running"];
 * const tasks = () => {
 *   const [state, rest] = [states.shift(), { slot: 1, nodeId: "n1", desired: "running", error: "", since: "" }];
 *   return Promise.resolve(services.map(({ id }) => ({ id, serviceId: id, state, ...rest })));
 * };
 * const nodes = () => Promise.resolve([]);
 * const engine = { services: () => Promise.resolve(services), tasks, nodes } as unknown as Engine;
 * const limit = { timeout: 5000, signal: new AbortController().signal };
 * const told: string[] = [];
 * const { names } = await waitForTasks(engine, "hello", limit, ({ text }) => void told.push(text));
 * assert.deepEqual([names, told], [["master", "worker-1"], ["0 of 2 run", "2 of 2 run"]]);
 * ```
 *
 * @param engine The engine.
 * @param name The cluster.
 * @param limit When to give up.
 * @param report Told how many run.
 * @param expectations What else to heed.
 * @returns The cluster, and the names of its nodes.
 * @throws {MpiError} `cluster` with the reason in words, `timeout` if there is none but time.
 */
export async function waitForTasks(
  engine: Engine,
  name: string,
  limit: Limit,
  report: Report,
  { past = new Set(), inspect = () => {} }: TaskExpectations = {},
): Promise<Running> {
  let stuckSince: number | undefined;
  let last: Picture | undefined;
  const ask = async () => {
    last = await takePicture(engine, name, past);
    const { cluster, nodes, running, wanted } = last;
    inspect(cluster);
    const [problem] = diagnose(nodes, last.subject);
    stuckSince = problem === undefined ? undefined : stuckSince ?? performance.now();
    const since = stuckSince === undefined ? 0 : performance.now() - stuckSince;
    const why = problem === undefined || since < PASSING ? "" : `, ${describeProblem(problem)}`;
    const text = `${running} of ${wanted} run${why}`;
    report({ resource: "nodes", state: "working", text, waiting: nodes.flatMap(waitingOf) });
    if (problem !== undefined && isHopeless(problem, nodes, since)) {
      throw new MpiError("cluster", `Cluster "${name}" does not come up: ${describeProblem(problem)}`, {
        hint: problem.remedy,
      });
    }
    checkUpdates(cluster, problem);
    return isSettled(last) ? { cluster, names: nodes.map(({ name }) => name) } : undefined;
  };
  return await poll(ask, limit, () => lateTasks(name, last, limit.timeout));
}

/** A node that does not run, with its state, its host and what the swarm says of it. */
function waitingOf({ name, state, host, error, lastError }: NodeStatus): Waiting[] {
  if (state === "running") return [];
  const where = host === "" ? "" : ` on ${host}`;
  const why = (error || lastError).trim();
  return [{ name, text: `${state}${where}${why === "" ? "" : `: ${why}`}` }];
}

function isSettled({ cluster, nodes, running, wanted, live }: Picture): boolean {
  return running === wanted && nodes.length === wanted && live === wanted && !isUpdating(cluster);
}

/** Whether a problem won't go away, or has been there for so long that nobody should wait. */
function isHopeless(problem: Problem, nodes: readonly NodeStatus[], since: number): boolean {
  return since > STUCK || (problem.final && (!waits(nodes, problem) || since > GRACE));
}

/** Whether a problem is only that nodes find no place yet. */
function waits(nodes: readonly NodeStatus[], problem: Problem): boolean {
  return nodes.every(({ name, state, error }) =>
    !problem.nodes.includes(name) || (state === "pending" && error !== "")
  );
}

function isUpdating({ master, worker }: Cluster): boolean {
  return [master, worker].some(({ update }) => update !== undefined && /updating|rollback_started/.test(update.state));
}

/** An update that failed is paused by the swarm; nothing happens any more until the next deployment. */
function checkUpdates({ master, worker }: Cluster, problem: Problem | undefined): void {
  for (const { name, update } of [master, worker]) {
    if (update?.state === "paused") {
      const why = problem === undefined ? update.message : describeProblem(problem);
      throw new MpiError("cluster", `The swarm paused the update of service "${name}": ${why}`, {
        hint: `docker service ps --no-trunc ${name}  # shows why; then docker mpi deploy again`,
      });
    }
  }
}

function lateTasks(name: string, last: Picture | undefined, timeout: number): MpiError {
  const nodes = last?.nodes ?? [];
  const [problem] = diagnose(nodes, last?.subject);
  const waiting = nodes.filter(({ state }) => state !== "running").map(({ name, state }) => `${name} is ${state}`);
  const why = problem === undefined ? waiting.slice(0, 4).join(", ") : describeProblem(problem);
  return new MpiError("timeout", `Cluster "${name}" did not come up within ${timeout / 1000} s: ${why}`, {
    hint: problem?.remedy ?? `docker mpi ps ${name}  # shows how it goes on; --wait-timeout 15m waits longer`,
  });
}

/**
 * Waits until the master's hostfile has every node: then the cluster answers.
 *
 * @example The nodes of a cluster, all of which answer
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { listClusters } from "../cluster/cluster.ts";
 * import { openEngine } from "../engine/engine.ts";
 * import { keyDirectory } from "../keys/key_store.ts";
 * import { waitForHosts } from "./wait.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const [{ clusterId }, clusters] = await Promise.all([engine.info(), listClusters(engine)]);
 * const cluster = clusters.find(({ name }) => name === "hello")!;
 * const keys = keyDirectory(Deno.env.get("DOCKER_CONFIG")!, clusterId, cluster.name);
 * const running = { cluster, names: ["master", "worker-1", "worker-2"] };
 * const limit = { timeout: 60_000, signal: new AbortController().signal };
 * const search = { engine, keys, vantage: { local: true } };
 * const hosts = await waitForHosts(search, running, limit, ({ text }) => console.log(text));
 * assert.deepEqual(hosts.map(({ name }) => name), running.names);
 * ```
 *
 * @param search How to find the master.
 * @param running The cluster, all of whose tasks run.
 * @param limit When to give up.
 * @param report Told how many answer.
 * @returns The list.
 * @throws {MpiError} `timeout` with those that are missing, `cluster` if the master can't list its nodes.
 */
export async function waitForHosts(
  search: MasterSearch,
  { cluster, names }: Running,
  limit: Limit,
  report: Report,
): Promise<Host[]> {
  const end = endOf(limit);
  const info = await search.engine.info();
  const master = await openMaster(search, info, cluster, limit.signal);
  let last: Host[] = [];
  const wanted = names.length;
  const late = () => lateHosts(cluster.name, names, last.map(({ name }) => name));
  const { promise: given, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), Math.max(0, end - performance.now()));
  const abort = () => reject(limit.signal.reason);
  limit.signal.addEventListener("abort", abort, { once: true });
  try {
    const follow = followHosts(master, cluster.name, wanted, (hosts) => {
      last = hosts;
      const listed = new Set(hosts.map(({ name }) => name));
      const waiting = names.filter((name) => !listed.has(name)).map((name) => ({
        name,
        text: "runs, does not answer yet",
      }));
      report({ resource: "nodes", state: "working", text: `${hosts.length} of ${wanted} answer`, waiting });
    });
    await Promise.race([follow, given]);
    if (last.length < wanted) throw late();
    report({ resource: "nodes", state: "done", text: `${last.length} of ${wanted} answer` });
    return last;
  } finally {
    clearTimeout(timer);
    limit.signal.removeEventListener("abort", abort);
    master.close();
  }
}

function lateHosts(cluster: string, names: readonly string[], listed: readonly string[]): MpiError {
  const missing = names.filter((name) => !listed.includes(name));
  const left = listed.filter((name) => !names.includes(name));
  const which = [
    missing.length > 0 ? `, missing: ${missing.join(", ")}` : "",
    left.length > 0 ? `, gone and still listed: ${left.join(", ")}` : "",
  ].join("");
  return new MpiError("timeout", `${listed.length} of ${names.length} nodes answer${which}`, {
    hint: `docker mpi logs ${cluster}  # shows what the master says of them`,
  });
}
