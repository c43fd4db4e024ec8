import assert from "node:assert/strict";
import { MpiError } from "../../stack/errors.ts";
import { type FieldName, FIELDS } from "../../stack/settings/schema.ts";
import { resolveSettings, type SettingsInput } from "../../stack/settings/settings.ts";

const directory = "/home/ada/hello";

/** The error that settings fail with, as the parts that a user sees. */
async function failure(input: Omit<SettingsInput, "directory">): Promise<{ code: string; message: string }> {
  try {
    await resolveSettings({ directory, ...input });
  } catch (error) {
    assert.ok(error instanceof MpiError, String(error));
    return { code: error.code, message: error.message };
  }
  assert.fail("nothing was wrong");
}

Deno.test("resolveSettings() has a default for everything but what a cluster keeps", async () => {
  const { sources, ...settings } = await resolveSettings({ directory });
  assert.deepEqual(settings, {
    name: "hello",
    image: "hello:latest",
    mpi: undefined,
    workers: undefined,
    slots: 1,
    port: 2222,
    forwarding: false,
    shm: 1_073_741_824,
    masterConstraint: undefined,
    workerConstraint: undefined,
    maxPerNode: undefined,
    network: undefined,
    subnet: undefined,
    mtu: undefined,
    encrypted: false,
    volumes: { mounts: [], definitions: {} },
    stack: {},
  });
  assert.deepEqual([...new Set(Object.values(sources).map(({ where }) => where))], ["default"]);
});

Deno.test("resolveSettings() reads every key of the file", async () => {
  const text = `# a comment
name: cfd
image: registry.example.org:5000/team/cfd:1.2@sha256:${"a".repeat(64)}
mpi: openmpi
workers: 12
slots: auto
port: 2022
forwarding: true
shm: 512m
placement:
  master-constraint: node.hostname == head
  worker-constraint: node.role==worker,  node.labels.rack != 7
  max-per-node: 2
network:
  type: overlay
  subnet: 10.20.0.0/16
  mtu: 9000
  encrypted: true
volumes: ["data:/data"]
stack:
  services: { worker: { read_only: true } }
`;
  const { sources, ...settings } = await resolveSettings({ directory, file: { path: "mpi.yaml", text } });
  assert.deepEqual(settings, {
    name: "cfd",
    image: `registry.example.org:5000/team/cfd:1.2@sha256:${"a".repeat(64)}`,
    mpi: "openmpi",
    workers: 12,
    slots: "auto",
    port: 2022,
    forwarding: true,
    shm: 536_870_912,
    masterConstraint: "node.hostname == head",
    workerConstraint: "node.role == worker, node.labels.rack != 7",
    maxPerNode: 2,
    network: "overlay",
    subnet: "10.20.0.0/16",
    mtu: 9000,
    encrypted: true,
    volumes: { mounts: [{ type: "volume", source: "data", target: "/data" }], definitions: { data: {} } },
    stack: { services: { worker: { read_only: true } } },
  });
  assert.deepEqual(sources.mtu, { from: "file", where: "mpi.yaml:17:8" });
  assert.deepEqual(sources.stack, { from: "file", where: "mpi.yaml:20:1" });
});

Deno.test("resolveSettings() names the image after the cluster, wherever its name comes from", async () => {
  const { image, sources } = await resolveSettings({ directory, flags: { name: "cfd" } });
  assert.equal(image, "cfd:latest");
  assert.deepEqual(sources.image, { from: "default", where: "default" });
});

const given: Record<string, [flag: string, variable: string, line: string, values: unknown[]]> = {
  name: ["f", "e", "name: y", ["f", "e", "y"]],
  image: ["f:1", "e:1", "image: y:1", ["f:1", "e:1", "y:1"]],
  mpi: ["openmpi", "mpich", "mpi: openmpi", ["openmpi", "mpich", "openmpi"]],
  workers: ["1", "2", "workers: 3", [1, 2, 3]],
  slots: ["auto", "2", "slots: 3", ["auto", 2, 3]],
  port: ["1", "2", "port: 3", [1, 2, 3]],
  forwarding: ["true", "true", "forwarding: true", [true, true, true]],
  masterConstraint: [
    "node.role==worker",
    "node.ip != 10.0.0.1",
    "placement: { master-constraint: node.id == x }",
    ["node.role == worker", "node.ip != 10.0.0.1", "node.id == x"],
  ],
  workerConstraint: [
    "node.labels.a.b == c",
    "engine.labels.os==linux",
    "placement: { worker-constraint: node.platform.arch == x86_64 }",
    ["node.labels.a.b == c", "engine.labels.os == linux", "node.platform.arch == x86_64"],
  ],
  maxPerNode: ["1", "2", "placement: { max-per-node: 3 }", [1, 2, 3]],
  shm: ["100m", "200m", "shm: 300m", [104_857_600, 209_715_200, 314_572_800]],
  network: ["host", "overlay", "network: { type: host }", ["host", "overlay", "host"]],
  subnet: ["10.1.0.0/16", "10.2.0.0/16", "network: { subnet: 10.3.0.0/16 }", [
    "10.1.0.0/16",
    "10.2.0.0/16",
    "10.3.0.0/16",
  ]],
  mtu: ["1000", "2000", "network: { mtu: 3000 }", [1000, 2000, 3000]],
  encrypted: ["true", "true", "network: { encrypted: true }", [true, true, true]],
};

for (const [name, [flag, env, text, values]] of Object.entries(given)) {
  Deno.test(`resolveSettings() takes ${name} from flag, then variable, then file`, async () => {
    const { variable } = FIELDS[name as FieldName];
    const file = { path: "mpi.yaml", text };
    const all = [
      await resolveSettings({ directory, flags: { [name]: flag }, env: { [variable]: env }, file }),
      await resolveSettings({ directory, flags: { [name]: undefined }, env: { [variable]: env }, file }),
      await resolveSettings({ directory, env: { [variable]: "" }, file }),
    ];
    const flat = all.map((settings) => ({ ...settings }) as Record<string, unknown>);
    assert.deepEqual(flat.map((settings) => settings[name]), values);
    const sources = all.map(({ sources }) => sources[name as keyof typeof sources]);
    assert.deepEqual(sources.map(({ from }) => from), ["flag", "environment", "file"]);
    assert.deepEqual(sources.slice(0, 2).map(({ where }) => where), [FIELDS[name as FieldName].flag, variable]);
    assert.match(sources[2]?.where ?? "", /^mpi\.yaml:1:\d+$/);
  });
}

const WORKERS = 'want a whole number from 0 to 10000, or "per-node"';

for (const value of ["abc", "-1", "1e9", "10001", "3.5", "", " 5", "0x10", "٣"]) {
  Deno.test(`resolveSettings() refuses --workers ${JSON.stringify(value)} and names the flag`, async () => {
    assert.deepEqual(await failure({ flags: { workers: value } }), {
      code: "usage",
      message: `Invalid value "${value}" for --workers: ${WORKERS}`,
    });
  });
}

Deno.test("resolveSettings() takes 0 workers: the master alone", async () => {
  assert.equal((await resolveSettings({ directory, flags: { workers: "0" } })).workers, 0);
});

const wrongFlags: [name: string, value: string, message: string][] = [
  [
    "name",
    "My Cluster",
    'Invalid value "My Cluster" for --cluster: want lower case letters, digits and hyphens, first a letter, last no ' +
    'hyphen, at most 39 characters, for example "my-cluster"',
  ],
  [
    "image",
    "Hello:latest",
    'Invalid value "Hello:latest" for --image: want an image reference in lower case, such as "hello:latest" or ' +
    '"registry.example.org/team/hello:1.2"',
  ],
  ["slots", "0", 'Invalid value "0" for --slots: want a whole number from 1 to 1024, or "auto"'],
  ["port", "65536", 'Invalid value "65536" for --port: want a whole number from 1 to 65535'],
  ["shm", "63m", 'Invalid value "63m" for --shm: want a size of at least 64m, such as 512m or 1g'],
  ["subnet", "10.0.0.0/4", 'Invalid value "10.0.0.0/4" for --subnet: want an IPv4 network such as 10.20.0.0/16'],
  ["subnet", "10.20.0.0", 'Invalid value "10.20.0.0" for --subnet: want an IPv4 network such as 10.20.0.0/16'],
  [
    "subnet",
    "10.20.0.5/16",
    'Invalid value "10.20.0.5/16" for --subnet: want an IPv4 network such as 10.20.0.0/16, for example "10.20.0.0/16"',
  ],
  ["mtu", "500", 'Invalid value "500" for --mtu: want a whole number from 576 to 65535'],
  ["mpi", "OpenMPI", 'Invalid value "OpenMPI" for --mpi: want "mpich" or "openmpi", for example "openmpi"'],
  ["mpi", "lam", 'Invalid value "lam" for --mpi: want "mpich" or "openmpi"'],
  ["encrypted", "yes", 'Invalid value "yes" for --encrypted: want true or false'],
];

for (const [name, value, message] of wrongFlags) {
  Deno.test(`resolveSettings() refuses --${name} ${value}, also from the environment`, async () => {
    assert.deepEqual(await failure({ flags: { [name]: value } }), { code: "usage", message });
    const { flag, variable } = FIELDS[name as FieldName];
    const expected = { code: "settings", message: message.replace(flag, variable) };
    assert.deepEqual(await failure({ env: { [variable]: value } }), expected);
  });
}

Deno.test("resolveSettings() tells all faults of file and environment at once, with their places", async () => {
  const file = { path: "sub/mpi.yaml", text: "wokers: 5\nport: ssh\n" };
  assert.deepEqual(await failure({ env: { MPI_SLOTS: "many" }, file }), {
    code: "settings",
    message: [
      'sub/mpi.yaml:1:1: Unknown key "wokers", did you mean "workers"? The keys are name, image, mpi, workers, slots, ' +
      "port, forwarding, shm, placement, network, volumes, stack",
      'sub/mpi.yaml:2:7: Wrong type for port: "ssh" is a string, want a whole number from 1 to 65535',
      'Invalid value "many" for MPI_SLOTS: want a whole number from 1 to 1024, or "auto"',
    ].join("\n"),
  });
});

Deno.test("resolveSettings() tells a wrong command line alone, every flag of it", async () => {
  const { code, message } = await failure({ flags: { workers: "a", port: "b" }, env: { MPI_SLOTS: "c" } });
  assert.equal(code, "usage");
  assert.deepEqual(message.split("\n").map((line) => line.slice(0, 31)), [
    'Invalid value "a" for --workers',
    'Invalid value "b" for --port: w',
  ]);
});

Deno.test("resolveSettings() does not mind a wrong variable where a flag is given", async () => {
  const settings = await resolveSettings({ directory, flags: { workers: "1" }, env: { MPI_WORKERS: "abc" } });
  assert.equal(settings.workers, 1);
});

Deno.test("resolveSettings() stops after 20 faults and counts the rest", async () => {
  const text = Array.from({ length: 25 }, (_, i) => `unknown${i}: 1\n`).join("");
  const lines = (await failure({ file: { path: "mpi.yaml", text } })).message.split("\n");
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), "… and 5 more");
});

Deno.test("resolveSettings() refuses more workers than the network has addresses", async () => {
  assert.deepEqual(await failure({ flags: { workers: "300", subnet: "10.20.0.0/24" } }), {
    code: "usage",
    message: 'A master and 300 workers do not fit: the subnet "10.20.0.0/24" has addresses for 252 nodes',
  });
  const unknown = await resolveSettings({ directory, flags: { workers: "300" } });
  assert.equal(unknown.workers, 300, "the swarm is not asked here what it gives");
  const file = { path: "mpi.yaml", text: "workers: 12\nnetwork: { subnet: 10.20.0.0/28 }\n" };
  assert.deepEqual(await failure({ file }), {
    code: "settings",
    message: 'mpi.yaml:1:10: A master and 12 workers do not fit: the subnet "10.20.0.0/28" has addresses for 12 nodes',
  });
  assert.deepEqual(await failure({ env: { MPI_WORKERS: "12" }, file }), {
    code: "settings",
    message: 'MPI_WORKERS: A master and 12 workers do not fit: the subnet "10.20.0.0/28" has addresses for 12 nodes',
  });
  assert.deepEqual(await failure({ file: { path: "mpi.yaml", text: "network: { subnet: 10.20.0.0/32 }\n" } }), {
    code: "settings",
    message: 'mpi.yaml:1:20: A master and 0 workers do not fit: the subnet "10.20.0.0/32" has addresses for 0 nodes',
  });
  const fits = await resolveSettings({ directory, flags: { workers: "11" }, file });
  assert.equal(fits.workers, 11);
});

Deno.test("resolveSettings() says how to get a larger network, in words that mpi.yaml takes, or as a flag", async () => {
  const small = { path: "mpi.yaml", text: "network: { subnet: 10.20.0.0/24 }" };
  const hint = /"network: \{ subnet: 10\.20\.0\.0\/16 \}"/;
  await assert.rejects(resolveSettings({ directory, flags: { workers: "300" }, file: small }), { hint });
  const given: [input: Partial<SettingsInput>, hint: RegExp][] = [
    [{ flags: { subnet: "10.20.0.0/31" } }, /^docker mpi deploy --subnet 10\.20\.0\.0\/16 {2}# /],
    [
      { env: { MPI_SUBNET: "10.20.0.0/24" }, flags: { workers: "300" } },
      /^docker mpi deploy --subnet 10\.20\.0\.0\/16 --workers 300 {2}# /,
    ],
  ];
  for (const [input, hint] of given) {
    await assert.rejects(resolveSettings({ directory, file: small, ...input }), { hint });
  }
  const file = { path: "mpi.yaml", text: "network: { subnet: 10.20.0.0/16 }" };
  assert.equal((await resolveSettings({ directory, flags: { workers: "10000" }, file })).workers, 10_000);
});

const ON_HOSTS: [flags: SettingsInput["flags"], text: string, code: string, message: string][] = [
  [
    { subnet: "10.20.0.0/16" },
    "",
    "usage",
    "--subnet can't be given with network.type host: nodes have the addresses of their hosts",
  ],
  [
    {},
    "network: { mtu: 9000 }",
    "settings",
    "mpi.yaml:1:17: network.mtu can't be given with network.type host: it is the hosts' own",
  ],
  [
    { encrypted: true },
    "",
    "usage",
    "--encrypted can't be given with network.type host: Docker encrypts overlay networks only",
  ],
  [
    { maxPerNode: 2 },
    "",
    "usage",
    "--max-per-node can't be given with network.type host: two on one host would have the same port",
  ],
  [
    {},
    "port: 22",
    "settings",
    "mpi.yaml:1:7: port can't be given with network.type host: no root opens it: want 1024 to 65535",
  ],
];
for (const [flags, text, code, message] of ON_HOSTS) {
  Deno.test(`resolveSettings() refuses what the hosts' network doesn't have: ${message}`, async () => {
    const input = { flags: { ...flags, network: "host" }, file: { path: "mpi.yaml", text }, directory };
    await assert.rejects(() => resolveSettings(input), { code, message });
    await resolveSettings({ ...input, flags: { ...flags, network: "overlay" } });
  });
}

Deno.test("resolveSettings() lets hosts' networks have any number of workers, and the right ports", async () => {
  const flags = { network: "host", workers: 2000, maxPerNode: 1, port: 1024, encrypted: false };
  assert.equal((await resolveSettings({ flags, directory })).workers, 2000);
});
