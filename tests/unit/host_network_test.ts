/** Where the nodes of a cluster are that is on its hosts' network. */
import assert from "node:assert/strict";
import { chooseHosts, requireOwnHosts } from "../../stack/stackfile/host_network.ts";
import { aNode } from "../support/fakes.ts";

const hosts = [3, 1, 2].map((number) => aNode(number, { address: `10.0.0.${number}` }));
const [third, first, second] = hosts.map(({ id }) => id) as [string, string, string];

Deno.test("the master is on the host that is preferred, or on the first by name, and its address is the first", () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
  assert.deepEqual(chooseHosts(hosts, [], []), { master: first, addresses });
  assert.deepEqual(chooseHosts(hosts, [], ["gone", second, third]), {
    master: second,
    addresses: ["10.0.0.2", "10.0.0.1", "10.0.0.3"],
  });
});

Deno.test("a host that the swarm knows by no IPv4 address has no master, and no place in the list", () => {
  const strange = [aNode(1, { address: "" }), aNode(2, { address: "fd00::2" }), aNode(3)];
  assert.deepEqual(chooseHosts(strange, [], [strange[0]!.id]), { master: third, addresses: ["10.0.0.3"] });
});

Deno.test("the master is on no host that takes no tasks, or that it is not to be on", () => {
  const down = hosts.map((host) => host.id === first ? { ...host, state: "down" } : host);
  assert.equal(chooseHosts(down, [], [first]).master, second);
  assert.equal(chooseHosts(hosts, [`node.id == ${third}`], [first]).master, third);
  assert.deepEqual(chooseHosts(hosts, ["node.hostname == nowhere"], [first]), {
    master: undefined,
    addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
  });
});

const elsewhere = [`node.id != ${third}`];
const few = "On the hosts' network each node needs a host of its own; beside the master's, ";
const none = "docker node ls  # shows the hosts; with --network overlay several nodes can be on one";
const most = (workers: number) =>
  `deploy ${workers}  # as many as there are; with --network overlay several nodes can be on one host`;
Deno.test("a host that the user leaves out may have no IPv4 address", () => {
  const strange = aNode(4, { address: "fd00::1" });
  requireOwnHosts(2, [`node.id != ${strange.id}`, ...elsewhere], [...hosts, strange], "deploy");
});

const REFUSED: [workers: number | "per-node", hosts: number, message: string, hint: string][] = [
  [3, 3, "2 are there for 3 workers", most(2)],
  [2, 2, "1 is there for 2 workers", most(1)],
  [1, 1, "none is there for 1 worker", none],
  ["per-node", 1, "none is there for workers", none],
];
for (const [workers, number, message, hint] of REFUSED) {
  Deno.test(`each node has a host of its own: ${message}`, () => {
    const wrong = () => requireOwnHosts(workers, elsewhere, hosts.slice(0, number), "deploy");
    assert.throws(wrong, { code: "cluster", message: few + message, hint });
  });
}

Deno.test("each node has a host of its own where there are as many, or none is wanted", () => {
  requireOwnHosts(2, elsewhere, hosts, "deploy");
  requireOwnHosts("per-node", elsewhere, hosts, "deploy");
  requireOwnHosts(0, elsewhere, hosts.slice(0, 1), "deploy");
});

Deno.test("what no host meets is left to who names it", () => {
  requireOwnHosts(2, [...elsewhere, "node.labels.rack == 7"], hosts, "deploy");
});

Deno.test("a host that the swarm knows by no IPv4 address is named", () => {
  assert.throws(() => requireOwnHosts(1, elsewhere, [...hosts, aNode(4, { address: "fd00::1" })], "deploy"), {
    message: 'On the hosts\' network a host needs an IPv4 address; the swarm knows "rack-4" by "fd00::1"',
  });
});
