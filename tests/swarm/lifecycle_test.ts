/** The life of a cluster as a user types it, and what is left of it: nothing. */
import assert from "node:assert/strict";
import { nodeNames } from "../support/nodes.ts";
import { eventually, expectOk, openWorld, type World } from "../support/swarm.ts";

const NAME = "mpitest-hello";

/** Other tests may have a cluster, on the port that is usual. */
const BESIDE = { MPI_PORT: "2230" };

/** Everything in the engine that belongs to the cluster. */
async function traces({ docker }: World): Promise<string[]> {
  const filter = ["--filter", `label=com.docker.stack.namespace=${NAME}`];
  const kinds = ["service", "secret", "config", "network", "volume"];
  const lists = await Promise.all([
    ...kinds.map((kind) => expectOk(docker([kind, "ls", "--quiet", ...filter]))),
    expectOk(docker(["ps", "--all", "--quiet", ...filter])),
  ]);
  return lists.flatMap(({ stdout }) => stdout.split("\n").filter(Boolean));
}

const hello = (workers: number) =>
  nodeNames(workers).map((node, rank) => `Hello from rank ${rank} of ${workers + 1} on ${node}`).sort();

Deno.test("a user must get from nothing to a cluster and back, line by line", async (t) => {
  await using world = await openWorld();
  const cwd = `${world.project}/work`;
  await Deno.mkdir(cwd);
  const type = (line: string, directory = `${cwd}/${NAME}`) =>
    expectOk(world.docker(line.split(" "), { cwd: directory, seconds: 180, env: BESIDE }));
  const lines = async (line: string) => (await type(line)).stdout.trim().split("\n").sort();
  try {
    await t.step("init says what comes next", async () => {
      assert.deepEqual(await type(`mpi init ${NAME}`, cwd), {
        code: 0,
        stdout:
          `Made the cluster project "${NAME}" in "${NAME}"\n\nNext: cd ${NAME} && docker mpi deploy --workers 5\n` +
          "README.md there says what it shows, and what to try\n",
        stderr: "",
      });
    });

    await t.step("deploy, run, scale, run", async () => {
      const { stdout } = await type("mpi deploy --workers 5");
      assert.equal(stdout, `Cluster "${NAME}" answers: 6 nodes, 6 slots\n`);
      assert.deepEqual(await lines("mpi run ./mpi_hello_world"), hello(5));
      assert.equal((await type("mpi scale 10")).stdout, `Cluster "${NAME}" answers: 11 nodes, 11 slots\n`);
      assert.deepEqual(await lines("mpi run ./mpi_hello_world"), hello(10));
      // 2 services, 3 secrets, 1 network, 11 containers.
      assert.equal((await traces(world)).length, 17);
    });

    await t.step("docker stack rm leaves nothing", async () => {
      await type(`stack rm ${NAME}`);
      await eventually("the last trace to go", async () => (await traces(world)).length === 0, 60);
    });

    await t.step("rm waits until nothing is left, on this machine either", async () => {
      await type("mpi deploy --workers 1");
      assert.deepEqual(await lines("mpi run ./mpi_hello_world"), hello(1));
      const { stdout } = await type("mpi rm");
      assert.equal(stdout, `${NAME}\n`);
      assert.deepEqual(await traces(world), []);
      const keys = await Array.fromAsync(Deno.readDir(`${world.config}/mpi/keys`));
      assert.deepEqual(keys.filter(({ name }) => name.startsWith(NAME)), []);
      assert.ok(!(await type("mpi ls -q")).stdout.split("\n").includes(NAME));
      const again = await world.docker(["mpi", "rm"], { cwd: `${cwd}/${NAME}` });
      assert.deepEqual([again.code, again.stdout], [1, ""]);
      assert.ok(again.stderr.startsWith(`docker mpi rm: Cluster "${NAME}" is not deployed`), again.stderr);
    });
  } finally {
    await world.docker(["stack", "rm", NAME]);
    await world.docker(["image", "rm", "--force", `${NAME}:latest`]);
  }
});
