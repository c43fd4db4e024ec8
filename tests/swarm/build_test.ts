/** Building images, with the checkout gone as well; and `docker mpi dev`, which works in one. */
import assert from "node:assert/strict";
import { root, sh, tempConfig } from "../support/plugin_cli.ts";
import { expectOk, openWorld } from "../support/swarm.ts";
import { openTerminal } from "../support/terminal.ts";

const IMAGE = "mpitest-build:latest";

Deno.test("build must make the image and say its name", async () => {
  await using world = await openWorld();
  const build = (...args: string[]) =>
    expectOk(world.docker(["mpi", "build", "--image", IMAGE, ...args], { seconds: 180 }));
  const id = async () => (await expectOk(world.docker(["image", "inspect", "--format", "{{.Id}}", IMAGE]))).stdout;
  try {
    const { stdout, stderr } = await build();
    assert.equal(stdout, `${IMAGE}\n`);
    assert.match(stderr, /^image mpitest-build:latest: building\n[^]*image mpitest-build:latest: built in \d+ s\n$/);
    const first = await id();
    assert.equal((await build("--progress", "quiet")).stderr, "");
    assert.equal(await id(), first, "the cache is used");
    await build("--no-cache");
    assert.notEqual(await id(), first, "the cache is not used");

    await Deno.writeTextFile(`${world.project}/project/mpi_hello_world.c`, "no program\n");
    const { code, stdout: nothing, stderr: why } = await world.docker(["mpi", "build", "--image", IMAGE]);
    assert.deepEqual({ code, nothing }, { code: 1, nothing: "" });
    assert.match(why, /^docker mpi build: Docker could not build "mpitest-build:latest" \(status \d+\):$/m);
    assert.match(why, /mpi_hello_world\.c:1:1: error: unknown type name/);
    assert.match(why, /^hint: docker build -t mpitest-build:latest .* shows all of it$/m);
  } finally {
    await world.docker(["image", "rm", "--force", IMAGE]);
  }
});

Deno.test("an installed plugin must build its own images when the checkout is gone", async () => {
  await using world = await openWorld();
  await using config = await tempConfig();
  // Another version has images of other names, which are not there yet.
  const version = "0.0.0-mpitest";
  const checkout = await Deno.makeTempDir({ prefix: "mpitest-checkout-" });
  const parts = ["mod.ts", "deno.json", "deno.lock", "cli", "stack", "images", "examples"];
  await sh("cp", ["-a", ...parts.map((part) => `${root}/${part}`), checkout]);
  const change = async (path: string, from: string, to: string) => {
    const text = await Deno.readTextFile(`${checkout}/${path}`);
    assert.ok(text.includes(from), path);
    await Deno.writeTextFile(`${checkout}/${path}`, text.replace(from, to));
  };
  const dockerfile = await Deno.readTextFile(`${root}/examples/hello/Dockerfile`);
  const base = /^FROM (\S+)/m.exec(dockerfile)?.[1] ?? ""; // docker-mpi/${MPI}:0.1.0-dev
  const changed = base.replace(/:.*?(-dev)?$/, `:${version}$1`);
  const own = changed.replace("${MPI}", "mpich");
  await change("cli/docker/metadata.ts", 'VERSION = "0.1.0"', `VERSION = "${version}"`);
  await change("examples/hello/Dockerfile", base, changed);
  const { code, err } = await sh(Deno.execPath(), ["task", "install"], config.env, checkout);
  assert.equal(code, 0, err);
  await Deno.remove(checkout, { recursive: true });

  const docker = (...args: string[]) =>
    expectOk(world.docker(args, { env: config.env, cwd: `${config.path}/mpitest-gone`, seconds: 300 }));
  try {
    await expectOk(world.docker(["mpi", "init", "mpitest-gone"], { env: config.env, cwd: config.path }));
    const { stdout, stderr } = await docker("mpi", "build", "--image", IMAGE);
    assert.equal(stdout, `${IMAGE}\n`);
    assert.ok(stderr.startsWith(`image ${own}: building\n`), stderr);
    const made = await docker("run", "--rm", IMAGE, "sh", "-c", "mpirun -n 2 ./mpi_hello_world && type mpi_run");
    assert.match(made.stdout, /Hello from rank 1 of 2 [^]*mpi_run is \/usr\/local\/bin\/mpi_run/);
  } finally {
    await world.docker(["image", "rm", "--force", IMAGE, own]);
  }
});

Deno.test("dev must compile and run in the user's own directory, as the user", async (t) => {
  await using world = await openWorld();
  const env = { DOCKER_CONFIG: world.config };
  const cwd = `${world.project}/project`;
  const dev = (...args: string[]) => world.docker(["mpi", "dev", ...args], { cwd, seconds: 120 });

  await t.step("a compiled program, the user's own", async () => {
    // Root can be of another group, which tells the user from the account in the image without losing anything.
    const group = Deno.uid() === 0 ? 12345 : Deno.gid();
    const words = Deno.uid() === 0 ? ["setpriv", "--regid", `${group}`, "--keep-groups", "docker"] : ["docker"];
    const compile = ["mpi", "dev", "mpicc", "-o", "my hello", "mpi_hello_world.c"];
    assert.deepEqual(
      await world.docker([...words, ...compile], { docker: "env", cwd, seconds: 300 }).then(({ code, stdout }) => ({
        code,
        stdout,
      })),
      { code: 0, stdout: "" },
    );
    const { uid, gid, mode } = await Deno.stat(`${cwd}/my hello`);
    assert.deepEqual({ uid, gid }, { uid: Deno.uid(), gid: group });
    assert.ok((mode ?? 0) & 0o100);
    const { stdout } = await expectOk(dev("mpirun", "-n", "2", "./my hello"));
    assert.deepEqual(stdout.trim().split("\n").map((line) => line.replace(/ on .*/, "")).sort(), [
      "Hello from rank 0 of 2",
      "Hello from rank 1 of 2",
    ]);
  });

  await t.step("standard input, standard error, status", async () => {
    const ended = await world.docker(["mpi", "dev", "sh", "-c", "cat; echo oops >&2; exit 7"], { cwd, stdin: "in" });
    assert.deepEqual(ended, { code: 7, stdout: "in", stderr: "oops\n" });
  });

  await t.step("a shell in a terminal", async () => {
    await using session = await openTerminal("exec docker mpi dev", { cwd, env, columns: 91, rows: 33 });
    await session.shows(/:\/project[#$] /);
    // Docker tells the size a moment after the shell has started.
    await session.type(
      "until [ \"$(stty size)\" = '33 91' ]; do sleep 0.1; done; pwd; ls *hello*.c; mpicc --version\r",
    );
    await session.shows(/\/project\r\nmpi_hello_world\.c\r\ngcc [^]*:\/project[#$] /);
    await session.type("exit 5\r");
    assert.equal(await session.end(), 5);
  });
});
