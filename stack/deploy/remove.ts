import { isLive, stackLabel } from "../cluster/cluster.ts";
import { ownParts, type Parts, partsOf } from "../cluster/parts.ts";
import type { Engine, Network, Service, Task } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import { LABELS } from "../labels.ts";
import { type Limit, poll, shared } from "../limit.ts";

/**
 * Removes a cluster, or what is left of one, and waits until nothing of it is there, so that a deployment may follow at once.
 *
 * Docker's own `stack rm` returns while containers and network are still there. Here the services go first and the network
 * only when no container uses it any more, which also keeps its addresses from leaking. What is removed is what was there
 * at the beginning: a deployment from another machine at the same time loses nothing to us. Services that somebody else has
 * put into the stack are told, and stay; so are volumes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { removeCluster } from "./remove.ts";
 *
 * const none = () => Promise.resolve([]);
 * const all = { tasks: none, nodes: none, networks: none, secrets: none, configs: none, containers: none };
 * const left = [{ id: "s1", labels: { "docker-mpi.cluster": "hello" }, volumes: ["hello_data"] }];
 * const services = () => Promise.resolve([...left]);
 * const removeService = (id: string) => Promise.resolve(void left.splice(left.findIndex((each) => each.id === id), 1));
 * const engine = { ...all, services, removeService } as unknown as Engine;
 * const limit = { timeout: 5000, signal: new AbortController().signal };
 * const told: string[] = [];
 * await removeCluster(engine, "hello", limit, ({ text }) => void told.push(text));
 * assert.deepEqual(left, []);
 * assert.equal(told.at(-1), "kept on the hosts, with their files: hello_data");
 * ```
 *
 * @param engine The engine.
 * @param name The cluster's name.
 * @param limit When to give up.
 * @param report Told what goes on.
 * @throws {MpiError} `timeout` at the limit; `conflict` if somebody else's service uses what is to go, or it was deployed anew.
 */
export async function removeCluster(engine: Engine, name: string, limit: Limit, report: Report): Promise<void> {
  const whole = shared(limit);
  const all = await partsOf(engine, name);
  const parts = ownParts(all, name);
  tellOthers(all.services.filter((service) => !parts.services.includes(service)), report);
  report({ resource: "services", state: "working", text: "removing" });
  await Promise.all(parts.services.map(({ id }) => engine.removeService(id)));
  await waitForEnd(engine, name, whole, report);
  await removeNetworks(engine, name, parts.networks, whole, report);
  await unlessInUse(engine, name, () => removeFiles(engine, name, parts), (error) => {
    const text = error.message.replace(/^The Docker engine refuses: /, "");
    throw new MpiError("conflict", `What is left of "${name}" can't be removed: ${text}`, {
      hint: `docker mpi rm ${name}  # once that is no more so`,
      cause: error,
    });
  });
  await waitForContainers(engine, name, whole, report);
  const volumes = [...new Set(parts.services.flatMap((service) => service.volumes))].sort();
  if (volumes.length === 0) return;
  report({ resource: "volumes", state: "warning", text: `kept on the hosts, with their files: ${volumes.join(", ")}` });
}

/** A service that somebody else has put into our stack is not ours to remove. */
function tellOthers(services: readonly Service[], report: Report): void {
  for (const service of services.map((each) => each.name).sort()) {
    const text = "is not docker mpi's, and stays";
    report({ resource: `service ${service}`, state: "warning", text, hint: `docker service rm ${service}` });
  }
}

/**
 * Removes what is ours of a stack that came to nothing, without waiting for the end of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { removeParts } from "./remove.ts";
 *
 * const labels = { "docker-mpi.cluster": "hello" };
 * const of = (...ids: string[]) => () => Promise.resolve(ids.map((id) => ({ id, labels })));
 * const found = { services: of("s1", "s2"), networks: of("n1"), secrets: of("k1"), configs: of() };
 * const removed: string[] = [];
 * const remove = (id: string) => Promise.resolve(void removed.push(id));
 * const engine = { ...found, removeService: remove, removeNetwork: remove, removeSecret: remove } as unknown as Engine;
 * await removeParts(engine, "hello");
 * assert.deepEqual(removed, ["s1", "s2", "n1", "k1"]);
 * ```
 */
export async function removeParts(engine: Engine, name: string): Promise<void> {
  const parts = ownParts(await partsOf(engine, name), name);
  for (const { id } of parts.services) await engine.removeService(id);
  for (const { id } of parts.networks) await engine.removeNetwork(id);
  await removeFiles(engine, name, parts);
}

/** Ours go last: by them the rest is known to be ours, should this be interrupted. */
async function removeFiles(engine: Engine, name: string, { secrets, configs }: Parts): Promise<void> {
  for (const { id } of configs) await engine.removeConfig(id);
  const ours = Map.groupBy(secrets, ({ labels }) => labels[LABELS.cluster] === name);
  for (const { id } of [...ours.get(false) ?? [], ...ours.get(true) ?? []]) await engine.removeSecret(id);
}

/**
 * Waits until no task of services that are gone runs any more. Hosts that are down can't report the end of theirs: it comes
 * when they are back.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { waitForEnd } from "./remove.ts";
 *
 * const task = { id: "t1", serviceId: "s1", nodeId: "n1", state: "running" };
 * const node = { id: "n1", hostname: "rack-1", state: "down" };
 * const of = <T>(...all: T[]) => () => Promise.resolve(all);
 * const engine = { tasks: of(task), services: of(), nodes: of(node) } as unknown as Engine;
 * const limit = { timeout: 5000, signal: new AbortController().signal };
 * const told: string[] = [];
 * await waitForEnd(engine, "hello", limit, ({ text }) => void told.push(text));
 * assert.deepEqual(told, ["gone", "1 left on hosts that are down, until they are back: rack-1"]);
 * ```
 */
export async function waitForEnd(engine: Engine, name: string, limit: Limit, report: Report): Promise<void> {
  let left: Task[] = [];
  let lost: string[] = [];
  await poll(
    async () => {
      const [stopping, nodes] = await Promise.all([stoppingTasks(engine, name), engine.nodes()]);
      const down = new Map(nodes.filter(({ state }) => state === "down").map(({ id, hostname }) => [id, hostname]));
      left = stopping.filter(({ nodeId }) => !down.has(nodeId));
      lost = stopping.flatMap(({ nodeId }) => down.get(nodeId) ?? []);
      if (left.length > 0) report({ resource: "nodes", state: "working", text: `${left.length} stop` });
      return left.length === 0 ? true : undefined;
    },
    limit,
    () =>
      new MpiError("timeout", `${left.length} containers of "${name}" did not end within ${limit.timeout / 1000} s`, {
        hint: "docker node ls  # shows whether a host does not answer: its containers can't report their end",
      }),
  );
  report({ resource: "nodes", state: "done", text: "gone" });
  if (lost.length === 0) return;
  const hosts = [...new Set(lost)].sort();
  const text = `${lost.length} left on hosts that are down, until they are back: ${hosts.join(", ")}`;
  report({ resource: "nodes", state: "warning", text });
}

/**
 * The tasks that still run although their service is gone.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { stoppingTasks } from "./remove.ts";
 *
 * const stopping = { id: "t1", serviceId: "gone", state: "running" };
 * const tasks = [stopping, { ...stopping, id: "t2", state: "shutdown" }, { ...stopping, id: "t3", serviceId: "s1" }];
 * const of = <T>(all: T[]) => () => Promise.resolve(all);
 * const engine = { tasks: of(tasks), services: of([{ id: "s1" }]) } as unknown as Engine;
 * assert.deepEqual(await stoppingTasks(engine, "hello"), [stopping]);
 * ```
 */
export async function stoppingTasks(engine: Engine, name: string): Promise<Task[]> {
  const [tasks, services] = await Promise.all([engine.tasks(stackLabel(name)), engine.services([stackLabel(name)])]);
  const there = new Set(services.map(({ id }) => id));
  return tasks.filter((task) => isLive(task) && !there.has(task.serviceId));
}

async function removeNetworks(
  engine: Engine,
  name: string,
  networks: readonly Network[],
  limit: Limit,
  report: Report,
): Promise<void> {
  report({ resource: "network", state: "working", text: "removing" });
  const told = new Set<string>();
  const gone = async () => {
    const left = (await engine.networks(stackLabel(name))).filter(({ id }) => networks.some((each) => each.id === id));
    for (const network of left) {
      if (told.has(network.id)) continue;
      const remove = () => engine.removeNetwork(network.id).then(() => void told.add(network.id));
      await unlessInUse(engine, name, remove, (error) => refuseUser(engine, name, network, error));
    }
    return left.length === 0 ? true : undefined;
  };
  await poll(
    gone,
    limit,
    () =>
      new MpiError("timeout", `The network of "${name}" was not removed within ${limit.timeout / 1000} s`, {
        hint: `docker network ls --filter label=${stackLabel(name)}  # shows it; a container may still be attached`,
      }),
  );
  report({ resource: "network", state: "done", text: "removed" });
}

/** Ours are gone: a service that uses the network still is somebody else's, and would be waited for in vain. */
async function refuseUser(engine: Engine, name: string, network: Network, error: MpiError): Promise<void> {
  const [, id] = /is in use by service (\w+)/.exec(error.message) ?? [];
  const user = (await engine.services([])).find((service) => service.id === id);
  if (user === undefined) return;
  throw new MpiError("conflict", `Service "${user.name}", which is not docker mpi's, uses the network of "${name}"`, {
    hint: `docker service update --network-rm ${network.name} ${user.name} && docker mpi rm ${name}`,
    cause: error,
  });
}

/** What new services use already is theirs; what old containers use is tried again. */
async function unlessInUse(
  engine: Engine,
  name: string,
  remove: () => Promise<void>,
  inUse: (error: MpiError) => Promise<void>,
): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof MpiError && error.code === "conflict")) throw error;
    if ((await engine.services([`${LABELS.cluster}=${name}`])).length === 0) return await inUse(error);
    throw new MpiError("conflict", `Cluster "${name}" was deployed anew while it was being removed`, {
      hint: `docker mpi rm ${name}  # removes that one too`,
      cause: error,
    });
  }
}

/** An engine removes a container some time after it has reported its end. */
async function waitForContainers(engine: Engine, name: string, limit: Limit, report: Report): Promise<void> {
  const gone = async () => {
    const [containers, services] = await Promise.all([
      engine.containers(stackLabel(name)),
      engine.services([stackLabel(name)]),
    ]);
    return containers.length === 0 || services.length > 0 ? true : undefined;
  };
  if (await gone()) return;
  report({ resource: "containers", state: "working", text: "removing" });
  await poll(
    gone,
    limit,
    () =>
      new MpiError("timeout", `Containers of "${name}" were not removed within ${limit.timeout / 1000} s`, {
        hint: `docker ps --all --filter label=${stackLabel(name)}  # shows them`,
      }),
  );
  report({ resource: "containers", state: "done", text: "removed" });
}
