import type { Cluster } from "../cluster/cluster.ts";
import { MpiError } from "../errors.ts";
import { LABELS } from "../labels.ts";
import { fingerprint } from "../names.ts";
import { makeKeyPair, publicHalf } from "../ssh/key_pair.ts";
import { readUserKeys, type UserKeys, writeUserKeys } from "./key_store.ts";
import { authorized } from "./public_key.ts";

/**
 * Gives the key by which this machine opens a cluster.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ownKey } from "./user_key.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [2222], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels: {}, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * await assert.rejects(ownKey(cluster, "/nowhere"), /This machine has no key for cluster "hello"/);
 * ```
 *
 * @param cluster The cluster; the swarm says which key opens it.
 * @param directory Where this machine's keys for it are kept.
 * @returns The key; whether the cluster takes it is not looked at.
 * @throws {MpiError} `ssh` if it has none.
 */
export async function ownKey({ name, master }: Cluster, directory: string): Promise<UserKeys> {
  const keys = await readUserKeys(directory, master.labels[LABELS.userKey]);
  if (keys !== undefined) return keys;
  throw new MpiError("ssh", `This machine has no key for cluster "${name}": nothing in ${directory}`, {
    hint: "docker mpi key create  # makes one, which docker mpi deploy --add-key lets in",
  });
}

/**
 * Makes a key of its own for this machine, unless it has one; it opens the cluster when it has been added.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createKey } from "./user_key.ts";
 *
 * const rest = { secretIds: [], volumes: [], ports: [2222], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const labels = { "docker-mpi.host-key": "ssh-ed25519 AAAA" };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * const directory = await Deno.makeTempDir();
 * const made = await createKey(cluster, directory);
 * assert.equal(made.opens, false);
 * assert.deepEqual(await createKey(cluster, directory), made);
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @param cluster The cluster; the swarm says which keys open it, and which host key its master has.
 * @param directory Where this machine's keys for it are kept.
 * @returns The public half, and whether it opens the cluster already.
 * @throws {MpiError} `ssh` if the cluster does not say which host key its master has, or the files can't be read or written.
 */
export async function createKey(cluster: Cluster, directory: string): Promise<{ publicKey: string; opens: boolean }> {
  const { name, master } = cluster;
  const known = await readUserKeys(directory, master.labels[LABELS.userKey]);
  if (known !== undefined) {
    // The master has another host key when the cluster was made anew.
    const masterHostKey = master.labels[LABELS.hostKey] ?? known.masterHostKey;
    if (masterHostKey !== known.masterHostKey) await writeUserKeys(directory, name, { ...known, masterHostKey });
    return { publicKey: known.publicKey, opens: authorized(master).includes(fingerprint(known.publicKey)) };
  }
  const pair = await makeKeyPair(`${name}-user`);
  await writeUserKeys(directory, name, { ...pair, masterHostKey: hostKey(cluster) });
  return { publicKey: pair.publicKey, opens: false };
}

/**
 * Takes a private key as this machine's for a cluster; the one that was there is replaced.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fingerprint } from "../names.ts";
 * import { makeKeyPair } from "../ssh/key_pair.ts";
 * import { importKey } from "./user_key.ts";
 *
 * const [{ privateKey, publicKey }, other] = [await makeKeyPair("ada"), await makeKeyPair("bob")];
 * const labels = { "docker-mpi.user-key": fingerprint(publicKey), "docker-mpi.host-key": "ssh-ed25519 AAAA" };
 * const rest = { secretIds: [], volumes: [], ports: [2222], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const master = { ...rest, id: "s1", name: "hello_master", image: "hello", labels, update: undefined, createdAt: "" };
 * const cluster = { name: "hello", master, worker: { ...master, id: "s2", name: "hello_worker" } };
 * const directory = await Deno.makeTempDir();
 * await importKey(cluster, directory, privateKey, "ada.key");
 * await assert.rejects(importKey(cluster, directory, other.privateKey, "bob.key"), /bob.key does not open cluster "hello"/);
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @param cluster The cluster; the swarm says which keys open it, and which host key its master has.
 * @param directory Where keys are kept.
 * @param privateKey The key file's text.
 * @param where Its name, for messages.
 * @throws {MpiError} `usage` if it is no private key, `ssh` if it does not open the cluster.
 */
export async function importKey(
  cluster: Cluster,
  directory: string,
  privateKey: string,
  where: string,
): Promise<void> {
  const publicKey = await publicHalf(privateKey, where);
  const opens = authorized(cluster.master);
  if (!opens.includes(fingerprint(publicKey))) {
    throw new MpiError(
      "ssh",
      `The key in ${where} does not open cluster "${cluster.name}": it is ${fingerprint(publicKey)}`,
      {
        hint: opens.length === 0
          ? "docker mpi deploy  # on the machine that deployed it brings it up to date"
          : `the cluster takes ${opens.join(", ")}; docker mpi key export there gives it`,
      },
    );
  }
  await writeUserKeys(directory, cluster.name, { privateKey, publicKey, masterHostKey: hostKey(cluster) });
}

/** The host key that the master has, as the swarm was told at deployment. */
function hostKey({ name, master }: Cluster): string {
  const key = master.labels[LABELS.hostKey];
  if (key !== undefined) return key;
  throw new MpiError("ssh", `Cluster "${name}" does not say which host key its master has`, {
    hint: "docker mpi deploy  # on the machine that deployed it brings it up to date",
  });
}
