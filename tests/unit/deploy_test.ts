import assert from "node:assert/strict";
import { requireManager } from "../../stack/cluster/manager.ts";
import { deploy, previewStack } from "../../stack/deploy/deploy.ts";
import { readUserKeys } from "../../stack/keys/key_store.ts";
import { LABELS, STACK_LABEL } from "../../stack/labels.ts";
import { fingerprint, isClusterName, MAX_CLUSTER_NAME } from "../../stack/names.ts";
import type { SettingsInput } from "../../stack/settings/settings.ts";
import { formatStack } from "../../stack/stackfile/stack_file.ts";
import { limit, noMaster, running, world } from "../support/deployment.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { aNetwork, anImage, aService, aTask, events, fakeDocker, fakeEngine, MANAGER } from "../support/fakes.ts";

const states: [info: Partial<typeof MANAGER>, message: string, hint: string][] = [
  [{ swarm: "inactive", manager: false }, "The Docker engine is in no swarm", "docker swarm init"],
  [{ swarm: "locked", manager: false }, "The swarm is locked", "docker swarm unlock"],
  [
    { manager: false, managers: ["10.0.0.7:2377", "10.0.0.8:2377"] },
    "This engine is a worker of its swarm; the managers are: 10.0.0.7:2377, 10.0.0.8:2377",
    "docker -H ssh://10.0.0.7 mpi ls",
  ],
  [
    { swarm: "pending", manager: false },
    `The engine's swarm is "pending"; it must be active`,
    "docker info  # shows why",
  ],
];

for (const [info, message, hint] of states) {
  Deno.test(`requireManager() says: ${message}`, async () => {
    const engine = fakeEngine({ info: () => Promise.resolve({ ...MANAGER, ...info }) });
    await assert.rejects(requireManager(engine), { code: "swarm", message, hint });
  });
}

Deno.test("deploy() makes keys, then the stack, then waits for the nodes", async () => {
  const { swarm, log, docker, deployment, directory } = await world();
  const { report, texts } = events();
  await assert.rejects(deploy(deployment, anImage(), limit, report), noMaster);
  assert.deepEqual(log.map((line) => line.replace(/-[0-9a-f]{12}$/, "-HASH")), [
    "create secret hello_cluster_key-HASH",
    "create secret hello_master_host-HASH",
    "create secret hello_worker_host-HASH",
    "docker stack deploy --compose-file=- --resolve-image=never --detach=true hello",
  ]);
  assert.deepEqual(texts, [
    "keys: making",
    "keys: made",
    "stack: docker stack deploy",
    "stack: deployed",
    "nodes: 3 of 3 run",
  ]);
  const keys = await readUserKeys(directory);
  assert.ok(keys);
  const stack = JSON.parse(docker.inputs[0] ?? "");
  assert.equal(stack.services.worker.deploy.replicas, 3, "the default");
  assert.equal(stack.services.master.deploy.labels[LABELS.userKey], fingerprint(keys.publicKey));
  assert.deepEqual(
    Object.values<{ name: string }>(stack.secrets).map(({ name }) => name).sort(),
    swarm.secrets.map(({ name }) => name).sort(),
  );
});

Deno.test("deploy() shows no private key to docker, to the stack file or to the progress", async () => {
  const { swarm, log, docker, deployment, directory } = await world();
  const { report, texts } = events();
  await assert.rejects(deploy(deployment, anImage(), limit, report), noMaster);
  const secrets = [...Object.values(swarm.contents), (await readUserKeys(directory))?.privateKey ?? ""];
  assert.equal(secrets.length, 4);
  const seen = [...log, ...texts, ...docker.calls, ...docker.inputs].join("\n");
  assert.ok(!seen.includes("PRIVATE"));
  for (const secret of secrets) assert.ok(!seen.includes(secret.split("\n")[2] ?? "?"));
});

const clients: [client: string, args: string][] = [
  ["20.10.24+dfsg1", ""],
  ["25.0.5", ""],
  ["26.0.0", " --detach=true"],
  ["28.2.2", " --detach=true"],
];

for (const [client, args] of clients) {
  Deno.test(`deploy() tells docker ${client} what it understands`, async () => {
    const { deployment, docker } = await world({ client });
    await assert.rejects(deploy(deployment, anImage(), limit, () => {}), noMaster);
    assert.equal(docker.calls.at(-1), `stack deploy --compose-file=- --resolve-image=never${args} hello`);
  });
}

Deno.test("deploy() repeated makes no key and keeps the number of workers", async () => {
  const { log, docker, deployment } = await running();
  const { report, texts } = events();
  await assert.rejects(deploy(deployment, anImage(), { ...limit, timeout: 0 }, report));
  assert.deepEqual(log, ["docker stack deploy --compose-file=- --resolve-image=never --detach=true hello"]);
  assert.equal(texts[1], "keys: kept");
  assert.equal(JSON.parse(docker.inputs[0] ?? "").services.worker.deploy.replicas, 5);
});

Deno.test("deploy() with --detach ends when the swarm has been told", async () => {
  const { log, deployment } = await running();
  assert.deepEqual(await deploy({ ...deployment, detach: true }, anImage(), { ...limit, timeout: 0 }, () => {}), []);
  assert.deepEqual(log, ["docker stack deploy --compose-file=- --resolve-image=never --detach=true hello"]);
});

Deno.test("deploy() with --rotate-keys makes all keys new", async () => {
  const { log, deployment, directory } = await running({ rotateKeys: true });
  const before = await readUserKeys(directory);
  await assert.rejects(deploy(deployment, anImage(), { ...limit, timeout: 0 }, () => {}));
  assert.equal(log.filter((line) => line.startsWith("create secret")).length, 3);
  assert.notEqual((await readUserKeys(directory))?.publicKey, before?.publicKey);
});

Deno.test("previewStack() changes nothing and shows what deploy() would send", async () => {
  const fresh = await world();
  const preview = formatStack((await previewStack(fresh.deployment, anImage())).stack);
  assert.match(preview, /made by deploy: user/);
  assert.deepEqual([fresh.swarm.changes, fresh.docker.calls], [[], []]);
  assert.equal(await readUserKeys(fresh.directory), undefined);

  const { deployment, docker } = await running();
  const again = formatStack((await previewStack(deployment, anImage())).stack);
  await assert.rejects(deploy(deployment, anImage(), { ...limit, timeout: 0 }, () => {}));
  assert.equal(docker.inputs[0], again);
});

Deno.test("deploy() leaves a stack alone that is not ours", async () => {
  for (const kind of ["services", "networks", "secrets"] as const) {
    const { swarm, deployment } = await world();
    const labels = { "com.docker.stack.namespace": "hello" };
    if (kind === "services") swarm.services.push({ ...aService("hello", "master"), name: "hello_web", labels });
    else if (kind === "networks") swarm.networks.push({ ...aNetwork("hello"), name: "hello_web", labels });
    else swarm.secrets.push({ id: "1", name: "hello_web", labels, createdAt: "" });
    await assert.rejects(deploy(deployment, anImage(), limit, () => {}), {
      code: "conflict",
      message: 'Stack "hello" exists and is not a cluster of docker mpi: it has "hello_web"',
      hint: "docker mpi deploy --cluster hello-mpi  # takes another name",
    });
    assert.deepEqual(swarm.changes, []);
  }
});

Deno.test("deploy() tells a part of somebody else's that has a name it would need, in no stack or in another", async () => {
  for (const kind of ["service", "network"]) {
    const { swarm, deployment } = await world();
    const part = kind === "service" ? "master" : "cluster";
    if (kind === "service") swarm.services.push({ ...aService("other", "master"), name: "hello_master", labels: {} });
    else swarm.networks.push({ ...aNetwork("x"), name: "hello_cluster", labels: { [STACK_LABEL]: "x" } });
    await assert.rejects(deploy(deployment, anImage(), limit, () => {}), {
      code: "conflict",
      message: `Cluster "hello" would need the name "hello_${part}", which a ${kind} that is not docker mpi's has`,
      hint: "docker mpi deploy --cluster hello-mpi  # takes another name",
    });
    assert.deepEqual(swarm.changes, []);
  }
});

Deno.test("deploy() leaves a stack alone in which we once left a secret", async () => {
  const { swarm, deployment } = await world();
  const labels = { "com.docker.stack.namespace": "hello" };
  swarm.services.push({ ...aService("hello", "master"), name: "hello_web", labels });
  swarm.secrets.push({ id: "1", name: "x", labels: { ...labels, "docker-mpi.cluster": "hello" }, createdAt: "" });
  await assert.rejects(deploy(deployment, anImage(), limit, () => {}), { code: "conflict" });
  assert.deepEqual(swarm.changes, []);
});

const networks: [flags: SettingsInput["flags"], options: Record<string, string>, says: string, remedy: string][] = [
  [{ subnet: "10.20.0.0/16" }, {}, "subnet 10.0.1.0/24, not 10.20.0.0/16", " --subnet 10.20.0.0/16"],
  [{ mtu: 9000 }, {}, "mtu by default, not 9000", " --mtu 9000"],
  [{}, { "com.docker.network.driver.mtu": "9000" }, "mtu 9000, not by default", ""],
  [{ encrypted: true }, {}, "encryption off, not on", " --encrypted"],
  [{}, { encrypted: "" }, "encryption on, not off", ""],
];

for (const [flags, options, says, remedy] of networks) {
  Deno.test(`deploy() refuses what Docker would silently ignore: ${says}`, async () => {
    const { swarm, deployment } = await running({ flags });
    swarm.networks = [aNetwork("hello", { options })];
    await assert.rejects(deploy(deployment, anImage(), limit, () => {}), {
      code: "conflict",
      message: `The network of cluster "hello" can't be changed while it runs: it has ${says}`,
      hint: `docker mpi rm hello && docker mpi deploy --cluster hello${remedy}`,
    });
  });
}

Deno.test("deploy() proposes a subnet that nothing has, and a name that a cluster can have", async () => {
  const { swarm, deployment } = await world({ flags: { subnet: "10.20.0.0/16" } });
  const other = (subnet: string) => ({ ...aNetwork("other", { subnet }), name: `other_${subnet}` });
  swarm.networks = [other("10.20.3.0/24"), other("10.21.0.0/16")];
  await assert.rejects(previewStack(deployment, anImage()), {
    code: "conflict",
    message: 'The subnet "10.20.0.0/16" overlaps "10.20.3.0/24" of network "other_10.20.3.0/24"',
    hint: "docker mpi deploy --subnet 10.22.0.0/16  # takes another; ip route shows what the hosts use",
  });
  swarm.networks = [other("10.0.0.0/8"), other("172.16.0.0/12")];
  await assert.rejects(previewStack(deployment, anImage()), { hint: /^docker network ls {2}# / });

  const name = "a".repeat(MAX_CLUSTER_NAME);
  const long = await world({ flags: { name } });
  const labels = { "com.docker.stack.namespace": name };
  long.swarm.secrets.push({ id: "1", name: "x", labels, createdAt: "" });
  await assert.rejects(previewStack(long.deployment, anImage()), (error: Error & { hint?: string }) => {
    const [, proposed = ""] = /^docker mpi deploy --cluster (\S+) {2}# /.exec(error.hint ?? "") ?? [];
    assert.ok(isClusterName(proposed) && proposed !== name, error.hint);
    return true;
  });
});

Deno.test("deploy() refuses another network also where an interrupted deployment has left that alone", async () => {
  const leave = async (flags: SettingsInput["flags"]) => {
    const { swarm, deployment } = await world({ flags });
    swarm.networks = [aNetwork("hello")];
    await assert.rejects(deploy(deployment, anImage(), limit, () => {}), (error: Error & { code?: string }) => {
      if (error.code !== "conflict") throw error;
      assert.match(error.message, /can't be changed while it runs: it has /);
      return true;
    });
    assert.deepEqual(swarm.changes, []);
  };
  for (const flags of [{ encrypted: true }, { mtu: 9000 }, { subnet: "10.20.0.0/16" }]) await leave(flags);
  for (const flags of [{}, { subnet: "10.0.1.0/24" }, { network: "host", workers: 0 }]) {
    await assert.rejects(leave(flags), noMaster, JSON.stringify(flags));
  }
});

Deno.test("deploy() waits until the cluster of before is gone", async () => {
  using _clock = fakeClock();
  const { swarm, deployment, log } = await world();
  const old = aTask("hello-old", 1, { desired: "shutdown" });
  let looks = 0;
  const engine = swarm.engine({
    tasks: (label) => ++looks <= 3 ? Promise.resolve([old]) : swarm.engine().tasks(label),
    networks: () => Promise.resolve(looks <= 3 ? [aNetwork("hello")] : []),
  });
  const { report, texts } = events();
  await assert.rejects(deploy({ ...deployment, engine }, anImage(), limit, report));
  assert.deepEqual(texts.slice(0, 6), [
    "nodes: the cluster of before still stops",
    "nodes: 1 stop",
    "nodes: 1 stop",
    "nodes: gone",
    "keys: making",
    "keys: made",
  ]);
  assert.equal(log.length, 4);
});

Deno.test("deploy() goes on with half a cluster, which nobody removes", async () => {
  using _clock = fakeClock();
  for (const role of ["master", "worker"] as const) {
    const { swarm, deployment } = await world();
    swarm.services = [aService("hello", role)];
    swarm.tasks = [aTask(`hello-${role}`, 1)];
    const { report, texts } = events();
    await assert.rejects(deploy(deployment, anImage(), limit, report));
    assert.equal(texts[0], "keys: making");
  }
});

Deno.test("deploy() tells which services the settings no longer have, and leaves them", async () => {
  const { swarm, deployment } = await world();
  for (const name of ["hello_viewer", "hello_db"]) {
    swarm.services.push({ ...aService("hello", "worker"), id: name, name, labels: aNetwork("hello").labels });
  }
  deployment.settings.stack = { services: { db: { image: "db" } } };
  const { report, texts } = events();
  await assert.rejects(deploy(deployment, anImage(), limit, report), noMaster);
  assert.deepEqual(texts.filter((text) => text.includes("service ")), [
    "service hello_viewer! is not in the settings any more, and stays: docker service rm hello_viewer",
  ]);
  assert.deepEqual(swarm.changes.filter((change) => change.startsWith("remove service")), []);
});

const failures: [stderr: string, message: string, hint: string][] = [
  [
    "Ignoring unsupported options: init\n\nfailed to create network hello_cluster: Pool overlaps with other one on this address space\n",
    "failed to create network hello_cluster: Pool overlaps with other one on this address space",
    "docker network ls  # shows the networks; choose another network.subnet in mpi.yaml",
  ],
  ["services.worker.x is odd\n", "services.worker.x is odd", "docker mpi config  # shows the stack file"],
];

for (const [stderr, text, hint] of failures) {
  Deno.test(`deploy() passes on what docker says: ${text}`, async () => {
    const { deployment } = await world({ answer: { code: 1, stderr } });
    await assert.rejects(
      deploy(deployment, anImage(), limit, () => {}),
      (error: Error & { code: string; hint: string }) => {
        assert.deepEqual([error.code, error.hint], ["engine", hint]);
        assert.ok(
          error.message.startsWith('Docker could not deploy stack "hello": ') && error.message.endsWith(text),
          error.message,
        );
        return true;
      },
    );
  });
}

Deno.test("deploy() that the user stops is cancelled, whatever docker then says", async () => {
  const controller = new AbortController();
  const { deployment } = await world();
  const docker = fakeDocker((line) => {
    if (line.startsWith("version")) return { stdout: "28" };
    controller.abort(new Error("stopped"));
    return { code: 1, stderr: "killed" };
  });
  const stopped = deploy({ ...deployment, docker }, anImage(), { ...limit, signal: controller.signal }, () => {});
  await assert.rejects(stopped, /stopped/);
});

Deno.test("deploy() gives up at the limit where the engine does not even say its version", async () => {
  const { deployment } = await world();
  const docker = fakeDocker((line, { signal }) =>
    new Promise((_, reject) => {
      assert.match(line, /^version /);
      signal!.addEventListener("abort", () => reject(signal!.reason));
    })
  );
  await assert.rejects(deploy({ ...deployment, docker }, anImage(), { ...limit, timeout: 0 }, () => {}), {
    code: "timeout",
    message: 'Docker did not deploy stack "hello" within 0 s',
  });
});

const remarks: [stderr: string, told: string][] = [
  ["Creating network hello_cluster\n", "stack: deployed"],
  [
    "Ignoring unsupported options: build\n\nIgnoring deprecated options:\n\nexpose: Exposing ports is unnecessary\n\n",
    "stack! deployed, and Docker says: Ignoring unsupported options: build; " +
    "Ignoring deprecated options: expose: Exposing ports is unnecessary",
  ],
  [
    "image hello:1 could not be accessed on a registry to record\nits digest. Each node will access hello:1 independently,\n",
    "stack! deployed, and Docker says: image hello:1 could not be accessed on a registry",
  ],
];

for (const [stderr, told] of remarks) {
  Deno.test(`deploy() that went well tells what docker said: ${told}`, async () => {
    const { deployment } = await world({ answer: { stderr } });
    const { report, texts } = events();
    await assert.rejects(deploy(deployment, anImage(), limit, report), noMaster);
    assert.deepEqual(texts.filter((text) => text.startsWith("stack")).slice(1), [told]);
  });
}
