import { dirname } from "node:path";
import { MpiError } from "../errors.ts";
import { isFileError, isFull, why } from "../file_error.ts";
import { fingerprint } from "../names.ts";
import { typed } from "../shell.ts";
import type { KeyPair } from "../ssh/key_pair.ts";
import { quotePath } from "../text.ts";

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
 * import { keyDirectory } from "./key_store.ts";
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
 * import { readUserKeys, writeUserKeys } from "./key_store.ts";
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
    throw new MpiError("ssh", `Cannot read the cluster's keys in "${directory}": ${why(error)}`, {
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
 * import { writeUserKeys } from "./key_store.ts";
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
 * import { unwritableKeys } from "./key_store.ts";
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

/**
 * Writes the next keys, all of them or none, whatever comes in between.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fingerprint } from "../names.ts";
 * import { readUserKeys, writeNextKeys, writeUserKeys } from "./key_store.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const keys = { privateKey: "(a key file)\n", publicKey: "ssh-ed25519 AAAA", masterHostKey: "ssh-ed25519 BBBB" };
 * await writeUserKeys(directory, "hello", keys);
 * const next = { ...keys, publicKey: "ssh-ed25519 CCCC" };
 * await writeNextKeys(directory, "hello", next);
 * assert.deepEqual(await readUserKeys(directory, fingerprint(keys.publicKey)), keys);
 * assert.deepEqual(await readUserKeys(directory, fingerprint(next.publicKey)), next);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export async function writeNextKeys(directory: string, name: string, keys: UserKeys): Promise<void> {
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
 * import { readUserKeys, takeNextKeys, writeUserKeys } from "./key_store.ts";
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
 * @param deployed The fingerprint that they must have; if not given, any are taken.
 * @throws {MpiError} `ssh` where they can't be read or written.
 */
export async function takeNextKeys(directory: string, name: string, deployed?: string): Promise<void> {
  const keys = await readSet(`${directory}/${NEXT}`);
  if (keys === undefined || (deployed !== undefined && fingerprint(keys.publicKey) !== deployed)) return;
  await writeUserKeys(directory, name, keys);
  await removeUserKeys(`${directory}/${NEXT}`);
}

/**
 * Removes a directory of user keys; it is none that is missing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { removeUserKeys } from "./key_store.ts";
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
