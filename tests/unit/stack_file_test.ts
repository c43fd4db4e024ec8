import assert from "node:assert/strict";
import { isJsonObject, type Json, type JsonObject } from "../../stack/json.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { formatStack, renderStack, type StackFile, type StackInput } from "../../stack/stackfile/stack_file.ts";

const keys = {
  userPublic: "ssh-ed25519 AAAA ada@laptop\n",
  clusterPublic: "ssh-ed25519 BBBB\n",
  masterHostPublic: "ssh-ed25519 CCCC\n",
  workerHostPublic: "ssh-ed25519 DDDD\n",
  clusterSecret: "hello_cluster_key-0123456789ab",
  masterHostSecret: "hello_master_host-0123456789ab",
  workerHostSecret: "hello_worker_host-0123456789ab",
};

/** The stack file that an `mpi.yaml` leads to. */
async function render(text = "", input: Partial<StackInput> = {}): Promise<StackFile> {
  const settings = await resolveSettings({ directory: "/home/ada/hello", file: { path: "mpi.yaml", text } });
  return renderStack({ settings, workers: 3, imageId: "sha256:1234", keys, version: "0.1.0", ...input });
}

/** What stands at a path; mappings and lists alike. */
function at(value: Json, ...path: (string | number)[]): Json | undefined {
  let here: Json | undefined = value;
  for (const key of path) {
    if (Array.isArray(here)) here = here[Number(key)];
    else here = isJsonObject(here) ? here[key] : undefined;
  }
  return here;
}

Deno.test("renderStack() with no settings", async (t) => {
  await t.assertSnapshot(formatStack(await render()));
});

Deno.test("renderStack() with every setting", async (t) => {
  const text = `
name: cfd
image: registry.example.org/cfd:1.2
slots: auto
port: 2022
forwarding: true
shm: 512m
network: { subnet: 10.20.0.0/16, mtu: 9000, encrypted: true }
stack:
  services:
    worker:
      volumes: [ "data:/data" ]
      deploy: { placement: { constraints: [ "node.labels.mpi == true" ] } }
      environment: { UCX_TLS: tcp, WHO: $USER }
    viewer: { image: "viewer:1" }
  volumes: { data: }
`;
  await t.assertSnapshot(formatStack(await render(text, { workers: 2000, imageId: undefined })));
});

Deno.test("renderStack() on the hosts' network", async (t) => {
  const hostNetwork = { master: "id-b", addresses: ["10.0.0.2", "10.0.0.1"] };
  await t.assertSnapshot(
    formatStack(await render("name: cfd\nnetwork: { type: host }\nport: 2300\n", { hostNetwork })),
  );
});

Deno.test("renderStack() gives the same text for the same input", async () => {
  assert.equal(formatStack(await render()), formatStack(await render()));
});

Deno.test("renderStack() gives both services the same image, user, init and no capability", async () => {
  const { services } = await render();
  for (const role of ["master", "worker"]) {
    assert.equal(at(services, role, "user"), "mpi");
    assert.equal(at(services, role, "init"), true);
    assert.deepEqual(at(services, role, "cap_drop"), ["ALL"]);
    assert.equal(at(services, role, "image"), "hello:latest");
    assert.equal(at(services, role, "labels", "docker-mpi.image"), "sha256:1234");
  }
});

Deno.test("renderStack() gives each role its own keys and nothing else's", async () => {
  const { services } = await render();
  assert.equal(at(services, "master", "environment", "MPI_AUTHORIZED_KEYS"), "ssh-ed25519 AAAA ada@laptop");
  assert.equal(at(services, "worker", "environment", "MPI_AUTHORIZED_KEYS"), "ssh-ed25519 BBBB");
  assert.equal(at(services, "master", "environment", "MPI_KNOWN_HOST_KEY"), "ssh-ed25519 DDDD");
  const sources = (role: string) => (at(services, role, "secrets") as JsonObject[]).map(({ source }) => source);
  assert.deepEqual(sources("master"), ["cluster_key", "master_host"]);
  assert.deepEqual(sources("worker"), ["worker_host"]);
});

Deno.test("renderStack() publishes a port of the master's host only", async () => {
  const { services } = await render("port: 2022\n");
  assert.deepEqual(at(services, "master", "ports"), [{ target: 2222, published: 2022, protocol: "tcp", mode: "host" }]);
  assert.equal(at(services, "worker", "ports"), undefined);
});

Deno.test("renderStack() keeps our text from compose's variables and the swarm's templates", async () => {
  const comment = "$HOME ${X:-y} $$ {{.Node.ID}} {{{";
  const { services } = await render("", { keys: { ...keys, userPublic: `ssh-ed25519 AAAA ${comment}` } });
  assert.equal(
    at(services, "master", "environment", "MPI_AUTHORIZED_KEYS"),
    'ssh-ed25519 AAAA $$HOME $${X:-y} $$$$ {{"{{"}}.Node.ID}} {{"{{"}}{',
  );
  assert.equal(at(services, "worker", "hostname"), "worker-{{.Task.Slot}}");
  assert.equal(at(services, "worker", "environment", "MPI_NODE"), "{{.Node.Hostname}}");
});

Deno.test("renderStack() leaves the text of the user's fragment as it is", async () => {
  const { services } = await render('stack: { services: { worker: { environment: { A: "$USER {{.Task.Slot}}" } } } }');
  assert.equal(at(services, "worker", "environment", "A"), "$USER {{.Task.Slot}}");
});

Deno.test("renderStack() marks the user's own services as parts of the cluster, however they are written", async () => {
  const deploys: [text: string, labels: Json][] = [
    ["", { "docker-mpi.cluster": "hello" }],
    [", deploy: ", { "docker-mpi.cluster": "hello" }],
    [", deploy: { labels: }", { "docker-mpi.cluster": "hello" }],
    [", deploy: { labels: { a: b } }", { a: "b", "docker-mpi.cluster": "hello" }],
    [", deploy: { labels: [a=b, docker-mpi.cluster=x] }", ["a=b", "docker-mpi.cluster=hello"]],
    [", deploy: { labels: { docker-mpi.cluster: x } }", { "docker-mpi.cluster": "hello" }],
  ];
  for (const [text, labels] of deploys) {
    const { services } = await render(`stack: { services: { viewer: { image: viewer${text} } } }`);
    assert.deepEqual(at(services, "viewer", "deploy", "labels"), labels, text);
  }
  const odd = await render("stack: { services: { viewer: { image: viewer, deploy: [x] } } }");
  assert.deepEqual(at(odd.services, "viewer"), { image: "viewer", deploy: ["x"] });
});

Deno.test("renderStack() has no value that a client would fill in from its own environment", async () => {
  const { services } = await render();
  for (const role of ["master", "worker"]) {
    for (const [name, value] of Object.entries(at(services, role, "environment") as JsonObject)) {
      assert.ok(typeof value === "string" && value !== "", name);
    }
  }
});
