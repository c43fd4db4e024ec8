/** Public keys: which are taken, which open a cluster, and what a deployment makes of them. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { UserKeys } from "../../stack/keys/key_store.ts";
import { addsKeys, type KeySituation, planKeys, previewKeys } from "../../stack/keys/keys.ts";
import { authorized, authorizedLines, joinKeys, readPublicKey } from "../../stack/keys/public_key.ts";
import { fingerprint } from "../../stack/names.ts";
import { makeKeyPair } from "../../stack/ssh/key_pair.ts";
import { aService } from "../support/fakes.ts";

/** A public key line of a kind, with 32 bytes for a key. */
function keyLine(kind: string, filling = 7, comment = ""): string {
  const bytes = new Uint8Array(4 + kind.length + 4 + 32).fill(filling);
  new DataView(bytes.buffer).setUint32(0, kind.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  new DataView(bytes.buffer).setUint32(4 + kind.length, 32);
  return `${kind} ${bytes.toBase64()}${comment === "" ? "" : ` ${comment}`}`;
}

const [ada, bob, eve] = [1, 2, 3].map((filling) => keyLine("ssh-ed25519", filling)) as [string, string, string];

const kinds = [
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

for (const kind of kinds) {
  Deno.test(`readPublicKey() takes ${kind}`, () => {
    const line = keyLine(kind, 7, "bob@desk");
    assert.equal(readPublicKey(line, "bob.pub"), line);
  });
}

Deno.test("readPublicKey() takes what ssh-keygen makes, with line ends, comments and blank lines around it", async () => {
  const { publicKey } = await makeKeyPair("bob on his desk");
  for (const text of [`${publicKey}\n`, `${publicKey}\r\n`, `# Bob's\n\n  ${publicKey}  \n\n# the end\n`]) {
    assert.equal(readPublicKey(text, "bob.pub"), publicKey);
  }
});

const others: [what: string, text: string][] = [
  ["nothing", ""],
  ["a comment alone", "# ssh-ed25519\n"],
  ["some words", "hello world"],
  ["a kind without a key", "ssh-ed25519"],
  ["a key that is no base64", "ssh-ed25519 AAAA*"],
  ["a key that is too short to say its kind", "ssh-ed25519 AAAA"],
  ["a key that is cut off", ada.slice(0, 40)],
  ["a key of another kind than its line says", bob.replace("ssh-ed25519", "ssh-rsa")],
  ["a kind that sshd does not take", keyLine("ssh-dss")],
  ["a kind that begins like one", keyLine("ssh-ed25519-cert-v01@openssh.com")],
  ["two keys", `${ada}\n${bob}\n`],
  ["a key with options, as in authorized_keys", `no-pty ${bob}`],
];

for (const [what, text] of others) {
  Deno.test(`readPublicKey() refuses ${what}`, () => {
    assert.throws(() => readPublicKey(text, "bob.pub"), {
      code: "usage",
      message: '"bob.pub" is no public SSH key: want one line such as "ssh-ed25519 AAAA… bob@desk"',
      hint: "docker mpi key create  # on the other machine makes a key, and prints this line",
    });
  });
}

Deno.test("readPublicKey() refuses a private key, and names its public half", async () => {
  const { privateKey } = await makeKeyPair("bob");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const older = rsa.export({ type: "pkcs1", format: "pem" }).toString();
  for (const text of [privateKey, `\n${privateKey}`, older]) {
    assert.throws(() => readPublicKey(text, "keys/id_ed25519"), {
      code: "usage",
      message: '"keys/id_ed25519" holds a private key, which nobody else is to have',
      hint:
        "docker mpi deploy --add-key keys/id_ed25519.pub  # its public half; ssh-keygen -y -f keys/id_ed25519 prints it",
    });
  }
});

Deno.test("joinKeys() keeps the order, and of the same key the first line", () => {
  assert.deepEqual(joinKeys([`${bob} bob@desk`, ada], [eve, `${ada} ada@desk`], [`${bob} bob@laptop`]), [
    `${bob} bob@desk`,
    ada,
    eve,
  ]);
  assert.deepEqual(joinKeys([], []), []);
});

const opened: [what: string, labels: Record<string, string>, keys: string[]][] = [
  ["nobody, where an old version deployed it", {}, []],
  ["its owner", { "docker-mpi.user-key": fingerprint(ada) }, [ada]],
  [
    "its owner and those who were added, each once",
    { "docker-mpi.user-key": fingerprint(ada), "docker-mpi.user-keys": `${ada}\n${bob} bob@desk\n${eve}` },
    [ada, bob, eve],
  ],
];

for (const [what, labels, keys] of opened) {
  Deno.test(`authorized() tells of a cluster that opens to ${what}`, () => {
    assert.deepEqual(authorized(aService("hello", "master", { labels })), keys.map(fingerprint));
  });
}

Deno.test("authorizedLines() gives the lines as they were added; none where the owner is alone, or nothing runs", () => {
  const master = aService("hello", "master", { labels: { "docker-mpi.user-keys": `${ada}\n${bob} bob@desk` } });
  assert.deepEqual(authorizedLines(master), [ada, `${bob} bob@desk`]);
  assert.deepEqual(authorizedLines(aService("hello", "master")), []);
  assert.deepEqual(authorizedLines(undefined), []);
});

const machineOf = (publicKey: string): UserKeys => ({ privateKey: "(private)", publicKey, masterHostKey: eve });
const situation = (parts: Partial<KeySituation> = {}): KeySituation => ({
  name: "hello",
  secrets: [],
  used: [],
  deployed: fingerprint(ada),
  local: machineOf(ada),
  rotate: false,
  ...parts,
});
/** The keys that a deployment would let in. */
const letIn = (parts: Partial<KeySituation>) => {
  const all = situation(parts);
  const { userPublic, addedPublic } = previewKeys(all, planKeys(all));
  return { userPublic, ...(addedPublic === undefined ? {} : { addedPublic }) };
};

Deno.test("a machine whose key was added may deploy, and the owner stays the first", () => {
  const authorized = [ada, `${bob} bob@desk`];
  assert.deepEqual(letIn({ authorized, local: machineOf(bob) }), {
    userPublic: ada,
    addedPublic: [`${bob} bob@desk`],
  });
  assert.deepEqual(letIn({ authorized, local: machineOf(bob), add: [eve] }), {
    userPublic: ada,
    addedPublic: [`${bob} bob@desk`, eve],
  });
  for (const local of [machineOf(eve), undefined]) {
    assert.throws(() => planKeys(situation({ authorized, local })), { code: "ssh" });
  }
});

Deno.test("keys that are added come after the owner's, each once", () => {
  assert.deepEqual(letIn({}), { userPublic: ada });
  assert.deepEqual(letIn({ add: [bob, eve, `${bob} again`] }), { userPublic: ada, addedPublic: [bob, eve] });
  assert.deepEqual(letIn({ add: [`${ada} the owner's`] }), { userPublic: ada });
  assert.deepEqual(letIn({ deployed: undefined, add: [bob] }), { userPublic: ada, addedPublic: [bob] }, "at first");
});

Deno.test("new keys are their owner's alone, but for those added with the same command", () => {
  const userPublic = "ssh-ed25519 AAAA (made by deploy: user)";
  const before = { authorized: [ada, bob], local: machineOf(ada), rotate: true };
  assert.deepEqual(letIn(before), { userPublic });
  assert.deepEqual(letIn({ ...before, add: [eve] }), { userPublic, addedPublic: [eve] });
});

const adding: [what: string, parts: Partial<KeySituation>, adds: boolean][] = [
  ["no key", {}, false],
  ["a key that is new", { add: [bob] }, true],
  ["the owner's", { add: [`${ada} ada@desk`] }, false],
  ["one that opens it already", { authorized: [ada, bob], add: [`${bob} bob@desk`] }, false],
  ["one of both", { authorized: [ada, bob], add: [bob, eve] }, true],
  ["a key, to a cluster that does not run", { deployed: undefined, add: [bob] }, true],
];

for (const [what, parts, adds] of adding) {
  Deno.test(`addsKeys() says ${adds ? "yes" : "no"} to ${what}`, () => assert.equal(addsKeys(situation(parts)), adds));
}
