/** The files of this checkout. */

/** Its root. */
export const ROOT: URL = new URL("../../", import.meta.url);

/**
 * The files in a folder, and in those below it.
 *
 * @param folder From the root, ending in a slash.
 * @returns Their paths from that folder.
 */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, ROOT)));
  const lists = entries.map(async ({ name, isDirectory }) =>
    isDirectory ? (await filesBelow(`${folder}${name}/`)).map((path) => `${name}/${path}`) : [name]
  );
  return (await Promise.all(lists)).flat();
}
