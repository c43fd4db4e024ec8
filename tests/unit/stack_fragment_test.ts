import assert from "node:assert/strict";
import type { Json, JsonObject } from "../../stack/json.ts";
import { readSettingsFile } from "../../stack/settings/file.ts";
import { mergeStack } from "../../stack/settings/merge.ts";

const cases: Record<string, [base: Json, over: Json, expected: Json]> = {
  "adds what is not there": [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  "replaces scalars": [{ a: 1 }, { a: "x" }, { a: "x" }],
  "merges mappings deeply": [{ a: { b: { c: 1, d: 2 } } }, { a: { b: { c: 3 } } }, { a: { b: { c: 3, d: 2 } } }],
  "removes with null": [{ a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
  "keeps a null that removes nothing": [{}, { volumes: { data: null } }, { volumes: { data: null } }],
  "appends lists without duplicates": [{ a: ["x", { k: 1 }] }, { a: [{ k: 1 }, "y", "x"] }, {
    a: ["x", { k: 1 }, "y"],
  }],
  "replaces command, entrypoint and test": [
    { command: ["a"], entrypoint: ["b"], healthcheck: { test: ["CMD", "c"], retries: 3 } },
    { command: ["x", "y"], entrypoint: [], healthcheck: { test: ["NONE"] } },
    { command: ["x", "y"], entrypoint: [], healthcheck: { test: ["NONE"], retries: 3 } },
  ],
  "replaces a list by a text": [{ command: ["a", "b"] }, { command: "x y" }, { command: "x y" }],
  "replaces a mapping by a scalar": [{ a: { b: 1 } }, { a: 2 }, { a: 2 }],
  "replaces a scalar by a mapping": [{ a: 2 }, { a: { b: 1 } }, { a: { b: 1 } }],
  "puts a mount in place of that with the same target, also in the short form": [
    {
      volumes: [{ type: "tmpfs", target: "/dev/shm", tmpfs: { size: 1 } }, {
        type: "volume",
        source: "a",
        target: "/a",
      }],
    },
    { volumes: ["b:/a:ro", { type: "bind", source: "/b", target: "/b" }, "/anonymous"] },
    {
      volumes: [
        { type: "tmpfs", target: "/dev/shm", tmpfs: { size: 1 } },
        "b:/a:ro",
        { type: "bind", source: "/b", target: "/b" },
        "/anonymous",
      ],
    },
  ],
  "tells secrets and configs apart by target": [
    { secrets: [{ source: "key", target: "/run/secrets/key" }], configs: [{ source: "c" }] },
    { secrets: ["token", { source: "other", target: "key" }], configs: ["c", { source: "c", target: "/etc/c" }] },
    { secrets: [{ source: "other", target: "key" }, "token"], configs: ["c", { source: "c", target: "/etc/c" }] },
  ],
  "tells ports apart by all that a port has": [
    { ports: [{ target: 2222, published: 22, protocol: "tcp", mode: "host" }] },
    { ports: ["22:2222", "22:2222/udp", 80, "10.0.0.1:22:2222", { target: 2222, published: 23 }] },
    { ports: ["22:2222", "22:2222/udp", 80, "10.0.0.1:22:2222", { target: 2222, published: 23 }] },
  ],
  "removes with !reset, what is there or not": [
    { a: { b: 1, c: [1] } },
    { a: { b: { "!reset": null }, c: { "!reset": null }, d: { "!reset": null } } },
    { a: {} },
  ],
  "replaces with !override, whatever is inside": [
    { volumes: ["a:/a"], environment: { A: "1" } },
    { volumes: { "!override": ["b:/b"] }, environment: { "!override": { B: "2", C: { "!reset": null } } } },
    { volumes: ["b:/b"], environment: { B: "2" } },
  ],
  "leaves items without a target apart": [{ a: [{ k: 1 }] }, { a: [{ k: 2 }] }, { a: [{ k: 1 }, { k: 2 }] }],
  "reads a list of variables as a mapping": [
    { environment: { A: "1", B: "2" } },
    { environment: ["A=x=y", "B", "C", "D="] },
    { environment: { A: "x=y", B: null, C: null, D: "" } },
  ],
  "leaves a list that stands for no mapping to Docker": [
    { environment: { A: "1" }, deploy: { replicas: 1 } },
    { environment: [{ A: "2" }], deploy: ["replicas=2"] },
    { environment: [{ A: "2" }], deploy: ["replicas=2"] },
  ],
  "reads a list of networks as a mapping": [
    { networks: { cluster: {} } },
    { networks: ["other", "cluster"] },
    { networks: { cluster: {}, other: {} } },
  ],
};

for (const [name, [base, over, expected]] of Object.entries(cases)) {
  Deno.test(`mergeStack() ${name}`, () => {
    const before = structuredClone(base);
    assert.deepEqual(mergeStack(base as JsonObject, over as JsonObject), expected);
    assert.deepEqual(base, before, "the base is left as it is");
  });
}

Deno.test("mergeStack() takes any key as a key", () => {
  const over = JSON.parse('{ "__proto__": { "polluted": true }, "constructor": 1 }');
  const merged = mergeStack({ a: 1 }, over);
  assert.deepEqual(Object.keys(merged), ["a", "__proto__", "constructor"]);
  assert.equal((merged as { polluted?: boolean }).polluted, undefined);
});

Deno.test("a fragment's numbers are read as Docker reads them", () => {
  const { parts: { stack }, faults } = readSettingsFile("stack:\n  x-a: [0440, 0o440, 0x10, 1e3, 08, -0]\n");
  assert.deepEqual([stack?.value, faults], [{ "x-a": [288, 288, 16, 1000, 8, -0] }, []]);
});

Deno.test("a fragment has compose's tags, and no other part of the file", () => {
  const text = 'stack:\n  services:\n    worker:\n      volumes: !override ["a:/a"]\n      init: !reset null\n';
  const { parts: { stack }, faults } = readSettingsFile(text);
  assert.deepEqual(faults, []);
  assert.deepEqual(stack?.value, {
    services: { worker: { volumes: { "!override": ["a:/a"] }, init: { "!reset": null } } },
  });
  const messages = (text: string) => readSettingsFile(text).faults.map(({ message }) => message);
  assert.deepEqual(messages("name: !reset x\n"), ["Tag !reset outside of stack: leave it out"]);
  assert.deepEqual(messages("volumes: !override []\n"), ["Tag !override outside of stack: leave it out"]);
  assert.deepEqual(messages("stack: { services: { worker: { init: !override true } } }\n"), [
    "Tag !override on a single value: want a mapping or a list behind it",
  ]);
  assert.deepEqual(messages("stack: { x-a: !other 1 }\n"), ["Unresolved tag: !other"]);
});

const KEYS = "these are the cluster's keys";
const refused: Record<string, string> = {
  "services: { worker: { user: root } }":
    "services.worker.user can't be changed: only the image's user mpi can read its keys",
  "services: { worker: { user: !reset null } }":
    "services.worker.user can't be changed: only the image's user mpi can read its keys",
  "services: { master: { hostname: boss } }": "services.master.hostname can't be changed: nodes find each other by it",
  "services: { worker: { deploy: { replicas: 5 } } }":
    "services.worker.deploy.replicas can't be changed: workers: says how many there are",
  "services: { worker: { deploy: { endpoint_mode: vip } } }":
    "services.worker.deploy.endpoint_mode can't be changed: nodes find each other by it",
  "services: { worker: { deploy: } }": "services.worker.deploy can't be removed: what it has is needed",
  "services: { worker: { environment: { MPI_ROLE: master } } }":
    "services.worker.environment.MPI_ROLE can't be changed: nodes need ours",
  "services: { worker: { environment: [MPI_SLOTS=4] } }":
    "services.worker.environment.MPI_SLOTS can't be changed: slots: says how many there are",
  "services: { master: { environment: { MPI_FORWARDING: local } } }":
    "services.master.environment.MPI_FORWARDING can't be changed: forwarding: says whether there is any",
  "services: { worker: { environment: !override { A: b } } }":
    "services.worker.environment can't be removed: what it has is needed",
  "services: { master: { deploy: { labels: [docker-mpi.role=x] } } }":
    "services.master.deploy.labels.docker-mpi.role can't be changed: the cluster is found by it",
  "services: { master: { secrets: [cluster_key] } }": `services.master.secrets.cluster_key can't be changed: ${KEYS}`,
  "services: { worker: { secrets: [{ source: mine, target: /run/secrets/host_key }] } }":
    `services.worker.secrets.host_key can't be changed: ${KEYS}`,
  "secrets: { cluster_key: { file: ./key } }": `secrets.cluster_key can't be changed: ${KEYS}`,
  "services: { worker: { networks: !reset [] } }": "services.worker.networks can't be removed: what it has is needed",
  "networks: { cluster: { driver: bridge } }":
    "networks.cluster.driver can't be changed: the nodes need the cluster's own network; others can be added",
  "networks: { cluster: { driver_opts: { com.docker.network.driver.mtu: '9000' } } }":
    "networks.cluster.driver_opts.com.docker.network.driver.mtu can't be changed: " +
    "network.mtu and network.encrypted in mpi.yaml say it",
  "networks: { cluster: { driver_opts: { encrypted: '' } } }":
    "networks.cluster.driver_opts.encrypted can't be changed: network.mtu and network.encrypted in mpi.yaml say it",
  "networks: { cluster: { driver_opts: } }": "networks.cluster.driver_opts can't be removed: what it has is needed",
  "networks: { cluster: { ipam: { config: [{ subnet: 10.30.0.0/16 }] } } }":
    "networks.cluster.ipam can't be changed: network.subnet in mpi.yaml says it",
  "networks: { cluster: { labels: } }": "networks.cluster.labels can't be removed: what it has is needed",
  "networks: { cluster: { labels: [docker-mpi.cluster=x] } }":
    "networks.cluster.labels.docker-mpi.cluster can't be changed: the cluster is found by it",
  "volumes: { data: { labels: { docker-mpi.cluster: x } } }":
    "volumes.data.labels.docker-mpi.cluster can't be changed: the cluster is found by it",
  "volumes: { data: { labels: !override { a: b } } }": "volumes.data.labels can't be removed: what it has is needed",
  "networks: { cluster: }": "networks.cluster can't be removed: what it has is needed",
  "services: !override { master: {}, worker: {} }": "services can't be removed: what it has is needed",
};

for (const [text, message] of Object.entries(refused)) {
  Deno.test(`a fragment can't say ${text}`, () => {
    assert.deepEqual(readSettingsFile(`stack: { ${text} }\n`).faults.map(({ message }) => message), [
      `stack.${message}`,
    ]);
  });
}

Deno.test("a fragment can add to what the cluster has", () => {
  const text = `stack:
  services:
    worker:
      environment: { MPI_MINE: "1" }
      secrets: [token]
      networks: [lan]
      command: [bash, -c, "exec mpi_bootstrap worker"]
      deploy: { labels: { mine: "1" }, placement: { max_replicas_per_node: 1 } }
    viewer: { image: viewer, user: root, hostname: viewer, deploy: { replicas: 2 } }
  networks: { lan: , cluster: { attachable: true, driver_opts: { a: b }, labels: { mine: x } } }
  volumes: { data: , other: { labels: { mine: x } } }
  secrets: { token: { external: true } }
`;
  assert.deepEqual(readSettingsFile(text).faults, []);
});
