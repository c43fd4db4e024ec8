import { dirname } from "node:path";
import type { Engine, Labelled } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";
import { isFileError, isFull, why } from "../file_error.ts";
import { LABELS, STACK_LABEL } from "../labels.ts";
import { fingerprint, type SecretKind, secretName } from "../names.ts";
import { typed } from "../shell.ts";
import { type KeyPair, makeKeyPair } from "../ssh/ssh.ts";
import type { StackKeys } from "../stackfile/stack_file.ts";
import { quotePath } from "../text.ts";
import { joinKeys, opening } from "./public_key.ts";

/** The label of a secret that says which key it holds, and the one with its public half. */
const KIND = "docker-mpi.key";
const PUBLIC = "docker-mpi.public-key";

const KINDS: readonly SecretKind[] = ["cluster_key", "master_host", "worker_host"];

/** The half of a cluster's keys that is on the user's machine. */
export interface UserKeys extends KeyPair {
  /** The host key of the master, the only one that is accepted. */
  masterHostKey: string;
}

/**
 * The directory for a cluster's keys on the user's machine.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { keyDirectory } from "./keys.ts";
 *
 * const directory = keyDirectory("/home/ada/.docker", "x0m8pqgdvdrcfv5l6mmtb0h4i", "hello");
 * assert.equal(directory, "/home/ada/.docker/mpi/keys/hello-x0m8pqgdvdrc");
 * ```
 *
 * @param configDir Docker's configuration directory.
 * @param clusterId The swarm's id: two swarms may both have a cluster `hello`. Its first 12 characters count.
 * @param name The cluster's name.
 * @returns The path; whether there is such a directory is not looked at.
 */
export function keyDirectory(configDir: string, clusterId: string, name: string): string {
  return `${configDir}/mpi/keys/${name}-${clusterId.slice(0, 12)}`;
}

/** Where keys are until the swarm has them too: then they take the place of those before. */
const NEXT = "next";

/**
 * Reads the keys of a cluster from the user's machine; none if they aren't all there.
 *
 * A deployment that was interrupted leaves two sets, that of before and the next.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readUserKeys, writeUserKeys } from "./keys.ts";
 *
 * const directory = await Deno.makeTempDir();
 * assert.equal(await readUserKeys(directory), undefined);
 * const keys = { privateKey: "(a key file)\n", publicKey: "ssh-ed25519 AAAA", masterHostKey: "ssh-ed25519 BBBB" };
 * await writeUserKeys(directory, "hello", keys);
 * assert.deepEqual(await readUserKeys(directory), keys);
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @param directory The directory with the keys.
 * @param deployed The fingerprint of the user key that the running cluster takes, which tells the sets apart.
 * @returns The next set if it is the one that the cluster takes, or if no cluster runs; else that of before, where there is
 * one.
 * @throws {MpiError} `ssh` where a file is there and can't be read.
 */
export async function readUserKeys(directory: string, deployed?: string): Promise<UserKeys | undefined> {
  const [current, next] = await Promise.all([readSet(directory), readSet(`${directory}/${NEXT}`)]);
  const fits = next !== undefined && (deployed === undefined || fingerprint(next.publicKey) === deployed);
  return fits ? next : current ?? next;
}

async function readSet(directory: string): Promise<UserKeys | undefined> {
  try {
    const [privateKey, publicKey, knownHosts] = await Promise.all(
      ["id_ed25519", "id_ed25519.pub", "known_hosts"].map((name) => Deno.readTextFile(`${directory}/${name}`)),
    ) as [string, string, string];
    const masterHostKey = knownHosts.trim().split(" ").slice(1).join(" ");
    return { privateKey, publicKey: publicKey.trim(), masterHostKey };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new MpiError("ssh", `Cannot read the cluster's keys in "${directory}"`, {
      hint: `ls -l ${typed(directory)}  # shows who may read them`,
      cause: error,
    });
  }
}

/**
 * Writes them, readable by the user alone; the host key under the cluster's name, for `HostKeyAlias`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeUserKeys } from "./keys.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const keys = { privateKey: "(a key file)\n", publicKey: "ssh-ed25519 AAAA", masterHostKey: "ssh-ed25519 BBBB" };
 * await writeUserKeys(directory, "hello", keys);
 * assert.equal(await Deno.readTextFile(`${directory}/known_hosts`), "hello ssh-ed25519 BBBB\n");
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @param directory Where to; it is made if it is not there.
 * @param name The cluster's name.
 * @param keys The keys; files of before are replaced.
 * @throws {MpiError} `ssh` where they can't be written.
 */
export async function writeUserKeys(directory: string, name: string, keys: UserKeys): Promise<void> {
  const files: [string, string][] = [
    ["known_hosts", `${name} ${keys.masterHostKey}\n`],
    ["id_ed25519.pub", `${keys.publicKey}\n`],
    ["id_ed25519", keys.privateKey.trimEnd() + "\n"],
  ];
  await writing(directory, async () => {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    for (const [file, text] of files) {
      await Deno.writeTextFile(`${directory}/${file}.new`, text, { mode: 0o600 });
      await Deno.rename(`${directory}/${file}.new`, `${directory}/${file}`);
    }
  });
}

/** Does something with a directory of keys: a full disk and one that only can be read are the user's to mend. */
async function writing(directory: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw isFileError(error) ? await unwritableKeys(directory, error) : error;
  }
}

/**
 * The error of a directory of keys that can't be written to.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { unwritableKeys } from "./keys.ts";
 *
 * const error = await unwritableKeys("/keys/hello", new Deno.errors.PermissionDenied("(os error 13)"));
 * assert.equal(error.message, 'Cannot write the cluster\'s keys in "/keys/hello": you may not');
 * ```
 *
 * @param directory The directory.
 * @param cause What the file system has thrown.
 * @returns An error `ssh`; its hint looks at the first directory above that is there.
 */
export async function unwritableKeys(directory: string, cause: unknown): Promise<MpiError> {
  const there = await nearest(directory);
  return new MpiError("ssh", `Cannot write the cluster's keys in ${quotePath(directory)}: ${why(cause)}`, {
    hint: isFull(cause) ? `${typed("df", "-h", there)}  # shows its space` : typed("ls", "-ld", there),
    cause,
  });
}

/** The first of a path and the directories above it that is there. */
async function nearest(path: string): Promise<string> {
  const there = await Deno.stat(path).then(() => true, () => false);
  return there || dirname(path) === path ? path : await nearest(dirname(path));
}

/** Writes the next keys, all of them or none, whatever comes in between. */
async function writeNextKeys(directory: string, name: string, keys: UserKeys): Promise<void> {
  await removeUserKeys(`${directory}/${NEXT}.new`);
  await writeUserKeys(`${directory}/${NEXT}.new`, name, keys);
  await removeUserKeys(`${directory}/${NEXT}`);
  await writing(directory, () => Deno.rename(`${directory}/${NEXT}.new`, `${directory}/${NEXT}`));
}

/**
 * Puts the next keys in the place of those before; to be called when the swarm has been told of them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readUserKeys, takeNextKeys, writeUserKeys } from "./keys.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const keys = { privateKey: "(a key file)\n", publicKey: "ssh-ed25519 AAAA", masterHostKey: "ssh-ed25519 BBBB" };
 * await writeUserKeys(directory, "hello", keys);
 * await writeUserKeys(`${directory}/next`, "hello", { ...keys, publicKey: "ssh-ed25519 CCCC" });
 * await takeNextKeys(directory, "hello");
 * assert.equal((await readUserKeys(directory))?.publicKey, "ssh-ed25519 CCCC");
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @param directory The directory with the cluster's keys; where it has no next ones, nothing happens.
 * @param name The cluster's name.
 * @throws {MpiError} `ssh` where they can't be read or written.
 */
export async function takeNextKeys(directory: string, name: string): Promise<void> {
  const keys = await readSet(`${directory}/${NEXT}`);
  if (keys === undefined) return;
  await writeUserKeys(directory, name, keys);
  await removeUserKeys(`${directory}/${NEXT}`);
}

/**
 * Removes a directory of user keys; it is none that is missing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { removeUserKeys } from "./keys.ts";
 *
 * const directory = await Deno.makeTempDir();
 * await removeUserKeys(directory);
 * await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
 * await removeUserKeys(directory);
 * ```
 *
 * @param directory The directory.
 * @throws {MpiError} `ssh` where it can't be removed.
 */
export async function removeUserKeys(directory: string): Promise<void> {
  await writing(directory, () =>
    Deno.remove(directory, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }));
}

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
 * @returns What the stack file needs to know.
 */
export async function settleKeys(
  engine: Engine,
  directory: string,
  situation: KeySituation,
  plan: KeyPlan,
): Promise<StackKeys> {
  const { name, local } = situation;
  const made = new Map<SecretKind, KeyPair>();
  for (const kind of plan.make) made.set(kind, await makeKeyPair(`${name}-${kind.replaceAll("_", "-")}`));
  const publicHalf = (kind: SecretKind) => made.get(kind)?.publicKey ?? plan.keep[kind] ?? "";
  const user = plan.makeUserKey || local === undefined ? await makeKeyPair(`${name}-user`) : local;
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
