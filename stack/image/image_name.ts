/**
 * Takes tag and digest off an image's name.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { repositoryOf } from "./image_name.ts";
 *
 * assert.equal(repositoryOf("registry.example.org:5000/team/hello:1.2"), "registry.example.org:5000/team/hello");
 * ```
 */
export function repositoryOf(image: string): string {
  return image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

/**
 * Tells whether an image's name says where it could be pushed to: Docker Hub has none but its own under a single word.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { namesRegistry } from "./image_name.ts";
 *
 * assert.ok(!namesRegistry("hello:latest"));
 * assert.ok(namesRegistry("ada/hello"));
 * assert.ok(namesRegistry("localhost:5000/hello"));
 * ```
 */
export function namesRegistry(image: string): boolean {
  return familiar(image).includes("/");
}

/**
 * Writes an image's repository as engines do: the shortest of several ways.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { familiar } from "./image_name.ts";
 *
 * assert.equal(familiar("docker.io/library/hello:1"), "hello");
 * ```
 */
export function familiar(image: string): string {
  return repositoryOf(image).replace(/^(index\.)?docker\.io\//, "").replace(/^library\//, "");
}

/**
 * Whether an image's name is one of those that we give to what we build, and that belongs to nobody in a registry.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { hasOurName } from "./image_name.ts";
 *
 * assert.ok(hasOurName("docker-mpi/mpich:1.0.0") && hasOurName("docker.io/docker-mpi/mpich"));
 * assert.ok(!hasOurName("example.org/docker-mpi/mpich:1.0.0"));
 * ```
 */
export function hasOurName(image: string): boolean {
  return familiar(image).startsWith("docker-mpi/");
}

/**
 * The host of an image's registry after a space; nothing for Docker Hub.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { registryHost } from "./image_name.ts";
 *
 * assert.equal(`docker login${registryHost("example.org:5000/hello:1")}`, "docker login example.org:5000");
 * assert.equal(`docker login${registryHost("ada/hello:1")}`, "docker login");
 * ```
 *
 * @param image The image's name.
 */
export function registryHost(image: string): string {
  const first = repositoryOf(image).split("/")[0] ?? "";
  return image.includes("/") && /[.:]|^localhost$/.test(first) && !/^(index\.)?docker\.io$/.test(first)
    ? ` ${first}`
    : "";
}
