import type { DockerCli } from "../engine/docker_cli.ts";
import type { LocalImage, SwarmNode } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import { type Limit, withinLimit } from "../limit.ts";
import { some } from "../text.ts";
import { familiar, namesRegistry, registryHost, repositoryOf } from "./image_name.ts";
import { lastLine, pullFailure, REGISTRY_SAYS } from "./registry.ts";

/** Whether to ask the registry that hosts get the image from, or to take it that every host has it: Docker's own words. */
export type ResolveImage = "always" | "never";

/**
 * Finds the digest under which an image's own registry knows it; none if it was only built here, or changed since.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { digestOf } from "./distribution.ts";
 *
 * const local = { id: "sha256:1", labels: {}, digests: ["example.org/hello@sha256:2"] };
 * assert.equal(digestOf("example.org/hello:1", local), "sha256:2");
 * assert.equal(digestOf("example.com/hello:1", local), undefined);
 * ```
 *
 * @param image Its name.
 * @param local What the engine has under that name.
 * @returns The digest, `sha256:…`, or nothing.
 */
export function digestOf(image: string, local: LocalImage): string | undefined {
  const found = local.digests.find((digest) => familiar(digest) === familiar(image));
  return found?.slice(found.indexOf("@") + 1);
}

/**
 * Whether an image may be in no registry, although it has a digest: an engine that keeps images in containerd gives what it
 * built itself a digest too, its id, and a single word is no name that anybody but Docker could push to.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mayBeLocal } from "./distribution.ts";
 *
 * const built = { id: "sha256:1", labels: {}, digests: ["hello@sha256:1"] };
 * assert.ok(mayBeLocal("hello:latest", built));
 * assert.ok(!mayBeLocal("ada/hello:latest", { ...built, digests: ["ada/hello@sha256:1"] }));
 * ```
 *
 * @param image Its name.
 * @param local What the engine has under that name.
 */
export function mayBeLocal(image: string, local: LocalImage): boolean {
  return !namesRegistry(image) && digestOf(image, local) === local.id;
}

/**
 * Writes down which image the nodes are to run, so that no other can take its place: by the registry's digest, or else by its
 * id. By its name alone, an engine looks in the registry first, for `hello:latest` on Docker Hub, and takes what it finds.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pinImage } from "./distribution.ts";
 *
 * const built = { id: "sha256:1", labels: {}, digests: [] };
 * assert.equal(pinImage("hello:latest", built, false), "sha256:1");
 * const pushed = { ...built, digests: ["example.org/hello@sha256:2"] };
 * assert.equal(pinImage("example.org/hello:1", pushed, true), "example.org/hello:1@sha256:2");
 * ```
 *
 * @param image Its name.
 * @param local What the engine has under that name.
 * @param elsewhere Whether other hosts are to run it, too.
 */
export function pinImage(image: string, local: LocalImage, elsewhere: boolean): string {
  if (image.includes("@")) return image;
  const digest = digestOf(image, local);
  return digest === undefined || (!elsewhere && mayBeLocal(image, local)) ? local.id : `${image}@${digest}`;
}

/** An image, and the hosts that need it. */
export interface Distribution {
  /** Its name. */
  image: string;
  /** What this engine has under that name; nothing: what it has will be replaced. */
  local: LocalImage | undefined;
  /** The hosts that may get nodes. */
  hosts: readonly SwarmNode[];
  /** The node id of this engine. */
  here: string;
}

/**
 * Whether nodes may start on other hosts than this engine's.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { needsRegistry } from "./distribution.ts";
 *
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes: {} };
 * assert.ok(!needsRegistry({ hosts: [host], here: "1" }));
 * assert.ok(needsRegistry({ hosts: [host, { ...host, id: "2" }], here: "1" }));
 * ```
 *
 * @param distribution The hosts that may get nodes, and this engine.
 */
export function needsRegistry({ hosts, here }: Pick<Distribution, "hosts" | "here">): boolean {
  return hosts.some(({ id }) => id !== here);
}

/**
 * Makes sure that an image which other hosts need has ever been in a registry.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requireDigest } from "./distribution.ts";
 *
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes: {} };
 * const local = { id: "sha256:1", labels: {}, digests: [] };
 * requireDigest({ image: "ada/hello", local, hosts: [host], here: "1" });
 * const elsewhere = { image: "ada/hello", local, hosts: [host], here: "2" };
 * assert.throws(() => requireDigest(elsewhere), /"ada\/hello" is on this engine only/);
 * requireDigest({ ...elsewhere, local: { ...local, digests: ["ada/hello@sha256:2"] } });
 * ```
 *
 * @param needs The image, and the hosts that need it.
 * @throws {MpiError} `not-found` if this engine alone has it.
 */
export function requireDigest(needs: Distribution): void {
  const refusal = refusalOf(needs);
  if (refusal !== undefined) throw refusal;
}

/**
 * Why an image can't reach all hosts that need it; nothing if it can.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { refusalOf } from "./distribution.ts";
 *
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes: {} };
 * const local = { id: "sha256:1", labels: {}, digests: [] };
 * assert.equal(refusalOf({ image: "hello", local, hosts: [host], here: "1" }), undefined);
 * assert.equal(refusalOf({ image: "hello", local, hosts: [host], here: "2" })?.code, "not-found");
 * ```
 *
 * @param needs The image, and the hosts that need it.
 * @returns An error `not-found` that can be thrown, or nothing.
 */
export function refusalOf(needs: Distribution): MpiError | undefined {
  const { image, local } = needs;
  const known = local !== undefined && digestOf(image, local) !== undefined;
  return known || !needsRegistry(needs) ? undefined : onlyHere(needs);
}

/**
 * The error of an image that other hosts can't get.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { onlyHere } from "./distribution.ts";
 *
 * const host = { id: "1", hostname: "a", address: "10.0.0.1", state: "ready", availability: "active", attributes: {} };
 * const error = onlyHere({ image: "ada/hello", hosts: [host] });
 * assert.equal(error.message, 'Image "ada/hello" is on this engine only, and nodes may start on host a');
 * assert.match(error.hint ?? "", /^docker mpi deploy --push {2}# /);
 * assert.match(onlyHere({ image: "hello", hosts: [host] }).hint ?? "", /--push --image registry.example.org\/hello /);
 * ```
 *
 * @param distribution The image, and the hosts that may get nodes.
 * @returns An error `not-found`; its hint has another name for the image where its own names no registry.
 */
export function onlyHere({ image, hosts }: Pick<Distribution, "image" | "hosts">): MpiError {
  const to = namesRegistry(image) ? "" : ` --image registry.example.org/${familiar(image)}`;
  const what = to === "" ? "takes it to its registry" : "takes it to a registry of yours";
  return new MpiError("not-found", `Image "${image}" is on this engine only, and nodes may start on ${names(hosts)}`, {
    hint: `docker mpi deploy --push${to}  # ${what}; --resolve-image never if every host has it already`,
  });
}

/**
 * Makes sure that the registry gives the other hosts what this engine has, before anything is changed.
 *
 * Pulling what is there already, by its digest, is a question to the registry in the user's own name, and changes nothing.
 * An engine that has seen the answer for that digest asks no more than whether the registry is there.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkDistribution } from "./distribution.ts";
 *
 * const host = { id: "2", hostname: "b", address: "10.0.0.2", state: "ready", availability: "active", attributes: {} };
 * const local = { id: "sha256:1", labels: {}, digests: ["ada/hello@sha256:2"] };
 * const distribution = { image: "ada/hello:1", local, hosts: [host], here: "1" };
 * const said = { code: 1, stdout: "", stderr: "Error response from daemon: manifest unknown\n" };
 * const docker = { run: () => Promise.resolve(said), attach: () => Promise.resolve(1) };
 * const limit = { timeout: 5000, signal: new AbortController().signal };
 * const checked = checkDistribution(docker, distribution, limit, () => {});
 * await assert.rejects(checked, /does not have what this engine has, and nodes may start on host b: manifest unknown/);
 * ```
 *
 * @throws {MpiError} `not-found` if it doesn't, with what to do about it.
 */
export async function checkDistribution(
  docker: DockerCli,
  distribution: Distribution,
  limit: Limit,
  report: Report,
): Promise<void> {
  requireDigest(distribution);
  const { image, local, hosts } = distribution;
  if (!needsRegistry(distribution) || local === undefined) return;
  const resource = `image ${image}`;
  const exact = `${repositoryOf(image)}@${digestOf(image, local)}`;
  report({ resource, state: "working", text: "asking its registry" });
  const { code, stderr } = await withinLimit(
    limit,
    (signal) => docker.run(["pull", "--quiet", exact], { signal }),
    () =>
      new MpiError("timeout", `The registry of image "${image}" did not answer within ${limit.timeout / 1000} s`, {
        hint: `docker pull ${exact}  # tries it again; --resolve-image never deploys with what the hosts have`,
      }),
  );
  if (code === 0) return report({ resource, state: "done", text: "in its registry" });
  const why = lastLine(stderr);
  const failure = pullFailure(why);
  if (["refused", "missing"].includes(failure) && mayBeLocal(image, local)) throw onlyHere(distribution);
  const again = `docker pull ${exact}  # tries it again; --resolve-image never deploys with what the hosts have`;
  const hint = {
    unreachable: again,
    failing: again,
    refused: `docker login${registryHost(image)}  # and then: docker mpi deploy --with-registry-auth`,
    missing: "docker mpi deploy --push  # takes it there",
  }[failure];
  const says = failure === "missing" ? "does not have what this engine has" : REGISTRY_SAYS[failure];
  throw new MpiError(
    "not-found",
    `The registry of image "${image}" ${says}, and nodes may start on ${names(hosts)}: ${why}`,
    { hint },
  );
}

function names(hosts: readonly SwarmNode[]): string {
  const named = some(hosts.map(({ hostname }) => hostname).sort());
  return hosts.length === 1 ? `host ${named}` : `${hosts.length} hosts: ${named}`;
}
