import { basename, dirname, join, relative } from "node:path";
import {
  type Choice,
  chooseCluster,
  type Cluster,
  listClusters,
  nodeStatuses,
  stackLabel,
} from "../stack/cluster/cluster.ts";
import { requireManager } from "../stack/cluster/manager.ts";
import { stackNames } from "../stack/cluster/parts.ts";
import { openEngine } from "../stack/engine/engine.ts";
import type { Engine, EngineInfo } from "../stack/engine/swarm.ts";
import { MpiError } from "../stack/errors.ts";
import { why } from "../stack/file_error.ts";
import { keyDirectory } from "../stack/keys/key_store.ts";
import type { Host } from "../stack/master/hosts.ts";
import { type MasterSearch, openMaster, untilAborted } from "../stack/master/master.ts";
import { FIELDS } from "../stack/settings/schema.ts";
import { resolveSettings, type Settings, type SettingsInput } from "../stack/settings/settings.ts";
import { typed } from "../stack/shell.ts";
import type { SshConnection } from "../stack/ssh/ssh.ts";
import type { Deps } from "./deps.ts";
import type { Endpoint } from "./docker/endpoint.ts";

/** The file with a project's settings. */
export const SETTINGS_FILE = "mpi.yaml";

/** The swarm behind the user's `docker`. */
export interface Swarm {
  /** Its engine. */
  engine: Engine;
  /** How that is reached. */
  endpoint: Endpoint;
}

/** A cluster that a command is about. */
export interface ClusterContext extends Swarm {
  /** The cluster. */
  cluster: Cluster;
  /** What the engine says of itself. */
  info: EngineInfo;
  /** How to find its master. */
  search: MasterSearch;
}

/** Opens the engine that the user's `docker` talks to. */
export async function openSwarm(deps: Deps): Promise<Swarm> {
  const endpoint = await deps.endpoint();
  return { endpoint, engine: openEngine({ ...endpoint, signal: deps.signal }) };
}

/**
 * Finds the project that one is in: the nearest directory, from the working directory upwards, that has an `mpi.yaml`.
 *
 * @returns Its absolute path; the working directory if there is no such file.
 */
export async function projectDirectory(deps: Deps): Promise<string> {
  const here = deps.cwd();
  for (let directory = here;; directory = dirname(directory)) {
    if (await Deno.lstat(join(directory, SETTINGS_FILE)).then(() => true, () => false)) return directory;
    if (directory === dirname(directory)) return here;
  }
}

/** Settles the settings of the project that one is in; those of a directory without a file are the defaults. */
export async function projectSettings(deps: Deps, flags: SettingsInput["flags"] = {}): Promise<Settings> {
  const directory = await projectDirectory(deps);
  return await settle(deps, directory, await readSettings(deps.cwd(), directory), flags);
}

/** The same where there is a project, with a file that says so. */
export async function ownSettings(deps: Deps): Promise<Settings | undefined> {
  const directory = await projectDirectory(deps);
  const file = await readSettings(deps.cwd(), directory);
  return file === undefined ? undefined : await settle(deps, directory, file, {});
}

async function settle(
  deps: Deps,
  directory: string,
  file: SettingsInput["file"],
  flags: SettingsInput["flags"],
): Promise<Settings> {
  const env = Object.fromEntries(Object.values(FIELDS).map(({ variable }) => [variable, deps.env(variable)]));
  return await resolveSettings({ flags: flags ?? {}, env, directory, ...(file === undefined ? {} : { file }) });
}

/** The file with the settings, under the path that leads there from the working directory. */
async function readSettings(
  here: string,
  directory: string,
): Promise<{ path: string; text: Uint8Array } | undefined> {
  const file = join(directory, SETTINGS_FILE);
  const path = relative(here, file);
  try {
    return { path, text: await Deno.readFile(file) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new MpiError("settings", `Cannot read "${path}" in "${basename(here)}": ${why(error)}`, {
      hint: typed("ls", "-ld", path),
      cause: error,
    });
  }
}

/**
 * Finds the cluster that a command is about.
 *
 * @param deps The world.
 * @param name What `--cluster` or an argument says.
 */
export async function findCluster(deps: Deps, name: string | undefined): Promise<ClusterContext> {
  const choice = await choiceOf(deps, name);
  const { endpoint, engine } = await openSwarm(deps);
  const info = await requireManager(engine);
  const cluster = chooseCluster(await listClusters(engine), choice);
  const keys = keyDirectory(deps.configDir(), info.clusterId, cluster.name);
  return { endpoint, engine, info, cluster, search: { engine, vantage: endpoint, keys } };
}

/** What a removal is about: a cluster, or what an interrupted command left of one. */
export interface StackContext {
  /** The engine. */
  engine: Engine;
  /** The cluster's name. */
  name: string;
  /** The directory with its keys on this machine. */
  keys: string;
}

/** Finds what a removal is about, as {@linkcode findCluster} finds a cluster. */
export async function findStack(deps: Deps, name: string | undefined): Promise<StackContext> {
  const choice = await choiceOf(deps, name);
  const { engine } = await openSwarm(deps);
  const { clusterId } = await requireManager(engine);
  const found = chooseCluster((await stackNames(engine)).map((each) => ({ name: each })), choice);
  return { engine, name: found.name, keys: keyDirectory(deps.configDir(), clusterId, found.name) };
}

/** What the user said of which cluster is meant: by argument, variable, or the directory. */
export async function choiceOf(deps: Deps, name: string | undefined): Promise<Choice> {
  const given = name ?? deps.env(FIELDS.name.variable);
  const project = given === undefined ? (await ownSettings(deps))?.name : undefined;
  return { name: given, project };
}

/** Says what answers: the result of all that waits for a cluster. */
export function answerText(name: string, hosts: readonly Host[]): string {
  const slots = hosts.reduce((sum, host) => sum + host.slots, 0);
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  return `Cluster "${name}" answers: ${count(hosts.length, "node")}, ${count(slots, "slot")}\n`;
}

/** Logs in to the master of a cluster. */
export async function logIn(deps: Deps, { search, info, cluster }: ClusterContext): Promise<SshConnection> {
  return await openMaster(search, info, cluster, deps.signal);
}

/** Does something on the master of a cluster, over a connection that ends with it, and with the user's wish to stop. */
export async function onMaster<T>(
  deps: Deps,
  context: ClusterContext,
  action: (master: SshConnection) => Promise<T>,
): Promise<T> {
  const master = await logIn(deps, context);
  try {
    return await untilAborted(deps.signal, master, () => action(master));
  } finally {
    master.close();
  }
}

/** The names of the nodes of the cluster that is meant, for completion. */
export async function nodeNames(deps: Deps, name: string | undefined): Promise<string[]> {
  const { engine, cluster } = await findCluster(deps, name);
  const [tasks, hosts] = await Promise.all([engine.tasks(stackLabel(cluster.name)), engine.nodes()]);
  return nodeStatuses(cluster, tasks, hosts).map(({ name }) => name);
}

/** The names of the clusters there are, for completion. */
export async function clusterNames(deps: Deps): Promise<string[]> {
  return (await listClusters((await openSwarm(deps)).engine)).map(({ name }) => name);
}
