import { type Cluster, stackLabel, traitsOf } from "../cluster/cluster.ts";
import type { Engine } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import { requireDigest } from "../image/distribution.ts";
import { LABELS } from "../labels.ts";
import { type Limit, shared } from "../limit.ts";
import type { Host } from "../master/hosts.ts";
import { type MasterSearch, requireKeys } from "../master/master.ts";
import { renewHint } from "../settings/room.ts";
import { checkCapacity } from "../settings/subnet.ts";
import { requireOwnHosts } from "../stackfile/host_network.ts";
import { requirePlace, takesTasks } from "../stackfile/placement.ts";
import { takeTurn } from "./turn.ts";
import { taskIds, waitForHosts, waitForTasks } from "./wait.ts";

/**
 * Gives a cluster more or fewer workers while it runs, and waits until the hostfile agrees. What stays is not restarted.
 *
 * @example One worker more, and then as many as before
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { listClusters } from "../cluster/cluster.ts";
 * import { openEngine } from "../engine/engine.ts";
 * import { keyDirectory } from "../keys/key_store.ts";
 * import { scaleCluster } from "./scale.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const [{ clusterId }, clusters] = await Promise.all([engine.info(), listClusters(engine)]);
 * const cluster = clusters.find(({ name }) => name === "hello")!;
 * const keys = keyDirectory(Deno.env.get("DOCKER_CONFIG")!, clusterId, cluster.name);
 * const limit = { timeout: 60_000, signal: new AbortController().signal };
 * const search = { engine, keys, vantage: { local: true } };
 * const now = cluster.worker.replicas!;
 * const hosts = await scaleCluster(search, cluster, now + 1, limit, ({ text }) => console.log(text));
 * assert.equal(hosts.at(-1)?.name, `worker-${now + 1}`);
 * await scaleCluster(search, cluster, now, limit, ({ text }) => console.log(text));
 * ```
 *
 * @param search How to find the master.
 * @param cluster The cluster.
 * @param workers How many workers it is to have.
 * @param limit When to give up.
 * @param report Told what goes on.
 * @param detach Whether it is enough that the swarm has been told.
 * @returns The nodes that answer; none if nobody waits for them.
 * @throws {MpiError} `usage` if it has a worker on each host; `cluster` if so many find no place; `timeout` at the limit.
 */
export async function scaleCluster(
  search: MasterSearch,
  cluster: Cluster,
  workers: number,
  limit: Limit,
  report: Report,
  detach = false,
): Promise<Host[]> {
  const { replicas } = cluster.worker;
  if (replicas === undefined) throw perNode(cluster.name, workers);
  if (workers > replicas) await requireRoom(search.engine, cluster, workers);
  // Without a way in, nobody could tell what became of it.
  if (!detach) await requireKeys(search, cluster);
  report({ resource: "nodes", state: "working", text: `from ${1 + replicas} to ${1 + workers}` });
  const whole = shared(limit);
  const past = await setNumber(search, cluster, workers, whole, report);
  if (detach) return [];
  const running = await waitForTasks(search.engine, cluster.name, whole, report, { past });
  return await waitForHosts(search, running, whole, report);
}

/** A cluster with a worker on each host grows and shrinks with the swarm. */
function perNode(name: string, workers: number): MpiError {
  return new MpiError("usage", `Cluster "${name}" has one worker on each host: it grows with the swarm`, {
    hint:
      `docker swarm join-token worker  # adds a host; docker mpi rm ${name} && docker mpi deploy --cluster ${name} --workers ${workers}`,
  });
}

/** A deployment on this machine at the same time would write back the number that it has seen. */
async function setNumber(
  { engine, keys }: MasterSearch,
  { name, worker }: Cluster,
  workers: number,
  limit: Limit,
  report: Report,
): Promise<ReadonlySet<string>> {
  using _turn = await takeTurn(keys, limit, report);
  const past = await taskIds(engine, name);
  await engine.scaleService(worker.id, workers);
  return past;
}

/**
 * Makes sure that more workers find an address, and their hosts the image: a cluster that was deployed with the image of one
 * engine can't grow to hosts that have joined since.
 */
async function requireRoom(engine: Engine, { name, master, worker }: Cluster, workers: number): Promise<void> {
  const [{ nodeId: here, subnetSize: prefix }, nodes, networks] = await Promise.all([
    engine.info(),
    engine.nodes(),
    engine.networks(stackLabel(name)),
  ]);
  const network = networks.find(({ labels }) => labels[LABELS.cluster] === name);
  const hosts = nodes.filter((node) => takesTasks(node, worker.constraints));
  const { network: type, image } = traitsOf({ master, worker });
  const onHosts = type === "host";
  const command = `docker mpi scale --cluster ${name}`;
  if (onHosts) requireOwnHosts(workers, worker.constraints, nodes, command);
  requirePlace(
    "The workers",
    { count: workers, constraints: worker.constraints, maxPerNode: worker.maxPerNode },
    nodes,
    command,
  );
  const all = nodes.filter((node) => takesTasks(node, worker.constraints) || takesTasks(node, master.constraints));
  if (!onHosts) {
    const [subnet, addresses] = [network?.subnet, Math.max(1, all.length)];
    checkCapacity({ workers, subnet, prefix, hosts: addresses, code: "usage", hint: renewHint(name, workers) });
  }
  if (!worker.image.startsWith("sha256:")) return;
  requireDigest({ image, local: undefined, hosts, here });
}
