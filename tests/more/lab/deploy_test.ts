/** Deployments and removals on hosts that have trouble: the reason in words, soon, and the next one goes on. */
import assert from "node:assert/strict";
import { measured, stopwatch } from "../../support/measured.ts";
import { cleanUp, failure, parts, project, up } from "../../support/projects.ts";
import { eventually, expectOk, rows, type World } from "../../support/swarm.ts";
import { type Host, type Lab, labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";

const WORKERS = 5;
const UP = up(6);

/** A project on the lab's image, with more in its mpi.yaml. */
async function open(lab: Lab, more = "") {
  const world = await openLabWorld(lab);
  const dir = await project(`name: mpitest\nimage: ${world.place.image}\nworkers: ${WORKERS}\n${more}`);
  const end = cleanUp(world, "mpitest");
  const mpi = (...args: string[]) => world.docker(["mpi", ...args], { cwd: dir.path, seconds: 180 });
  return {
    world,
    path: dir.path,
    mpi,
    deploy: (...args: string[]) => mpi("deploy", "--progress", "quiet", ...args),
    ps: async (): Promise<{ Name: string; Host: string }[]> => rows(await expectOk(mpi("ps", "--format", "json"))),
    async [Symbol.asyncDispose]() {
      await end[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Leaves no space in a folder of an engine, until the end of the block. */
async function full(host: Host, folder: string): Promise<AsyncDisposable> {
  const place = `${host.data}/${folder}`;
  const sh = async (script: string) =>
    assert.equal((await host.exec(["sh", "-c", script, "sh", place])).code, 0, script);
  // An engine that has pulled nothing yet has not made the folder.
  await sh(
    'mkdir -p "$1" && mount -t tmpfs -o size=4k tmpfs "$1" && cat /dev/zero 2>/dev/null >"$1/fill" || test -s "$1/fill"',
  );
  return { [Symbol.asyncDispose]: () => sh('umount -l "$1"') };
}

/** Takes all images off a host, so that it has to pull every layer. */
async function forget(world: World, { env }: Host): Promise<void> {
  await expectOk(world.docker(["image", "prune", "--all", "--force"], { env }));
}

labTest("a host without space is told, or left alone", async (lab, t) => {
  await using dir = await open(lab);
  const { world, deploy } = dir;
  const host = lab.hosts[1]!;

  await t.step("it can't pull the image: which host, and how to see why", async () => {
    await forget(world, host);
    await using _full = await full(host, "tmp");
    const time = stopwatch();
    const { code, stderr } = await deploy();
    measured("a host without space for the image is told", time(), 30);
    assert.equal(code, 1);
    const [message = "", hint = ""] = stderr.split("\n");
    assert.match(
      message,
      /^docker mpi deploy: Cluster "mpitest" does not come up: (?:master|worker-\d)[^:]*: No such image: \S+@sha256:\S+ \(on host2\)$/,
    );
    const [, image] = /^hint: docker -H ssh:\/\/host2 pull (\S+) {2}# says why: .*no space/.exec(hint) ?? [];
    const { stderr: why } = await world.docker(["pull", image ?? ""], { env: host.env });
    assert.match(why, /no space left on device/, "the hint does not say why");
  });

  await t.step("then it has space, and the next deployment uses it", async () => {
    assert.deepEqual(await deploy(), UP);
    assert.ok((await dir.ps()).some(({ Host }) => Host === "host2"));
    await expectOk(dir.mpi("rm", "mpitest"));
  });

  // The reason is shown where it lasts; here the others may be faster.
  await t.step("it can't make containers: the others take its nodes", async () => {
    await using _full = await full(host, "containers");
    const time = stopwatch();
    assert.equal((await expectOk(dir.mpi("deploy"))).stdout, UP.stdout);
    measured("a cluster comes up beside a host without space", time(), 60);
    assert.ok((await dir.ps()).every(({ Host }) => Host !== "host2"));
    await expectOk(dir.mpi("rm", "mpitest"));
  });

  await t.step("no host can make containers: the reason", async () => {
    await using _one = await full(lab.hosts[0]!, "containers");
    await using _two = await full(lab.hosts[1]!, "containers");
    await using _three = await full(lab.hosts[2]!, "containers");
    const time = stopwatch();
    const { code, stderr } = await deploy();
    measured("that no host has space is told", time(), 30);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^docker mpi deploy: Cluster "mpitest" does not come up: [^\n]*no space left on device \(on host\d[^\n]*\)\nhint: docker system df {2}# on that host shows what fills it\n$/,
    );
  });

  await t.step("another deployment, when they can, puts it right", async () => assert.deepEqual(await deploy(), UP));
});

labTest("workers that find no place, or no address, are told", async (lab, t) => {
  const NODES =
    "hint: docker node ls  # shows the hosts; ask for fewer workers, or loosen what placement: and stack: in " +
    "mpi.yaml demand\n";
  const stack = (deploy: string) => `stack: { services: { worker: { deploy: ${deploy} } } }\n`;
  const unplaced: { what: string; more: string; says: string; limit: number }[] = [
    {
      what: "more memory than any host has",
      more: stack("{ resources: { reservations: { memory: 4T } } }"),
      says: "no suitable node (insufficient resources on 3 nodes)",
      limit: 35,
    },
  ];
  for (const { what, more, says, limit } of unplaced) {
    await t.step(what, async () => {
      await using dir = await open(lab, more);
      const time = stopwatch();
      const { code, stderr } = await dir.deploy();
      measured(`${what}: told`, time(), limit);
      assert.equal(code, 1);
      const [message = "", ...rest] = stderr.split("\n");
      assert.match(message, /^docker mpi deploy: Cluster "mpitest" does not come up: worker-/);
      assert.ok(message.endsWith(`: ${says}`), message);
      assert.equal(rest.join("\n"), NODES);
    });
  }

  await t.step("a subnet that is too small for nodes and hosts is refused", async () => {
    await using dir = await open(lab);
    assert.deepEqual(
      await dir.deploy("--subnet", "10.99.0.0/29", "--workers", "2"),
      failure(
        'docker mpi deploy: A master and 2 workers do not fit: the subnet "10.99.0.0/29" has addresses for 2 nodes on 3 hosts\n' +
          "hint: docker mpi deploy --subnet 10.20.0.0/16 --workers 2  # or another that is larger, and that no host uses already\n",
        125,
      ),
    );
    assert.deepEqual(await parts(dir.world, "mpitest"), []);
  });

  await t.step("a subnet that something else in it has used up", async () => {
    const other =
      "viewer: { image: IMAGE, command: [sleep, '600'], init: true, networks: [cluster], deploy: { replicas: 12 } }";
    await using dir = await open(lab);
    const yaml = `stack: { services: { ${other.replace("IMAGE", dir.world.place.image ?? "")} } }\n`;
    await Deno.writeTextFile(`${dir.path}/mpi.yaml`, yaml, { append: true });
    const time = stopwatch();
    const { code, stderr } = await dir.deploy("--subnet", "10.99.0.0/28");
    measured("a subnet that is used up is told", time(), 40);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^docker mpi deploy: Cluster "mpitest" does not come up: [^\n]+: (no address in the cluster's network: its subnet 10\.99\.0\.0\/28 seems used up|node is missing network attachments, ip addresses may be exhausted[^\n]*)\nhint: docker mpi rm mpitest && docker mpi deploy --cluster mpitest --subnet 10\.20\.0\.0\/16 {2}# [^\n]+\n$/,
    );
  });
});

labTest("a host that is down keeps neither a removal nor a deployment", async (lab, t) => {
  await using dir = await open(lab);
  assert.deepEqual(await dir.deploy(), UP);
  const down = lab.hosts[2]!;
  const label = "label=com.docker.stack.namespace=mpitest";
  await down.kill();
  const seen = async () => (await dir.world.docker(["node", "inspect", "-f", "{{.Status.State}}", "host3"])).stdout;
  await eventually("the swarm sees it", async () => (await seen()).trim() === "down", 60);

  await t.step("deploy and scale end when its nodes are elsewhere", async () => {
    const time = stopwatch();
    assert.deepEqual(await dir.deploy(), UP);
    measured("a deployment ends with a host down", time(), 60);
    assert.ok((await dir.ps()).every(({ Host }) => Host !== "host3"));
    await expectOk(dir.mpi("scale", "3"));
    assert.deepEqual(await dir.deploy("--workers", `${WORKERS}`), UP);
  });

  await t.step("rm ends, and says what is left there", async () => {
    const time = stopwatch();
    const { stdout, stderr } = await expectOk(dir.mpi("rm", "mpitest"));
    measured("a cluster is removed while a host is down", time(), 60);
    assert.equal(stdout, "mpitest\n");
    assert.match(stderr, /^nodes: warning: \d left on hosts that are down, until they are back: host3$/m);
    assert.deepEqual(await parts(dir.world, "mpitest"), []);
  });

  await t.step("deploy goes on with the others", async () => {
    assert.deepEqual(await dir.deploy(), UP);
    assert.deepEqual([...new Set((await dir.ps()).map(({ Host }) => Host))].sort(), ["host1", "host2"]);
  });

  await t.step("back again, it ends what it had", async () => {
    await down.start();
    await lab.ready();
    const left = async () => (await dir.world.docker(["ps", "-q", "--filter", label], { env: down.env })).stdout;
    await eventually("its old containers are gone", async () => await left() === "", 60);
    assert.deepEqual(await dir.deploy(), UP);
    await expectOk(dir.mpi("run", "hostname"));
  });
});

labTest("rotated keys shut the old one out, on every host", async (lab) => {
  await using dir = await open(lab);
  const { world } = dir;
  assert.deepEqual(await dir.deploy(), UP);
  const command = async () => (await expectOk(dir.mpi("login", "--print"))).stdout.trim();
  const directory = /-i (\S+)\/id_ed25519/.exec(await command())?.[1] ?? "";
  await Deno.copyFile(`${directory}/id_ed25519`, `${dir.path}/old_key`);
  const time = stopwatch();
  assert.deepEqual(await dir.deploy("--rotate-keys"), UP);
  measured("keys are rotated and the cluster answers", time(), 60);
  const ssh = async (line: string) => {
    const { code, stderr } = await world.docker(["-c", `${line} true`], { docker: "sh", cwd: dir.path });
    return `${code} ${stderr}`;
  };
  assert.match(await ssh(await command()), /^0 /);
  assert.match(await ssh((await command()).replace(/-i \S+/, "-i old_key")), /^255 .*Permission denied \(publickey\)/);
  assert.equal((await expectOk(dir.mpi("exec", "--all", "echo", "ok"))).stdout.match(/ok/g)?.length, WORKERS + 1);
});
