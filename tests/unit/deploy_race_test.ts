/** Deployments while something else happens to the cluster. */
import assert from "node:assert/strict";
import { deploy } from "../../stack/deploy/deploy.ts";
import { Race } from "../../stack/deploy/stack_deploy.ts";
import { lookAround, refuseTakeover } from "../../stack/deploy/surroundings.ts";
import { takeTurn } from "../../stack/deploy/turn.ts";
import { LABELS } from "../../stack/labels.ts";
import { fingerprint } from "../../stack/names.ts";
import { limit, noMaster, world } from "../support/deployment.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { aNetwork, anImage, aService, events, fakeDocker, type FakeSwarm } from "../support/fakes.ts";

const races = [
  "failed to create service hello_master: rpc error: code = AlreadyExists desc = name conflicts with an existing object: service hello_master already exists",
  "failed to create network hello_cluster: name conflicts with an existing object",
  "failed to update service hello_worker: Error response from daemon: rpc error: code = Unknown desc = update out of sequence",
  "failed to create service hello_master: Error response from daemon: network hello_cluster not found",
  "secret not found: hello_cluster_key-0123456789ab",
  'service master: secret "hello_worker_host-0123456789ab" not found',
];

for (const stderr of races) {
  Deno.test(`deploy() begins anew where something else changes the cluster: ${stderr}`, async () => {
    using _clock = fakeClock();
    const { swarm, deployment } = await world();
    let deploys = 0;
    const docker = fakeDocker((line) => {
      if (line.startsWith("version")) return { stdout: "28" };
      if (++deploys < 3) return { code: 1, stderr };
      swarm.addCluster("hello", 3);
      return {};
    });
    const { report, texts } = events();
    await assert.rejects(deploy({ ...deployment, docker }, anImage(), limit, report), noMaster);
    assert.equal(texts.filter((text) => text === "stack: something else changes the cluster, once more").length, 2);
    assert.ok(
      !swarm.changes.some((change) => change.startsWith("remove")),
      "what the other made is not ours to remove",
    );

    const never = fakeDocker((line) => line.startsWith("version") ? { stdout: "28" } : { code: 1, stderr });
    const fresh = await world();
    await assert.rejects(deploy({ ...fresh.deployment, docker: never }, anImage(), limit, () => {}), {
      code: "conflict",
      message: /^Something else changes cluster "hello" at the same time: /,
      hint: "docker mpi deploy  # again, when the other has ended",
    });
    assert.equal(never.calls.filter((line) => line.startsWith("stack deploy")).length, 5);
  });
}

Deno.test("deploy() at the same time as another machine's: the master's key says whose the cluster is", async () => {
  using _clock = fakeClock();
  const other = { labels: { [LABELS.userKey]: "SHA256:other" } };
  /** What docker leaves of our deployment where another one is at work: whose key the services have. */
  const outcome = async (...ends: ("ours" | "other")[][]) => {
    const { swarm, deployment } = await world();
    let deploys = 0;
    const docker = fakeDocker((line) => {
      if (line.startsWith("version")) return { stdout: "28" };
      const sent = JSON.parse(docker.inputs.at(-1) ?? "");
      const ours = { labels: { [LABELS.userKey]: sent.services.master.deploy.labels[LABELS.userKey] } };
      const [master, worker] = ends[Math.min(deploys++, ends.length - 1)]!.map((whose) =>
        whose === "ours" ? ours : other
      );
      if (deploys === 1) swarm.addCluster("hello", 3);
      swarm.services = [aService("hello", "master", master), aService("hello", "worker", { replicas: 3, ...worker })];
      return {};
    });
    const error = await deploy({ ...deployment, docker }, anImage(), limit, () => {}).catch((error) => error);
    return [deploys, error.code, error.message];
  };
  const another = 'Cluster "hello" was deployed from elsewhere at the same time, for another key';
  assert.deepEqual(await outcome(["other", "other"]), [1, "conflict", another]);
  assert.deepEqual(await outcome(["other", "ours"]), [1, "conflict", another]);
  assert.deepEqual((await outcome(["ours", "other"], ["ours", "ours"])).slice(0, 2), [2, "ssh"]);
  const [deploys, code, message] = await outcome(["ours", "other"]);
  assert.deepEqual([deploys, code], [5, "conflict"]);
  assert.match(message, /^The workers of cluster "hello" were deployed from elsewhere/);
});

Deno.test("deploy() leaves a cluster alone that another machine has made since it looked", async () => {
  using _clock = fakeClock();
  const { swarm, log, deployment } = await world();
  const engine = swarm.engine({
    createSecret: async (...secret) => {
      await swarm.engine().createSecret(...secret);
      swarm.services = [aService("hello", "master", { labels: { [LABELS.userKey]: "SHA256:other" } })];
    },
  });
  await assert.rejects(deploy({ ...deployment, engine }, anImage(), limit, () => {}), {
    code: "ssh",
    message: 'Cluster "hello" was deployed with a key that this machine does not have: SHA256:other',
  });
  assert.deepEqual(log, [], "docker was called");
});

Deno.test("deploy() that Docker refuses takes back what it made, unless another has made it his", async () => {
  const refuse = async (swarmOf: (swarm: FakeSwarm) => void) => {
    const { swarm, deployment } = await world();
    const docker = fakeDocker((line) => {
      if (line.startsWith("version")) return { stdout: "28" };
      swarm.networks.push(aNetwork("hello"));
      swarmOf(swarm);
      return { code: 1, stderr: "invalid memory value" };
    });
    await assert.rejects(deploy({ ...deployment, docker }, anImage(), limit, () => {}), { code: "engine" });
    return swarm;
  };
  const alone = await refuse(() => {});
  assert.deepEqual([alone.services, alone.networks, alone.secrets], [[], [], []]);
  const taken = await refuse((swarm) =>
    swarm.services.push(aService("hello", "master", { labels: { [LABELS.userKey]: "SHA256:other" } }))
  );
  assert.deepEqual([taken.services.length, taken.networks.length, taken.secrets.length], [1, 1, 3]);
});

Deno.test("deploy() of commands on this machine come one after the other", async () => {
  using _clock = fakeClock();
  const { deployment, directory } = await world();
  {
    using _turn = await takeTurn(directory, limit, () => {});
    const { report, texts } = events();
    await assert.rejects(deploy(deployment, anImage(), limit, report), {
      code: "timeout",
      message: "Another command that changes the cluster did not end within 10 s",
      hint: `fuser ${directory}/lock  # shows its process`,
    });
    assert.equal(texts[0], "turn: waiting for another command that changes this cluster");
  }
  await assert.rejects(deploy(deployment, anImage(), limit, () => {}), noMaster);
});

Deno.test("takeTurn() is not content with a lock that was removed with the keys while it waited", async () => {
  const directory = `${await Deno.makeTempDir()}/keys`;
  const first = await takeTurn(directory, limit, () => {});
  const second = takeTurn(directory, limit, () => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  await Deno.remove(directory, { recursive: true });
  first[Symbol.dispose]();
  using _second = await second;
  const third = takeTurn(directory, { ...limit, timeout: 300 }, () => {});
  await assert.rejects(third, { code: "timeout" });
});

Deno.test("lookAround() sees the keys that were added, also of half a cluster; refuseTakeover() that one was added since", async () => {
  const { swarm, deployment } = await world();
  const keys = "ssh-ed25519 AAAA ada\nssh-ed25519 BBBB bob";
  const labels = { [LABELS.cluster]: "hello", [LABELS.userKey]: fingerprint("ssh-ed25519 AAAA ada") };
  const master = (added?: string) =>
    aService("hello", "master", { labels: added === undefined ? labels : { ...labels, [LABELS.userKeys]: added } });
  swarm.services = [master(keys)];
  const before = await lookAround({ ...deployment, engine: swarm.engine() });
  assert.deepEqual(before.keys.authorized, keys.split("\n"));
  await refuseTakeover(swarm.engine(), before);
  for (const since of [master(`${keys}\nssh-ed25519 CCCC eve`), master()]) {
    swarm.services = [since];
    await assert.rejects(refuseTakeover(swarm.engine(), before), Race);
  }
});
