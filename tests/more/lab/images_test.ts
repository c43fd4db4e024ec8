/** How a cluster's image comes to all hosts, and what is said where it can't. */
import assert from "node:assert/strict";
import { measured, stopwatch } from "../../support/measured.ts";
import { failure, parts, project, up } from "../../support/projects.ts";
import { expectOk, rows, type World } from "../../support/swarm.ts";
import { type Lab, labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";

/** Enough for the swarm, which spreads them, to use every host. */
const WORKERS = 3;
const UP = up(4);
const ON_ALL = "nodes may start on 3 hosts: host1, host2, host3";

/** A project whose image has a word in it, which can change; no engine has that of an earlier run. */
async function words(world: World, image: string) {
  const dir = await project(`name: mpitest\nimage: ${image}\nworkers: ${WORKERS}\n`);
  const says = (word: string) =>
    Deno.writeTextFile(
      `${dir.path}/Dockerfile`,
      `FROM ${world.place.image}\nRUN echo ${word} >/project/word # ${crypto.randomUUID()}\n`,
    );
  await says("one");
  const mpi = (...args: string[]) => world.docker(["mpi", ...args], { cwd: dir.path, seconds: 120 });
  const nodes = async () => rows(await expectOk(mpi("ps", "--format", "json")));
  return {
    path: dir.path,
    says,
    mpi,
    deploy: (...args: string[]) => mpi("deploy", "--progress", "quiet", ...args),
    /** What each node has. */
    heard: async () =>
      (await expectOk(mpi("exec", "--all", "cat", "word"))).stdout.trim().split("\n").map((line) =>
        line.split(" | ")[1]
      ),
    /** The task of each node. */
    tasks: async () => (await nodes()).map(({ Name, Task }) => `${Name} ${Task}`),
    /** The hosts that nodes are on. */
    hosts: async () => [...new Set((await nodes()).map(({ Host }) => Host))].sort(),
    async [Symbol.asyncDispose]() {
      await mpi("rm", "mpitest");
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Removes images of every host, and with them what it knows of registries. */
async function forget(lab: Lab, world: World, ...images: string[]): Promise<void> {
  await Promise.all(lab.hosts.map(({ env }) => world.docker(["image", "rm", "--force", ...images], { env })));
}

const drain = (world: World, availability: string) =>
  Promise.all(
    ["host2", "host3"].map((host) => expectOk(world.docker(["node", "update", "--availability", availability, host]))),
  );

labTest("an image that one host has is recognised before anything is made", async (lab, t) => {
  await using world = await openLabWorld(lab);
  const image = "mpitest-here:latest";

  await t.step("deploy says so, and how to share it; nothing is built", async () => {
    await using dir = await words(world, image);
    const time = stopwatch();
    assert.deepEqual(
      await dir.deploy(),
      failure(
        `docker mpi deploy: Image "${image}" is on this engine only, and ${ON_ALL}\n` +
          "hint: docker mpi deploy --push --image registry.example.org/mpitest-here  # takes it to a registry of yours; " +
          "--resolve-image never if every host has it already\n",
      ),
    );
    measured("an image that one host has is recognised", time(), 5);
    assert.deepEqual(await parts(world, "mpitest"), []);
    assert.notEqual((await world.docker(["image", "inspect", image])).code, 0);
    assert.deepEqual(
      await dir.deploy("--push"),
      failure(
        `docker mpi deploy: Image "${image}" names no registry to push it to\n` +
          `hint: docker mpi deploy --push --image registry.example.org/mpitest-here  # with your registry; or image: in mpi.yaml\n`,
        125,
      ),
    );
  });

  await t.step("where all nodes stay on that host, it is enough", async () => {
    await using dir = await words(world, image);
    const stay = "{ deploy: { placement: { constraints: [node.hostname == host1] } } }";
    const yaml = `stack: { services: { master: ${stay}, worker: ${stay} } }\n`;
    await Deno.writeTextFile(`${dir.path}/mpi.yaml`, yaml, { append: true });
    assert.deepEqual(await dir.deploy(), UP);
    assert.deepEqual(await dir.hosts(), ["host1"]);
  });

  await t.step("a cluster of one host does not grow to hosts that join", async () => {
    await using dir = await words(world, image);
    await drain(world, "drain");
    try {
      assert.deepEqual(await dir.deploy(), UP);
      await drain(world, "active");
      const { code, stderr } = await dir.mpi("scale", "5");
      assert.deepEqual([code, stderr.split("\n")[0]], [
        1,
        `docker mpi scale: Image "${image}" is on this engine only, and ${ON_ALL}`,
      ]);
      assert.equal((await expectOk(dir.mpi("scale", "--progress", "quiet", "2"))).stderr, "");
    } finally {
      await drain(world, "active");
    }
  });

  await t.step("one host runs what it has, and not what a registry has of that name", async () => {
    const shared = `${lab.registry.address}/mpitest-other:1`;
    await using dir = await words(world, shared);
    await expectOk(dir.mpi("build", "--push"));
    await dir.says("two");
    await expectOk(dir.mpi("build"));
    await drain(world, "drain");
    try {
      assert.deepEqual(await dir.deploy(), UP);
      assert.deepEqual(await dir.heard(), ["two", "two", "two", "two"]);
      assert.match((await expectOk(dir.mpi("ls"))).stdout, new RegExp(` ${shared}\n`));
    } finally {
      await drain(world, "active");
      await forget(lab, world, shared);
    }
  });

  await t.step("hosts that all have it need no registry", async () => {
    await using dir = await words(world, image);
    for (const { env } of lab.hosts.slice(1)) {
      await expectOk(world.docker(["pull", "--quiet", world.place.image ?? ""], { env }));
      await expectOk(world.docker(["build", "--tag", image, dir.path], { env }));
    }
    assert.deepEqual(await dir.deploy("--build", "--resolve-image", "never"), UP);
    assert.deepEqual(await dir.hosts(), ["host1", "host2", "host3"]);
  });
  await forget(lab, world, image);
});

labTest("hosts get an image from its registry, the same everywhere and anew when it changes", async (lab, t) => {
  await using world = await openLabWorld(lab);
  const image = `${lab.registry.address}/mpitest-shared:1`;
  await using dir = await words(world, image);

  await t.step("build --push, deploy", async () => {
    assert.equal((await expectOk(dir.mpi("build", "--push", "--progress", "quiet"))).stdout, `${image}\n`);
    const time = stopwatch();
    assert.deepEqual(await dir.deploy(), UP);
    measured("hosts have pulled an image and answer", time(), 60);
    assert.deepEqual(await dir.hosts(), ["host1", "host2", "host3"]);
    assert.deepEqual(await dir.heard(), ["one", "one", "one", "one"]);
    assert.match((await expectOk(dir.mpi("ls"))).stdout, new RegExp(` ${image}\n`));
  });

  await t.step("the same again restarts nothing", async () => {
    const before = await dir.tasks();
    assert.deepEqual(await dir.deploy(), UP);
    await expectOk(dir.mpi("build", "--push"));
    assert.deepEqual(await dir.deploy(), UP);
    assert.deepEqual(await dir.tasks(), before);
  });

  await t.step("what is built anew and not pushed is not taken for what the registry has", async () => {
    const before = await dir.tasks();
    await dir.says("two");
    await expectOk(dir.mpi("build"));
    assert.deepEqual(
      await dir.deploy(),
      failure(
        `docker mpi deploy: Image "${image}" is on this engine only, and ${ON_ALL}\n` +
          "hint: docker mpi deploy --push  # takes it to its registry; --resolve-image never if every host has it already\n",
      ),
    );
    assert.deepEqual(await dir.tasks(), before);
  });

  await t.step("pushed, it is on every node", async () => {
    assert.deepEqual(await dir.deploy("--push"), UP);
    assert.deepEqual(await dir.heard(), ["two", "two", "two", "two"]);
    await dir.says("three");
    assert.deepEqual(await dir.deploy("--build", "--push"), UP);
    assert.deepEqual(await dir.heard(), ["three", "three", "three", "three"]);
  });

  await t.step("what somebody else has pushed comes with --pull, and not by itself", async () => {
    const before = await dir.tasks();
    const { env } = lab.hosts[1]!;
    await dir.says("four");
    await expectOk(world.docker(["pull", "--quiet", world.place.image ?? ""], { env }));
    await expectOk(world.docker(["build", "--tag", image, dir.path], { env }));
    await expectOk(world.docker(["push", image], { env }));
    assert.deepEqual(await dir.deploy(), UP);
    assert.deepEqual(await dir.tasks(), before);
    assert.deepEqual(await dir.deploy("--pull"), UP);
    assert.deepEqual(await dir.heard(), ["four", "four", "four", "four"]);
  });

  await t.step("a registry that can't be reached is told, and what runs goes on", async () => {
    const before = await dir.tasks();
    const port = lab.registry.address.split(":")[1] ?? "";
    const rule = ["OUTPUT", "-p", "tcp", "--dport", port, "-j", "REJECT", "--reject-with", "tcp-reset"];
    await lab.manager.exec(["iptables", "-I", ...rule]);
    try {
      const time = stopwatch();
      const { code, stderr } = await dir.deploy();
      measured("a registry that can't be reached is told", time(), 20);
      assert.equal(code, 1);
      const says =
        `^docker mpi deploy: The registry of image "${image}" can't be reached, and ${ON_ALL}: .*connection refused`;
      assert.match(stderr, new RegExp(`${says}\nhint: docker pull \\S+@sha256:\\S+  # tries it again; [^\n]+\n$`));
      assert.deepEqual(await dir.tasks(), before);
      assert.deepEqual(await dir.deploy("--resolve-image", "never", "--workers", "0").then(({ code }) => code), 0);
    } finally {
      await lab.manager.exec(["iptables", "-D", ...rule]);
    }
  });
  await dir.mpi("rm", "mpitest");
  await forget(lab, world, image);
});

labTest("a registry with a password gives an image to hosts that get the login", async (lab, t) => {
  await using world = await openLabWorld(lab);
  const { address, user, password } = lab.privateRegistry;
  const image = `${address}/mpitest-closed:1`;
  await using dir = await words(world, image);
  try {
    await t.step("nobody is logged in", async () => {
      const { code, stderr } = await dir.mpi("build", "--push", "--progress", "quiet");
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^docker mpi build: Docker could not push "[^\n]+": no basic auth credentials\nhint: docker login 198\.19\.0\.254:5001 {2}# /,
      );
    });

    await t.step("the user is logged in, the hosts are not: the reason, and what to type", async () => {
      await expectOk(world.docker(["login", "-u", user, "-p", password, address]));
      await expectOk(dir.mpi("build", "--push"));
      const time = stopwatch();
      const { code, stderr } = await dir.deploy();
      measured("hosts that may not have an image are told", time(), 30);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^docker mpi deploy: Cluster "mpitest" does not come up: [^\n]+: No such image: (\S+) \(on ([^\s,]+)[^\n]*\)\nhint: docker -H ssh:\/\/\2 pull \1 {2}# [^\n]+ docker mpi deploy --with-registry-auth sends\n$/,
      );
    });

    await t.step("--with-registry-auth, which is kept", async () => {
      assert.deepEqual(await dir.deploy("--with-registry-auth"), UP);
      assert.deepEqual(await dir.hosts(), ["host1", "host2", "host3"]);
      const before = await dir.tasks();
      assert.deepEqual(await dir.deploy("--with-registry-auth"), UP);
      assert.deepEqual(await dir.deploy(), UP);
      assert.deepEqual(await dir.tasks(), before, "nodes were restarted");
      await dir.says("two");
      assert.deepEqual(await dir.deploy("--build", "--push"), UP);
      assert.deepEqual(await dir.heard(), ["two", "two", "two", "two"]);
    });

    await t.step("logged out before this digest was ever asked for", async () => {
      await dir.says("three");
      await expectOk(dir.mpi("build", "--push"));
      await expectOk(world.docker(["logout", address]));
      const { code, stderr } = await dir.deploy();
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^docker mpi deploy: The registry of image "[^\n]+" refuses it to you, and [^\n]+: [^\n]*no basic auth[^\n]+\nhint: docker login 198\.19\.0\.254:5001 {2}# and then: docker mpi deploy --with-registry-auth\n$/,
      );
    });
  } finally {
    await world.docker(["logout", address]);
    await dir.mpi("rm", "mpitest");
    await forget(lab, world, image);
  }
});
