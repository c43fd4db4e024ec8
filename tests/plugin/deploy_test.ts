/** Deploying and scaling to their end, where a master answers by SSH; the swarm is in memory. */
import assert from "node:assert/strict";
import ssh2 from "ssh2";
import { deploy } from "../../stack/deploy/deploy.ts";
import type { Deployment } from "../../stack/deploy/deployment.ts";
import { scaleCluster } from "../../stack/deploy/scale.ts";
import { keyDirectory, writeUserKeys } from "../../stack/keys/key_store.ts";
import { LABELS } from "../../stack/labels.ts";
import { fingerprint } from "../../stack/names.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { end, fakeMaster, type Session } from "../support/fake_master.ts";
import { anImage, aTask, events, fakeDocker, FakeSwarm, MANAGER } from "../support/fakes.ts";

const LINES = ["master 10.0.1.2 2 rack-1\n", "worker-1 10.0.1.3 2 rack-1\n", "worker-2 10.0.1.4 2 rack-1\n"];
const lists = (...counts: number[]) => counts.map((count) => `${LINES.slice(0, count).join("")}.\n`).join("");
const all = ({ stream }: Session) => end(stream, { out: lists(1, 3) });

/** A cluster of two workers that was deployed from this machine. */
async function world(serve: (session: Session) => void) {
  const master = await fakeMaster(serve);
  const { privateKey, hostKey, port } = master.target;
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  const publicKey = `ssh-ed25519 ${parsed.getPublicSSH().toString("base64")}`;
  const swarm = new FakeSwarm();
  swarm.addCluster("hello", 2, { master: { [LABELS.userKey]: fingerprint(publicKey), [LABELS.port]: `${port}` } });
  const secret = (kind: string, key: string, labels = {}) => {
    const own = { "com.docker.stack.namespace": "hello", [LABELS.cluster]: "hello", "docker-mpi.key": kind };
    swarm.secrets.push({
      id: `id-${kind}-${key.length}`,
      name: `hello_${kind}`,
      labels: { ...own, "docker-mpi.public-key": key, ...labels },
      createdAt: `2026-01-0${key.length === 3 ? 1 : 2}T00:00:00Z`,
    });
  };
  secret("cluster_key", "ssh-ed25519 AAAA");
  secret("master_host", hostKey);
  secret("worker_host", "ssh-ed25519 BBBB");
  const used = swarm.secrets.map(({ id }) => id);
  swarm.services = swarm.services.map((service) => ({ ...service, secretIds: used }));
  secret("cluster_key", "old");
  const foreign = {
    id: "foreign",
    name: "hello_theirs",
    labels: { "com.docker.stack.namespace": "hello" },
    createdAt: "",
  };
  swarm.secrets.push(foreign);

  const configDir = await Deno.makeTempDir();
  const keys = keyDirectory(configDir, MANAGER.clusterId, "hello");
  await writeUserKeys(keys, "hello", { privateKey, publicKey, masterHostKey: hostKey });
  const deployment: Deployment = {
    engine: swarm.engine(),
    vantage: { local: true },
    docker: fakeDocker((line) => line.startsWith("version") ? { stdout: "28.0.0" } : {}),
    configDir,
    settings: await resolveSettings({ flags: { name: "hello", port }, directory: "/hello" }),
    rotateKeys: false,
    registryAuth: false,
    resolveImage: "always",
    version: "1.0.0",
  };
  const cluster = { name: "hello", master: swarm.services[0]!, worker: swarm.services[1]! };
  const search = { engine: swarm.engine(), vantage: { local: true }, keys };
  return { master, swarm, deployment, cluster, search, [Symbol.asyncDispose]: () => master[Symbol.asyncDispose]() };
}

const limit = (timeout = 10_000) => ({ timeout, signal: new AbortController().signal });

Deno.test("deploy() ends when every node answers, and removes our secrets that nothing uses any more", async () => {
  await using here = await world(all);
  const { report, texts } = events();
  const hosts = await deploy(here.deployment, anImage(), limit(), report);
  assert.deepEqual(hosts.map(({ name, slots }) => [name, slots]), [["master", 2], ["worker-1", 2], ["worker-2", 2]]);
  assert.deepEqual(here.master.commands, ["exec mpi_hosts --until 3"]);
  assert.deepEqual(texts.slice(-3), ["nodes: 1 of 3 answer", "nodes: 3 of 3 answer", "nodes: 3 of 3 answer"]);
  assert.deepEqual(here.swarm.changes, ["remove secret id-cluster_key-3"]);
});

Deno.test("deploy() says at the limit which nodes do not answer, and keeps the secrets", async () => {
  await using here = await world(({ stream }) => void stream.write(lists(2)));
  await assert.rejects(deploy(here.deployment, anImage(), limit(700), () => {}), {
    code: "timeout",
    message: /^2 of 3 nodes answer, missing: worker-2$/,
  });
  assert.deepEqual(here.swarm.changes, []);
});

Deno.test("deploy() fails where the master ends its list early, or can't make one", async () => {
  const ends: [reply: Parameters<typeof end>[1], error: object][] = [
    [{ out: lists(2) }, { code: "timeout", message: "2 of 3 nodes answer, missing: worker-2" }],
    [{ err: "no disk", status: 1 }, { code: "cluster", message: "The master can't list its nodes: no disk" }],
  ];
  for (const [reply, error] of ends) {
    await using here = await world(({ stream }) => end(stream, reply));
    await assert.rejects(deploy(here.deployment, anImage(), limit(), () => {}), error);
  }
});

Deno.test("deploy() ends when the user gives up while nodes are to answer", async () => {
  const controller = new AbortController();
  await using here = await world(() => controller.abort(new Error("stopped")));
  const stopped = deploy(here.deployment, anImage(), { timeout: 10_000, signal: controller.signal }, () => {});
  await assert.rejects(stopped, /stopped/);
});

Deno.test("scaleCluster() changes the number alone, and waits until the hostfile agrees", async () => {
  await using here = await world(({ stream }) => end(stream, { out: lists(1, 2) }));
  const { swarm, search, cluster } = here;
  const engine = swarm.engine({
    scaleService: async (id, replicas) => {
      await swarm.engine().scaleService(id, replicas);
      swarm.tasks = [aTask("hello-master", 1), aTask("hello-worker", 1)];
    },
  });
  const { report, texts } = events();
  const hosts = await scaleCluster({ ...search, engine }, cluster, 1, limit(), report);
  assert.equal(hosts.length, 2);
  assert.deepEqual(swarm.changes, ["scale hello-worker to 1"]);
  assert.deepEqual(here.master.commands, ["exec mpi_hosts --until 2"]);
  assert.equal(texts[0], "nodes: from 3 to 2");
  assert.equal(texts.at(-1), "nodes: 2 of 2 answer");
});

Deno.test("scaleCluster() changes nothing where this machine has no way in to see what becomes of it", async () => {
  await using here = await world(({ stream }) => end(stream));
  const search = { ...here.search, keys: "/no/such/keys" };
  await assert.rejects(scaleCluster(search, here.cluster, 1, limit(), () => {}), { code: "ssh" });
  assert.deepEqual(here.swarm.changes, []);
});

Deno.test("scaleCluster() waits for nobody if it is not to", async () => {
  await using here = await world(({ stream }) => end(stream));
  const { swarm, search, cluster } = here;
  assert.deepEqual(await scaleCluster(search, cluster, 1, limit(), () => {}, true), []);
  assert.deepEqual(swarm.changes, ["scale hello-worker to 1"]);
  assert.equal(here.master.attempts, 0);
});
