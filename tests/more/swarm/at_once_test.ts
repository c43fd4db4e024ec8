/** Deployments and removals of one cluster at the same time, from one machine and from two. */
import assert from "node:assert/strict";
import { ENGINE, engineProxy } from "../../support/engine_proxy.ts";
import { cleanUp, CLEAR, deploy, parts, project, SIMPLE, up } from "../../support/projects.ts";
import { type Ended, eventually, expectOk, openWorld, type World } from "../../support/swarm.ts";

const UP = up(2);

Deno.test("deploy must end well, whatever else this machine does at the time", async (t) => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");

  await t.step("two at once", async () => {
    assert.deepEqual(await Promise.all([deploy(world, dir.path), deploy(world, dir.path)]), [UP, UP]);
    assert.deepEqual(await deploy(world, dir.path), UP);
    assert.equal((await expectOk(world.docker(["mpi", "run", "hostname"], { cwd: dir.path }))).code, 0);
  });

  await t.step("straight after docker stack rm", async () => {
    await expectOk(world.docker(["stack", "rm", "mpitest"]));
    assert.deepEqual(await deploy(world, dir.path), UP);
  });

  await t.step("while docker mpi rm is under way", async () => {
    const removal = world.docker(["mpi", "rm", "--progress", "quiet", "mpitest"]);
    await eventually(
      "a service is gone",
      async () => (await parts(world, "mpitest")).filter((name) => /_(master|worker) /.test(name)).length < 2,
    );
    assert.deepEqual(await deploy(world, dir.path), UP);
    assert.deepEqual(await removal, { code: 0, stdout: "mpitest\n", stderr: "" });
    await expectOk(world.docker(["mpi", "run", "hostname"], { cwd: dir.path }));
  });
});

/** Another machine of the same user, which has the plugin and no keys. */
async function anotherMachine(world: World) {
  const path = await Deno.makeTempDir({ prefix: "mpitest-config-" });
  await Deno.symlink(`${world.config}/cli-plugins`, `${path}/cli-plugins`);
  const env = { DOCKER_CONFIG: path };
  return {
    mpi: (cwd: string, args: string[], more: Record<string, string> = {}) =>
      world.docker(["mpi", ...args], { cwd, env: { ...env, ...more }, seconds: 120 }),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("two machines that deploy one cluster must end with one that is whole, and a clear word", async (t) => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");
  await using ada = await anotherMachine(world);
  await using bob = await anotherMachine(world);
  const [quiet, run] = [["deploy", "--progress", "quiet"], ["run", "hostname"]];

  /** One of them has it, and was told so. */
  async function judge(said: [Ended, Ended]): Promise<void> {
    for (const ended of said) if (ended.code !== 0) assert.match(ended.stderr, CLEAR);
    const runs = await Promise.all([ada, bob].map(({ mpi }) => mpi(dir.path, run)));
    const owners = runs.filter(({ code }) => code === 0);
    assert.equal(owners.length, 1, JSON.stringify([said, runs], null, 2));
    assert.equal(owners[0]?.stdout.split("\n").length, 3);
    const [owner, other] = runs[0]?.code === 0 ? [ada, bob] : [bob, ada];
    assert.equal(said[owner === ada ? 0 : 1].code, 0, "whoever has it was told so");
    for (const { mpi } of [other, owner]) await mpi(dir.path, ["rm", "mpitest"]);
    assert.deepEqual(await parts(world, "mpitest"), []);
  }

  await t.step("one after the other: the second takes it over when told to", async () => {
    const [owner, other] = [ada, bob];
    assert.deepEqual(await owner.mpi(dir.path, quiet), UP);
    const refused = await other.mpi(dir.path, quiet);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^docker mpi deploy: Cluster "mpitest" was deployed with a key that this machine does not/,
    );
    assert.deepEqual(await other.mpi(dir.path, [...quiet, "--rotate-keys"]), UP);
    assert.equal((await other.mpi(dir.path, run)).code, 0);
    const shut = await owner.mpi(dir.path, run);
    assert.equal(shut.code, 125);
    assert.match(
      shut.stderr,
      /^docker mpi run: Cluster "mpitest" was deployed with a key that this machine does not have/,
    );
    for (const { mpi } of [other, owner]) await mpi(dir.path, ["rm", "mpitest"]);
  });

  for (const seconds of [0, 0.3]) {
    await t.step(`the second ${seconds} s after the first`, async () => {
      const first = ada.mpi(dir.path, quiet);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      await judge(await Promise.all([first, bob.mpi(dir.path, quiet)]));
    });
  }

  // Three secrets, a network, two services.
  for (const after of [1, 4, 5]) {
    await t.step(`the second while the first has made ${after} changes`, async () => {
      const held = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      let changes = 0;
      await using proxy = await engineProxy(ENGINE, {
        async after({ line }) {
          if (!/^POST \/(services|secrets|networks)/.test(line) || ++changes !== after) return;
          held.resolve();
          await go.promise;
        },
      });
      const first = ada.mpi(dir.path, quiet, { DOCKER_HOST: proxy.host });
      await held.promise;
      const second = bob.mpi(dir.path, quiet);
      await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 4000))]);
      go.resolve();
      await judge(await Promise.all([first, second]));
    });
  }

  await t.step("one removes while the other deploys", async () => {
    assert.deepEqual(await ada.mpi(dir.path, quiet), UP);
    const removal = ada.mpi(dir.path, ["rm", "mpitest", "--progress", "quiet"]);
    await eventually("services go", async () => (await parts(world, "mpitest")).length < 6);
    const said = await bob.mpi(dir.path, quiet);
    const removed = await removal;
    for (const ended of [said, removed]) if (ended.code !== 0) assert.match(ended.stderr, CLEAR);
    assert.deepEqual(await bob.mpi(dir.path, [...quiet, "--rotate-keys"]), UP);
    assert.equal((await bob.mpi(dir.path, run)).code, 0);
  });
});
