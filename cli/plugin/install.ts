/**
 * `deno task install`: builds the plugin and puts it where Docker looks for the plugins of this user.
 *
 * @module
 */
import { dirname } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { build, type Built, FORMS } from "./build.ts";
import { root } from "./bundle.ts";
import { checkOurs, exists, type Places, places } from "./places.ts";
import { script } from "./script.ts";

/**
 * Finds the Deno that the plugin is to run with. One that is part of the checkout is copied, since the plugin must
 * outlive the checkout.
 */
async function runtimeFor({ runtime }: Places): Promise<string> {
  const deno = await Deno.realPath(Deno.execPath());
  if (!deno.startsWith(`${await Deno.realPath(root)}/`)) return deno;
  const copy = `${runtime}/deno-${Deno.version.deno}`;
  await Deno.mkdir(runtime, { recursive: true });
  await removeOthers(runtime, copy);
  if (!await exists(copy)) {
    await atomically(copy, async (path) => await Deno.link(deno, path).catch(() => Deno.copyFile(deno, path)));
  }
  return copy;
}

async function removeOthers(folder: string, keep: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("deno-") && `${folder}/${name}` !== keep) await Deno.remove(`${folder}/${name}`);
  }
}

/** Writes the name of the Deno to use into the launcher. */
function withRuntime(launcher: string, deno: string): string {
  // The script stands in a comment of JavaScript, and the path in single quotes of sh.
  if (deno.includes("*/")) throw new MpiError("usage", `The path of Deno, "${deno}", must not contain "*/"`);
  return launcher.replace("'@DENO@'", () => `'${deno.replaceAll("'", `'\\''`)}'`);
}

/** Makes a file under another name and moves it into its place, so that nobody ever sees a half of it. */
async function atomically(path: string, make: (path: string) => Promise<void>): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const half = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    await make(half);
    await Deno.chmod(half, 0o755);
    await Deno.rename(half, path);
  } catch (error) {
    await Deno.remove(half).catch(() => {});
    throw error;
  }
}

/** Puts what was built where Docker finds it. */
async function put(path: string, form: Built["form"], where: Places): Promise<void> {
  if (form === "compiled") return await atomically(where.plugin, (half) => Deno.copyFile(path, half));
  const launcher = withRuntime(await Deno.readTextFile(path), await runtimeFor(where));
  await atomically(where.plugin, (half) => Deno.writeTextFile(half, launcher));
}

if (import.meta.main) {
  await script(async (say) => {
    const where = places();
    await checkOurs(where.plugin);
    // Not in the checkout: after `sudo ./dev demo` its owner could not write there any more.
    const folder = await Deno.makeTempDir({ prefix: "docker-mpi-install-" });
    try {
      const { path, form } = await build(folder, say);
      await put(path, form, where);
      await say(`Installed ${where.plugin} (${FORMS[form]})`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    await say("Try: docker mpi --help");
  });
}
