import { type Cluster, stackLabel } from "../cluster/cluster.ts";
import { requireManager } from "../cluster/manager.ts";
import { partsOf } from "../cluster/parts.ts";
import type { Engine, LocalImage } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import {
  checkDistribution,
  type Distribution,
  needsRegistry,
  pinImage,
  requireDigest,
  type ResolveImage,
} from "../image/distribution.ts";
import { keyDirectory, takeNextKeys } from "../keys/key_store.ts";
import { addsKeys, planKeys, previewKeys, settleKeys } from "../keys/keys.ts";
import { LABELS } from "../labels.ts";
import { type Limit, pause, shared } from "../limit.ts";
import type { Host } from "../master/hosts.ts";
import { fingerprint } from "../names.ts";
import { checkRoom } from "../settings/room.ts";
import { DEFAULT_WORKERS } from "../settings/schema.ts";
import { chooseHosts, type HostNetwork, requireOwnHosts } from "../stackfile/host_network.ts";
import { constraintsOf, nodeHosts, requirePlaces } from "../stackfile/placement.ts";
import { renderStack, type StackFile, type StackKeys } from "../stackfile/stack_file.ts";
import type { Deployment, DeploymentPlan } from "./deployment.ts";
import { removeParts } from "./remove.ts";
import { Race, stackDeploy } from "./stack_deploy.ts";
import { lookAround, lookAroundAfterRemoval, refuseTakeover, type Surroundings } from "./surroundings.ts";
import { takeTurn } from "./turn.ts";
import { taskIds, waitForHosts, waitForTasks } from "./wait.ts";

/** How often to try where something else changes the cluster at the same time, and how long to let it, in ms. */
const ATTEMPTS = 5;
const RACE_PAUSE = 1000;

/**
 * Makes the stack file that a deployment would send, and changes nothing.
 *
 * Keys that are not made yet show as such.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { resolveSettings } from "../settings/settings.ts";
 * import { previewStack } from "./deploy.ts";
 *
 * const none = () => Promise.resolve([]);
 * const info = () => Promise.resolve({ swarm: "active", manager: true, clusterId: "c1", nodeId: "n1" });
 * const all = { info, nodes: none, services: none, networks: none, secrets: none, configs: none };
 * const stack = { services: { worker: { tty: true } } };
 * const settings = { ...await resolveSettings({ directory: "/home/ada/hello" }), stack };
 * const known = { engine: all as unknown as Engine, configDir: "/home/ada/.docker", settings, version: "1.0.0" };
 * const plan = { ...known, rotateKeys: false, resolveImage: "never" as const };
 * const preview = await previewStack(plan, undefined);
 * assert.match(JSON.stringify(preview.stack.services.worker), /"replicas":3,.*"tty":true/);
 * assert.doesNotMatch(JSON.stringify(preview.own.services.worker), /"tty"/);
 * ```
 *
 * @returns The stack file, and what it is without the user's own piece of one.
 * @throws {MpiError} `settings` or `usage` if so many workers find no address in the network.
 */
export async function previewStack(
  deployment: DeploymentPlan,
  image: LocalImage | undefined,
): Promise<{ stack: StackFile; own: StackFile }> {
  const before = await lookAround(deployment);
  const ownSettings = { ...deployment.settings, stack: {} };
  const stack = preview(deployment, before, image);
  requireAddresses(deployment, before, nodeHosts(stack, before.nodes).length);
  return {
    stack,
    own: preview({ ...deployment, settings: ownSettings }, before, image),
  };
}

/**
 * Makes sure that a deployment can come to something, before anything is built.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { resolveSettings } from "../settings/settings.ts";
 * import { checkDeployment } from "./deploy.ts";
 *
 * const none = () => Promise.resolve([]);
 * const info = () => Promise.resolve({ swarm: "active", manager: true, clusterId: "c1", nodeId: "n1" });
 * const host = { id: "n2", hostname: "b", state: "ready", availability: "active", attributes: {} };
 * const nodes = () => Promise.resolve([host]);
 * const all = { info, nodes, services: none, networks: none, secrets: none, configs: none };
 * const settings = await resolveSettings({ flags: { image: "ada/hello" }, directory: "/home/ada/hello" });
 * const known = { engine: all as unknown as Engine, configDir: "/home/ada/.docker", settings, version: "1.0.0" };
 * const plan = { ...known, rotateKeys: false, resolveImage: "always" as const };
 * assert.deepEqual((await checkDeployment(plan, undefined)).hosts, [host]);
 * const built = { id: "sha256:1", labels: {}, digests: [] };
 * await assert.rejects(checkDeployment(plan, { local: built }), /"ada\/hello" is on this engine only/);
 * ```
 *
 * @param deployment The deployment.
 * @param image What the engine has of the image, if it will neither be pushed to a registry nor pulled from one.
 * @returns Which hosts need which image.
 * @throws {MpiError} With what is in the way.
 */
export async function checkDeployment(
  deployment: DeploymentPlan,
  image: { local: LocalImage | undefined } | undefined,
): Promise<Distribution> {
  const needs = requireRoom(deployment, await lookAround(deployment), image?.local);
  if (image !== undefined && deployment.resolveImage === "always") requireDigest(needs);
  return needs;
}

/**
 * Deploys a cluster, or brings one that runs to what its settings say; what does not change keeps running.
 *
 * Whatever else happens to the cluster at the same time, from this machine or another: it ends with what was asked for, or
 * with an error, and in no state from which another deployment or a removal does not go on.
 *
 * @example The whole life of a cluster
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import type { DockerCli } from "../engine/docker_cli.ts";
 * import { openEngine } from "../engine/engine.ts";
 * import { resolveSettings } from "../settings/settings.ts";
 * import { deploy } from "./deploy.ts";
 * import { removeCluster } from "./remove.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const docker: DockerCli = {
 *   async run(args, { stdin } = {}) {
 *     const child = new Deno.Command("docker", { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
 *     await new Blob(typeof stdin === "string" ? [stdin] : []).stream().pipeTo(child.stdin);
 *     const { code, stdout, stderr } = await child.output();
 *     const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
 *     return { code, stdout: text(stdout), stderr: text(stderr) };
 *   },
 *   attach: (args) => Promise.reject(new Error(`${args[0]} needs a terminal`)),
 * };
 * const flags = { name: "short-lived", image: "hello:latest", workers: 1, port: 2301 };
 * const deployment = {
 *   engine,
 *   docker,
 *   vantage: { local: true },
 *   configDir: Deno.env.get("DOCKER_CONFIG")!,
 *   settings: await resolveSettings({ flags, directory: "/home/ada/hello" }),
 *   rotateKeys: false,
 *   registryAuth: false,
 *   resolveImage: "never" as const,
 *   version: "1.0.0",
 * };
 * const limit = { timeout: 60_000, signal: new AbortController().signal };
 * const image = await engine.image("hello:latest");
 * const hosts = await deploy(deployment, image!, limit, ({ text }) => console.log(text));
 * assert.deepEqual(hosts.map(({ name }) => name), ["master", "worker-1"]);
 * await removeCluster(engine, "short-lived", limit, ({ text }) => console.log(text));
 * ```
 *
 * @param deployment What to work with.
 * @param image The cluster's image.
 * @param limit How long to wait for the cluster to answer.
 * @param report Told what goes on.
 * @returns The nodes that answer; none if nobody waits for them.
 * @throws {MpiError} With what keeps the cluster from coming up.
 */
export async function deploy(
  deployment: Deployment,
  image: LocalImage,
  limit: Limit,
  report: Report,
): Promise<Host[]> {
  const whole = shared(limit);
  for (let attempt = 1;; attempt++) {
    try {
      return await attemptDeploy(deployment, image, whole, report);
    } catch (error) {
      if (!(error instanceof Race) || attempt === ATTEMPTS) throw explainInterrupt(error, deployment.settings.name);
      report({ resource: "stack", state: "working", text: "something else changes the cluster, once more" });
    }
    await pause(RACE_PAUSE, whole.signal);
  }
}

async function attemptDeploy(deployment: Deployment, image: LocalImage, limit: Limit, report: Report): Promise<Host[]> {
  const { engine, vantage, settings: { name } } = deployment;
  const { directory, userKey, past } = await send(deployment, image, limit, report);
  if (deployment.detach) return [];
  const inspect = (cluster: Cluster) => refuseOthers(cluster, userKey);
  const running = await waitForTasks(engine, name, limit, report, { past, inspect });
  const hosts = await waitForHosts({ engine, vantage, keys: directory }, running, limit, report);
  await removeOldSecrets(engine, running.cluster);
  return hosts;
}

/** Makes keys and stack; of the commands on this machine that change a cluster, one does after the other. */
async function send(deployment: Deployment, image: LocalImage, limit: Limit, report: Report) {
  const { engine, docker, configDir, directory: project, registryAuth, settings: { name } } = deployment;
  const { clusterId } = await requireManager(engine);
  const directory = keyDirectory(configDir, clusterId, name);
  using _turn = await takeTurn(directory, limit, report);
  const before = await lookAroundAfterRemoval(deployment, limit, report);
  const resolveImage = await settleDistribution(deployment, before, image, limit, report);
  const plan = planKeys(before.keys);
  limit.signal.throwIfAborted();
  report({ resource: "keys", state: "working", text: plan.make.length > 0 ? "making" : "checking" });
  const keys = await settleKeys(engine, directory, before.keys, plan);
  report({ resource: "keys", state: "done", text: plan.make.length > 0 ? "made" : "kept" });
  if (before.cluster !== undefined && addsKeys(before.keys)) {
    report({ resource: "master", state: "warning", text: "restarts to take a further key; programs that run end" });
  }
  const userKey = fingerprint(keys.userPublic);
  const past = await taskIds(engine, name);
  const stack = render(deployment, before, image, keys);
  await refuseTakeover(engine, before);
  const options = { name, resolveImage, registryAuth, directory: project };
  await stackDeploy(docker, stack, options, limit, report).catch(async (error) => {
    if (before.fresh && isRefusal(error)) await takeBack(engine, name, userKey);
    throw error;
  });
  await takeNextKeys(directory, name);
  await tellLeftOver(engine, name, stack, report);
  return { directory, userKey, past };
}

/** Docker leaves a service running that is no longer in the stack file; so do we, as it may have work of the user's. */
async function tellLeftOver(engine: Engine, name: string, stack: StackFile, report: Report): Promise<void> {
  const known = new Set(Object.keys(stack.services).map((service) => `${name}_${service}`));
  const left = (await engine.services([stackLabel(name)])).map((service) => service.name).filter((each) =>
    !known.has(each)
  );
  for (const service of left.sort()) {
    const text = "is not in the settings any more, and stays";
    report({ resource: `service ${service}`, state: "warning", text, hint: `docker service rm ${service}` });
  }
}

/** Sees to it that every host gets the image, and tells whether Docker is to ask its registry as well. */
async function settleDistribution(
  deployment: Deployment,
  before: Surroundings,
  image: LocalImage,
  limit: Limit,
  report: Report,
): Promise<ResolveImage> {
  const needs = requireRoom(deployment, before, image);
  if (deployment.resolveImage === "never") return "never";
  await checkDistribution(deployment.docker, needs, limit, report);
  return needsRegistry(needs) ? "always" : "never";
}

/** Makes sure that every node finds a host and an address, and tells which hosts need which image. */
function requireRoom(deployment: DeploymentPlan, before: Surroundings, local: LocalImage | undefined): Distribution {
  const { settings: { name, image } } = deployment;
  const { network, nodes, cluster } = before;
  const stack = preview(deployment, before, local);
  const workers = workersOf(deployment, before);
  if (network === "host") {
    const command = `docker mpi deploy ${cluster === undefined ? "--network host" : `--cluster ${name}`} --workers`;
    requireOwnHosts(workers, constraintsOf(stack, "worker"), nodes, command);
  }
  requirePlaces(stack, nodes);
  const hosts = nodeHosts(stack, nodes);
  requireAddresses(deployment, before, hosts.length);
  return { image, local, hosts, here: before.info.nodeId };
}

/** Makes sure that the nodes find addresses in the network that is there, or else in the one that there will be. */
function requireAddresses(deployment: DeploymentPlan, before: Surroundings, hosts: number): void {
  const { network, subnet, info, cluster } = before;
  if (network === "host") return;
  const workers = workersOf(deployment, before);
  checkRoom(deployment.settings, {
    workers: workers === "per-node" ? hosts : workers,
    subnet,
    prefix: info.subnetSize,
    hosts: Math.max(1, hosts),
    runs: cluster !== undefined,
  });
}

/** Docker's own word against it, not that of time or of the user. */
function isRefusal(error: unknown): boolean {
  return error instanceof MpiError && error.code === "engine";
}

/** A stack that Docker refused the first time leaves nothing; what somebody else has made of it meanwhile is not ours. */
async function takeBack(engine: Engine, name: string, userKey: string): Promise<void> {
  const others = ({ labels }: { labels: Readonly<Record<string, string>> }) =>
    labels[LABELS.userKey] !== undefined && labels[LABELS.userKey] !== userKey;
  if ((await partsOf(engine, name)).services.some(others)) return;
  // What can't be removed now is no reason to hide why; the next deployment takes it, or a removal.
  await removeParts(engine, name).catch(() => {});
}

/** Two machines can deploy at the same time, each with keys of its own: the master tells whose it is. */
function refuseOthers({ name, master, worker }: Cluster, userKey: string): void {
  const [masters, workers] = [master, worker].map(({ labels }) => labels[LABELS.userKey] ?? userKey);
  if (masters === userKey && workers !== userKey) {
    throw new Race(`The workers of cluster "${name}" were deployed from elsewhere at the same time`);
  }
  if (masters === userKey) return;
  throw new MpiError("conflict", `Cluster "${name}" was deployed from elsewhere at the same time, for another key`, {
    hint: "docker mpi deploy --rotate-keys  # makes it this machine's; the other's key no longer opens it",
  });
}

/** What an interrupt leaves: the swarm goes on with what it was told. */
function explainInterrupt(error: unknown, name: string): unknown {
  if (!(error instanceof MpiError && error.code === "cancelled")) return error;
  return new MpiError("cancelled", `Cancelled; the swarm goes on with what it has of cluster "${name}"`, {
    hint: `docker mpi deploy  # goes on as well; docker mpi rm ${name} removes it`,
    cause: error.cause,
  });
}

function preview(deployment: DeploymentPlan, before: Surroundings, image: LocalImage | undefined): StackFile {
  return render(deployment, before, image, previewKeys(before.keys, planKeys(before.keys)));
}

function workersOf({ settings }: DeploymentPlan, { cluster }: Surroundings): number | "per-node" {
  return settings.workers ?? (cluster === undefined ? DEFAULT_WORKERS : cluster.worker.replicas ?? "per-node");
}

function render(
  deployment: DeploymentPlan,
  before: Surroundings,
  image: LocalImage | undefined,
  keys: StackKeys,
): StackFile {
  const { resolveImage, version } = deployment;
  const settings = { ...deployment.settings, network: before.network };
  const workers = workersOf(deployment, before);
  const named = { settings, workers, imageId: image?.id, keys, version };
  const hosts = nodeHosts(renderStack(named), before.nodes);
  const elsewhere = needsRegistry({ hosts, here: before.info.nodeId });
  const isPinned = image !== undefined && resolveImage === "always";
  const input = isPinned ? { ...named, reference: pinImage(settings.image, image, elsewhere) } : named;
  const stack = renderStack(input);
  return before.network === "host" ? renderStack({ ...input, hostNetwork: hostsFor(stack, before) }) : stack;
}

/** Where nodes are that are on their hosts' network: a master stays where it is, and starts where it was asked for. */
function hostsFor(stack: StackFile, { cluster, nodes, info }: Surroundings): HostNetwork {
  const now = cluster?.master.constraints.flatMap((each) => /^node\.id == (\S+)$/.exec(each)?.[1] ?? []) ?? [];
  return chooseHosts(nodes, constraintsOf(stack, "master"), [...now, info.nodeId]);
}

/** Keys that no service uses any more are of no use to anybody. */
async function removeOldSecrets(engine: Engine, cluster: Cluster): Promise<void> {
  const used = new Set([...cluster.master.secretIds, ...cluster.worker.secretIds]);
  for (const { id, labels } of (await partsOf(engine, cluster.name)).secrets) {
    if (!used.has(id) && labels[LABELS.cluster] === cluster.name) await engine.removeSecret(id).catch(() => {});
  }
}
