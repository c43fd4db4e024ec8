/** `docker mpi doctor` judges what the nodes say of themselves. */
import assert from "node:assert/strict";
import type { Finding } from "../../stack/inspect/checks.ts";
import { checkFacts, type FactsReply, type NodeFacts, PADDING, parseFacts } from "../../stack/inspect/facts.ts";
import { aService } from "../support/fakes.ts";

const found = (verdict: Finding["verdict"], check: string, text: string, remedy?: string): Finding => ({
  check,
  verdict,
  text,
  ...(remedy === undefined ? {} : { remedy }),
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
const cluster = (workers: number | "per-node" = 3) => ({
  name: "hello",
  master: aService("hello", "master"),
  worker: aService("hello", "worker", { replicas: workers === "per-node" ? undefined : workers }),
});
const reply = (facts: NodeFacts[], parts: Partial<FactsReply> = {}) => ({ status: 0, stderr: "", facts, ...parts });
/** What is found of a cluster of four nodes, each of which says that. */
const judged = (parts: (index: number) => Partial<NodeFacts>) => {
  const nodes = ["1", "2", "3", "4"];
  return checkFacts(cluster(), reply(nodes.map((node, index) => facts(node, parts(index)))), nodes);
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

const fewer = (slots: number) =>
  `docker mpi deploy --cluster hello --slots ${slots}  # restarts the nodes, with a CPU for each rank`;
const otherMtu = "docker mpi rm hello && docker mpi deploy --cluster hello --mtu";

const faults: [what: string, parts: (index: number) => Partial<NodeFacts>, finding: Finding][] = [
  [
    "traffic that is cut",
    (index) => index === 1 ? { received: 1400 } : {},
    found(
      "problem",
      "Traffic",
      "100 KB did not come whole from 2",
      `${otherMtu} 1400  # if the network between the hosts takes only smaller packets`,
    ),
  ],
  [
    "several MTUs, by size",
    (index) => index === 0 ? { mtu: 8950 } : index === 1 ? { mtu: 950 } : {},
    found(
      "problem",
      "MTU",
      "differs between nodes: 950, 1450, 8950",
      `${otherMtu} 1000  # one for all`,
    ),
  ],
  [
    "a host with more ranks than CPUs",
    (index) => index < 2 ? { host: "big", cpus: 7 } : {},
    found("warning", "Slots", "big has 8 slots and 7 CPUs: ranks share them, and slow each other", fewer(3)),
  ],
  [
    "several such hosts",
    () => ({ cpus: 2 }),
    found(
      "warning",
      "Slots",
      "rack-1 has 4 slots and 2 CPUs: ranks share them, and slow each other, and 3 more like it",
      fewer(2),
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

Deno.test("checkFacts() leaves the MTU of the hosts' network to the hosts", () => {
  const { master, ...others } = cluster();
  const onHosts = { ...others, master: { ...master, labels: { ...master.labels, "docker-mpi.network": "host" } } };
  const replies = reply([facts("1"), facts("2", { mtu: 9000, received: 10 })]);
  const bad = checkFacts(onHosts, replies, ["1", "2"]).filter(({ verdict }) => verdict === "problem");
  const remedy = "ip link show  # on each host shows its MTU, which its node has too; make them the same";
  assert.deepEqual(bad.map((found) => [found.check, found.remedy]), [["Traffic", remedy], ["MTU", remedy]]);
});

Deno.test("checkFacts() asks for fewer nodes where each takes one rank", () => {
  const remedy = (workers: number | "per-node", cpus = 2) => {
    const nodes = ["master", "1", "2"].map((node) => facts(node, { host: "vm", slots: 1, cpus }));
    return checkFacts(cluster(workers), reply(nodes), []).find(({ check }) => check === "Slots")?.remedy;
  };
  const why = "# as many nodes as CPUs; to learn and to test it is fine as it is";
  assert.equal(remedy(2), `docker mpi scale --cluster hello 1  ${why}`);
  assert.equal(remedy(2, 1), `docker mpi scale --cluster hello 0  ${why}`);
  assert.equal(remedy("per-node"), `docker mpi rm hello && docker mpi deploy --cluster hello --workers 1  ${why}`);
});

const nodes = ["master", "worker-1", "worker-2", "worker-3", "worker-4"];

Deno.test("checkFacts() takes nodes that say nothing in time for such as lose large packets", () => {
  const found = checkFacts(cluster(), reply([facts("master")], { status: 124 }), nodes);
  assert.equal(found[0]?.text, "100 KB did not come whole from worker-1, worker-2, worker-3 and 1 more");
  const none = checkFacts(cluster(), reply([], { status: 124 }), nodes);
  assert.deepEqual(none.map(({ check, verdict }) => [check, verdict]), [["Traffic", "problem"]]);
});

Deno.test("checkFacts() tells why nodes can't say how they are, and makes nothing of it", () => {
  const stderr = "worker-1 | sh: mpi_facts: not found\nworker-2 | sh: mpi_facts: not found\n";
  const finding = found(
    "problem",
    "Facts",
    "master, worker-1, worker-2 and 2 more can't say what it is like: worker-1 | sh: mpi_facts: not found",
    "docker mpi deploy --cluster hello --build  # in its project's directory gives the nodes this version's image",
  );
  assert.deepEqual(checkFacts(cluster(), reply([], { status: 127, stderr }), nodes), [finding]);
  const some = checkFacts(cluster(), reply([facts("master")], { status: 127 }), ["master", "worker-1"]);
  assert.deepEqual(some.map(({ check, verdict }) => [check, verdict]), [
    ["Facts", "problem"],
    ["Traffic", "ok"],
    ["MTU", "ok"],
    ["Slots", "ok"],
    ["Disk", "ok"],
  ]);
});
