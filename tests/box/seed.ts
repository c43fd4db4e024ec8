/**
 * The seed: images that engines in boxes start with, made once and kept in the cache.
 *
 * It is what an engine of version 20.10 or later keeps of images with the driver overlay2, two folders. Each engine gets
 * them by hard links, which takes half a second and no disk.
 */
import { createHash } from "node:crypto";
import { cacheFolder, kept } from "./cache.ts";
import { must } from "./command.ts";
import { needPrograms } from "./packages.ts";
import { tell } from "./tell.ts";
import { inBox, needBoxPrograms } from "./words.ts";

/** An MPI whose development image is in a seed. */
export type SeedMpi = "mpich" | "openmpi";

/** What a seed is made from, below the root of the checkout. */
const SOURCES = ["images", "examples/hello", "tests/box/make_seed.ts", "tests/box/base_image.ts"];

const ROOT = new URL("../../", import.meta.url);

/** Two images with the packages of a slow mirror. */
const LIMIT_SECONDS = 900;

/** Gives the folder of the seed with the images of these MPIs, which is made where it is not there. */
export async function needSeed(mpis: SeedMpi[], signal?: AbortSignal): Promise<string> {
  const kind = `seed-${mpis.join("-")}-`;
  const name = `${kind}${await digestOf(SOURCES)}`;
  const path = await kept(name, (unfinished) => make(unfinished, mpis, signal));
  for await (const old of Deno.readDir(cacheFolder())) {
    const isOld = old.name.startsWith(kind) && /^[0-9a-f]+$/.test(old.name.slice(kind.length)) && old.name !== name;
    if (isOld) await Deno.remove(`${cacheFolder()}/${old.name}`, { recursive: true });
  }
  return path;
}

async function make(path: string, mpis: SeedMpi[], signal?: AbortSignal): Promise<void> {
  tell(`making the images, once: ${mpis.join(", ")}`);
  const begin = Date.now();
  await needBoxPrograms(signal);
  await needPrograms({ mmdebstrap: "mmdebstrap" }, signal);
  const words = [...inBox(new URL("make_seed.ts", import.meta.url)), path, ...mpis];
  await must(words, { seconds: LIMIT_SECONDS, ...(signal === undefined ? {} : { signal }) });
  const folders = ["overlay2", "image"];
  for await (const { name } of Deno.readDir(path)) {
    if (!folders.includes(name)) await Deno.remove(`${path}/${name}`, { recursive: true });
  }
  tell(`the images are made, in ${Math.round((Date.now() - begin) / 1000)} s`);
}

/** A name for the files at or below these paths. */
async function digestOf(paths: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) await add(path);
  return hash.digest("hex").slice(0, 16);

  async function add(path: string): Promise<void> {
    const url = new URL(path, ROOT);
    if (!(await Deno.stat(url)).isDirectory) {
      hash.update(`${path}\0`).update(await Deno.readFile(url)).update("\0");
      return;
    }
    const names = (await Array.fromAsync(Deno.readDir(url))).map((entry) => entry.name).sort();
    for (const name of names) await add(`${path}/${name}`);
  }
}
