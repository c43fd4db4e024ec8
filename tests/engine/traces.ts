/**
 * What a private engine or a lab leaves on the machine outside its boxes, and how that is removed.
 *
 * All of it carries one name: a folder, one network device, three firewall rules, a control group. Processes, mounts and
 * everything else on the network live in boxes and end with the first process of each.
 */
import { recordedBox } from "./box.ts";
import { poll, run } from "./command.ts";
import { isAlive, type Process, processOf } from "./processes.ts";
import { tell } from "./tell.ts";

/** Where their folders are: on disk, which /tmp often is not. */
const HOME = "/var/tmp";
const FORWARDING = "/proc/sys/net/ipv4/ip_forward";

/** What leaves traces. */
export type Kind = "engine" | "lab";

/** What is recorded, so that a later run can tell whether it is still wanted. */
export interface State {
  /** Who uses it. */
  owner: Process;
  /** Whether the machine forwarded packets before. */
  forwarding: boolean;
}

/** The names that belong to an engine or a lab, all made from its id. */
export interface Names {
  kind: Kind;
  id: string;
  folder: string;
  device: string;
  /** Comment of the firewall rules, and name of the control group. */
  tag: string;
}

/** The names of a new engine or lab, or of the one with this id. */
export function namesOf(kind: Kind, id: string = crypto.randomUUID().slice(0, 6)): Names {
  const tag = `docker-mpi-${kind}.${id}`;
  return { kind, id, folder: `${HOME}/${tag}`, device: `mpi-${id}`, tag };
}

/** The names of what has this folder. */
export function namesAt(folder: string): Names {
  const names = folder.startsWith(`${HOME}/`) ? namesIn(folder.slice(HOME.length + 1)) : undefined;
  if (names === undefined) throw new Error(`${JSON.stringify(folder)} is no folder of an engine or a lab`);
  return names;
}

function namesIn(name: string): Names | undefined {
  const [, kind, id] = /^docker-mpi-(engine|lab)\.([0-9a-f]{6})$/.exec(name) ?? [];
  return id === undefined ? undefined : namesOf(kind as Kind, id);
}

/** Makes the folder, for root alone. */
export async function makeFolder(names: Names): Promise<void> {
  await Deno.mkdir(names.folder, { mode: 0o700 });
  const forwarding = (await Deno.readTextFile(FORWARDING)).trim() === "1";
  await record(names, { owner: await ourselves(), forwarding });
}

/** Makes this process the owner of what another one made. */
export async function takeOver(names: Names): Promise<void> {
  const state = await recorded(names);
  if (state === undefined) throw new Error(`nothing is written down in ${names.folder}`);
  await record(names, { ...state, owner: await ourselves() });
}

async function ourselves(): Promise<Process> {
  const process = await processOf(Deno.pid);
  if (process === undefined) throw new Error("/proc says nothing of this process");
  return process;
}

/** Renamed into place: nobody reads half of it. */
async function record(names: Names, state: State): Promise<void> {
  const file = `${names.folder}/state.json`;
  await Deno.writeTextFile(`${file}.${Deno.pid}`, JSON.stringify(state));
  await Deno.rename(`${file}.${Deno.pid}`, file);
}

/** What was written down, if anything. */
export async function recorded(names: Names): Promise<State | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${names.folder}/state.json`));
  } catch {
    return undefined;
  }
}

/** The private engines and labs on this machine, those that nobody uses any more included. */
export async function allNames(kinds: Kind[] = ["engine", "lab"]): Promise<Names[]> {
  const all: Names[] = [];
  for await (const entry of Deno.readDir(HOME)) {
    const names = namesIn(entry.name);
    if (!entry.isDirectory || names === undefined || !kinds.includes(names.kind)) continue;
    const info = await Deno.lstat(names.folder).catch(() => undefined);
    // Anybody may write in that folder: what is not root's is not ours.
    if (info?.uid === 0) all.push(names);
  }
  return all;
}

/** Cleans up after runs that were killed. */
export async function removeLeftovers(): Promise<void> {
  for (const names of await allNames()) {
    const state = await recorded(names);
    if (state === undefined ? await isYoung(names.folder) : await isAlive(state.owner)) continue;
    tell(`cleaning up after an earlier run that was interrupted: ${names.folder}`);
    await endBoxes(names.folder);
    await removeTraces(names);
  }
}

/** Ends every box that was written down in this folder or directly below. */
export async function endBoxes(folder: string): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  const folders = [folder, ...entries.filter((each) => each.isDirectory).map(({ name }) => `${folder}/${name}`)];
  await Promise.all(folders.map(async (each) => await (await recordedBox(each))?.kill()));
}

/** A folder without a record may be of a run that is about to write it, or just removed by another one. */
async function isYoung(folder: string): Promise<boolean> {
  const info = await Deno.stat(folder).catch(() => undefined);
  return info === undefined || Date.now() - (info.mtime?.getTime() ?? 0) < 60_000;
}

/** Removes everything of an engine or a lab whose boxes have ended. */
export async function removeTraces(names: Names): Promise<void> {
  const state = await recorded(names);
  await run(["ip", "link", "delete", names.device]);
  await removeRules(names);
  await poll(`the control group ${names.tag} to be empty`, () => removeGroups(names.tag), { seconds: 15 });
  await removeFolder(names.folder);
  if (state?.forwarding === false) await stopForwarding();
}

/** Another run may be removing the same ones: what counts is that none is left. */
async function removeRules(names: Names): Promise<void> {
  for (const table of ["nat", "filter"]) {
    const iptables = ["iptables", "-w", "10", "-t", table];
    const rules = async () => rulesOf((await run([...iptables, "-S"])).stdout, names.tag);
    for (const words of await rules()) await run([...iptables, "-D", ...words]);
    const [left] = await rules();
    if (left !== undefined) throw new Error(`a rule can't be removed: iptables -t ${table} -D ${left.join(" ")}`);
  }
}

/** The rules with that comment in a listing of `iptables -S`: their chain and what follows it. */
export function rulesOf(listing: string, comment: string): string[][] {
  return listing.split("\n")
    .filter((line) => line.startsWith("-A "))
    .map((line) => line.split(" ").slice(1).map((word) => word.replace(/^"(.*)"$/, "$1")))
    .filter((words) => words[words.indexOf("--comment") + 1] === comment);
}

/** Removes a control group from every hierarchy; false while a process that is about to end is still in it. */
export async function removeGroups(tag: string): Promise<boolean> {
  const found = await run(["find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", `*/${tag}*`]);
  let all = true;
  for (const folder of found.stdout.split("\n").filter((line) => line !== "")) {
    await Deno.remove(folder).catch(() => all = false);
  }
  return all;
}

/** The kernel may still be dropping the mounts below it. */
async function removeFolder(folder: string): Promise<void> {
  const gone = async () => {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    return (await Deno.lstat(folder).catch(() => undefined)) === undefined;
  };
  await poll(`${folder} to be removed`, gone, { seconds: 30 });
}

/** Nobody else must need it: another private engine or lab, or a Docker that was started meanwhile. */
async function stopForwarding(): Promise<void> {
  const others = await allNames();
  const docker = await Deno.stat("/sys/class/net/docker0").catch(() => undefined);
  if (others.length === 0 && docker === undefined) await Deno.writeTextFile(FORWARDING, "0");
}

/** Has the machine forward packets, which containers need to reach anything. */
export async function startForwarding(): Promise<void> {
  await Deno.writeTextFile(FORWARDING, "1");
}
