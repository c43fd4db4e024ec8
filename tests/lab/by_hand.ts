/** The labs that people have: up until they say `down`, or the time is up. */
import { must, poll } from "../engine/command.ts";
import { isAlive, killProcess, processOf } from "../engine/processes.ts";
import { allNames, type Names, namesAt, recorded } from "../engine/traces.ts";
import { labRecord, VARIABLE } from "./lab.ts";
import { endLab, type KeptLab } from "./start.ts";

/** The labs that people have; what is left of one whose keeper was killed is none. */
export async function labsByHand(): Promise<Names[]> {
  const labs: Names[] = [];
  for (const names of await allNames(["lab"])) {
    const owner = (await recorded(names))?.owner;
    if (owner === undefined || !(await isAlive(owner))) continue;
    if ((await labRecord(names.folder))?.byHand) labs.push(names);
  }
  return labs;
}

/** The lab that a command means: the one that the environment names, or the only one. */
export async function theLab(): Promise<Names> {
  const folder = Deno.env.get(VARIABLE);
  if (folder) return await labIn(folder);
  const [lab, ...more] = await labsByHand();
  if (lab === undefined) throw new Error("no lab is up\n  hint: ./dev lab up");
  if (more.length === 0) return lab;
  const folders = [lab, ...more].map((each) => each.folder);
  throw new Error(`${folders.length} labs are up: ${folders.join(", ")}\n  hint: export ${VARIABLE}=${lab.folder}`);
}

async function labIn(folder: string): Promise<Names> {
  const names = namesAt(folder);
  if (await labRecord(folder) === undefined) throw new Error(`there is no lab in ${folder}\n  hint: unset ${VARIABLE}`);
  return names;
}

/** Leaves a lab to a process of its own, which outlives this one. */
export async function leaveToKeeper({ names, leave }: KeptLab, signal: AbortSignal): Promise<void> {
  const script = decodeURIComponent(new URL("keeper.ts", import.meta.url).pathname);
  const logged = ["sh", "-c", 'exec "$@" >"$0" 2>&1', `${names.folder}/keeper.log`];
  await must(["setsid", "--fork", ...logged, Deno.execPath(), "run", "--allow-all", script, names.folder], { signal });
  const ours = await processOf(Deno.pid);
  const taken = async () => (await recorded(names))?.owner.start !== ours?.start;
  await poll("the lab's keeper to take over", taken, { seconds: 20, signal });
  leave();
}

/** Ends a lab, its keeper first. */
export async function takeDown(names: Names): Promise<void> {
  if (!(await labRecord(names.folder))?.byHand) {
    throw new Error(`the lab in ${names.folder} is a test's and ends with it\n  hint: unset ${VARIABLE}`);
  }
  const owner = (await recorded(names))?.owner;
  if (owner !== undefined) {
    await killProcess(owner);
    await poll("the lab's keeper to end", async () => !(await isAlive(owner)), { seconds: 10 });
  }
  await endLab(names);
}
