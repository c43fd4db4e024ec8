import type { Engine, Labelled } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { LABELS, STACK_LABEL } from "../labels.ts";
import { fingerprint, type SecretKind, secretName } from "../names.ts";
import { type KeyPair, makeKeyPair } from "../ssh/key_pair.ts";
import type { StackKeys } from "../stackfile/stack_file.ts";
import { takeNextKeys, type UserKeys, writeNextKeys } from "./key_store.ts";
import { joinKeys, opening } from "./public_key.ts";

/** The label of a secret that says which key it holds, and the one with its public half. */
const KIND = "docker-mpi.key";
const PUBLIC = "docker-mpi.public-key";

const KINDS: readonly SecretKind[] = ["cluster_key", "master_host", "worker_host"];

/** What {@linkcode planKeys} decides from. */
export interface KeySituation {
  /** The cluster's name. */
  name: string;
  /** The secrets of its stack. */
  secrets: readonly Labelled[];
  /** The ids of those that its services use. */
  used: readonly string[];
  /** The fingerprint of the user key that the running cluster takes; none: it does not run. */
  deployed: string | undefined;
  /** The public keys that open it, where that are more than one: the owner's, then those that were added. */
  authorized?: readonly string[];
  /** Public keys that are to open it as well. */
  add?: readonly string[];
  /** The keys on this machine. */
  local: UserKeys | undefined;
  /** Whether all keys are to be new. */
  rotate: boolean;
}

/** Which keys stay and which are made. */
export interface KeyPlan {
  /** Secrets to go on with: their public halves. */
  keep: Partial<Record<SecretKind, string>>;
  /** Secrets to make. */
  make: SecretKind[];
  /** Whether the user gets a new key. */
  makeUserKey: boolean;
}

/**
 * Decides which keys of a cluster stay, so that repeating a deployment changes nothing: those that are in use, else the
 * newest, which an interrupted deployment has left.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { planKeys } from "./keys.ts";
 *
 * const labels = { "docker-mpi.key": "cluster_key", "docker-mpi.public-key": "ssh-ed25519 AAAA" };
 * const secrets = [{ id: "s1", name: "hello_cluster_key-9de8a23119db", labels, createdAt: "2026-01-31T12:00:00Z" }];
 * const situation = { name: "hello", secrets, used: ["s1"], deployed: undefined, local: undefined, rotate: false };
 * assert.deepEqual(planKeys(situation), {
 *   keep: { cluster_key: "ssh-ed25519 AAAA" },
 *   make: ["master_host", "worker_host"],
 *   makeUserKey: true,
 * });
 * assert.throws(() => planKeys({ ...situation, deployed: "SHA256:x" }), /with a key that this machine does not have/);
 * ```
 *
 * @returns What stays, and what has to be made; with `rotate` all of it.
 * @throws {MpiError} `ssh` if the running cluster takes another key than this machine has.
 */
export function planKeys({ name, secrets, used, deployed, authorized = [], local, rotate }: KeySituation): KeyPlan {
  if (rotate) return { keep: {}, make: [...KINDS], makeUserKey: true };
  if (deployed !== undefined) {
    if (local === undefined || !opening(deployed, authorized).includes(fingerprint(local.publicKey))) {
      throw otherKey(name, deployed);
    }
  }
  const best = secrets.toSorted((a, b) =>
    Number(used.includes(b.id)) - Number(used.includes(a.id)) || b.createdAt.localeCompare(a.createdAt)
  );
  const keep: KeyPlan["keep"] = {};
  for (const kind of KINDS) {
    const found = best.find(({ labels }) => labels[KIND] === kind)?.labels[PUBLIC];
    if (found !== undefined) keep[kind] = found;
  }
  return { keep, make: KINDS.filter((kind) => keep[kind] === undefined), makeUserKey: local === undefined };
}

/** The ways in from a machine that did not deploy the cluster. */
export const OTHER_MACHINE: string =
  "docker mpi key create  # makes one, which docker mpi deploy --add-key lets in where the cluster was deployed; docker mpi key " +
  "export there and import here share its own; docker mpi deploy --rotate-keys makes all keys new where that is lost";

/**
 * The error for a cluster that opens to somebody else.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { otherKey } from "./keys.ts";
 *
 * const { code, hint } = otherKey("hello", "SHA256:cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw");
 * assert.equal(code, "ssh");
 * assert.match(hint ?? "", /^docker mpi key create/);
 * ```
 *
 * @param name The cluster's name.
 * @param deployed The fingerprint of the key that it takes.
 * @returns An error `ssh`, with the ways in.
 */
export function otherKey(name: string, deployed: string): MpiError {
  return new MpiError(
    "ssh",
    `Cluster "${name}" was deployed with a key that this machine does not have: ${deployed}`,
    { hint: OTHER_MACHINE },
  );
}

/**
 * Carries a plan out: makes the keys, the secrets, and the files on the user's machine.
 *
 * The private halves of what is made here are in the swarm and, the user's, in a file; they pass through no argument list
 * and no log. The file is written first, beside those of before: interrupted at any point, this machine has the key that
 * the cluster takes. {@linkcode takeNextKeys} ends it, when the services are told.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { readUserKeys } from "./key_store.ts";
 * import { planKeys, settleKeys } from "./keys.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const made: string[] = [];
 * const engine = { createSecret: (name: string) => Promise.resolve(void made.push(name)) } as unknown as Engine;
 * const situation = { name: "hello", secrets: [], used: [], deployed: undefined, local: undefined, rotate: false };
 * const keys = await settleKeys(engine, directory, situation, planKeys(situation));
 * assert.deepEqual(made, [keys.clusterSecret, keys.masterHostSecret, keys.workerHostSecret]);
 * assert.equal((await readUserKeys(directory))?.publicKey, keys.userPublic);
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @returns What the stack file needs to know.
 */
export async function settleKeys(
  engine: Engine,
  directory: string,
  situation: KeySituation,
  plan: KeyPlan,
): Promise<StackKeys> {
  const { name, local, deployed } = situation;
  const made = new Map<SecretKind, KeyPair>();
  for (const kind of plan.make) made.set(kind, await makeKeyPair(`${name}-${kind.replaceAll("_", "-")}`));
  const publicHalf = (kind: SecretKind) => made.get(kind)?.publicKey ?? plan.keep[kind] ?? "";
  const user = plan.makeUserKey || local === undefined ? await makeKeyPair(`${name}-user`) : local;
  // What an interrupted deployment has brought as far as the swarm is not to be lost with the next one.
  if (deployed !== undefined) await takeNextKeys(directory, name, deployed);
  await writeNextKeys(directory, name, { ...user, masterHostKey: publicHalf("master_host") });
  for (const [kind, pair] of made) {
    await engine.createSecret(secretName(name, kind, pair.publicKey), pair.privateKey.trimEnd() + "\n", {
      [STACK_LABEL]: name,
      [LABELS.cluster]: name,
      [KIND]: kind,
      [PUBLIC]: pair.publicKey,
    });
  }
  const secretOf = (kind: SecretKind) => secretName(name, kind, publicHalf(kind));
  return stackKeys(userLines(user.publicKey, situation), publicHalf, secretOf);
}

/**
 * The keys of a cluster that is not there yet, for showing its stack file: what is not known yet says so.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { planKeys, previewKeys } from "./keys.ts";
 *
 * const situation = { name: "hello", secrets: [], used: [], deployed: undefined, local: undefined, rotate: false };
 * const keys = previewKeys(situation, planKeys(situation));
 * assert.equal(keys.userPublic, "ssh-ed25519 AAAA (made by deploy: user)");
 * assert.equal(keys.clusterSecret, "hello_cluster_key-made-by-deploy");
 * ```
 *
 * @param situation What there is.
 * @param plan What {@linkcode planKeys} makes of it.
 * @returns What the stack file needs to know.
 */
export function previewKeys(situation: KeySituation, plan: KeyPlan): StackKeys {
  const { name, local } = situation;
  const publicHalf = (kind: SecretKind) => plan.keep[kind] ?? `ssh-ed25519 AAAA (made by deploy: ${kind})`;
  const secretOf = (kind: SecretKind) => {
    const kept = plan.keep[kind];
    return kept === undefined ? `${name}_${kind}-made-by-deploy` : secretName(name, kind, kept);
  };
  const known = plan.makeUserKey ? undefined : local?.publicKey;
  const lines = userLines(known ?? "ssh-ed25519 AAAA (made by deploy: user)", situation);
  return stackKeys(lines, publicHalf, secretOf);
}

/**
 * Whether there is a key to add that does not open the cluster yet.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { addsKeys } from "./keys.ts";
 *
 * const authorized = ["ssh-ed25519 AAAA ada@desk", "ssh-ed25519 BBBB bob@desk"];
 * const none = { secrets: [], used: [], deployed: undefined, local: undefined, rotate: false };
 * const situation = { ...none, name: "hello", authorized };
 * assert.equal(addsKeys({ ...situation, add: ["ssh-ed25519 BBBB bob@laptop"] }), false);
 * assert.equal(addsKeys({ ...situation, add: ["ssh-ed25519 CCCC eve@desk"] }), true);
 * ```
 */
export function addsKeys({ deployed, authorized = [], add = [] }: KeySituation): boolean {
  const opens = opening(deployed, authorized);
  return add.some((line) => !opens.includes(fingerprint(line)));
}

/** The keys that are to open the cluster, the owner's first; new keys are their owner's alone. */
function userLines(own: string, { authorized = [], add = [], rotate }: KeySituation): string[] {
  return joinKeys(rotate || authorized.length === 0 ? [own] : authorized, add);
}

function stackKeys(
  [userPublic = "", ...addedPublic]: readonly string[],
  publicHalf: (kind: SecretKind) => string,
  secretOf: (kind: SecretKind) => string,
): StackKeys {
  return {
    userPublic,
    ...(addedPublic.length > 0 ? { addedPublic } : {}),
    clusterPublic: publicHalf("cluster_key"),
    masterHostPublic: publicHalf("master_host"),
    workerHostPublic: publicHalf("worker_host"),
    clusterSecret: secretOf("cluster_key"),
    masterHostSecret: secretOf("master_host"),
    workerHostSecret: secretOf("worker_host"),
  };
}
