/** What `volumes:` of `mpi.yaml` mounts, on a real engine. */
import assert from "node:assert/strict";
import { deploy, parts, project } from "../../support/projects.ts";
import { expectOk, IMAGE, openWorld } from "../../support/swarm.ts";

const VOLUMES = ["mpitest_data", "mpitest_share"];

Deno.test("volumes must be on every node, and keep their files when the cluster is gone", async (t) => {
  await using world = await openWorld();
  const docker = async (...args: string[]) => (await expectOk(world.docker(args, { seconds: 120 }))).stdout;
  // The engine is on this machine, whose folders it sees.
  const folder = await Deno.makeTempDir({ prefix: "mpitest-host-" });
  await Deno.writeTextFile(`${folder}/set`, "from the host\n");
  await Deno.chmod(folder, 0o755);
  await using dir = await project(`name: mpitest
image: ${IMAGE}
workers: 1
volumes:
  - data:/project/data
  - ${folder}:/sets:ro
  - { type: tmpfs, target: /scratch, tmpfs: { size: 2m } }
  - { source: share, target: /share, driver_opts: { type: tmpfs, device: tmpfs, o: "size=3m,uid=1000" } }
`);
  const exec = (...args: string[]) => world.docker(["mpi", "exec", ...args], { cwd: dir.path });
  try {
    assert.equal((await deploy(world, dir.path)).stderr, "");

    await t.step("each node has them, of the sizes and rights that were asked for", async () => {
      const { stdout } = await expectOk(exec("--all", "cat", "/proc/mounts"));
      for (const node of ["master", "worker-1"]) {
        const lines = stdout.split("\n").filter((line) => line.startsWith(`${node} `));
        const options = (target: string) => lines.find((line) => line.includes(` ${target} `))?.split(" ").at(-3) ?? "";
        assert.match(options("/project/data"), /^rw,/);
        assert.match(options("/sets"), /^ro,/);
        assert.match(options("/scratch"), /size=2048k/);
        assert.match(options("/share"), /size=3072k/);
        assert.match(options("/dev/shm"), /size=/);
      }
      assert.equal((await expectOk(exec("--host", "worker-1", "cat", "/sets/set"))).stdout, "from the host\n");
    });

    await t.step("programs may write where the documents say so", async () => {
      const write = (path: string) => exec("--host", "worker-1", "sh", "-c", `echo x >${path}/x`);
      assert.equal((await write("/scratch")).code, 0);
      assert.equal((await write("/share")).code, 0);
      assert.match((await write("/sets")).stderr, /Read-only file system/);
      // A folder that the image has not: the volume is root's, until somebody changes that.
      assert.match((await write("/project/data")).stderr, /Permission denied/);
      const chown = ["chown", "1000:1000", "/d"];
      await docker("run", "--rm", "--user", "root", "--volume", "mpitest_data:/d", IMAGE, ...chown);
      assert.equal((await write("/project/data")).code, 0);
      assert.equal((await expectOk(exec("cat", "/project/data/x"))).stdout, "x\n", "nodes of a host share it");
    });

    await t.step("they are found by their label, and stay", async () => {
      const list = () => docker("volume", "ls", "--quiet", "--filter", "label=docker-mpi.cluster=mpitest");
      assert.deepEqual((await list()).trim().split("\n").sort(), VOLUMES);
      const removed = await world.docker(["mpi", "rm", "mpitest"], { seconds: 120 });
      assert.equal(removed.code, 0, removed.stderr);
      assert.match(
        removed.stderr,
        /^volumes: warning: kept on the hosts, with their files: mpitest_data, mpitest_share$/m,
      );
      assert.deepEqual(await parts(world, "mpitest"), []);
      assert.deepEqual((await list()).trim().split("\n").sort(), VOLUMES);
      assert.equal((await deploy(world, dir.path)).stderr, "");
      assert.equal((await expectOk(exec("cat", "/project/data/x"))).stdout, "x\n");
    });
  } finally {
    await world.docker(["mpi", "rm", "mpitest"], { seconds: 120 });
    await world.docker(["volume", "rm", "--force", ...VOLUMES]);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a folder that the image has must be the owner of a volume's, as the documents say", async () => {
  await using world = await openWorld();
  await using dir = await project("name: mpitest\nworkers: 0\nvolumes: ['data:/data']\n", {
    Dockerfile: `FROM ${IMAGE}\nUSER root\nRUN install -d -o mpi -g mpi /data\nUSER mpi\n`,
  });
  try {
    const deployed = await deploy(world, dir.path);
    assert.deepEqual([deployed.code, deployed.stderr], [0, ""]);
    const touch = await world.docker(["mpi", "exec", "touch", "/data/x"], { cwd: dir.path });
    assert.deepEqual([touch.code, touch.stderr], [0, ""]);
  } finally {
    await world.docker(["mpi", "rm", "mpitest"], { seconds: 120 });
    await world.docker(["volume", "rm", "--force", "mpitest_data"]);
  }
});

Deno.test("what can't be mounted must be told, with the host", async () => {
  await using world = await openWorld();
  await using dir = await project(
    `name: mpitest\nimage: ${IMAGE}\nworkers: 0\nvolumes: ['/nonesuch/mpitest:/sets']\n`,
  );
  try {
    const { code, stderr } = await deploy(world, dir.path);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^docker mpi deploy: Cluster "mpitest" does not come up: master: .*bind source path does not exist: \/nonesuch\/mpitest/,
    );
  } finally {
    await world.docker(["mpi", "rm", "mpitest"], { seconds: 120 });
  }
});
