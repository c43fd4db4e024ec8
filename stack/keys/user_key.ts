import type { Cluster } from "../cluster/cluster.ts";
import { MpiError } from "../errors.ts";
import { LABELS } from "../labels.ts";
import { fingerprint } from "../names.ts";
import { makeKeyPair, publicHalf } from "../ssh/ssh.ts";
import { readUserKeys, type UserKeys, writeUserKeys } from "./keys.ts";
import { authorized } from "./public_key.ts";

/**
 * Gives the key by which this machine opens a cluster.
 *
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
 * @returns The public half, and whether it opens the cluster already.
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
