/** Starting and ending a lab. */
import { needBaseImage } from "../engine/base_image.ts";
import { startBox } from "../engine/box.ts";
import { clientEnv } from "../engine/client.ts";
import { must } from "../engine/command.ts";
import { Lifeline } from "../engine/lifeline.ts";
import { canInstall, needPrograms } from "../engine/packages.ts";
import { PROGRAMS } from "../engine/private_engine.ts";
import { tell } from "../engine/tell.ts";
import { endBoxes, makeFolder, type Names, namesOf, removeTraces } from "../engine/traces.ts";
import { writeDoors } from "./doors.ts";
import { type Host, writeHost } from "./host.ts";
import { Lab, type LabRecord } from "./lab.ts";
import { CLIENT, Switch } from "./network.ts";
import { REGISTRY_PORTS, writeRegistries } from "./registries.ts";

/** What is to be started. */
export interface LabOptions {
  hosts: number;
  hours: number;
  /** Whether a person has it, rather than a test. */
  byHand?: boolean;
  signal?: AbortSignal;
}

/** A lab that this process keeps alive. */
export interface KeptLab {
  lab: Lab;
  names: Names;
  /** Ends it and removes all of it. */
  end(): Promise<void>;
  /** Leaves it to another process that holds its lifeline. */
  leave(): void;
}

/** More than that is too much for one machine. */
export const MAX_HOSTS = 6;

/** What is missing here for a lab, if anything. */
export async function labNeeds(): Promise<string | undefined> {
  return await canInstall()
    ? undefined
    : "the lab needs root on Debian: it makes network namespaces, and installs packages";
}

/** Starts a lab; throws with a remedy where that can't be. */
export async function startLab(options: LabOptions): Promise<KeptLab> {
  const needs = await labNeeds();
  if (needs !== undefined) throw new Error(needs);
  const { signal } = options;
  const begin = Date.now();
  tell(`lab: starting ${options.hosts === 1 ? "one host" : `${options.hosts} hosts`}`);
  await needPrograms({ ...PROGRAMS, bridge: "iproute2", ss: "iproute2" }, signal);
  await needPrograms({ "docker-registry": "docker-registry", openssl: "openssl" }, signal);
  await needPrograms({ sshd: "openssh-server", ssh: "openssh-client" }, signal);
  const names = namesOf("lab");
  await makeFolder(names);
  const lifeline = await Lifeline.hold(names.folder);
  const leave = () => lifeline[Symbol.dispose]();
  const end = async () => {
    leave();
    await endLab(names);
  };
  try {
    const lab = await build(names, lifeline, options);
    tell(`lab: ready in ${Math.round((Date.now() - begin) / 1000)} s`);
    return { lab, names, end, leave };
  } catch (error) {
    await end();
    signal?.throwIfAborted();
    throw new Error(`the lab did not start: ${(error as Error).message}`);
  }
}

/** Ends a lab and removes all of it, whoever started it. */
export async function endLab(names: Names): Promise<void> {
  await endBoxes(names.folder);
  await removeTraces(names);
}

async function build(names: Names, lifeline: Lifeline, options: LabOptions): Promise<Lab> {
  const { hosts, hours, byHand = false, signal } = options;
  const ends = Date.now() + hours * 3600_000;
  const record: LabRecord = { hosts, ends, byHand };
  await Deno.writeTextFile(`${names.folder}/lab.json`, JSON.stringify(record));
  await layNetwork(names, lifeline, hours * 3600);
  const lab = await Lab.at(names);
  await Promise.all(lab.hosts.map(async (host) => {
    await writeHost(host);
    if (host === lab.manager) await writeDoors(host);
    await host.start(signal);
  }));
  // Writes down which docker command gets on with the engines, and thus goes before all others.
  await clientEnv(lab.env.DOCKER_HOST!.replace("unix://", ""), names.folder);
  return await joinUp(await Lab.at(names), signal);
}

/** The switch, with the registries, and the client's place. */
async function layNetwork(names: Names, lifeline: Lifeline, seconds: number): Promise<void> {
  const network = new Switch(`${names.folder}/switch`);
  const common = { lifeline: lifeline.path, seconds };
  await Deno.mkdir(network.folder);
  const command = await writeRegistries(network.folder);
  const box = await startBox({ ...common, folder: network.folder, command, connect: (box) => Switch.lay(names, box) });
  const folder = `${names.folder}/${CLIENT.name}`;
  await Deno.mkdir(folder);
  await startBox({ ...common, folder, command: ["sleep", "infinity"], connect: (box) => network.plug(box, CLIENT) });
  for (const port of REGISTRY_PORTS) {
    await box.reaches(`a registry at port ${port}`, 10, () => network.listens(port));
  }
}

/** Makes one swarm of the hosts, and gives the manager the base image that others are built on. */
async function joinUp(lab: Lab, signal?: AbortSignal): Promise<Lab> {
  const swarm = (host: Host, ...words: string[]) => must(["docker", "swarm", ...words], { env: host.env });
  const { manager } = lab;
  await swarm(manager, "init", "--advertise-addr", manager.address);
  const token = (await swarm(manager, "join-token", "--quiet", "worker")).trim();
  const join = (host: Host) =>
    swarm(host, "join", "--token", token, "--advertise-addr", host.address, `${manager.address}:2377`);
  await Promise.all([needBaseImage(manager.env, signal), ...lab.hosts.slice(1).map(join)]);
  await lab.ready();
  return lab;
}
