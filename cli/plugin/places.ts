import { MpiError } from "../../stack/errors.ts";
import { configDir } from "../docker/config_dir.ts";
import { metadata } from "../docker/metadata.ts";

/** Where an installed plugin has its files. */
export interface Places {
  /** The plugin itself. */
  plugin: string;
  /** Ours in Docker's configuration directory; the keys of clusters are in it too. */
  own: string;
  /** Copies of Deno, where the one that was used is part of the checkout. */
  runtime: string;
}

/** The places for the user who runs this. */
export function places(): Places {
  const config = configDir(undefined, (name) => Deno.env.get(name));
  const exe = Deno.build.os === "windows" ? ".exe" : "";
  return { plugin: `${config}/cli-plugins/docker-mpi${exe}`, own: `${config}/mpi`, runtime: `${config}/mpi/runtime` };
}

/** Refuses to touch a plugin of that name that somebody else made. */
export async function checkOurs(plugin: string): Promise<void> {
  if (!await exists(plugin) || await vendorOf(plugin) === metadata.Vendor) return;
  throw new MpiError("conflict", `"${plugin}" exists and is not ours`, { hint: `move it away: mv '${plugin}' /tmp` });
}

/** Whether there is something at that path. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function vendorOf(plugin: string): Promise<unknown> {
  try {
    const { stdout } = await new Deno.Command(plugin, {
      args: ["docker-cli-plugin-metadata"],
      signal: AbortSignal.timeout(5000),
      stdin: "null",
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout)).Vendor;
  } catch {
    return undefined;
  }
}
