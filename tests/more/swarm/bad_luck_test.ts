import assert from "node:assert/strict";
import { cleanUp, deploy, failure, parts, project, SIMPLE, up } from "../../support/projects.ts";
import { eventually, expectOk, IMAGE, openWorld } from "../../support/swarm.ts";

Deno.test("what keeps a cluster from being built or found must be told", async (t) => {
  await using world = await openWorld();

  await t.step("an image that is nowhere", async () => {
    await using dir = await project("name: mpitest\nimage: mpitest-nowhere:1\n");
    const { code, stdout, stderr } = await deploy(world, dir.path);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^docker mpi deploy: Image "mpitest-nowhere:1" is (not on this engine, and its registry can't be reached|neither on this engine nor in its registry): [^\n]+\nhint: docker mpi build {2}# in the project's directory makes it; image: in mpi.yaml names another\n$/,
    );
    assert.deepEqual(await parts(world, "mpitest"), []);
  });

  await t.step("no Dockerfile", async () => {
    await using dir = await project("name: mpitest\n");
    const err =
      `There is no readable Dockerfile in "${dir.path}"\nhint: docker mpi init hello  # makes a project with one\n`;
    assert.deepEqual(await world.docker(["mpi", "build"], { cwd: dir.path }), failure(`docker mpi build: ${err}`, 125));
    assert.deepEqual(await deploy(world, dir.path, "--build"), failure(`docker mpi deploy: ${err}`, 125));
  });

  await t.step("a Dockerfile that does not build: the end of what the build said is shown", async () => {
    await using dir = await project("name: mpitest\nimage: mpitest-broken\n", {
      Dockerfile: `FROM ${IMAGE}\nRUN echo one line; echo the last line >&2; exit 7\n`,
    });
    const { code, stdout, stderr } = await deploy(world, dir.path);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^docker mpi deploy: Docker could not build "mpitest-broken" \(status \d+\):\n/);
    assert.match(stderr, /\n[^\n]*one line\n/);
    assert.match(stderr, /\n[^\n]*the last line\n/);
    assert.match(stderr, /exit code: 7|returned a non-zero code: 7/);
    const again = `docker build -t mpitest-broken --label docker-mpi.project=mpitest ${dir.path}`;
    assert.ok(stderr.endsWith(`\nhint: ${again}  # shows all of it\n`), stderr);
    assert.deepEqual(await parts(world, "mpitest"), []);
  });
});

Deno.test("what keeps a cluster from running must be told soon, and another deploy must put it right", async (t) => {
  await using world = await openWorld();
  await using _end = cleanUp(world, "mpitest");
  const host = (await expectOk(world.docker(["node", "ls", "--format", "{{.Hostname}}"]))).stdout.trim();
  const docker = (stack: string) => `${SIMPLE}stack: { services: { ${stack} } }\n`;

  await t.step("what Docker refuses leaves nothing behind", async () => {
    const refused: [stack: string, message: string][] = [
      ["worker: { bogus: 3 }", "services.worker Additional property bogus is not allowed"],
      ["worker: { networks: [nonesuch] }", 'service worker: undefined network "nonesuch"'],
      [
        "worker: { deploy: { resources: { limits: { memory: 1M } } } }",
        "failed to create service mpitest_worker: invalid memory value 1048576: Must be at least 4MiB",
      ],
    ];
    for (const [stack, message] of refused) {
      await using dir = await project(docker(stack));
      assert.deepEqual(
        await deploy(world, dir.path),
        failure(
          `docker mpi deploy: Docker could not deploy stack "mpitest": ${message}\n` +
            "hint: docker mpi config  # shows the stack file\n",
        ),
      );
      await eventually("nothing is left", async () => (await parts(world, "mpitest")).length === 0);
    }
  });

  await t.step("an image that is not built from ours", async () => {
    await using dir = await project("name: mpitest\nimage: debian:trixie-slim\nworkers: 0\n");
    assert.deepEqual(
      await deploy(world, dir.path),
      failure(
        'docker mpi deploy: Cluster "mpitest" does not come up: master: starting container failed: ' +
          `unable to find user mpi: no matching entries in passwd file (on ${host})\n` +
          "hint: The image must be built from one of ours: FROM docker-mpi/mpich:… or docker-mpi/openmpi:… in its Dockerfile\n",
      ),
    );
  });

  await t.step("workers that end at once", async () => {
    await using dir = await project(docker('worker: { command: [bash, -c, "echo oh no; exit 3"] }'));
    assert.deepEqual(
      await deploy(world, dir.path),
      failure(
        `docker mpi deploy: Cluster "mpitest" does not come up: worker-1: task: non-zero exit (3) (on ${host})\n` +
          "hint: docker mpi logs mpitest  # shows what the node said; docker mpi config shows what it is told to run\n",
      ),
    );
    const { stdout } = await expectOk(world.docker(["mpi", "logs", "mpitest"], { cwd: dir.path }));
    assert.match(stdout, /^worker-1 \| oh no$/m);
  });

  await t.step("a host that nobody is: before anything is made", async () => {
    await using dir = await project(docker("worker: { deploy: { placement: { constraints: [node.labels.x == y] } } }"));
    const before = await parts(world, "mpitest");
    assert.deepEqual(
      await deploy(world, dir.path),
      failure(
        `docker mpi deploy: The workers find no host: none meets "node.labels.x == y"; there is ${host}\n` +
          `hint: docker node update --label-add x=y ${host}  # gives a host that label\n`,
      ),
    );
    assert.deepEqual(await parts(world, "mpitest"), before);
  });

  await t.step("a host that has not so much: after a time limit, with its own status", async () => {
    await using dir = await project(docker('worker: { deploy: { resources: { reservations: { cpus: "4096" } } } }'));
    assert.deepEqual(
      await deploy(world, dir.path, "--wait-timeout", "3s"),
      failure(
        'docker mpi deploy: Cluster "mpitest" did not come up within 3 s: worker-1: ' +
          "no suitable node (insufficient resources on 1 node)\n" +
          "hint: docker node ls  # shows the hosts; ask for fewer workers, or loosen what placement: and stack: in mpi.yaml " +
          "demand\n",
        124,
      ),
    );
  });

  await t.step("more than the hosts have: without any limit", async () => {
    await using dir = await project(docker('worker: { deploy: { resources: { reservations: { cpus: "4096" } } } }'));
    assert.deepEqual(
      await deploy(world, dir.path),
      failure(
        'docker mpi deploy: Cluster "mpitest" does not come up: worker-1: ' +
          "no suitable node (insufficient resources on 1 node)\n" +
          "hint: docker node ls  # shows the hosts; ask for fewer workers, or loosen what placement: and stack: in mpi.yaml " +
          "demand\n",
      ),
    );
  });

  await t.step("a port that another process has", async () => {
    using listener = Deno.listen({ hostname: "0.0.0.0", port: 2239 });
    await using dir = await project(`${SIMPLE}port: ${listener.addr.port}\n`);
    assert.deepEqual(
      await deploy(world, dir.path),
      failure(
        'docker mpi deploy: Cluster "mpitest" does not come up: master: starting container failed: ' +
          "Error starting userland proxy: listen tcp4 0.0.0.0:2239: bind: address already in use " +
          `(on ${host})\n` +
          "hint: docker mpi deploy --cluster mpitest --port 2240  # takes another port; docker mpi ls shows the clusters there are\n",
      ),
    );
  });

  await t.step("the next deploy that is right", async () => {
    await using dir = await project(SIMPLE);
    assert.deepEqual(await deploy(world, dir.path), up(2));
  });
});

Deno.test("a program can be run while the cluster comes up: it runs, or is told what is missing", async () => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");
  await expectOk(deploy(world, dir.path, "--workers", "2", "--detach"));
  await eventually("a program runs on all nodes", async () => {
    const { code, stdout, stderr } = await world.docker(["mpi", "run", "hostname"], { cwd: dir.path });
    if (code !== 0) {
      assert.deepEqual([code, stdout], [125, ""]);
      assert.match(stderr, /^docker mpi run: [^\n]+\nhint: [^\n]+\n$/);
      return false;
    }
    const names = stdout.trim().split("\n").sort();
    assert.ok(names.every((name) => /^(master|worker-[12])$/.test(name)), names.join());
    return names.length === 3;
  });
});

Deno.test("a cluster that runs must stand what users and neighbours do", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(1);
  await using dir = await project(SIMPLE);
  await using empty = await project("", {});
  await Deno.remove(`${empty.path}/mpi.yaml`);
  const mpi = (line: string, cwd: string, env: Record<string, string> = {}) =>
    world.docker(["mpi", ...line.split(" ")], { cwd, env });

  await t.step("its network can't be changed", async () => {
    assert.deepEqual(
      await deploy(world, dir.path, "--mtu", "1400"),
      failure(
        'docker mpi deploy: The network of cluster "mpitest" can\'t be changed while it runs: it has mtu by default, not 1400\n' +
          "hint: docker mpi rm mpitest && docker mpi deploy --cluster mpitest --mtu 1400\n",
      ),
    );
  });

  await t.step("a neighbour on its port waits in vain; on another port it comes up", async () => {
    await using _end = cleanUp(world, "mpitest-b");
    const args = ["--cluster", "mpitest-b"];
    assert.deepEqual(
      await deploy(world, dir.path, ...args),
      failure(
        'docker mpi deploy: Cluster "mpitest-b" does not come up: master: ' +
          "no suitable node (host-mode port already in use on 1 node)\n" +
          "hint: docker mpi deploy --cluster mpitest-b --port 2223  # takes another port; docker mpi ls shows the clusters there are\n",
      ),
    );
    const stdout = 'Cluster "mpitest-b" answers: 2 nodes, 2 slots\n';
    assert.deepEqual(await deploy(world, dir.path, ...args, "--port", "2223"), { code: 0, stdout, stderr: "" });

    const several = "Several clusters run, and it is not said which is meant: mpitest, mpitest-b\n" +
      "hint: export MPI_CLUSTER=mpitest  # says it, and so does a project's directory\n";
    const lines = [
      "run hostname",
      "exec hostname",
      "login",
      "hosts",
      "scale 2",
      "rm",
      "ps",
      "logs",
      "jobs",
      "cp / .",
      "sync .",
    ];
    for (const line of lines) {
      const name = line.split(" ")[0] ?? "";
      assert.deepEqual(await mpi(line, empty.path), failure(`docker mpi ${name}: ${several}`, 125));
    }
    assert.deepEqual(await mpi("exec hostname", empty.path, { MPI_CLUSTER: "mpitest" }), {
      code: 0,
      stdout: "master\n",
      stderr: "",
    });
  });

  await t.step("its subnet can't be had twice", async () => {
    const inspect = ["network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", "mpitest_cluster"];
    const subnet = (await expectOk(world.docker(inspect))).stdout.trim();
    const refused = await deploy(world, dir.path, "--cluster", "mpitest-b", "--port", "2223", "--subnet", subnet);
    // Which one is free depends on the machine.
    const free = /--subnet 10\.\d+\.0\.0\/16/;
    assert.deepEqual(
      { ...refused, stderr: refused.stderr.replace(free, "--subnet FREE") },
      failure(
        `docker mpi deploy: The subnet "${subnet}" overlaps "${subnet}" of network "mpitest_cluster"\n` +
          "hint: docker mpi deploy --cluster mpitest-b --subnet FREE  # takes another; ip route shows what the hosts use\n",
      ),
    );
    assert.deepEqual(await parts(world, "mpitest-b"), []);
  });

  await t.step("a wrong name is told, with the right one", async () => {
    const lines = [
      "run --cluster mpitset hostname",
      "scale --cluster mpitset 2",
      "rm mpitset",
      "ps mpitset",
      "logs mpitset",
    ];
    for (const line of lines) {
      const name = line.split(" ")[0];
      const err =
        `docker mpi ${name}: Cluster "mpitset" is not deployed; there are: mpitest\nhint: did you mean "mpitest"?\n`;
      assert.deepEqual(await mpi(line, empty.path), failure(err, name === "run" ? 125 : 1));
    }
  });

  await t.step("another machine has no key, and makes one when asked to", async () => {
    const keys = `${world.config}/mpi/keys`;
    await Deno.rename(keys, `${keys}.away`);
    try {
      const said = await mpi("run hostname", dir.path);
      assert.deepEqual([said.code, said.stdout], [125, ""]);
      assert.match(
        said.stderr,
        /^docker mpi run: This machine has no key for cluster "mpitest": nothing in \S+\/mpi\/keys\/mpitest-\w+\nhint: docker mpi key create {2}# [^\n]+\n$/,
      );
      const again = await deploy(world, dir.path);
      assert.deepEqual([again.code, again.stdout], [1, ""]);
      assert.match(
        again.stderr,
        /^docker mpi deploy: Cluster "mpitest" was deployed with a key that this machine does not have: SHA256:\S+\nhint: docker mpi key create {2}# [^\n]+\n$/,
      );
      assert.deepEqual(await deploy(world, dir.path, "--rotate-keys"), up(2));
      assert.equal((await expectOk(mpi("run hostname", dir.path))).stdout.split("\n").length, 3);
    } finally {
      await Deno.remove(`${keys}.away`, { recursive: true });
    }
  });

  await t.step("a program runs on the nodes there are while others start", async () => {
    const scaling = world.docker(["mpi", "scale", "--progress", "quiet", "3"], { cwd: dir.path });
    let ended = false;
    scaling.finally(() => ended = true).catch(() => {});
    while (!ended) {
      const { stdout } = await expectOk(mpi("run hostname", dir.path));
      const names = stdout.trim().split("\n").sort();
      assert.deepEqual(names.slice(0, 2), ["master", "worker-1"]);
      assert.ok(names.every((name) => /^(master|worker-[123])$/.test(name)), names.join());
    }
    assert.deepEqual(await scaling, up(4));
  });

  await t.step("a master that is down is told, and comes back", async () => {
    const filter = "label=com.docker.swarm.service.name=mpitest_master";
    const id = (await expectOk(world.docker(["ps", "-q", "--filter", filter]))).stdout.trim();
    await expectOk(world.docker(["kill", id]));
    const said = await mpi("run hostname", dir.path);
    assert.deepEqual([said.code, said.stdout], [125, ""]);
    const [message = "", hint, ...more] = said.stderr.split("\n");
    assert.match(
      message,
      /^docker mpi run: The master (of cluster "mpitest" is not running|does not answer at \S+): ./,
    );
    assert.match(hint ?? "", /^hint: docker mpi ps /);
    assert.deepEqual(more, [""]);
    await eventually("the master is back", async () => (await mpi("run hostname", dir.path)).code === 0);
  });
});
