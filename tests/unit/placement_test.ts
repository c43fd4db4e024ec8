/** On which hosts nodes may be, and what is said where there is none. */
import assert from "node:assert/strict";
import { CONSTRAINTS, meets, parseConstraints, suggestConstraints } from "../../stack/settings/constraint.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { requirePlace, requirePlaces } from "../../stack/stackfile/placement.ts";
import { renderStack, type StackFile } from "../../stack/stackfile/stack_file.ts";
import { aNode } from "../support/fakes.ts";

const keys = {
  ...{ userPublic: "ssh-ed25519 AAAA", clusterPublic: "ssh-ed25519 BBBB" },
  ...{ masterHostPublic: "ssh-ed25519 CCCC", workerHostPublic: "ssh-ed25519 DDDD" },
  ...{ clusterSecret: "a", masterHostSecret: "b", workerHostSecret: "c" },
};

async function render(text: string): Promise<StackFile> {
  const settings = await resolveSettings({ directory: "/hello", file: { path: "mpi.yaml", text } });
  return renderStack({ settings, workers: settings.workers ?? 3, keys, version: "0.1.0" });
}

type Rendered = Record<string, { hostname: string; deploy: Record<string, unknown> }>;

Deno.test("placement: comes into the stack file, each service with its own", async () => {
  const text = "placement: { master-constraint: node.hostname==head, " +
    'worker-constraint: "node.role == worker, node.labels.rack != 7", max-per-node: 2 }\n';
  const { master, worker } = (await render(text)).services as Rendered;
  assert.deepEqual(master!.deploy["placement"], { constraints: ["node.hostname == head"] });
  assert.deepEqual(worker!.deploy["placement"], {
    constraints: ["node.role == worker", "node.labels.rack != 7"],
    max_replicas_per_node: 2,
  });
  assert.equal(worker!.deploy["replicas"], 3);
});

Deno.test("one worker on each host is a global service, whose containers are named after the hosts", async () => {
  const { master, worker } = (await render("workers: per-node\nplacement: { max-per-node: 2 }\n")).services as Rendered;
  assert.deepEqual([worker!.deploy["mode"], worker!.deploy["replicas"]], ["global", undefined]);
  assert.equal(worker!.deploy["placement"], undefined, "a global service takes no such number");
  assert.deepEqual([master!.hostname, worker!.hostname], ["master", "worker-{{.Node.Hostname}}"]);
  assert.equal(master!.deploy["replicas"], 1);
});

const hosts = [
  aNode(1),
  aNode(2, { attributes: { "node.labels.rack": "7" } }),
  aNode(3, { attributes: { "node.labels.rack": "8" }, availability: "drain" }),
  aNode(4, { attributes: { "node.labels.rack": "9" }, state: "down" }),
];

const wish = { count: 2, constraints: [] as string[], maxPerNode: undefined };
const refused: { what: string; wish: Parameters<typeof requirePlace>[1]; message: string; hint: RegExp }[] = [
  {
    what: "a label that no host has",
    wish: { ...wish, constraints: ["node.role == worker", "node.labels.gpu == yes"] },
    message: 'The workers find no host: none meets "node.labels.gpu == yes"; there are rack-1, rack-2, rack-3, rack-4',
    hint: /^docker node update --label-add gpu=yes rack-1 {2}# gives a host that label$/,
  },
  {
    what: "a name that no host has",
    wish: { ...wish, constraints: ["node.hostname == head"] },
    message: 'The workers find no host: none meets "node.hostname == head"; there are rack-1, rack-2, rack-3, rack-4',
    hint: /^docker node ls {2}# /,
  },
  {
    what: "what no host meets at once",
    wish: { ...wish, constraints: ["node.role == manager", "node.labels.rack == 7"] },
    message: 'The workers find no host: none meets "node.role == manager" and "node.labels.rack == 7"; ' +
      "there are rack-1, rack-2, rack-3, rack-4",
    hint: /^docker node ls/,
  },
  {
    what: "a host that is drained",
    wish: { ...wish, constraints: ["node.labels.rack == 8"] },
    message: 'The workers find no host that meets "node.labels.rack == 8" and takes tasks: rack-3 is drained',
    hint: /^docker node update --availability active rack-3 {2}# /,
  },
  {
    what: "a host that is down",
    wish: { ...wish, constraints: ["node.labels.rack == 9"] },
    message: 'The workers find no host that meets "node.labels.rack == 9" and takes tasks: rack-4 is down',
    hint: /^docker node ls/,
  },
  {
    what: "more than may be on the hosts that take tasks",
    wish: { count: 7, constraints: [], maxPerNode: 3 },
    message: "The workers find no place: 7, at most 3 on each of 2 hosts",
    hint: /^docker mpi deploy --workers 6 .* deploy --max-per-node 4 lets more be on a host$/,
  },
];

for (const { what, wish, message, hint } of refused) {
  Deno.test(`requirePlace() refuses ${what}`, () => {
    assert.throws(() => requirePlace("The workers", wish, hosts), (error: Error & { code?: string; hint?: string }) => {
      assert.deepEqual([error.code, error.message], ["cluster", message]);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  });
}

Deno.test("requirePlace() takes what fits exactly, and none at all", () => {
  requirePlace("The workers", { count: 6, constraints: [], maxPerNode: 3 }, hosts);
  requirePlace("The workers", { count: 0, constraints: ["node.labels.gpu == yes"], maxPerNode: undefined }, hosts);
  requirePlace("The workers", { ...wish, constraints: ["node.labels.rack != 9", "node.role != manager"] }, hosts);
});

Deno.test("requirePlaces() wants host names that can name workers, where each host has one", async () => {
  const each = await render("workers: per-node\n");
  const three = await render("workers: 3\n");
  const twins = [aNode(1), aNode(2, { hostname: "rack-1" })];
  assert.throws(() => requirePlaces(each, twins), /"rack-1" can't be: several hosts have it/);
  requirePlaces(three, twins);
  requirePlaces(each, [aNode(1), aNode(2, { hostname: "rack-1", availability: "drain" })]);
  for (const hostname of ["a".repeat(58), "rack_1"]) {
    assert.throws(() => requirePlaces(each, [aNode(1, { hostname })]), /want at most 57 letters/);
  }
  requirePlaces(each, [aNode(1, { hostname: "ip-10-0-0-1.eu-west-1.example.org" })]);
});

Deno.test("requirePlaces() tells master and workers apart", async () => {
  const stack = await render("placement: { master-constraint: node.labels.a == b }\n");
  assert.throws(
    () => requirePlaces(stack, hosts),
    /^MpiError: The master finds no host: none meets "node.labels.a == b"/,
  );
});

Deno.test("keys of constraints are of either case, as for the swarm, and labels' names are not", async () => {
  const text = "Node.Role == worker ,\tNODE.Labels.Rack != 7, Engine.labels.GPU==yes";
  const read = ["node.role == worker", "node.labels.Rack != 7", "engine.labels.GPU == yes"];
  assert.deepEqual(parseConstraints(text), read);
  assert.match(text, new RegExp(String(CONSTRAINTS.schema["pattern"])), "the schema takes it as well");
  const { worker } = (await render(`placement: { worker-constraint: ${JSON.stringify(text)} }\n`)).services as Rendered;
  assert.deepEqual(worker!.deploy["placement"], { constraints: read });
  assert.ok(!meets(aNode(1), "Node.Role == worker"));
  assert.ok(meets(aNode(2), "Node.Role == worker"));
  assert.ok(!meets(aNode(2, { attributes: { "node.labels.rack": "7" } }), "Node.Labels.Rack == 7"));
});

const guesses: [text: string, meant: string | undefined][] = [
  ["head", "node.hostname == head"],
  ["rack=7", "node.labels.rack == 7"],
  ["role=worker, node.labels.x!=y", "node.role == worker, node.labels.x != y"],
  ["node.role=manager", "node.role == manager"],
  ["Node.Role=manager, Hostname=Head", "node.role == manager, node.hostname == Head"],
  ["labels.rack=7, os=linux", "node.labels.rack == 7, node.platform.os == linux"],
  ["platform.arch=x86_64", "node.platform.arch == x86_64"],
  ["node.colour == red", undefined],
  ["", undefined],
  ["a".repeat(1000), undefined],
];

for (const [text, meant] of guesses) {
  Deno.test(`of ${JSON.stringify(text.slice(0, 40))} a constraint is guessed`, () => {
    assert.equal(suggestConstraints(text), meant);
    assert.equal(parseConstraints(text), undefined);
  });
}
