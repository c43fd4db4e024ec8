import assert from "node:assert/strict";
import ssh2 from "ssh2";
import { makeKeyPair } from "../../stack/ssh/key_pair.ts";

Deno.test("a key pair that begins with a zero byte, which ssh2 cuts off, must not be used", async () => {
  const blob = (bytes: number) => new Uint8Array(bytes).toBase64();
  const pair = (bytes: number) => ({ private: `private half of ${bytes}`, public: `ssh-ed25519 ${blob(bytes)} me` });
  assert.equal(blob(50).length, blob(51).length, "which the length of the text does not show");
  const made = [pair(50), pair(49), pair(51)];
  const generate = (() => made.shift()) as unknown as typeof ssh2.utils.generateKeyPairSync;
  const { private: privateKey, public: publicKey } = pair(51);
  assert.deepEqual(await makeKeyPair("me", generate), { privateKey, publicKey });
});

Deno.test("a library that makes no key of use is told, and not asked forever", async () => {
  const generate = () => ({ private: "", public: "ssh-ed25519 AAAA me" });
  await assert.rejects(makeKeyPair("me", generate), /made 10 ed25519 key pairs, and none is 51 bytes long/);
});
