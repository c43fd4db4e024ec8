/** `docker mpi doctor` judges facts: what each check finds, and what it says to do. */
import assert from "node:assert/strict";
import {
  checkCluster,
  checkEngine,
  checkFacts,
  checkHosts,
  checkImage,
  checkPort,
  checkVersion,
  type Finding,
  type NodeFacts,
  PADDING,
  parseFacts,
} from "../../stack/checks.ts";
import type { ClusterStatus } from "../../stack/status.ts";
import { anImage, aNode, aService, MANAGER } from "../support/fakes.ts";

const found = (verdict: Finding["verdict"], check: string, text: string, remedy?: string): Finding => ({
  check,
  verdict,
  text,
  ...(remedy === undefined ? {} : { remedy }),
});

const engines: [version: string, isOld: boolean][] = [
  ["28.2.2", false],
  ["20.10.0-ce", false],
  ["20.10", false],
  ["23.0.1", false],
  ["20.9.9", true],
  ["19.03.15", true],
];

for (const [version, isOld] of engines) {
  Deno.test(`checkEngine() takes ${version} for ${isOld ? "too old" : "new enough"}`, () => {
    const text = `${version} at unix:///x`;
    const remedy = "docker version  # shows which engine it is; install a newer one: ";
    const old = `${text} is too old: want 20.10 or newer`;
    assert.deepEqual(
      checkEngine({ ...MANAGER, version }, "unix:///x"),
      isOld
        ? found("problem", "Engine", old, `${remedy}https://docs.docker.com/engine/install`)
        : found("ok", "Engine", text),
    );
  });
}

Deno.test("checkHosts() counts hosts and CPUs where all is well", () => {
  assert.deepEqual(checkHosts([aNode(1)]), [found("ok", "Hosts", "1 host is ready")]);
  const two = [aNode(1, { cpus: 8 }), aNode(2, { cpus: 4 })];
  assert.deepEqual(checkHosts(two), [found("ok", "Hosts", "2 hosts are ready, 12 CPUs")]);
});

Deno.test("checkHosts() names hosts that are down, and those that take no tasks", () => {
  const nodes = [
    aNode(1),
    aNode(2, { state: "down" }),
    aNode(3, { state: "unknown", availability: "drain", address: "" }),
    aNode(4, { availability: "drain" }),
    aNode(5, { availability: "pause" }),
  ];
  const idle = (name: string, availability: string) => {
    const text = `${name} takes no tasks: its availability is ${availability}`;
    return found("warning", "Hosts", text, `docker node update --availability active ${name}`);
  };
  const why = "docker info says why; 2377/tcp to the managers must be open";
  assert.deepEqual(checkHosts(nodes), [
    found("problem", "Hosts", "rack-2 is down", `docker node ls  # shows it; on rack-2 (10.0.0.2) ${why}`),
    found("problem", "Hosts", "rack-3 is unknown", `docker node ls  # shows it; on rack-3 (address unknown) ${why}`),
    idle("rack-4", "drain"),
    idle("rack-5", "pause"),
  ]);
});

Deno.test("checkHosts() warns of several kinds of processor", () => {
  const arm = { attributes: { "node.platform.arch": "aarch64" } };
  assert.deepEqual(checkHosts([aNode(1), aNode(2, arm), aNode(3, arm)]), [
    found(
      "warning",
      "Hosts",
      "the hosts have different processors: aarch64, x86_64; an image runs on one kind",
      'docker mpi deploy --worker-constraint "node.platform.arch == x86_64" ' +
        '--master-constraint "node.platform.arch == x86_64"',
    ),
  ]);
  const unsaid = { attributes: { "node.platform.arch": "" } };
  assert.equal(checkHosts([aNode(1), aNode(2, unsaid)])[0]?.verdict, "ok", "a host that says nothing is no mixture");
});

Deno.test("checkHosts() warns of two managers, and of no other number", () => {
  const managers = (count: number) =>
    checkHosts([1, 2, 3].map((n) => aNode(n, { attributes: { "node.role": n <= count ? "manager" : "worker" } })));
  assert.deepEqual(managers(2), [
    found(
      "warning",
      "Hosts",
      "the swarm has 2 managers, and stops when it loses either",
      "docker node demote rack-2  # one manager is safer than two; three are safer than one",
    ),
  ]);
  assert.deepEqual([managers(1), managers(3)].map(([first]) => first?.verdict), ["ok", "ok"]);
});

Deno.test("checkImage() asks for a registry only where other hosts may get nodes", () => {
  const [name, hosts] = ["example.org/hello:1", [aNode(1), aNode(2)]];
  const pushed = anImage({ digests: ["example.org/hello@sha256:0123456789abcdef0123"] });
  const drained = [aNode(1), aNode(2, { availability: "drain" })];
  const here = found("ok", "Image", `${name} is here, where all nodes run`);
  assert.deepEqual(checkImage(name, anImage(), [aNode(1)], "node-1"), here);
  assert.deepEqual(checkImage(name, anImage(), drained, "node-1"), here);
  assert.deepEqual(
    checkImage(name, pushed, hosts, "node-1"),
    found("ok", "Image", `${name} is in its registry as sha256:0123456789ab…`),
  );
  const only = "hello:latest is on this engine only, and 2 hosts may get nodes";
  const push = "docker mpi deploy --push --image registry.example.org/hello  # takes it to a registry";
  assert.deepEqual(checkImage("hello:latest", anImage(), hosts, "node-1"), found("problem", "Image", only, push));
  const { remedy } = checkImage(name, anImage(), hosts, "node-1");
  assert.equal(remedy, "docker mpi deploy --push  # takes it to a registry");
});

Deno.test("checkImage() says how to make what is missing", () => {
  const missing = (image: string, remedy: string) =>
    found("warning", "Image", `this engine does not have ${image} yet`, remedy);
  assert.deepEqual(
    checkImage("hello:latest", undefined, [aNode(1)], "node-1"),
    missing("hello:latest", "docker mpi build  # makes it; deploy does so as well"),
  );
  assert.deepEqual(
    checkImage("example.org/hello", undefined, [aNode(1), aNode(2)], "node-1"),
    missing("example.org/hello", "docker mpi deploy --push  # makes it, and takes it to its registry"),
  );
});

Deno.test("checkPort() finds another cluster's port, and the next that is free", () => {
  const cluster = (name: string, port?: string) => ({
    name,
    master: aService(name, "master", { labels: port === undefined ? {} : { "docker-mpi.port": port } }),
    worker: aService(name, "worker"),
  });
  const clusters = [cluster("cfd", "2222"), cluster("other", "2223")];
  const free = (port: number) => found("ok", "Port", `${port} is no other cluster's`);
  const taken = `2222 is the port of cluster "cfd": on one host both can't have it`;
  assert.deepEqual(
    checkPort("hello", 2222, clusters),
    found("warning", "Port", taken, "docker mpi deploy --port 2224"),
  );
  assert.deepEqual(checkPort("hello", 2224, clusters), free(2224));
  const both = [cluster("cfd", "2222"), cluster("hello", "2222")];
  for (const name of ["cfd", "hello"]) assert.equal(checkPort(name, 2222, both).verdict, "warning", name);
  assert.deepEqual(checkPort("cfd", 2222, clusters), free(2222), "its own port");
  assert.deepEqual(checkPort("hello", 2222, []), free(2222));
});

const status = (parts: Partial<ClusterStatus> = {}): ClusterStatus => ({
  name: "hello",
  healthy: true,
  wanted: 3,
  running: 3,
  answering: 3,
  slots: 12,
  masterHost: "rack-1",
  port: 2222,
  image: "hello:latest",
  version: "0.1.0",
  createdAt: "2026-01-01T00:00:00Z",
  nodes: [],
  problems: [],
  ...parts,
});

Deno.test("checkCluster() counts what answers, or hands on what is wrong", () => {
  assert.deepEqual(checkCluster(status()), [found("ok", "Nodes", "all 3 nodes answer, 12 slots")]);
  const problem = { nodes: ["worker-1"], error: "It broke.", hosts: ["rack-2"], remedy: "mend it", final: false };
  assert.deepEqual(checkCluster(status({ healthy: false, problems: [problem, { ...problem, hosts: [] }] })), [
    found("problem", "Nodes", "worker-1: It broke (on rack-2)", "mend it"),
    found("problem", "Nodes", "worker-1: It broke", "mend it"),
  ]);
  assert.deepEqual(checkCluster(status({ healthy: false, running: 1 })), [
    found("problem", "Nodes", "1 of 3 nodes run", "docker mpi ps hello  # shows how they go on"),
  ]);
});

Deno.test("checkVersion() warns of a cluster that another version deployed", () => {
  const remedy = "docker mpi deploy --build  # brings it to this version; what runs ends";
  assert.deepEqual(
    checkVersion(status(), "0.1.0"),
    found("ok", "Version", "hello was deployed by this version, 0.1.0"),
  );
  for (const [version, said] of [["0.0.9", "0.0.9"], ["", "unknown"]] as const) {
    assert.deepEqual(
      checkVersion(status({ version }), "0.1.0"),
      found("warning", "Version", `hello was deployed by version ${said}, and this is 0.1.0`, remedy),
    );
  }
});

const padding = "x".repeat(PADDING);

Deno.test("parseFacts() reads the lines of mpi_facts, and passes over what else is said", () => {
  const text = [
    `master   | facts host rack-1 mtu 1450 cpus 8 slots 4 full 37 padding ${padding}`,
    `worker-1 | facts host mtu mtu 9000 cpus 2 slots 2 full 100 padding xxx`,
    "worker-2 | mpi_facts: line 9: /run/mpi/slots: No such file or directory",
    "mpi_exec: worker-3 does not answer",
    "",
  ].join("\n");
  assert.deepEqual(parseFacts(text), [
    { node: "master", host: "rack-1", mtu: 1450, cpus: 8, slots: 4, full: 37, received: PADDING },
    { node: "worker-1", host: "mtu", mtu: 9000, cpus: 2, slots: 2, full: 100, received: 3 },
  ]);
});

const facts = (node: string, parts: Partial<NodeFacts> = {}): NodeFacts => ({
  node,
  host: `rack-${node}`,
  mtu: 1450,
  cpus: 4,
  slots: 4,
  full: 10,
  received: PADDING,
  ...parts,
});
/** What is found of a cluster of four nodes, each of which says that. */
const judged = (parts: (index: number) => Partial<NodeFacts>) => {
  const nodes = ["1", "2", "3", "4"];
  return checkFacts(nodes.map((node, index) => facts(node, parts(index))), nodes);
};
const wells = [
  found("ok", "Traffic", "100 KB came from each node"),
  found("ok", "MTU", "1450 on every node"),
  found("ok", "Slots", "no host has more ranks than CPUs"),
  found("ok", "Disk", "at most 94 % full"),
];

Deno.test("checkFacts() finds nothing where nodes are alike, and have room", () => {
  assert.deepEqual(judged((index) => ({ full: 91 + index })), wells);
});

const perNode = "docker mpi deploy --per-node --slots auto  # one node on each host, a rank for each CPU";

const faults: [what: string, parts: (index: number) => Partial<NodeFacts>, finding: Finding][] = [
  [
    "traffic that is cut",
    (index) => index === 1 ? { received: 1400 } : {},
    found(
      "problem",
      "Traffic",
      "100 KB did not come whole from 2",
      "docker mpi deploy --mtu 1400  # after docker mpi rm, if the network between the hosts takes only smaller packets",
    ),
  ],
  [
    "several MTUs, by size",
    (index) => index === 0 ? { mtu: 8950 } : index === 1 ? { mtu: 950 } : {},
    found(
      "problem",
      "MTU",
      "differs between nodes: 950, 1450, 8950",
      "docker mpi rm && docker mpi deploy --mtu 1000  # one for all",
    ),
  ],
  [
    "a host with more ranks than CPUs",
    (index) => index < 2 ? { host: "big", cpus: 7 } : {},
    found("warning", "Slots", "big has 8 slots and 7 CPUs: ranks share them, and slow each other", perNode),
  ],
  [
    "several such hosts",
    () => ({ cpus: 2 }),
    found(
      "warning",
      "Slots",
      "rack-1 has 4 slots and 2 CPUs: ranks share them, and slow each other, and 3 more like it",
      perNode,
    ),
  ],
  [
    "disks that are nearly full",
    () => ({ full: 95 }),
    found(
      "problem",
      "Disk",
      "1 on rack-1 is 95 % full, 2 on rack-2 is 95 % full, 3 on rack-3 is 95 % full and 1 more",
      "docker system df  # on that host shows what fills it, docker system prune takes away what nobody uses",
    ),
  ],
];

for (const [what, parts, finding] of faults) {
  Deno.test(`checkFacts() finds ${what}`, () => {
    const own = judged(parts);
    assert.deepEqual(own.filter(({ verdict }) => verdict !== "ok"), [finding]);
    assert.deepEqual(own.map(({ check }) => check), wells.map(({ check }) => check));
  });
}

Deno.test("checkFacts() misses the node that said nothing", () => {
  const [traffic] = checkFacts([facts("master")], ["master", "worker-1", "worker-2", "worker-3", "worker-4"]);
  assert.equal(traffic?.text, "100 KB did not come whole from worker-1, worker-2, worker-3 and 1 more");
});
