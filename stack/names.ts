import { createHash } from "node:crypto";

/** The port that sshd has inside the containers, and on the master's host where no other is asked for. */
export const SSH_PORT = 2222;

/**
 * The longest name that a cluster may have.
 *
 * Docker allows 64 characters for a secret, and the longest of ours is `NAME_cluster_key-0123456789ab`.
 */
export const MAX_CLUSTER_NAME = 39;

/** Which key a secret holds: the cluster's own, or the SSH host key of the master or of the workers. */
export type SecretKind = "cluster_key" | "master_host" | "worker_host";

/** What a cluster's name looks like, apart from its length. */
export const CLUSTER_NAME: RegExp = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Tells whether a cluster can have that name: lower case letters, digits and hyphens, a letter first, no hyphen last.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isClusterName } from "./names.ts";
 *
 * assert.ok(isClusterName("cfd-2"));
 * assert.ok(!isClusterName("2-cfd"));
 * assert.ok(!isClusterName("CFD"));
 * ```
 *
 * @param text What was written.
 */
export function isClusterName(text: string): boolean {
  return text.length <= MAX_CLUSTER_NAME && CLUSTER_NAME.test(text);
}

/**
 * Makes a name for a cluster out of the directory that its project is in.
 *
 * A name that has to be cut gets four digits of a hash, so that long names which begin alike stay apart.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { clusterNameFrom } from "./names.ts";
 *
 * assert.equal(clusterNameFrom("/home/ada/Heat Équation_2"), "heat-equation-2");
 * assert.equal(clusterNameFrom("C:\\work\\2026"), "mpi-2026");
 * assert.equal(clusterNameFrom("/"), "mpi");
 * ```
 *
 * @param directory A path, POSIX or Windows; only its last part counts.
 * @returns A name for which {@linkcode isClusterName} holds.
 */
export function clusterNameFrom(directory: string): string {
  const last = directory.split(/[/\\]/).findLast((part) => part !== "") ?? "";
  const plain = last.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const words = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const name = /^[a-z]/.test(words) ? words : ["mpi", words].filter(Boolean).join("-");
  if (isClusterName(name)) return name;
  return `${name.slice(0, MAX_CLUSTER_NAME - 5).replace(/-$/, "")}-${sha256(name).toString("hex").slice(0, 4)}`;
}

const DOMAIN_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
/** What an image reference looks like; Docker takes 64 hexadecimal digits for an image's id, never for a name. */
export const IMAGE_REFERENCE: RegExp = new RegExp(
  `^(?![0-9a-f]{64}(?::\\w[\\w.-]*)?(?:@.*)?$)((?:(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::\\d+)?/)?${PATH_PART}(?:/${PATH_PART})*)` +
    "(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$",
);

/**
 * Tells whether a text has the form of an image reference, `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isImageReference } from "./names.ts";
 *
 * assert.ok(isImageReference("registry.example.org:5000/team/hello:1.2"));
 * assert.ok(!isImageReference("Hello:latest"));
 * ```
 *
 * @param text What was written.
 */
export function isImageReference(text: string): boolean {
  const repository = IMAGE_REFERENCE.exec(text)?.[1];
  return repository !== undefined && repository.length <= 255;
}

/**
 * Names the swarm secret that holds the private half of a key.
 *
 * Secrets can't be changed, so a new key needs a new name, and the same key must find the same one: the name carries
 * 12 hexadecimal digits of a hash of the public half. The comment of the key does not count.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { secretName } from "./names.ts";
 *
 * assert.equal(secretName("hello", "cluster_key", "ssh-ed25519 AAAA me@here"), "hello_cluster_key-9de8a23119db");
 * ```
 *
 * @param cluster The cluster's name.
 * @param kind Which key.
 * @param publicKey The public half as a line of an OpenSSH `.pub` file.
 * @returns A name of at most 64 characters.
 */
export function secretName(cluster: string, kind: SecretKind, publicKey: string): string {
  const [type, blob] = publicKey.trim().split(/\s+/);
  return `${cluster}_${kind}-${sha256(`${type} ${blob}`).toString("hex").slice(0, 12)}`;
}

/**
 * Gives the fingerprint of a public key as `ssh-keygen -l` prints it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fingerprint } from "./names.ts";
 *
 * assert.equal(fingerprint("ssh-ed25519 AAAA me@here"), "SHA256:cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw");
 * ```
 *
 * @param publicKey The key as a line of an OpenSSH `.pub` file.
 */
export function fingerprint(publicKey: string): string {
  const blob = publicKey.trim().split(/\s+/)[1] ?? "";
  return `SHA256:${sha256(Uint8Array.fromBase64(blob)).toString("base64").replace(/=+$/, "")}`;
}

function sha256(data: string | Uint8Array): { toString(encoding: "hex" | "base64"): string } {
  return createHash("sha256").update(data).digest();
}

/** A host name that still is one with `worker-` before it: Linux has room for 64 characters. */
export const HOST_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9.-]{0,56}$/;

/**
 * Tells whether a text can be the name of a node: the master's, or a worker's, by its number or by its host.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isNodeName } from "./names.ts";
 *
 * assert.ok(["master", "worker-12", "worker-rack-1.example.org"].every(isNodeName));
 * assert.ok(!["", "node", "worker-", "worker-..", "worker-a/b", "worker-a\n"].some(isNodeName));
 * ```
 *
 * @param text What somebody says.
 */
export function isNodeName(text: string): boolean {
  return text === "master" || (text.startsWith("worker-") && HOST_NAME.test(text.slice("worker-".length)));
}
