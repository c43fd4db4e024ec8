/** How an image comes to all hosts, or why not. */
import assert from "node:assert/strict";
import { checkDeployment, deploy, previewStack } from "../../stack/deploy/deploy.ts";
import type { Deployment } from "../../stack/deploy/deployment.ts";
import { scaleCluster } from "../../stack/deploy/scale.ts";
import { readUserKeys } from "../../stack/keys/key_store.ts";
import { LABELS } from "../../stack/labels.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { limit, noMaster, running, world } from "../support/deployment.ts";
import { aNetwork, anImage, aNode, type Answer, aService, fakeDocker, MANAGER } from "../support/fakes.ts";

const ANOTHER = "  # or another subnet that is large enough, and that no host uses already";
const PUSHED = "example.org/hello:1";
const pushed = anImage({ digests: ["other.org/hello@sha256:7", "example.org/hello@sha256:2"] });

/** What an engine that keeps images in containerd has of what it built itself. */
const contained = anImage({ digests: ["hello@sha256:1"] });

const images: {
  what: string;
  name?: string;
  hosts?: number;
  parts?: Parameters<typeof world>[0];
  image: ReturnType<typeof anImage>;
  calls: string[];
  runs: string;
}[] = [
  {
    what: "one host runs what this engine has, whatever a registry has of that name",
    image: anImage(),
    calls: ["--resolve-image=never"],
    runs: "sha256:1",
  },
  {
    what: "one host runs the image of a registry without asking there",
    image: pushed,
    calls: ["--resolve-image=never"],
    runs: "example.org/hello:1@sha256:2",
  },
  {
    what: "one host runs what this engine built itself, though that has a digest",
    name: "hello:latest",
    image: contained,
    calls: ["--resolve-image=never"],
    runs: "sha256:1",
  },
  {
    what: "several hosts get an image of Docker's own, which looks the same",
    name: "hello:latest",
    hosts: 2,
    image: contained,
    calls: ["pull --quiet hello@sha256:1", "--resolve-image=always"],
    runs: "hello:latest@sha256:1",
  },
  {
    what: "several hosts get what the registry has of it, which is asked first",
    hosts: 2,
    image: pushed,
    calls: ["pull --quiet example.org/hello@sha256:2", "--resolve-image=always"],
    runs: "example.org/hello:1@sha256:2",
  },
  {
    what: "several hosts get the user's login where they are to",
    hosts: 2,
    parts: { registryAuth: true },
    image: pushed,
    calls: ["pull --quiet example.org/hello@sha256:2", "--resolve-image=always --with-registry-auth"],
    runs: "example.org/hello:1@sha256:2",
  },
  {
    what: "hosts that have it already know it by its name",
    hosts: 2,
    parts: { resolveImage: "never" },
    image: anImage(),
    calls: ["--resolve-image=never"],
    runs: "example.org/hello:1",
  },
];

for (const { what, name = PUSHED, hosts = 1, parts = {}, image, calls, runs } of images) {
  Deno.test(`deploy(): ${what}`, async () => {
    const { swarm, deployment, docker } = await world({ flags: { image: name }, ...parts });
    swarm.nodes = Array.from({ length: hosts }, (_, index) => aNode(index + 1));
    await assert.rejects(deploy(deployment, image, limit, () => {}), noMaster);
    const asked = docker.calls.filter((line) => !line.startsWith("version"));
    assert.deepEqual(asked, [
      ...calls.slice(0, -1),
      `stack deploy --compose-file=- ${calls.at(-1)} --detach=true hello`,
    ]);
    const { services } = JSON.parse(docker.inputs[0] ?? "");
    assert.deepEqual([services.master.image, services.worker.image], [runs, runs]);
    assert.equal(services.master.deploy.labels[LABELS.imageName], name);
  });
}

const refusals: { what: string; image?: string; local: ReturnType<typeof anImage>; answer?: Answer; error: object }[] =
  [
    {
      what: "only built here, under a name without a registry",
      image: "hello:latest",
      local: anImage(),
      error: {
        code: "not-found",
        message: 'Image "hello:latest" is on this engine only, and nodes may start on 2 hosts: rack-1, rack-2',
        hint: "docker mpi deploy --push --image registry.example.org/hello  # takes it to a registry of yours; " +
          "--resolve-image never if every host has it already",
      },
    },
    {
      what: "only built here, in containerd, and Docker Hub knows none of the name",
      image: "hello:latest",
      local: contained,
      answer: {
        code: 1,
        stderr: "Error response from daemon: pull access denied for hello, repository does not exist\n",
      },
      error: {
        message: 'Image "hello:latest" is on this engine only, and nodes may start on 2 hosts: rack-1, rack-2',
        hint: "docker mpi deploy --push --image registry.example.org/hello  # takes it to a registry of yours; " +
          "--resolve-image never if every host has it already",
      },
    },
    {
      what: "known to an engine that can't reach Docker Hub",
      image: "hello:latest",
      local: contained,
      answer: { code: 1, stderr: "Error response from daemon: dial tcp: lookup registry-1.docker.io: no such host\n" },
      error: { message: /^The registry of image "hello:latest" can't be reached, / },
    },
    {
      what: "built here anew since it was pushed",
      local: anImage({ digests: ["other.org/hello@sha256:7"] }),
      error: {
        message: 'Image "example.org/hello:1" is on this engine only, and nodes may start on 2 hosts: rack-1, rack-2',
        hint:
          "docker mpi deploy --push  # takes it to its registry; --resolve-image never if every host has it already",
      },
    },
    {
      what: "gone from its registry",
      local: pushed,
      answer: { code: 1, stderr: "Error response from daemon: manifest unknown\n" },
      error: {
        message: 'The registry of image "example.org/hello:1" does not have what this engine has, ' +
          "and nodes may start on 2 hosts: rack-1, rack-2: manifest unknown",
        hint: "docker mpi deploy --push  # takes it there",
      },
    },
    {
      what: "in a registry that can't be reached",
      local: pushed,
      answer: { code: 1, stderr: 'Error response from daemon: Get "https://example.org/v2/": connection refused\n' },
      error: {
        message: 'The registry of image "example.org/hello:1" can\'t be reached, ' +
          'and nodes may start on 2 hosts: rack-1, rack-2: Get "https://example.org/v2/": connection refused',
        hint: "docker pull example.org/hello@sha256:2  # tries it again; " +
          "--resolve-image never deploys with what the hosts have",
      },
    },
    {
      what: "in a registry that wants a login",
      local: pushed,
      answer: { code: 1, stderr: "Error response from daemon: no basic auth credentials\n" },
      error: {
        message: 'The registry of image "example.org/hello:1" refuses it to you, ' +
          "and nodes may start on 2 hosts: rack-1, rack-2: no basic auth credentials",
        hint: "docker login example.org  # and then: docker mpi deploy --with-registry-auth",
      },
    },
  ];

for (const { what, image = PUSHED, local, answer, error } of refusals) {
  Deno.test(`deploy() to several hosts refuses an image that is ${what}, and changes nothing`, async () => {
    const { swarm, deployment, directory } = await world({ flags: { image } });
    swarm.nodes = [aNode(1), aNode(2), aNode(3, { availability: "drain" })];
    const docker = fakeDocker((line) => line.startsWith("pull") ? answer : undefined);
    await assert.rejects(deploy({ ...deployment, docker }, local, limit, () => {}), error);
    assert.deepEqual([swarm.changes, await readUserKeys(directory)], [[], undefined]);
  });
}

Deno.test("deploy() to several hosts takes an image of one engine where the nodes stay on that", async () => {
  const stack = (constraint: string) => ({
    services: { worker: { deploy: { placement: { constraints: [constraint] } } } },
  });
  const both = (constraint: string) => ({
    services: { master: stack(constraint).services.worker, worker: stack(constraint).services.worker },
  });
  const tries: [stack: unknown, workers: number, fine: boolean][] = [
    [both("node.role == manager"), 3, true],
    [both("node.hostname==rack-1"), 3, true],
    [both("node.labels.rack != 2"), 3, true],
    [both("node.role == worker"), 3, false],
    [stack("node.role == manager"), 3, false],
    [stack("node.role == worker"), 0, false],
    [both("node.role == worker"), 0, false],
  ];
  for (const [fragment, workers, fine] of tries) {
    const { swarm, deployment } = await world({ flags: { workers } });
    swarm.nodes = [aNode(1), aNode(2, { attributes: { "node.labels.rack": "2" } })];
    const settings = { ...deployment.settings, stack: fragment as Deployment["settings"]["stack"] };
    const check = checkDeployment({ ...deployment, settings }, { local: anImage() });
    if (fine) await check;
    else await assert.rejects(check, { code: "not-found" }, JSON.stringify([fragment, workers]));
  }
});

Deno.test("checkDeployment() counts the hosts, which take an address each", async () => {
  const { swarm, deployment } = await world({ flags: { subnet: "10.20.0.0/29", workers: 3 } });
  await checkDeployment(deployment, undefined);
  swarm.nodes = [aNode(1), aNode(2), aNode(3, { availability: "drain" })];
  await assert.rejects(checkDeployment(deployment, undefined), {
    code: "usage",
    message: 'A master and 3 workers do not fit: the subnet "10.20.0.0/29" has addresses for 3 nodes on 2 hosts',
    hint: /^docker mpi deploy --subnet 10\.20\.0\.0\/16 --workers 3 {2}# /,
  });
});

Deno.test("a network that is there, or that the swarm gives, is what the nodes have to fit into", async () => {
  const ask = async ({ deployment }: Awaited<ReturnType<typeof world>>) => {
    await checkDeployment(deployment, undefined);
    await previewStack(deployment, undefined);
  };
  const many = await running();
  many.swarm.services[1]!.replicas = 300;
  many.swarm.networks = [aNetwork("hello", { subnet: "10.20.0.0/16" })];
  await ask(many);

  const more = await running({ flags: { workers: 300 } });
  for (const refused of [checkDeployment, previewStack]) {
    await assert.rejects(refused(more.deployment, undefined), {
      code: "usage",
      message: 'A master and 300 workers do not fit: the subnet "10.0.1.0/24" has addresses for 252 nodes',
      hint: "docker mpi rm hello && docker mpi deploy --cluster hello --subnet 10.20.0.0/16 --workers 300" + ANOTHER,
    });
  }

  const fresh = await world({ flags: { workers: 300 } });
  await assert.rejects(ask(fresh), {
    code: "usage",
    message: "A master and 300 workers do not fit: a swarm's default network, a /24, has addresses for 252 nodes",
    hint: /^Set a larger one in mpi\.yaml: /,
  });
  fresh.swarm.info = { ...MANAGER, subnetSize: 22 };
  await ask(fresh);

  const settings = await resolveSettings({ directory: "/hello", file: { path: "mpi.yaml", text: "workers: 300" } });
  const file = await world({ settings });
  await assert.rejects(ask(file), {
    code: "settings",
    message: /^mpi\.yaml:1:10: A master and 300 workers do not fit: /,
  });
});

Deno.test("checkDeployment() takes what will be pushed or pulled, and what every host has", async () => {
  const { swarm, deployment } = await world();
  swarm.nodes = [aNode(1), aNode(2)];
  await assert.rejects(checkDeployment(deployment, { local: undefined }), { code: "not-found" });
  await checkDeployment(deployment, undefined);
  await checkDeployment({ ...deployment, resolveImage: "never" }, { local: undefined });
  swarm.info = { ...MANAGER, swarm: "inactive" };
  await assert.rejects(checkDeployment(deployment, undefined), { code: "swarm" });
});

Deno.test("scaleCluster() refuses to grow to hosts that can't have the image, and shrinks", async () => {
  const { swarm, deployment, directory } = await running();
  const search = { engine: deployment.engine, vantage: deployment.vantage, keys: directory };
  swarm.nodes = [aNode(1), aNode(2)];
  const labels = { [LABELS.imageName]: "hello:latest" };
  const worker = { ...aService("hello", "worker", { labels }), image: "sha256:1", replicas: 5 };
  const scale = (number: number, parts: Partial<typeof worker> = {}) =>
    scaleCluster(search, { name: "hello", master: swarm.services[0]!, worker: { ...worker, ...parts } }, number, {
      ...limit,
      timeout: 0,
    }, () => {});
  await assert.rejects(scale(6), {
    code: "not-found",
    message: 'Image "hello:latest" is on this engine only, and nodes may start on 2 hosts: rack-1, rack-2',
  });
  assert.deepEqual(swarm.changes, []);
  const other = { code: /^(?!not-found)/ };
  await assert.rejects(scale(4), other);
  await assert.rejects(scale(6, { constraints: ["node.role == manager"] }), other);
  await assert.rejects(scale(6, { image: "example.org/hello:1@sha256:2" }), other);
  assert.equal(swarm.changes.length, 3);
});

Deno.test("scaleCluster() refuses more workers than the network has addresses for, and changes nothing", async () => {
  const { swarm, deployment, directory } = await running();
  const search = { engine: deployment.engine, vantage: deployment.vantage, keys: directory };
  const cluster = { name: "hello", master: swarm.services[0]!, worker: swarm.services[1]! };
  await assert.rejects(scaleCluster(search, cluster, 300, limit, () => {}), {
    code: "usage",
    message: 'A master and 300 workers do not fit: the subnet "10.0.1.0/24" has addresses for 252 nodes',
    hint: "docker mpi rm hello && docker mpi deploy --cluster hello --subnet 10.20.0.0/16 --workers 300" + ANOTHER,
  });
  const few = { ...cluster, worker: { ...cluster.worker, maxPerNode: 7 } };
  await assert.rejects(scaleCluster(search, few, 8, limit, () => {}), {
    code: "cluster",
    message: "The workers find no place: 8, at most 7 on each of 1 host, rack-1",
    hint: "docker mpi scale --cluster hello 7  # as many as fit; deploy --max-per-node 8 lets more be on a host",
  });
  assert.deepEqual(swarm.changes, []);
});
