import assert from "node:assert/strict";
import { takeTurn } from "../../stack/deploy/turn.ts";
import type { Labelled } from "../../stack/engine/swarm.ts";
import { keyDirectory, readUserKeys, removeUserKeys, takeNextKeys, writeUserKeys } from "../../stack/keys/key_store.ts";
import { type KeySituation, OTHER_MACHINE, planKeys, previewKeys, settleKeys } from "../../stack/keys/keys.ts";
import { fingerprint, secretName } from "../../stack/names.ts";
import { makeKeyPair } from "../../stack/ssh/key_pair.ts";
import { FakeSwarm } from "../support/fakes.ts";

const KINDS = ["cluster_key", "master_host", "worker_host"] as const;

const secret = (kind: string, key: string, createdAt = "2026-01-01T00:00:00Z"): Labelled => ({
  id: `${kind}-${key}`,
  name: `${kind}-${key}`,
  labels: { "docker-mpi.cluster": "hello", "docker-mpi.key": kind, "docker-mpi.public-key": key },
  createdAt,
});
const all = KINDS.map((kind) => secret(kind, `ssh-ed25519 ${kind}`));
const user = { privateKey: "PRIVATE", publicKey: "ssh-ed25519 AAAA me", masterHostKey: "ssh-ed25519 CCCC" };
const situation = (parts: Partial<KeySituation> = {}): KeySituation => ({
  name: "hello",
  secrets: [],
  used: [],
  deployed: undefined,
  local: undefined,
  rotate: false,
  ...parts,
});
const kept = Object.fromEntries(KINDS.map((kind) => [kind, `ssh-ed25519 ${kind}`]));

Deno.test("planKeys() makes all keys for a new cluster", () => {
  assert.deepEqual(planKeys(situation()), { keep: {}, make: [...KINDS], makeUserKey: true });
});

Deno.test("planKeys() changes nothing when a deployment is repeated", () => {
  const plan = planKeys(situation({ secrets: all, local: user, deployed: fingerprint(user.publicKey) }));
  assert.deepEqual(plan, { keep: kept, make: [], makeUserKey: false });
});

Deno.test("planKeys() goes on with what an interrupted deployment left", () => {
  const some = all.slice(0, 1);
  assert.deepEqual(planKeys(situation({ secrets: some, local: user })), {
    keep: { cluster_key: "ssh-ed25519 cluster_key" },
    make: ["master_host", "worker_host"],
    makeUserKey: false,
  });
});

Deno.test("planKeys() takes the newest of several secrets, and none that isn't ours", () => {
  const newest = secret("cluster_key", "ssh-ed25519 NEW", "2026-02-01T00:00:00Z");
  const foreign = { ...secret("other", "ssh-ed25519 X"), labels: {} };
  const { keep } = planKeys(situation({ secrets: [secret("cluster_key", "ssh-ed25519 OLD"), newest, foreign] }));
  assert.deepEqual(keep, { cluster_key: "ssh-ed25519 NEW" });
});

Deno.test("planKeys() takes what is in use before what is newer: an interrupted rotation changes no key", () => {
  const newer = KINDS.map((kind) => secret(kind, "ssh-ed25519 NEWER", "2026-02-01T00:00:00Z"));
  const used = all.map(({ id }) => id);
  const plan = planKeys(situation({ secrets: [...newer, ...all], used, local: user }));
  assert.deepEqual(plan, { keep: kept, make: [], makeUserKey: false });
});

Deno.test("planKeys() makes all of them new on request, whatever runs", () => {
  const plan = planKeys(situation({ secrets: all, local: undefined, deployed: "SHA256:x", rotate: true }));
  assert.deepEqual(plan, { keep: {}, make: [...KINDS], makeUserKey: true });
});

Deno.test("planKeys() refuses where the cluster takes a key that this machine does not have", () => {
  for (const local of [undefined, user]) {
    assert.throws(() => planKeys(situation({ secrets: all, local, deployed: "SHA256:other" })), {
      code: "ssh",
      message: 'Cluster "hello" was deployed with a key that this machine does not have: SHA256:other',
      hint: OTHER_MACHINE,
    });
  }
});

Deno.test("settleKeys() brings private halves to the swarm and the user's file only, and the file first", async () => {
  const directory = `${await Deno.makeTempDir()}/keys/hello`;
  const swarm = new FakeSwarm();
  const before: string[] = [];
  const engine = swarm.engine({
    createSecret: async (name, content, labels) => {
      before.push((await readUserKeys(directory))?.privateKey ?? "");
      await swarm.engine().createSecret(name, content, labels);
    },
  });
  const keys = await settleKeys(engine, directory, situation(), planKeys(situation()));
  await takeNextKeys(directory, "hello");
  const written = await readUserKeys(directory);
  assert.ok(written);

  assert.deepEqual(before, Array(3).fill(written.privateKey), "the file was not there before the secrets");
  assert.equal(written.publicKey, keys.userPublic);
  assert.equal(written.masterHostKey, keys.masterHostPublic);
  assert.deepEqual(
    swarm.changes,
    [keys.clusterSecret, keys.masterHostSecret, keys.workerHostSecret].map((name) => `create secret ${name}`),
  );
  assert.equal(keys.clusterSecret, secretName("hello", "cluster_key", keys.clusterPublic));
  for (const { name, labels } of swarm.secrets) {
    assert.equal(labels["com.docker.stack.namespace"], "hello", "docker stack rm would leave it");
    assert.match(
      swarm.contents[name] ?? "",
      /^-----BEGIN OPENSSH \w+ KEY-----\n[^]*-----END OPENSSH \w+ KEY-----\n$/,
    );
    assert.ok(!JSON.stringify(labels).includes("PRIVATE"));
  }
  assert.ok(!JSON.stringify([keys, swarm.secrets]).includes("PRIVATE"));
  assert.ok(!Object.values(swarm.contents).includes(written.privateKey), "the user's key went to the swarm");
  assert.equal(new Set([keys.userPublic, keys.clusterPublic, keys.masterHostPublic, keys.workerHostPublic]).size, 4);

  const plan = planKeys(situation({ secrets: swarm.secrets, local: written }));
  assert.deepEqual(await settleKeys(swarm.engine(), directory, situation({ local: written }), plan), keys);
  assert.equal(swarm.changes.length, 3, "repeating it made something");
});

Deno.test("keys are the user's alone, in a directory of the swarm's and the cluster's name", async () => {
  assert.equal(
    keyDirectory("/home/ada/.docker", "co6n37l055kexyz", "hello"),
    "/home/ada/.docker/mpi/keys/hello-co6n37l055ke",
  );
  const directory = `${await Deno.makeTempDir()}/a/b`;
  assert.equal(await readUserKeys(directory), undefined);
  const keys = { ...await makeKeyPair("me"), masterHostKey: "ssh-ed25519 CCCC host" };
  await writeUserKeys(directory, "hello", keys);
  assert.equal((await Deno.stat(directory)).mode! & 0o777, 0o700);
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  assert.deepEqual(names, ["id_ed25519", "id_ed25519.pub", "known_hosts"]);
  for (const name of names) assert.equal((await Deno.stat(`${directory}/${name}`)).mode! & 0o777, 0o600, name);
  assert.equal(await Deno.readTextFile(`${directory}/known_hosts`), "hello ssh-ed25519 CCCC host\n");
  assert.deepEqual(await readUserKeys(directory), { ...keys, privateKey: keys.privateKey.trimEnd() + "\n" });

  await Deno.remove(`${directory}/known_hosts`);
  assert.equal(await readUserKeys(directory), undefined, "half of it is of no use");
  await removeUserKeys(directory);
  await removeUserKeys(directory);
  assert.equal(await readUserKeys(directory), undefined);
});

Deno.test("keys that the file system does not take are an error that says why, and where to look", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/mpi`, "");
  const directory = `${folder}/mpi/keys/hello`;
  const failed = { name: "MpiError", code: "ssh", hint: `ls -ld ${folder}/mpi` };
  const text = new RegExp(`^Cannot write the cluster's keys in "${directory}": (File exists|Not a directory)$`);
  await assert.rejects(writeUserKeys(directory, "hello", user), { ...failed, message: text });
  await assert.rejects(removeUserKeys(directory), { ...failed, message: text });
  const limit = { timeout: 10_000, signal: new AbortController().signal };
  await assert.rejects(takeTurn(directory, limit, () => {}), { ...failed, message: text });
});

Deno.test("a file system without locks is an error that says so, and leaves no file open", async () => {
  const directory = await Deno.makeTempDir();
  const { tryLock } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.tryLock = () => Promise.reject(new Error("No locks available (os error 37)"));
  try {
    await assert.rejects(takeTurn(directory, { timeout: 0, signal: new AbortController().signal }, () => {}), {
      code: "ssh",
      message: `Cannot write the cluster's keys in "${directory}": No locks available`,
    });
  } finally {
    Deno.FsFile.prototype.tryLock = tryLock;
  }
});

Deno.test("keys that a full disk does not take are an error that shows its space", async () => {
  const directory = await Deno.makeTempDir();
  const { writeTextFile } = Deno;
  Deno.writeTextFile = () => Promise.reject(new Error("No space left on device (os error 28): writefile"));
  try {
    await assert.rejects(writeUserKeys(directory, "hello", user), {
      message: `Cannot write the cluster's keys in "${directory}": No space left on device`,
      hint: `df -h ${directory}  # shows its space`,
    });
  } finally {
    Deno.writeTextFile = writeTextFile;
  }
});

Deno.test("settleKeys() leaves the keys of before until the swarm is told, and both are found by what is deployed", async () => {
  const directory = `${await Deno.makeTempDir()}/keys`;
  const old = { ...await makeKeyPair("old"), masterHostKey: "ssh-ed25519 CCCC host" };
  await writeUserKeys(directory, "hello", old);
  const rotate = situation({ local: old, deployed: fingerprint(old.publicKey), rotate: true });
  const keys = await settleKeys(new FakeSwarm().engine(), directory, rotate, planKeys(rotate));
  const next = fingerprint(keys.userPublic);
  const found = async (deployed?: string) => (await readUserKeys(directory, deployed))?.publicKey;
  assert.equal(await found(fingerprint(old.publicKey)), old.publicKey);
  assert.equal(await found("SHA256:somebody's"), old.publicKey);
  assert.equal(await found(next), keys.userPublic);
  assert.equal(await found(), keys.userPublic, "no cluster runs");
  assert.equal(await Deno.readTextFile(`${directory}/id_ed25519`), old.privateKey.trimEnd() + "\n");

  await takeNextKeys(directory, "hello");
  assert.equal(await found(fingerprint(old.publicKey)), keys.userPublic);
  assert.equal((await readUserKeys(directory))?.masterHostKey, keys.masterHostPublic);
  await takeNextKeys(directory, "hello");
  assert.equal(await found(), keys.userPublic);
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  assert.deepEqual(names, ["id_ed25519", "id_ed25519.pub", "known_hosts"]);
});

Deno.test("settleKeys() keeps what an interrupted deployment had brought to the swarm, should the next fail too", async () => {
  const directory = `${await Deno.makeTempDir()}/keys`;
  const old = { ...await makeKeyPair("old"), masterHostKey: "ssh-ed25519 CCCC host" };
  await writeUserKeys(directory, "hello", old);
  const settle = async (local: typeof old, deployed: string) => {
    const rotate = situation({ local, deployed, rotate: true });
    return (await settleKeys(new FakeSwarm().engine(), directory, rotate, planKeys(rotate))).userPublic;
  };
  const deployed = fingerprint(await settle(old, fingerprint(old.publicKey)));
  const first = await readUserKeys(directory, deployed);
  assert.ok(first);
  await settle(first, deployed);
  assert.deepEqual(await readUserKeys(directory, deployed), first);
});

Deno.test("settleKeys() goes on where it was interrupted while it wrote", async () => {
  const directory = `${await Deno.makeTempDir()}/keys`;
  await Deno.mkdir(`${directory}/next.new`, { recursive: true });
  await Deno.writeTextFile(`${directory}/next.new/known_hosts.new`, "half");
  await Deno.mkdir(`${directory}/next`);
  await Deno.writeTextFile(`${directory}/next/known_hosts`, "half");
  assert.equal(await readUserKeys(directory), undefined);
  const keys = await settleKeys(new FakeSwarm().engine(), directory, situation(), planKeys(situation()));
  assert.equal((await readUserKeys(directory))?.publicKey, keys.userPublic);
});

Deno.test("previewKeys() shows what is kept as it is, and what is to be made as such", () => {
  const fresh = previewKeys(situation(), planKeys(situation()));
  assert.equal(fresh.clusterPublic, "ssh-ed25519 AAAA (made by deploy: cluster_key)");
  assert.equal(fresh.clusterSecret, "hello_cluster_key-made-by-deploy");
  assert.equal(fresh.userPublic, "ssh-ed25519 AAAA (made by deploy: user)");
  const again = situation({ secrets: all, local: user });
  const keys = previewKeys(again, planKeys(again));
  assert.equal(keys.userPublic, user.publicKey);
  assert.equal(keys.masterHostSecret, secretName("hello", "master_host", "ssh-ed25519 master_host"));
});
