import { join } from "node:path";
import type { Engine } from "../../stack/engine/swarm.ts";
import { MpiError } from "../../stack/errors.ts";
import type { Report } from "../../stack/event.ts";
import { mpiArgs, neededBases, unknownBases } from "../../stack/image/dockerfile.ts";
import {
  baseImages,
  buildProject,
  ensureBase,
  requireBuilt,
  requireMpi,
  requireOwn,
} from "../../stack/image/images.ts";
import { LABELS } from "../../stack/labels.ts";
import type { Settings } from "../../stack/settings/settings.ts";
import type { Deps } from "../deps.ts";
import { VERSION } from "../docker/metadata.ts";
import { tarball } from "./tar.ts";

/** Whether there is a Dockerfile at that path. */
export async function hasDockerfile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

/** How to build a project's image: where its Dockerfile is, what the settings say, and further build-time variables. */
export interface ImageBuild {
  directory: string;
  settings: Settings;
  buildArgs?: readonly string[];
  /** Looks for a newer version of what the images start from. */
  pull?: boolean | undefined;
  /** Further arguments for `docker build`. */
  args?: readonly string[];
}

/**
 * Builds the image of a project; those of our own images that it starts from are made first, if they are missing.
 *
 * @throws {MpiError} `settings` if the directory has no Dockerfile, or one for another MPI than the settings have; `conflict` if
 * the name that it has by default is that of somebody else's image; `build` if a build fails, or must for what it takes.
 */
export async function buildImage(
  deps: Deps,
  engine: Engine,
  { directory, settings, buildArgs = [], pull = false, args = [] }: ImageBuild,
  report: Report,
): Promise<void> {
  const path = join(directory, "Dockerfile");
  const dockerfile = await Deno.readTextFile(path).catch((error) => {
    throw new MpiError("settings", `There is no readable Dockerfile in "${directory}"`, {
      hint: "docker mpi init hello  # makes a project with one",
      cause: error,
    });
  });
  const variables = [...mpiArgs(dockerfile, settings.mpi), ...buildArgs];
  const unknown = unknownBases(dockerfile, baseImages(VERSION), variables);
  await refuseUnknown(engine, dockerfile, unknown);
  if (settings.sources.image.from === "default") requireOwn(settings.image, await engine.image(settings.image));
  const bases = neededBases(dockerfile, baseImages(VERSION), variables);
  const remedy = `ARG MPI=mpich and FROM docker-mpi/\${MPI}:${VERSION}-dev in the Dockerfile let the setting choose`;
  for (const { reference, mpi } of bases) requireMpi(settings, reference, mpi, remedy);
  for (const base of bases) {
    await ensureBase(engine, deps.docker, base, () => imagesContext(deps), report, deps.signal, pull);
  }
  const label = ["--label", `${LABELS.project}=${settings.name}`];
  const renew = pull && bases.length + unknown.length === 0 ? ["--pull"] : [];
  const pairs = variables.flatMap((variable) => ["--build-arg", variable]);
  await buildProject(
    deps.docker,
    { directory, image: settings.image, args: [...label, ...renew, ...args, ...pairs] },
    report,
    deps.signal,
  );
  requireBuilt(settings.image, await engine.image(settings.image) !== undefined);
}

/** Images under our names that another version has made are of use while the engine has them; no registry has them. */
async function refuseUnknown(
  engine: Engine,
  dockerfile: string,
  unknown: ReturnType<typeof unknownBases>,
): Promise<void> {
  for (const { name, instead } of unknown) {
    if (await engine.image(name) !== undefined) continue;
    throw new MpiError("build", `The Dockerfile takes ${name}, which docker mpi ${VERSION} does not make`, {
      hint: dockerfile.includes(name)
        ? `sed -i.orig 's|${name}|${instead}|' Dockerfile  # takes what it makes`
        : `${instead} is what it makes: correct the variables in the Dockerfile`,
    });
  }
}

/** Everything below `images/`, which travels inside the program, as a build context. */
export async function imagesContext(deps: Deps): Promise<Uint8Array> {
  return await tarball(await deps.assets.tree("images"));
}
