import { MpiError } from "../errors.ts";

/** A pair of ed25519 keys in OpenSSH's formats. */
export interface KeyPair {
  /** The private half, as an unencrypted OpenSSH key file. */
  privateKey: string;
  /** The public half, as a line of a `.pub` file without a line end. */
  publicKey: string;
}

/** The length of a whole ed25519 public key in bytes: type, key and their lengths. In base64 one byte less is as long. */
const PUBLIC_KEY_BYTES = 51;

/** How many pairs may be of no use in a row. One in 256 is by chance; as many as this are a fault of the library. */
const KEY_TRIES = 10;

/** What makes a key pair of a kind: the library's own, unless a test says otherwise. */
export type KeyGenerator = (kind: "ed25519", options: { comment: string }) => { private: string; public: string };

/**
 * Makes a key pair.
 *
 * `ssh2` cuts off a zero byte at the beginning of the key, so that one pair in 256 is of no use; another is made then.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { makeKeyPair } from "./key_pair.ts";
 *
 * const { privateKey, publicKey } = await makeKeyPair("hello-user");
 * assert.match(publicKey, /^ssh-ed25519 \S+ hello-user$/);
 * assert.match(privateKey, /^-----BEGIN OPENSSH \w+ KEY-----\n/);
 * ```
 *
 * @param comment What both halves say of whose they are.
 * @param generate What makes a pair; the library's own, unless a test says otherwise.
 * @returns Two new halves, the private one without a passphrase.
 * @throws {Error} If the library makes none that is of use.
 */
export async function makeKeyPair(comment: string, generate?: KeyGenerator): Promise<KeyPair> {
  generate ??= (await import("ssh2")).default.utils.generateKeyPairSync;
  for (let tries = 0; tries < KEY_TRIES; tries++) {
    const { private: privateKey, public: publicKey } = generate("ed25519", { comment });
    const { length } = Uint8Array.fromBase64(publicKey.split(" ")[1] ?? "");
    if (length === PUBLIC_KEY_BYTES) return { privateKey, publicKey };
  }
  throw new Error(`ssh2 made ${KEY_TRIES} ed25519 key pairs, and none is ${PUBLIC_KEY_BYTES} bytes long`);
}

/**
 * Gives the public half of a private key.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { makeKeyPair, publicHalf } from "./key_pair.ts";
 *
 * const { privateKey, publicKey } = await makeKeyPair("");
 * assert.equal(await publicHalf(privateKey, "ada.key"), publicKey.trim());
 * await assert.rejects(publicHalf("hello", "ada.key"), /There is no private SSH key in ada.key/);
 * await assert.rejects(publicHalf(publicKey, "ada.pub"), /is a public one/);
 * ```
 *
 * @param privateKey A private key file of OpenSSH's, without a passphrase.
 * @param where Where it is from, for messages.
 * @returns Kind and key, as in a `.pub` file, without a comment.
 * @throws {MpiError} `usage` if it is none.
 */
export async function publicHalf(privateKey: string, where: string): Promise<string> {
  const { utils } = (await import("ssh2")).default;
  const parsed = utils.parseKey(privateKey);
  const [key] = Array.isArray(parsed) ? parsed : [parsed];
  if (key instanceof Error || key === undefined) {
    const isLocked = /passphrase|encrypted/i.test(`${key}`);
    const fault = isLocked ? `The key in ${where} has a passphrase` : `There is no private SSH key in ${where}`;
    throw new MpiError("usage", fault, {
      hint: "docker mpi key export FILE  # on the machine that deployed the cluster writes one",
    });
  }
  if (!key.isPrivateKey()) {
    throw new MpiError("usage", `The key in ${where} is a public one, which opens nothing`, {
      hint: "docker mpi deploy --add-key FILE  # lets the machine in that has its private half",
    });
  }
  return `${key.type} ${new Uint8Array(key.getPublicSSH()).toBase64()}`;
}
