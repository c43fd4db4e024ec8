/** Folders for the time of a run. */
import type { Ending } from "./ending.ts";
import { isAlive, processOf } from "./processes.ts";

const PREFIX = "docker-mpi-test.";

/** Makes a temporary folder that `ending` removes, and removes those of runs that were killed. */
export async function makeScratch(ending: Ending): Promise<string> {
  const home = Deno.env.get("TMPDIR") || "/tmp";
  await sweep(home);
  // The name says whose it is; without /proc nobody can be told from a successor.
  const start = (await processOf(Deno.pid))?.start ?? "0";
  const folder = `${home}/${PREFIX}${Deno.pid}-${start}`;
  await Deno.mkdir(folder, { mode: 0o700 });
  ending.defer(`remove ${folder}`, () => Deno.remove(folder, { recursive: true }));
  return folder;
}

async function sweep(home: string): Promise<void> {
  for await (const { name } of Deno.readDir(home)) {
    const owner = ownerOf(name);
    if (owner === undefined || await isAlive(owner)) continue;
    const info = await Deno.lstat(`${home}/${name}`).catch(() => undefined);
    if (info?.isDirectory && info.uid === Deno.uid()) await Deno.remove(`${home}/${name}`, { recursive: true });
  }
}

/** The process that a scratch folder belongs to, by its name. */
export function ownerOf(name: string): { pid: number; start: string } | undefined {
  const match = /^docker-mpi-test\.(\d+)-([1-9]\d*)$/.exec(name);
  return match === null ? undefined : { pid: Number(match[1]), start: match[2] ?? "" };
}
