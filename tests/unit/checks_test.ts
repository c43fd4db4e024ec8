/** `docker mpi doctor` judges facts: what each check finds, and what it says to do. */
import assert from "node:assert/strict";
import {
  checkCluster,
  checkEngine,
  checkHosts,
  checkImage,
  checkPort,
  checkVersion,
  type Finding,
} from "../../stack/inspect/checks.ts";
import type { ClusterStatus } from "../../stack/inspect/status.ts";
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
  assert.deepEqual(checkHosts([aNode(1)], "node-1"), [found("ok", "Hosts", "1 host is ready")]);
  const two = [aNode(1, { cpus: 8 }), aNode(2, { cpus: 4 })];
  assert.deepEqual(checkHosts(two, "node-1"), [found("ok", "Hosts", "2 hosts are ready, 12 CPUs")]);
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
  assert.deepEqual(checkHosts(nodes, "node-1"), [
    found("problem", "Hosts", "rack-2 is down", `docker node ls  # shows it; on rack-2 (10.0.0.2) ${why}`),
    found("problem", "Hosts", "rack-3 is unknown", `docker node ls  # shows it; on rack-3 (address unknown) ${why}`),
    idle("rack-4", "drain"),
    idle("rack-5", "pause"),
  ]);
});

Deno.test("checkHosts() warns of several kinds of processor", () => {
  const arm = { attributes: { "node.platform.arch": "aarch64" } };
  assert.deepEqual(checkHosts([aNode(1), aNode(2, arm), aNode(3, arm)], "node-1"), [
    found(
      "warning",
      "Hosts",
      "the hosts have different processors: aarch64, x86_64; an image runs on one kind",
      'docker mpi deploy --worker-constraint "node.platform.arch == x86_64" ' +
        '--master-constraint "node.platform.arch == x86_64"',
    ),
  ]);
  const unsaid = { attributes: { "node.platform.arch": "" } };
  assert.equal(
    checkHosts([aNode(1), aNode(2, unsaid)], "node-1")[0]?.verdict,
    "ok",
    "a host that says nothing is no mixture",
  );
});

Deno.test("checkHosts() names hosts whose engine is too old", () => {
  const [host, ...others] = checkHosts([aNode(1, { engine: "20.10.24" }), aNode(2, { engine: "19.03.15" })], "node-1");
  assert.deepEqual([host, others], [
    found(
      "problem",
      "Hosts",
      "rack-2 has engine 19.03.15, which is too old: want 20.10 or newer",
      "docker node update --availability drain rack-2  # keeps nodes off it until it has a newer one",
    ),
    [],
  ]);
});

Deno.test("checkHosts() warns of two managers, and of no other number; this engine stays one", () => {
  const managers = (count: number, here: string) =>
    checkHosts(
      [1, 2, 3].map((n) => aNode(n, { attributes: { "node.role": n <= count ? "manager" : "worker" } })),
      here,
    );
  for (const [here, other] of [["node-1", "rack-2"], ["node-2", "rack-1"]] as const) {
    assert.deepEqual(managers(2, here), [
      found(
        "warning",
        "Hosts",
        "the swarm has 2 managers, and stops when it loses either",
        `docker node demote ${other}  # one manager is safer than two; three are safer than one`,
      ),
    ]);
  }
  assert.deepEqual([managers(1, "node-1"), managers(3, "node-1")].map(([first]) => first?.verdict), ["ok", "ok"]);
});

Deno.test("checkImage() asks for a registry only where other hosts may get nodes", () => {
  const [image, here, hosts] = ["example.org/hello:1", "node-1", [aNode(1), aNode(2)]];
  const pushed = anImage({ digests: ["example.org/hello@sha256:0123456789abcdef0123"] });
  assert.deepEqual(
    checkImage({ image, local: anImage(), hosts: [aNode(1)], here }),
    found("ok", "Image", `${image} is here, where all nodes run`),
  );
  assert.deepEqual(
    checkImage({ image, local: pushed, hosts, here }),
    found("ok", "Image", `${image} is in its registry as sha256:0123456789ab…`),
  );
  assert.deepEqual(
    checkImage({ image: "hello:latest", local: anImage(), hosts, here }),
    found(
      "problem",
      "Image",
      'Image "hello:latest" is on this engine only, and nodes may start on 2 hosts: rack-1, rack-2',
      "docker mpi deploy --push --image registry.example.org/hello  # takes it to a registry of yours; " +
        "--resolve-image never if every host has it already",
    ),
  );
});

Deno.test("checkImage() does not take the digest of what was built in containerd for that of a registry", () => {
  const [here, hosts, id] = ["node-1", [aNode(1), aNode(2)], "sha256:0123456789abcdef0123"];
  const local = anImage({ id, digests: [`hello@${id}`, `example.org/hello@${id}`] });
  assert.deepEqual(
    checkImage({ image: "hello:latest", local, hosts, here }),
    found(
      "warning",
      "Image",
      "hello:latest may be on this engine only",
      "docker mpi deploy --push --image registry.example.org/hello  # takes it to a registry of yours; " +
        "--resolve-image never if every host has it already",
    ),
  );
  assert.deepEqual(
    checkImage({ image: "example.org/hello:1", local, hosts, here }),
    found("ok", "Image", "example.org/hello:1 is here as sha256:0123456789ab…, and deploy asks its registry for it"),
  );
});

Deno.test("checkImage() says how to get what is missing", () => {
  const missing = (image: string, remedy: string) => {
    const finding = found("warning", "Image", `this engine does not have ${image} yet`, remedy);
    assert.deepEqual(checkImage({ image, local: undefined, hosts: [aNode(1), aNode(2)], here: "node-1" }), finding);
  };
  missing("hello:latest", "docker mpi build  # makes it; deploy does so as well");
  missing(
    "example.org/hello",
    "docker pull example.org/hello  # if its registry has it; docker mpi deploy --push makes it, and takes it there",
  );
});

Deno.test("checkPort() finds another cluster's port, any other service's, and the next that is free", () => {
  const cluster = (name: string, port = "2222") => [
    aService(name, "master", { labels: { "docker-mpi.port": port }, ports: [Number(port)] }),
    aService(name, "worker"),
  ];
  const web = aService("web", "master", { name: "web", labels: { "docker-mpi.role": "" }, ports: [80, 2224] });
  const services = [...cluster("cfd"), ...cluster("other", "2223"), web];
  const free = (port: number) => found("ok", "Port", `${port} is no other service's in this swarm`);
  const taken = (port: number, owner: string) =>
    found(
      "warning",
      "Port",
      `${port} is the port of ${owner}: on one host both can't have it`,
      "docker mpi deploy --port 2225",
    );
  assert.deepEqual(checkPort("hello", 2222, services), taken(2222, 'cluster "cfd"'));
  assert.deepEqual(checkPort("hello", 2224, services), taken(2224, 'service "web"'));
  assert.deepEqual(checkPort("hello", 2225, services), free(2225));
  const both = [...cluster("cfd"), ...cluster("hello")];
  for (const name of ["cfd", "hello"]) assert.equal(checkPort(name, 2222, both).verdict, "warning", name);
  assert.deepEqual(checkPort("cfd", 2222, services), free(2222), "its own port");
  assert.deepEqual(checkPort("web", 2224, services), free(2224), "one of its own stack");
  // On its hosts' network a cluster has a port that is not published.
  const bare = cluster("cfd").map((service) => ({ ...service, ports: [] }));
  assert.equal(checkPort("hello", 2222, bare).verdict, "warning");
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
  const remedy =
    "docker mpi deploy --cluster hello --build  # in its project's directory brings it to this version; what runs ends";
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
