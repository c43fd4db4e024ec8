import { createHash } from "node:crypto";
import type { DockerCli } from "../engine/docker_cli.ts";
import type { Engine, LocalImage } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import { LABELS } from "../labels.ts";
import { type Implementation, IMPLEMENTATIONS } from "../settings/schema.ts";
import type { Settings } from "../settings/settings.ts";
import { typed } from "../shell.ts";
import { familiar } from "./image_name.ts";
import { pullFailure, REGISTRY_SAYS, tryPull } from "./registry.ts";

/** One of our own images, which projects are built from. */
export interface BaseImage {
  /** Its name, `docker-mpi/mpich:0.1.0-dev`. */
  reference: string;
  /** Its MPI. */
  mpi: Implementation;
  /** The target in `images/Dockerfile`. */
  target: "runtime" | "dev";
}

/**
 * The images that this version builds by itself.
 *
 * They are made on the engine where they are missing and never pulled by these names: who holds them in a public registry
 * is beyond our control. A project that has them from a registry of its own names that registry in its Dockerfile.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { baseImages } from "./images.ts";
 *
 * const names = baseImages("1.0.0").map(({ reference }) => reference);
 * assert.deepEqual(names.slice(0, 2), ["docker-mpi/mpich:1.0.0", "docker-mpi/mpich:1.0.0-dev"]);
 * ```
 *
 * @param version The version of `docker mpi`.
 * @returns For each MPI the image that programs run in, and the one that they are built in.
 */
export function baseImages(version: string): BaseImage[] {
  return IMPLEMENTATIONS.flatMap((mpi): BaseImage[] => [
    { reference: `docker-mpi/${mpi}:${version}`, mpi, target: "runtime" },
    { reference: `docker-mpi/${mpi}:${version}-dev`, mpi, target: "dev" },
  ]);
}

/**
 * Makes sure that an image is for the MPI that was asked for.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resolveSettings } from "../settings/settings.ts";
 * import { requireMpi } from "./images.ts";
 *
 * const settings = await resolveSettings({ flags: { mpi: "openmpi" }, directory: "/home/ada/hello" });
 * requireMpi(settings, "hello", undefined, "docker mpi build");
 * const wrong = () => requireMpi(settings, "hello", "mpich", "docker mpi build");
 * assert.throws(wrong, { code: "settings", message: 'Image "hello" has mpich, but --mpi asks for openmpi' });
 * ```
 *
 * @param settings What was asked for; nothing: any MPI is right.
 * @param image The image's name.
 * @param mpi What it is for; none: unknown.
 * @param hint What to do if it is another.
 * @throws {MpiError} `settings` if it is.
 */
export function requireMpi(
  { mpi: wanted, sources }: Settings,
  image: string,
  mpi: string | undefined,
  hint: string,
): void {
  if (wanted === undefined || mpi === undefined || wanted === mpi) return;
  throw new MpiError("settings", `Image "${image}" has ${mpi}, but ${sources.mpi.where} asks for ${wanted}`, { hint });
}

/**
 * Makes sure that a build that nobody has given a name takes none from an image of somebody else's.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requireOwn } from "./images.ts";
 *
 * requireOwn("hello:latest", { id: "sha256:1", labels: { "docker-mpi.project": "hello" }, digests: [] });
 * const python = { id: "sha256:2", labels: {}, digests: [] };
 * assert.throws(() => requireOwn("python:latest", python), { code: "conflict" });
 * ```
 *
 * @param image The image's name.
 * @param there What the engine has under it.
 * @throws {MpiError} `conflict` if that is neither built by `docker mpi` nor from one of our images.
 */
export function requireOwn(image: string, there: LocalImage | undefined): void {
  if (there === undefined || Object.keys(there.labels).some((label) => label.startsWith("docker-mpi."))) return;
  throw new MpiError("conflict", `There is an image "${image}" already, which docker mpi did not build`, {
    hint: `echo 'image: ${familiar(image)}-mpi' >> mpi.yaml  # gives the project's another name`,
  });
}

/** Makes the build context of our images: everything below `images/`, as a tar archive. */
export type ImagesContext = () => Promise<Uint8Array>;

/**
 * Makes a base image on the engine, unless it is there and was made from the same files.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { baseImages, ensureBase } from "./images.ts";
 *
 * let [labels, builds]: [Record<string, string>, number] = [{}, 0];
 * const engine = { image: () => Promise.resolve({ id: "sha256:1", labels, digests: [] }) } as unknown as Engine;
 * const run = (args: readonly string[]) => {
 *   builds++;
 *   labels = Object.fromEntries([args[args.indexOf("--label") + 1]!.split("=")]);
 *   return Promise.resolve({ code: 0, stdout: "", stderr: "" });
 * };
 * const docker = { run, attach: () => Promise.resolve(1) };
 * const context = () => Promise.resolve(new TextEncoder().encode("(a tar archive)"));
 * const { signal } = new AbortController();
 * const [base] = baseImages("1.0.0");
 * for (const _ of [1, 2]) await ensureBase(engine, docker, base!, context, () => {}, signal);
 * assert.equal(builds, 1);
 * ```
 *
 * @param renew Makes it in any case, from nothing, with the newest Debian and packages that there are.
 * @throws {MpiError} `build` with the end of what the build said.
 */
export async function ensureBase(
  engine: Engine,
  docker: DockerCli,
  base: BaseImage,
  context: ImagesContext,
  report: Report,
  signal: AbortSignal,
  renew = false,
): Promise<void> {
  const files = await context();
  const digest = createHash("sha256").update(files).digest("hex");
  if (!renew && (await engine.image(base.reference))?.labels[LABELS.context] === digest) return;
  const label = ["--label", `${LABELS.context}=${digest}`];
  const chosen = ["--target", base.target, "--build-arg", `MPI=${base.mpi}`];
  const args = ["build", ...(renew ? ["--pull", "--no-cache"] : []), ...chosen, "-t", base.reference, ...label, "-"];
  await build(docker, base.reference, args, report, signal, files);
  requireBuilt(base.reference, (await engine.image(base.reference))?.labels[LABELS.context] === digest);
}

/**
 * Makes sure that a build has brought its image to the engine: builders that are containers keep it to themselves.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requireBuilt } from "./images.ts";
 *
 * requireBuilt("hello:latest", true);
 * assert.throws(() => requireBuilt("hello:latest", false), /The build of "hello:latest" ended well, but the engine does not have it/);
 * ```
 *
 * @param image Its name.
 * @param isThere Whether the engine has it.
 * @throws {MpiError} `build` if not.
 */
export function requireBuilt(image: string, isThere: boolean): void {
  if (isThere) return;
  throw new MpiError("build", `The build of "${image}" ended well, but the engine does not have it`, {
    hint: "BUILDX_BUILDER=default docker mpi build  # has the engine build; docker buildx ls shows who does now",
  });
}

/** How to build a project's image. */
export interface ProjectBuild {
  /** The project's directory, with its Dockerfile. */
  directory: string;
  /** The name that the image gets. */
  image: string;
  /** Further arguments for `docker build`. */
  args: readonly string[];
}

/**
 * Builds a project's image with the user's own `docker build`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { DockerRunOptions } from "../engine/docker_cli.ts";
 * import { buildProject } from "./images.ts";
 *
 * const run = (_args: readonly string[], { onLine }: DockerRunOptions = {}) => {
 *   for (const line of ["Step 1/2 : FROM hallo", "manifest unknown"]) onLine?.(line);
 *   return Promise.resolve({ code: 1, stdout: "", stderr: "" });
 * };
 * const docker = { run, attach: () => Promise.resolve(1) };
 * const project = { directory: "/home/ada/hello", image: "hello", args: ["--no-cache"] };
 * await assert.rejects(buildProject(docker, project, () => {}, new AbortController().signal), {
 *   message: 'Docker could not build "hello" (status 1):\nStep 1/2 : FROM hallo\nmanifest unknown',
 *   hint: "docker build -t hello --no-cache /home/ada/hello  # shows all of it",
 * });
 * ```
 *
 * @throws {MpiError} `build` with the end of what the build said.
 */
export async function buildProject(
  docker: DockerCli,
  { directory, image, args }: ProjectBuild,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  await build(docker, image, ["build", "-t", image, ...args, directory], report, signal);
}

/** A build-time variable may be a secret: `TOKEN=…`. */
function withoutValue(arg: string, at: number, args: readonly string[]): string {
  return args[at - 1] === "--build-arg" ? arg.replace(/=.*/s, "=…") : arg;
}

/** The lines of a build that tell how far it is: both builders number their steps. */
const STEP = /^(Step \d+\/\d+|#\d+ \[)/;

/**
 * Else BuildKit notes in an image when it was built, wherever the engine can keep that: the image would have a new id each
 * time, though nothing changed, and every deployment would restart all nodes.
 */
const ENV = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" };

/** How many lines of a failed build to show. */
const TAIL = 15;

async function build(
  docker: DockerCli,
  image: string,
  args: readonly string[],
  report: Report,
  signal: AbortSignal,
  stdin?: Uint8Array,
): Promise<void> {
  const resource = `image ${image}`;
  const started = performance.now();
  report({ resource, state: "working", text: "building" });
  const tail: string[] = [];
  const { code } = await docker.run(args, {
    signal,
    env: ENV,
    ...(stdin === undefined ? {} : { stdin }),
    onLine(line) {
      // The old builder colours errors, whatever it writes to.
      // deno-lint-ignore no-control-regex
      const text = line.replace(/\x1b\[[\d;]*m/g, "").trim();
      if (text === "") return;
      tail.push(text);
      if (tail.length > TAIL) tail.shift();
      if (STEP.test(text)) report({ resource, state: "working", text: text.replace(/\s+/g, " ").slice(0, 100) });
    },
  });
  signal.throwIfAborted();
  if (code !== 0) {
    throw new MpiError("build", `Docker could not build "${image}" (status ${code}):\n${tail.join("\n")}`, {
      hint: stdin === undefined
        ? `${typed("docker", ...args.map(withoutValue))}  # shows all of it`
        : "docker pull debian:trixie-slim  # shows whether its registry can be reached; packages come from Debian's mirror",
    });
  }
  report({ resource, state: "done", text: `built in ${((performance.now() - started) / 1000).toFixed(0)} s` });
}

/**
 * Finds the image of a cluster: on the engine, or else in its registry.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine, LocalImage } from "../engine/swarm.ts";
 * import { findImage } from "./images.ts";
 *
 * const there: LocalImage[] = [];
 * const engine = { image: () => Promise.resolve(there[0]) } as unknown as Engine;
 * const run = () => {
 *   there.push({ id: "sha256:1", labels: {}, digests: ["ada/hello@sha256:2"] });
 *   return Promise.resolve({ code: 0, stdout: "", stderr: "" });
 * };
 * const docker = { run, attach: () => Promise.resolve(1) };
 * const { signal } = new AbortController();
 * assert.equal((await findImage(engine, docker, "ada/hello", () => {}, signal)).id, "sha256:1");
 * await findImage(engine, docker, "ada/hello", () => {}, signal);
 * assert.equal(there.length, 1, "what the engine has is not pulled");
 * ```
 *
 * @returns What the engine has.
 * @throws {MpiError} `not-found` if neither has it.
 */
export async function findImage(
  engine: Engine,
  docker: DockerCli,
  image: string,
  report: Report,
  signal: AbortSignal,
): Promise<LocalImage> {
  const local = await engine.image(image);
  if (local !== undefined) return local;
  const why = await tryPull(docker, image, report, signal);
  const pulled = await engine.image(image);
  if (pulled !== undefined) return pulled;
  const failure = why === undefined ? "missing" : pullFailure(why);
  const where = ["unreachable", "failing"].includes(failure)
    ? `is not on this engine, and its registry ${REGISTRY_SAYS[failure]}`
    : "is neither on this engine nor in its registry";
  throw new MpiError("not-found", `Image "${image}" ${where}: ${why ?? "it went as soon as it was pulled"}`, {
    hint: "docker mpi build  # in the project's directory makes it; image: in mpi.yaml names another",
  });
}
