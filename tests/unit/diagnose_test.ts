import assert from "node:assert/strict";
import type { NodeStatus } from "../../stack/cluster/cluster.ts";
import { describeProblem, diagnose } from "../../stack/cluster/diagnose.ts";

const node = (name: string, parts: Partial<NodeStatus> = {}): NodeStatus => ({
  name,
  state: "pending",
  error: "",
  host: "",
  since: "2026-01-01T00:00:00Z",
  task: "t",
  container: "",
  failures: 0,
  lastError: "",
  failedHosts: [],
  ...parts,
});

const known: [error: string, remedy: RegExp, final: boolean][] = [
  ["No such image: hello:latest", /docker mpi build --push/, true],
  [
    "No such image: example.org/hello:1@sha256:1234",
    /^docker -H ssh:\/\/HOST pull example\.org\/hello:1@sha256:1234 .*docker mpi deploy --with-registry-auth/,
    true,
  ],
  ["No such image: sha256:1234", /docker mpi build --push/, true],
  ["pull access denied for hello, repository does not exist", /docker mpi build --push/, true],
  ["manifest unknown", /docker mpi build/, true],
  ["no suitable node (host-mode port already in use on 3 nodes)", /--port 2223/, true],
  [
    "driver failed programming external connectivity: Bind for 0.0.0.0:2222 failed: port is already allocated",
    /--port/,
    true,
  ],
  ["listen tcp4 0.0.0.0:2222: bind: address already in use", /--port/, true],
  ["unable to find user mpi: no matching entries in passwd file", /FROM docker-mpi\/mpich/, true],
  ['exec: "mpi_bootstrap": executable file not found in $PATH', /FROM docker-mpi\/mpich/, true],
  ["task: non-zero exit (127)", /FROM docker-mpi\/mpich/, true],
  ["node is missing network attachments, ip addresses may be exhausted", /--subnet 10\.20\.0\.0\/16/, true],
  ["no suitable node (insufficient resources on 2 nodes)", /docker node ls/, false],
  ["no suitable node (max replicas per node limit exceed)", /docker node ls/, true],
  ["no suitable node (scheduling constraints not satisfied on 1 node)", /docker node ls/, true],
  ["write /var/lib: no space left on device", /docker system df/, false],
  ["task: unhealthy container", /docker mpi logs/, false],
  ["something that nobody has seen", /docker mpi ps --no-trunc/, false],
];

for (const [error, remedy, final] of known) {
  Deno.test(`diagnose() knows what to do about "${error}"`, () => {
    const [problem, ...others] = diagnose([node("master", { error })]);
    assert.deepEqual(others, []);
    assert.match(problem?.remedy ?? "", remedy);
    assert.equal(problem?.final, final);
  });
}

Deno.test("diagnose() finds nothing in nodes that run or are on their way", () => {
  assert.deepEqual(
    diagnose([node("master", { state: "running", error: "old", lastError: "older" }), node("worker-1")]),
    [],
  );
});

const subnets: [subnet: string | undefined, error: string | undefined][] = [
  ["10.20.0.0/29", "no address in the cluster's network: its subnet 10.20.0.0/29 seems used up"],
  ["", "no address in the cluster's network: the swarm's address pool seems used up"],
  [undefined, undefined],
];

for (const [subnet, error] of subnets) {
  Deno.test(`diagnose() says of a node that stays new in the subnet ${JSON.stringify(subnet)}: ${error}`, () => {
    const [problem] = diagnose([node("worker-3", { state: "new" })], { name: "cfd", port: 2222, subnet });
    assert.equal(problem?.error, error);
    if (error === undefined) return;
    assert.match(problem?.remedy ?? "", /^docker mpi rm cfd && docker mpi deploy --cluster cfd --subnet /);
    assert.equal(problem?.final, false);
  });
}

Deno.test("diagnose() has words for the statuses of a node on its host's network", () => {
  const failed = (status: number) =>
    diagnose(
      [node("worker-1", { lastError: `task: non-zero exit (${status})`, failures: 1, failedHosts: ["rack-1"] })],
      {
        name: "cfd",
        port: 2300,
      },
    ).map(({ error, remedy, final }) => [error, remedy.split("  #")[0], final]);
  assert.deepEqual(failed(98), [
    ["address already in use: the port of its SSH server", "docker mpi deploy --cluster cfd --port 2301", true],
  ]);
  assert.deepEqual(failed(68), [[
    "has none of the addresses that the nodes were told",
    "docker mpi deploy --cluster cfd",
    true,
  ]]);
  assert.deepEqual(failed(3).map(([error]) => error), ["task: non-zero exit (3)"]);
});

Deno.test("diagnose() puts nodes with one reason together, with the hosts", () => {
  const problems = diagnose([
    node("worker-1", { error: "a", host: "rack-1" }),
    node("worker-2", { error: "b" }),
    node("worker-3", { lastError: "a", host: "rack-3", failedHosts: ["rack-2", "rack-1"] }),
    node("worker-4", { error: "a", lastError: "b", host: "rack-1" }),
  ]);
  assert.deepEqual(problems.map(({ error, nodes, hosts }) => ({ error, nodes, hosts })), [
    { error: "a", nodes: ["worker-1", "worker-3", "worker-4"], hosts: ["rack-1", "rack-2"] },
    { error: "b", nodes: ["worker-2"], hosts: [] },
  ]);
});

Deno.test("diagnose() gives up on what failed three times in one place, and on every host that there is", () => {
  const failed = (failures: number, failedHosts: string[]) => ({ lastError: "odd", failures, failedHosts });
  const final = (hosts: number, ...nodes: NodeStatus[]) =>
    diagnose(nodes, { name: "hello", port: 2222, hosts }).map(({ final }) => final);
  assert.deepEqual(final(1, node("master", failed(2, ["rack-1"]))), [false]);
  assert.deepEqual(final(1, node("master", failed(3, ["rack-1"]))), [true]);
  assert.deepEqual(final(2, node("master", failed(9, ["rack-1"]))), [false], "the swarm will try the other");
  assert.deepEqual(final(2, node("master", failed(3, ["rack-1", "rack-2"]))), [true]);
  assert.deepEqual(final(2, node("master", failed(3, ["rack-1"])), node("worker-1", failed(1, ["rack-2"]))), [true]);
});

Deno.test("diagnose() names the host that failed, not the one where it goes next", () => {
  const [problem] = diagnose([
    node("worker-1", {
      state: "assigned",
      host: "rack-2",
      lastError: "No such image: a/b@sha256:1",
      failures: 1,
      failedHosts: ["rack-1"],
    }),
  ]);
  assert.deepEqual(problem?.hosts, ["rack-1"]);
  assert.match(problem?.remedy ?? "", /^docker -H ssh:\/\/rack-1 pull a\/b@sha256:1 /);
});

Deno.test("describeProblem() says who, why and where, in one line", () => {
  const problem = { nodes: ["worker-1"], error: "It broke. ", hosts: [], remedy: "", final: true };
  assert.equal(describeProblem(problem), "worker-1: It broke");
  const many = { ...problem, nodes: ["a", "b", "c", "d", "e"], hosts: ["rack-1", "rack-2"] };
  assert.equal(describeProblem(many), "a, b, c and 2 more: It broke (on rack-1, rack-2)");
});
