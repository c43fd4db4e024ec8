import { type Cluster, findClusters } from "../cluster/cluster.ts";
import { diagnose } from "../cluster/diagnose.ts";
import { requireManager } from "../cluster/manager.ts";
import { takePicture } from "../cluster/picture.ts";
import { checkDeployment } from "../deploy/deploy.ts";
import type { DeploymentPlan } from "../deploy/deployment.ts";
import type { Engine, EngineInfo, Service } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { keyDirectory } from "../keys/key_store.ts";
import { listHosts } from "../master/hosts.ts";
import { openMaster, untilAborted, type Vantage } from "../master/master.ts";
import type { Settings } from "../settings/settings.ts";
import type { SshConnection } from "../ssh/ssh.ts";
import {
  checkCluster,
  checkEngine,
  checkHosts,
  checkImage,
  checkPort,
  checkProblems,
  checkVersion,
  type Finding,
} from "./checks.ts";
import { checkFacts, PADDING, parseFacts } from "./facts.ts";
import { clusterStatus } from "./status.ts";

/** How long the nodes are given for one check, in seconds. */
const PATIENCE = 30;

/** What an examination works with. */
export interface Examination {
  /** The engine. */
  engine: Engine;
  /** Where it is, as the user knows it. */
  vantage: Vantage & { host: string };
  /** Docker's configuration directory. */
  configDir: string;
  /** The version of `docker mpi`. */
  version: string;
  /** The settings of the project that one is in; none: one is in no project, or names a cluster. */
  settings: Settings | undefined;
  /** The cluster to look at; none: the project's, or the only one. */
  name: string | undefined;
  /** Fires when the user gives up. */
  signal: AbortSignal;
}

/**
 * Looks at engine, swarm, project and cluster, and changes nothing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { examine } from "./doctor.ts";
 *
 * const info = () => Promise.resolve({ version: "28.2.2", swarm: "inactive", manager: false });
 * const vantage = { local: true, host: "unix:///var/run/docker.sock" };
 * const machine = { engine: { info } as unknown as Engine, vantage, configDir: "/home/ada/.docker" };
 * const asked = { version: "1.0.0", settings: undefined, name: undefined, signal: new AbortController().signal };
 * const findings = await Array.fromAsync(examine({ ...machine, ...asked }));
 * assert.deepEqual(findings.map(({ check, verdict }) => [check, verdict]), [["Engine", "ok"], ["Swarm", "problem"]]);
 * assert.equal(findings[1]?.remedy, "docker swarm init");
 * ```
 *
 * @returns What it finds, as it finds it. Where one thing fails on which all else rests, it ends.
 */
export async function* examine(examination: Examination): AsyncGenerator<Finding> {
  const { engine, vantage, settings } = examination;
  const info = yield* attempt("Engine", () => engine.info());
  if (info === undefined) return;
  yield checkEngine(info, vantage.host);
  if ((yield* attempt("Swarm", () => requireManager(engine))) === undefined) return;
  yield { check: "Swarm", verdict: "ok", text: "this engine is a manager" };
  yield* checkHosts(await engine.nodes(), info.nodeId);
  const services = await engine.services([]);
  const clusters = findClusters(services);
  if (settings !== undefined) yield* checkProject(examination, settings, services);
  const name = examination.name ?? settings?.name ?? (clusters.length === 1 ? clusters[0]?.name : undefined);
  const cluster = clusters.find((each) => each.name === name);
  if (cluster !== undefined) yield* examineCluster(examination, info, cluster);
  else yield noCluster(examination.name, name, clusters);
}

function noCluster(asked: string | undefined, name: string | undefined, clusters: readonly Cluster[]): Finding {
  const names = clusters.map((each) => each.name).join(", ");
  const there = names === "" ? "none runs" : `there are ${names}`;
  return {
    check: "Cluster",
    verdict: asked === undefined ? "warning" : "problem",
    text: name === undefined ? `none is named, and ${there}` : `${name} is not deployed; ${there}`,
    remedy: clusters.length > 0
      ? `docker mpi doctor ${clusters[0]!.name}`
      : "docker mpi deploy  # in a project's directory; docker mpi init hello makes a project",
  };
}

/** Judges what a deployment of the project would meet: what would stop it, it says itself. */
async function* checkProject(
  { engine, configDir, version }: Examination,
  settings: Settings,
  services: readonly Service[],
): AsyncGenerator<Finding> {
  yield checkPort(settings.name, settings.port, services);
  // What a machine without a key is told, its login says.
  const plan: DeploymentPlan = { engine, configDir, settings, version, rotateKeys: true, resolveImage: "always" };
  const needs = yield* attempt("Project", () => checkDeployment(plan, undefined));
  if (needs !== undefined) yield checkImage({ ...needs, local: await engine.image(settings.image) });
}

async function* examineCluster(
  { engine, vantage, configDir, version, signal }: Examination,
  info: EngineInfo,
  cluster: Cluster,
): AsyncGenerator<Finding> {
  const search = { engine, vantage, keys: keyDirectory(configDir, info.clusterId, cluster.name) };
  const picture = await takePicture(engine, cluster.name);
  const master = yield* attempt("Master", () => openMaster(search, info, cluster, signal));
  if (master === undefined) return yield* checkProblems(diagnose(picture.nodes, picture.subject));
  const ask = (command: string) => untilAborted(signal, master, () => master.capture(command));
  try {
    yield checkWay(picture.subject.port, master);
    const list = () => untilAborted(signal, master, () => listHosts(master, cluster.name));
    const hosts = yield* attempt("Nodes", list);
    if (hosts === undefined) return;
    const status = clusterStatus(picture, { hosts });
    yield checkVersion(status, version);
    yield* checkCluster(status);
    const answering = status.nodes.filter(({ answers }) => answers).map(({ name }) => name);
    const reply = await ask(`timeout ${PATIENCE} mpi_exec all -- mpi_facts ${PADDING}`);
    yield* checkFacts(cluster, { ...reply, facts: parseFacts(reply.stdout) }, answering);
    const launch = await ask(`timeout ${PATIENCE} mpirun hostname </dev/null`);
    yield checkLaunch(cluster.name, launch, status.slots);
  } finally {
    master.close();
  }
}

/** Judges by which way the master was reached. */
function checkWay(port: number, { tunnelled }: SshConnection): Finding {
  const check = "Master";
  if (!tunnelled) return { check, verdict: "ok", text: `answers at port ${port}, and is who it should be` };
  return {
    check,
    verdict: "warning",
    text: `port ${port} is closed to this machine, or slow: everything goes through the engine, and takes longer`,
    remedy: `docker mpi login --print  # shows the address; open port ${port}/tcp there to this machine`,
  };
}

/** What a command on the master gave. */
type Reply = Awaited<ReturnType<SshConnection["capture"]>>;

/** Judges the launch of the smallest of programs on every slot. */
function checkLaunch(name: string, { status, stdout, stderr }: Reply, slots: number): Finding {
  const check = "Launch";
  const ranks = stdout.split("\n").filter((line) => line !== "").length;
  if (status === 0 && ranks === slots) return { check, verdict: "ok", text: `mpirun starts a rank on every slot` };
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const why = status === 124 ? `it did not end within ${PATIENCE} s` : last === "" ? `its status is ${status}` : last;
  return {
    check,
    verdict: "problem",
    text: `mpirun started ${ranks} ranks of ${slots}: ${why}`,
    remedy:
      `docker mpi exec --cluster ${name} --all hostname  # shows which node does not answer; docker mpi logs ${name} ` +
      "shows more",
  };
}

/** Does something that can fail, and makes a finding of that. */
async function* attempt<T>(check: string, action: () => Promise<T>): AsyncGenerator<Finding, T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof MpiError) || error.code === "cancelled") throw error;
    yield {
      check,
      verdict: "problem",
      text: error.message,
      ...(error.hint === undefined ? {} : { remedy: error.hint }),
    };
    return undefined;
  }
}
