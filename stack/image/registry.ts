import type { DockerCli } from "../engine/docker_cli.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import { familiar, hasOurName, namesRegistry, registryHost } from "./image_name.ts";

/**
 * Pushes an image to its registry.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pushImage } from "./registry.ts";
 *
 * const said = { code: 1, stdout: "", stderr: "denied: requested access to the resource is denied\n" };
 * const docker = { run: () => Promise.resolve(said), attach: () => Promise.resolve(1) };
 * const pushed = pushImage(docker, "example.org/ada/hello", () => {}, new AbortController().signal);
 * await assert.rejects(pushed, { code: "build", hint: /^docker login example.org {2}# / });
 * ```
 *
 * @throws {MpiError} `build` if the registry doesn't take it, with what it says.
 */
export async function pushImage(docker: DockerCli, image: string, report: Report, signal: AbortSignal): Promise<void> {
  const resource = `image ${image}`;
  report({ resource, state: "working", text: "pushing" });
  const { code, stderr } = await docker.run(["push", image], {
    signal,
    onLine: (text) => text.trim() && report({ resource, state: "working", text: text.trim() }),
  });
  signal.throwIfAborted();
  if (code === 0) return report({ resource, state: "done", text: "pushed" });
  const why = lastLine(stderr);
  throw new MpiError("build", `Docker could not push "${image}": ${why}`, { hint: pushRemedy(image, why) });
}

function pushRemedy(image: string, why: string): string {
  if (/HTTP response to HTTPS client|x509|certificate/.test(why)) {
    return "docker info  # shows the insecure registries; one without TLS must be among them, on every host";
  }
  if (["unreachable", "failing"].includes(pullFailure(why))) return `docker push ${image}  # tries it again`;
  return `docker login${
    registryHost(image)
  }  # and a name that is yours to push to: image: registry.example.org/team/hello`;
}

/**
 * Makes sure that an image's name says where to push it, before it is built.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { requireRegistry } from "./registry.ts";
 *
 * requireRegistry("example.org/hello", "docker mpi build");
 * assert.throws(() => requireRegistry("hello", "docker mpi build"), {
 *   message: 'Image "hello" names no registry to push it to',
 *   hint: /^docker mpi build --push --image registry\.example\.org\/hello {2}# /,
 * });
 * ```
 *
 * @param image Its name.
 * @param command What pushes, for the hint: `docker mpi build`.
 * @throws {MpiError} `settings` if it doesn't.
 */
export function requireRegistry(image: string, command: string): void {
  if (namesRegistry(image)) return;
  throw new MpiError("settings", `Image "${image}" names no registry to push it to`, {
    hint: `${command} --push --image registry.example.org/${
      familiar(image)
    }  # with your registry; or image: in mpi.yaml`,
  });
}

/**
 * Pulls what the registry has under an image's name now.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pullImage } from "./registry.ts";
 *
 * const said = { code: 1, stdout: "", stderr: "Error response from daemon: manifest unknown\n" };
 * const docker = { run: () => Promise.resolve(said), attach: () => Promise.resolve(1) };
 * await assert.rejects(pullImage(docker, "ada/hello", () => {}, new AbortController().signal), {
 *   code: "not-found",
 *   message: 'The registry of image "ada/hello" does not have it: manifest unknown',
 * });
 * ```
 *
 * @throws {MpiError} `not-found` if it gives nothing.
 */
export async function pullImage(docker: DockerCli, image: string, report: Report, signal: AbortSignal): Promise<void> {
  const why = await tryPull(docker, image, report, signal);
  if (why === undefined) return;
  throw new MpiError("not-found", `The registry of image "${image}" ${REGISTRY_SAYS[pullFailure(why)]}: ${why}`, {
    hint: `docker pull ${image}  # tries it again; docker login${registryHost(image)} where it wants a login`,
  });
}

/**
 * Pulls an image; gives what docker said last where that failed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { tryPull } from "./registry.ts";
 *
 * const docker = (code: number, stderr: string) => ({
 *   run: () => Promise.resolve({ code, stdout: "", stderr }),
 *   attach: () => Promise.resolve(1),
 * });
 * const { signal } = new AbortController();
 * assert.equal(await tryPull(docker(0, ""), "ada/hello", () => {}, signal), undefined);
 * const failing = docker(1, "Error response from daemon: manifest unknown\n");
 * assert.equal(await tryPull(failing, "ada/hello", () => {}, signal), "manifest unknown");
 * ```
 *
 * @throws {MpiError} `not-found` for a name of those that we build ourselves: nobody we know has it in a registry.
 */
export async function tryPull(
  docker: DockerCli,
  image: string,
  report: Report,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (hasOurName(image)) {
    throw new MpiError("not-found", `Image "${image}" is made by docker mpi where it is needed, and never pulled`, {
      hint: "docker mpi build  # in the project's directory; image: in mpi.yaml names the project's own image",
    });
  }
  const resource = `image ${image}`;
  report({ resource, state: "working", text: "pulling" });
  const { code, stderr } = await docker.run(["pull", "--quiet", image], { signal });
  signal.throwIfAborted();
  if (code !== 0) return lastLine(stderr);
  report({ resource, state: "done", text: "pulled" });
  return undefined;
}

/** Why a registry gave nothing. */
export type PullFailure = "unreachable" | "refused" | "missing" | "failing";

/** What to say of it, after "the registry". */
export const REGISTRY_SAYS: Readonly<Record<PullFailure, string>> = {
  unreachable: "can't be reached",
  refused: "refuses it to you",
  missing: "does not have it",
  failing: "fails",
};

/**
 * Why a registry gave nothing: it can't be reached, it wants somebody else, it has no such thing, or something else is wrong
 * with it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pullFailure } from "./registry.ts";
 *
 * assert.equal(pullFailure("dial tcp: lookup example.org: no such host"), "unreachable");
 * assert.equal(pullFailure("pull access denied for ada/hello"), "refused");
 * assert.equal(pullFailure("manifest unknown"), "missing");
 * assert.equal(pullFailure("toomanyrequests: You have reached your pull rate limit"), "failing");
 * ```
 *
 * @param why What docker said last.
 * @returns Which of the four; `failing` for all that says none of the others.
 */
export function pullFailure(why: string): PullFailure {
  // What an image or a registry is called says nothing.
  const words = why.replace(/\S+[/:]\S+/g, "");
  return PULL_FAILURES.find(([, pattern]) => pattern.test(words))?.[0] ?? "failing";
}

const PULL_FAILURES: [PullFailure, RegExp][] = [
  ["unreachable", /no such host|timeout|connection refused|unreachable|deadline exceeded|no route|HTTPS client|x509/i],
  ["refused", /unauthorized|authentication required|no basic auth|denied|forbidden/i],
  ["missing", /not found|unknown|does not exist|no matching manifest/i],
];

/**
 * The last thing that docker said, without what it begins every error with.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { lastLine } from "./registry.ts";
 *
 * assert.equal(lastLine("Trying again\nError response from daemon: manifest unknown\n"), "manifest unknown");
 * assert.equal(lastLine(""), "");
 * ```
 *
 * @param text All that it printed.
 * @returns One line without blanks around it; empty if it said nothing.
 */
export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim().replace(/^Error response from daemon: /, "") ?? "";
}
