import type { Service } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { LABELS } from "../labels.ts";
import { fingerprint } from "../names.ts";
import { typed } from "../shell.ts";
import { quotePath } from "../text.ts";

/** The kinds of key that sshd in the image takes. */
const KINDS = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/;

/**
 * Reads a public key as a `.pub` file has it: kind, key and a comment in one line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readPublicKey } from "./public_key.ts";
 *
 * const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f bob@desk";
 * assert.equal(readPublicKey(`${line}\n`, "bob.pub"), line);
 * assert.throws(() => readPublicKey("hello", "bob.pub"), /is no public SSH key/);
 * ```
 *
 * @param text What the file holds.
 * @param where Its name, for messages.
 * @returns The line.
 * @throws {MpiError} `usage` if it is something else.
 */
export function readPublicKey(text: string, where: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  if (/PRIVATE KEY/.test(lines[0] ?? "")) {
    throw new MpiError("usage", `${quotePath(where)} holds a private key, which nobody else is to have`, {
      hint: `docker mpi deploy --add-key ${typed(`${where}.pub`)}  # its public half; ssh-keygen -y -f ${
        typed(where)
      } prints it`,
    });
  }
  const [line = "", ...more] = lines;
  const [kind = "", blob = ""] = line.split(/\s+/);
  if (more.length === 0 && KINDS.test(kind) && holds(blob, kind)) return line;
  throw new MpiError(
    "usage",
    `${quotePath(where)} is no public SSH key: want one line such as "ssh-ed25519 AAAA… bob@desk"`,
    {
      hint: "docker mpi key create  # on the other machine makes a key, and prints this line",
    },
  );
}

/** The shortest of keys, one of ed25519, in bytes. */
const SHORTEST = 32;

/** Whether a key says of itself what it is said to be. */
function holds(blob: string, kind: string): boolean {
  try {
    const bytes = Uint8Array.fromBase64(blob);
    const { length } = kind;
    const head = new DataView(bytes.buffer).getUint32(0);
    const said = new TextDecoder().decode(bytes.subarray(4, 4 + length));
    return head === length && said === kind && bytes.length >= 4 + length + 4 + SHORTEST;
  } catch {
    return false;
  }
}

/**
 * The public keys that open a cluster, if there are more than its owner's; the owner's is the first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { authorizedLines } from "./public_key.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [2222], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const labels = { "docker-mpi.user-keys": "ssh-ed25519 AAAA ada@desk\nssh-ed25519 BBBB bob@desk" };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels, update: undefined, createdAt: "" };
 * assert.deepEqual(authorizedLines(master), ["ssh-ed25519 AAAA ada@desk", "ssh-ed25519 BBBB bob@desk"]);
 * assert.deepEqual(authorizedLines({ ...master, labels: {} }), []);
 * ```
 *
 * @param master The master's service; none: there is no key either.
 * @returns Lines of `.pub` files; none where the owner's key is the only one.
 */
export function authorizedLines(master: Service | undefined): string[] {
  return master?.labels[LABELS.userKeys]?.split("\n") ?? [];
}

/**
 * The fingerprints of all keys that open a cluster, the owner's first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { authorized } from "./public_key.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [2222], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const labels = { "docker-mpi.user-key": "SHA256:cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw" };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels, update: undefined, createdAt: "" };
 * assert.deepEqual(authorized(master), ["SHA256:cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw"]);
 * assert.deepEqual(authorized({ ...master, labels: {} }), []);
 * ```
 *
 * @param master The master's service.
 * @returns Each once, as `ssh-keygen -l` prints it, `SHA256:…`; none where a version before these labels has deployed it.
 */
export function authorized(master: Service): string[] {
  return opening(master.labels[LABELS.userKey], authorizedLines(master));
}

/**
 * The same, from the owner's fingerprint and the lines of all keys.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fingerprint } from "../names.ts";
 * import { opening } from "./public_key.ts";
 *
 * const [ada, bob] = ["ssh-ed25519 AAAA ada@desk", "ssh-ed25519 BBBB bob@desk"];
 * assert.deepEqual(opening(fingerprint(ada), [ada, bob]), [fingerprint(ada), fingerprint(bob)]);
 * assert.deepEqual(opening(undefined, []), []);
 * ```
 *
 * @param owner The owner's fingerprint; none: it is not known.
 * @param lines The lines, the owner's among them or not.
 * @returns Fingerprints, each once.
 */
export function opening(owner: string | undefined, lines: readonly string[]): string[] {
  return [...new Set([...(owner === undefined ? [] : [owner]), ...lines.map(fingerprint)])];
}

/**
 * Joins lists of public keys; of two lines with the same key the first stays.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { joinKeys } from "./public_key.ts";
 *
 * const [ada, bob] = ["ssh-ed25519 AAAA ada@desk", "ssh-ed25519 BBBB bob@desk"];
 * assert.deepEqual(joinKeys([ada], [bob, "ssh-ed25519 AAAA ada@laptop"]), [ada, bob]);
 * ```
 *
 * @param lists Lines of `.pub` files.
 * @returns The lines, in their order.
 */
export function joinKeys(...lists: readonly (readonly string[])[]): string[] {
  const all = lists.flat();
  const prints = all.map(fingerprint);
  return all.filter((_, at) => prints.indexOf(prints[at]!) === at);
}
