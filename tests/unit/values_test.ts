import assert from "node:assert/strict";
import {
  clusterNameFrom,
  fingerprint,
  isClusterName,
  isImageReference,
  MAX_CLUSTER_NAME,
  type SecretKind,
  secretName,
} from "../../stack/names.ts";
import { formatSize, parseSize } from "../../stack/settings/size.ts";
import { nodeCapacity, parseSubnet } from "../../stack/settings/subnet.ts";
import { closest } from "../../stack/suggest.ts";

Deno.test("isClusterName() takes what a service, a network and an image may all be called", () => {
  for (const name of ["a", "a1", "a-b", "a--b", "a".repeat(39)]) assert.ok(isClusterName(name), name);
  for (const name of ["", "A", "1a", "-a", "a-", "a_b", "a.b", "a b", "ä", "a\n", "a".repeat(40)]) {
    assert.ok(!isClusterName(name), name);
  }
});

const directories: Record<string, string> = {
  "/home/ada/hello": "hello",
  "/home/ada/hello/": "hello",
  "C:\\Users\\Ada\\My Project": "my-project",
  "/x/Heat Équation_2.0": "heat-equation-2-0",
  "/x/2026": "mpi-2026",
  "/x/--": "mpi",
  "/x/计算": "mpi",
  "/": "mpi",
  "": "mpi",
};

for (const [directory, name] of Object.entries(directories)) {
  Deno.test(`clusterNameFrom() makes "${name}" of "${directory}"`, () => {
    assert.equal(clusterNameFrom(directory), name);
    assert.ok(isClusterName(name));
  });
}

Deno.test("clusterNameFrom() keeps long names apart that begin alike", () => {
  const names = ["03", "04"].map((n) => clusterNameFrom(`/x/parallel-computing-winter-term-assignment-${n}`));
  assert.match(names[0]!, /^parallel-computing-winter-term-ass-[0-9a-f]{4}$/);
  assert.notEqual(names[0], names[1]);
  for (const name of names) assert.ok(isClusterName(name), name);
});

Deno.test("isImageReference() goes by Docker's grammar", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const right = [
    "a",
    "a:1",
    "a/b",
    "a__b",
    "a-b.c",
    "localhost/a",
    "host:5000/a/b:V1.0_x",
    `a@${digest}`,
    `a:1@${digest}`,
  ];
  for (const text of [...right, "[::1]:5000/a", "Host.example/a"]) assert.ok(isImageReference(text), text);
  const wrong = ["", "A", "a:", "a:-", "a/", "/a", "a b", "a:b:c", "a@sha256:12", "a_-b", "http://h/a", "a\n"];
  for (const text of [...wrong, "a".repeat(256), "0".repeat(64)]) assert.ok(!isImageReference(text), text);
});

Deno.test("secretName() stays within Docker's 64 characters", () => {
  for (const kind of ["cluster_key", "master_host", "worker_host"] satisfies SecretKind[]) {
    const name = secretName("a".repeat(MAX_CLUSTER_NAME), kind, "ssh-ed25519 AAAA");
    assert.ok(name.length <= 64, name);
    assert.match(name, /^a+_[a-z_]+-[0-9a-f]{12}$/);
  }
});

Deno.test("secretName() depends on the key, not on its comment", () => {
  const name = secretName("a", "cluster_key", "ssh-ed25519 AAAA ada@here");
  assert.equal(secretName("a", "cluster_key", "ssh-ed25519 AAAA\n"), name);
  assert.notEqual(secretName("a", "cluster_key", "ssh-ed25519 AAAB"), name);
});

Deno.test("fingerprint() is what ssh-keygen -l prints", () => {
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEe7pT6F1zLG3E5S0hq9eqdbRFqAAuiRF0UnnBfMM78K ada";
  assert.equal(fingerprint(key), "SHA256:hz2rB0Oz6FiXuHF+F5mtOzYIxtIP9VhTYr9kD7wCylg");
});

Deno.test("parseSize() reads what Docker reads", () => {
  const sizes: Record<string, number | undefined> = {
    "0": 0,
    "1": 1,
    "1b": 1,
    "1k": 1024,
    "1KiB": 1024,
    "2 MB": 2_097_152,
    "1.5g": 1_610_612_736,
    "1T": 1_099_511_627_776,
    "": undefined,
    "m": undefined,
    "-1m": undefined,
    "1p": undefined,
    "1e3": undefined,
    "1.m": undefined,
    "99999999999t": undefined,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
});

Deno.test("formatSize() is undone by parseSize()", () => {
  for (const bytes of [0, 1, 1023, 1024, 1536, 67_108_864, 1_073_741_824, 1_610_612_736, 2 ** 50]) {
    assert.equal(parseSize(formatSize(bytes)), bytes);
  }
});

Deno.test("parseSubnet() refuses what is no network for hosts", () => {
  const wrong = [
    "",
    "10.0.0.0",
    "10.0.0/8",
    "10.0.0.256/8",
    "10.0.0.0/33",
    "010.0.0.0/8",
    "10.0.0.0/08",
    "10.0.0.0/-1",
  ];
  for (const text of [...wrong, "0.0.0.0/0", "127.0.0.0/8", "224.0.0.0/8", "fd00::/64", " 10.0.0.0/8"]) {
    assert.equal(parseSubnet(text), undefined, text);
  }
  assert.equal(parseSubnet("192.168.255.255/17")?.cidr, "192.168.128.0/17");
  assert.equal(parseSubnet("200.1.2.3/1")?.cidr, "128.0.0.0/1");
});

Deno.test("nodeCapacity() leaves an address for each host that runs nodes, and no more hosts than nodes", () => {
  assert.deepEqual([1, 2, 3, 4, 100].map((hosts) => nodeCapacity(29, hosts)), [4, 3, 2, 2, 2]);
  assert.equal(nodeCapacity(24, 100), 153);
});

Deno.test("nodeCapacity() is never below zero", () => {
  assert.deepEqual([32, 31, 30, 29, 24, 16].map((prefix) => nodeCapacity(prefix)), [0, 0, 0, 4, 252, 65_532]);
});

Deno.test("closest() allows a slip for every three letters, and one at least", () => {
  const words = ["name", "image", "workers", "slots", "port", "shm", "encrypted"];
  const meant: Record<string, string | undefined> = {
    worker: "workers",
    workres: "workers",
    "WORKERS": "workers",
    prot: "port",
    sm: "shm",
    encripded: "encrypted",
    xy: undefined,
    portable: undefined,
    "": undefined,
    ["x".repeat(10_000)]: undefined,
  };
  for (const [word, expected] of Object.entries(meant)) assert.equal(closest(word, words), expected, word.slice(0, 20));
});
