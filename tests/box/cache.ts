/** What is kept from run to run, in the user's cache folder; the script `box` has the same. */

/** That folder. */
export function cacheFolder(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? ""}/.cache`;
  return `${home}/docker-mpi`;
}

/** Makes something below that folder once: `make` gets a temporary name, and only what is whole gets the right one. */
export async function kept(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = `${cacheFolder()}/${name}`;
  if (await exists(path)) return path;
  await Deno.mkdir(cacheFolder(), { recursive: true });
  await removeUnfinished();
  const unfinished = `${path}${UNFINISHED}${crypto.randomUUID()}`;
  await make(unfinished);
  // Another run may have made it meanwhile.
  await Deno.rename(unfinished, path).catch(async (error) => {
    if (!(await exists(path))) throw error;
  });
  return path;
}

const UNFINISHED = ".unfinished-";

/** Nothing takes so long. */
const HOUR_MS = 3600_000;

/** What runs that were killed have left. */
async function removeUnfinished(): Promise<void> {
  for await (const { name } of Deno.readDir(cacheFolder())) {
    const path = `${cacheFolder()}/${name}`;
    if (!name.includes(UNFINISHED)) continue;
    const made = (await Deno.lstat(path)).mtime?.getTime() ?? 0;
    if (Date.now() - made > HOUR_MS) await Deno.remove(path, { recursive: true });
  }
}

/** Whether there is something of that name. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
