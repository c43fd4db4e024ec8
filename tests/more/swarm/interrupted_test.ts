/** Deployments and removals that are interrupted, or not alone: another one always goes on, with no hands. */
import assert from "node:assert/strict";
import { ENGINE, engineProxy } from "../../support/engine_proxy.ts";
import { cleanUp, CLEAR, deploy, parts, project, SIMPLE, up } from "../../support/projects.ts";
import { type Ended, expectOk, openWorld, type World } from "../../support/swarm.ts";

const UP = up(2);

/** What the swarm is told in a deployment: three secrets, a network, two services. */
const CHANGES = 6;

/** How a command comes to its end. */
const WAYS = {
  "Ctrl-C": (pid: number) => Deno.kill(-pid, "SIGINT"),
  "SIGKILL": (pid: number) => Deno.kill(-pid, "SIGKILL"),
  "SIGKILL of the plugin, whose docker goes on": async (pid: number) => Deno.kill(await childOf(pid), "SIGKILL"),
};
type Way = keyof typeof WAYS;

/** The one child of a process, whichever of its threads started it. */
async function childOf(pid: number): Promise<number> {
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const children = await Deno.readTextFile(`/proc/${pid}/task/${name}/children`);
    if (children !== "") return Number.parseInt(children);
  }
  throw new Error(`process ${pid} has no child`);
}

/** Runs a command that is ended when it has made so many changes; the block's end ends what is left of it. */
async function interrupted(world: World, cwd: string, args: string[], after: number, way: Way) {
  let changes = 0;
  const isChange = (line: string) => /^(POST|DELETE) \/(services|secrets|networks|configs)\b/.test(line);
  const strike = async () => await WAYS[way](child.pid);
  const proxy = await engineProxy(ENGINE, {
    async before({ line }) {
      if (after > 0 || !isChange(line) || changes++ > 0) return;
      await strike();
      return "drop";
    },
    async after({ line }) {
      if (after > 0 && isChange(line) && ++changes === after) await strike();
    },
  });
  const child = world.spawn(["docker", "mpi", ...args], { cwd, docker: "setsid", env: { DOCKER_HOST: proxy.host } });
  const [stdout, stderr, { code }] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.status,
  ]);
  assert.ok(changes >= Math.max(1, after), `it made ${changes} changes only:\n${stdout}${stderr}`);
  return { code, stdout, stderr, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

/** Keys on this machine for clusters of this name. */
async function keysOf(world: World): Promise<string[]> {
  const found = await Array.fromAsync(Deno.readDir(`${world.config}/mpi/keys`)).catch(() => []);
  return found.map(({ name }) => name).filter((name) => name.startsWith("mpitest-"));
}

async function expectRun(world: World, cwd: string): Promise<void> {
  const { stdout } = await expectOk(world.docker(["mpi", "run", "hostname"], { cwd }));
  assert.equal(stdout.trim().split("\n").sort().join(), "master,worker-1");
}

async function remove(world: World): Promise<Ended> {
  return await world.docker(["mpi", "rm", "--progress", "quiet", "mpitest"], { seconds: 120 });
}

async function expectNothing(world: World): Promise<void> {
  assert.deepEqual(await parts(world, "mpitest"), []);
  assert.deepEqual(await keysOf(world), []);
}

Deno.test("a deployment that is interrupted at any point must be finished by another, or removed", async (t) => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");
  await deploy(world, dir.path);
  assert.equal((await remove(world)).code, 0);

  for (let after = 0; after <= CHANGES; after++) {
    for (const [index, way] of (Object.keys(WAYS) as Way[]).entries()) {
      // Every point is removed in some ways, and deployed in another: the latter takes its time.
      const deploys = (after + 2) % 3 === index;
      await t.step(`${way} after ${after} changes, then ${deploys ? "deploy" : "rm"}`, async () => {
        await using ended = await interrupted(world, dir.path, ["deploy", "--progress", "quiet"], after, way);
        assert.notEqual(ended.code, 0);
        assert.equal(ended.stdout, "");
        if (way === "Ctrl-C") {
          assert.equal(ended.code, 130);
          assert.match(ended.stderr, /^docker mpi deploy: Cancelled; the swarm goes on [^\n]+\nhint: [^\n]+\n$/);
        }
        if (deploys) {
          assert.deepEqual(await deploy(world, dir.path), UP);
          await expectRun(world, dir.path);
        }
        const removed = await remove(world);
        // A docker that goes on can make something while it is being removed, which is told.
        if (way.includes("goes on") && removed.code !== 0) {
          assert.match(removed.stderr, CLEAR);
          await remove(world);
        } else if (after > 0 || deploys) {
          assert.deepEqual(removed, { code: 0, stdout: "mpitest\n", stderr: "" });
        }
        if (after > 0 || deploys) await expectNothing(world);
      });
    }
  }
});

Deno.test("a removal that is interrupted at any point must be finished by another, or by a deployment", async (t) => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");
  // Two services, the network, the first of three secrets; the deployment at the next one's beginning goes on after it.
  for (const after of [1, 2, 3, 4]) {
    const way: Way = after % 2 === 0 ? "Ctrl-C" : "SIGKILL";
    await t.step(`${way} after ${after} changes`, async () => {
      assert.deepEqual(await deploy(world, dir.path), UP);
      await using ended = await interrupted(world, dir.path, ["rm", "mpitest", "--progress", "quiet"], after, way);
      assert.notEqual(ended.code, 0);
      if (after % 2 === 1) return;
      const left = await parts(world, "mpitest");
      const again = await remove(world);
      if (left.length > 0) assert.deepEqual(again, { code: 0, stdout: "mpitest\n", stderr: "" });
      assert.deepEqual(await parts(world, "mpitest"), []);
    });
  }
  assert.deepEqual(await deploy(world, dir.path), UP);
  await expectRun(world, dir.path);
  assert.equal((await remove(world)).code, 0);
  await expectNothing(world);
});

Deno.test("a rotation of keys that is interrupted at any point leaves a machine its way in", async (t) => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");
  assert.deepEqual(await deploy(world, dir.path), UP);
  // Three secrets, and two services that are updated.
  for (const after of [1, 3, 4, 5]) {
    await t.step(`after ${after} changes`, async () => {
      const args = ["deploy", "--rotate-keys", "--progress", "quiet"];
      await using ended = await interrupted(world, dir.path, args, after, "SIGKILL");
      assert.notEqual(ended.code, 0);
      assert.deepEqual(await deploy(world, dir.path), UP);
      await expectRun(world, dir.path);
    });
  }
  assert.equal((await parts(world, "mpitest")).filter((name) => /_(key|host)-/.test(name)).length, 3, "old secrets");
});
