/**
 * `deno task uninstall`: removes what `deno task install` made. Keys of clusters stay.
 *
 * @module
 */
import { checkOurs, exists, type Places, places } from "./places.ts";
import { script } from "./script.ts";

/** Removes the plugin and its copies of Deno, and folders of ours that this leaves empty. */
async function uninstall({ plugin, own, runtime }: Places): Promise<boolean> {
  const was = await exists(plugin);
  await checkOurs(plugin);
  if (was) await Deno.remove(plugin);
  if (!await exists(runtime)) return was;
  for await (const { name } of Deno.readDir(runtime)) {
    if (name.startsWith("deno-")) await Deno.remove(`${runtime}/${name}`);
  }
  // Not recursive: a folder with something else in it stays.
  for (const folder of [runtime, own]) await Deno.remove(folder).catch(() => {});
  return was;
}

if (import.meta.main) {
  await script(async (say) => {
    const where = places();
    await say(await uninstall(where) ? `Removed ${where.plugin}` : `There is no ${where.plugin}`);
  });
}
