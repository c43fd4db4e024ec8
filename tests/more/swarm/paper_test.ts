/**
 * A project of the original's form, with our program and base image in it: what is in `docs/paper.md` beyond the lines that
 * `tests/swarm/` has.
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { startJob } from "../../support/job.ts";
import { nodeNames } from "../../support/nodes.ts";
import { root } from "../../support/plugin_cli.ts";
import { cleanUp, parts } from "../../support/projects.ts";
import { type Ended, expectOk, openWorld, rows } from "../../support/swarm.ts";
import { KEYS, openTerminal } from "../../support/terminal.ts";

/** The cluster is named after the directory. */
const NAME = "mpitest-paper";

/** Other tests may have a cluster, on the port that is usual. */
const PORT = "2231";

/** What the key files of the project hold; no key of anybody. */
const MARK = "bm9ib2R5LWhhcy10aGlzLWtleQ";

const hello = (workers: number) =>
  nodeNames(workers).map((node, rank) => `Hello from rank ${rank} of ${workers + 1} on ${node}`);
const lines = ({ stdout }: Ended) => stdout.trim().split("\n").sort();

/**
 * A project of the original's form: its files and folders, a Dockerfile of its three lines, our program, and stand-ins for its keys,
 * scripts and their settings; no `mpi.yaml`.
 *
 * @param base What its Dockerfile begins with.
 */
async function makeOriginal(directory: string, base: string): Promise<void> {
  for (const folder of ["project", "ssh"]) await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
  await Deno.writeTextFile(
    `${directory}/Dockerfile`,
    `# the cluster's image\nFROM ${base}\n\n# the programs\nCOPY project/ .\nRUN mpicc -o mpi_hello_world mpi_hello_world.c\n`,
  );
  for (const script of ["swarm.sh", "cluster.sh"]) {
    await Deno.writeTextFile(`${directory}/${script}`, "#!/bin/sh\nexit 1\n");
  }
  await Deno.writeTextFile(`${directory}/swarm.conf`, "SSH_PORT=2222\n");
  await Deno.writeTextFile(`${directory}/.env`, "REGISTRY_ADDR=localhost\n");
  await Deno.writeTextFile(`${directory}/docker-compose.yml`, "services: {}\n");
  const program = "project/mpi_hello_world.c";
  await Deno.copyFile(`${root}/examples/hello/${program}`, `${directory}/${program}`);
  for (const key of ["id_rsa", "id_rsa.pub"]) await Deno.writeTextFile(`${directory}/ssh/${key}`, `${MARK}\n`);
}

/** Our base image, as the example has it. */
async function ourBase(): Promise<string> {
  const example = await Deno.readTextFile(`${root}/examples/hello/Dockerfile`);
  return /^FROM (\S+)/m.exec(example)?.[1]?.replace("${MPI}", "mpich") ?? ""; // docker-mpi/mpich:0.1.0-dev
}

Deno.test("the project of the paper must deploy, run, scale and go, without an mpi.yaml", async (t) => {
  await using world = await openWorld({ mpi: "mpich" });
  const folder = await Deno.makeTempDir({ prefix: "mpitest-" });
  const cwd = `${folder}/${NAME}`;
  await makeOriginal(cwd, await ourBase());
  await using _end = cleanUp(world, NAME);
  // Where there is no mpi.yaml, only `build`, `config` and `deploy` know the cluster by the directory.
  const own = { MPI_PORT: PORT };
  const env = { ...own, MPI_CLUSTER: NAME };
  const mpi = (...args: string[]) => expectOk(world.docker(["mpi", ...args], { cwd, env, seconds: 120 }));
  const tasks = async () => rows(await mpi("ps", "--format", "json")).map(({ Task }) => Task);
  try {
    await t.step("IV: the development container", async () => {
      const script = "mpicc -o /tmp/hello mpi_hello_world.c && mpirun -n 2 /tmp/hello";
      const dev = world.docker(["mpi", "dev", "sh", "-c", script], { cwd: `${cwd}/project`, seconds: 120 });
      assert.deepEqual(lines(await expectOk(dev)).map((line) => line.replace(/ on .*/, "")), [
        "Hello from rank 0 of 2",
        "Hello from rank 1 of 2",
      ]);
    });

    await t.step("swarm.sh config set and show: flags, variables, and what comes of them", async () => {
      const config = async (args: string[], variables: Record<string, string> = own) =>
        (await expectOk(world.docker(["mpi", "config", ...args], { cwd, env: variables }))).stdout;
      const wanted = {
        name: "paper",
        image: "registry.example.org/hello:2",
        "network.subnet": "10.0.9.0/24",
        port: "2230",
        slots: "2",
      };
      const rowsOf = (settings: string) =>
        Object.keys(wanted).map((key) => new RegExp(`^${key} +(\\S+) +(\\S+)`, "m").exec(settings)?.slice(1));
      const all = (sources: string[]) => Object.values(wanted).map((value, index) => [value, sources[index]]);
      const { name, image, port, slots } = wanted;
      const subnet = wanted["network.subnet"];
      const flags = ["--cluster", name, "--image", image, "--subnet", subnet, "--port", port, "--slots", slots];
      assert.deepEqual(
        rowsOf(await config(["--resolve", ...flags])),
        all(["--cluster", "--image", "--subnet", "--port", "--slots"]),
      );
      const variables = { MPI_CLUSTER: name, MPI_IMAGE: image, MPI_SUBNET: subnet, MPI_PORT: port, MPI_SLOTS: slots };
      assert.deepEqual(rowsOf(await config(["--resolve"], variables)), all(Object.keys(variables)));
      const file = `name: ${name}\nimage: ${image}\nnetwork: { subnet: ${subnet} }\nport: ${port}\nslots: ${slots}\n`;
      await Deno.writeTextFile(`${cwd}/mpi.yaml`, file);
      assert.deepEqual(
        rowsOf(await config(["--resolve"], {})),
        all(["mpi.yaml:1:7", "mpi.yaml:2:8", "mpi.yaml:3:20", "mpi.yaml:4:7", "mpi.yaml:5:8"]),
      );
      await Deno.remove(`${cwd}/mpi.yaml`);
      assert.match(await config(["--resolve"]), new RegExp(`^name +${NAME} `, "m"));
      // What encrypts is in the kernel, and not tried; that it is asked for is.
      const { networks } = parse(await config(["--encrypted", "--workers", "1"]));
      assert.deepEqual(networks.cluster.driver_opts, { encrypted: "true" });
    });

    await t.step("V.C, swarm.sh up size=2: it ends when the nodes answer", async () => {
      const up = world.docker(["mpi", "up", "--workers", "1"], { cwd, env: own, seconds: 180 });
      assert.equal((await expectOk(up)).stdout, `Cluster "${NAME}" answers: 2 nodes, 2 slots\n`);
    });

    await t.step("V.G: the program of the paper", async () => {
      assert.deepEqual(lines(await mpi("run", "./mpi_hello_world")), hello(1));
      assert.deepEqual(lines(await mpi("exec", "mpirun", "./mpi_hello_world")), hello(1));
    });

    await t.step("V.A: what is in ssh/ is not in the image", async () => {
      const search = `grep -rl --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev ${MARK} /`;
      const script = `${search}; find / -xdev -name 'id_rsa*'; find / -xdev -name authorized_keys`;
      const run = ["run", "--rm", "--user", "root", `${NAME}:latest`, "sh", "-c", script];
      assert.equal((await expectOk(world.docker(run))).stdout, "");
      assert.equal((await mpi("exec", "ls", "/project")).stdout, "mpi_hello_world\nmpi_hello_world.c\n");
    });

    await t.step("swarm.sh reload, where nothing changed: no node is replaced", async () => {
      const before = await tasks();
      const { stdout } = await mpi("deploy", "--build");
      assert.equal(stdout, `Cluster "${NAME}" answers: 2 nodes, 2 slots\n`);
      assert.deepEqual(await tasks(), before);
    });

    await t.step("V.H, swarm.sh scale size=3 --watch: what runs goes on, and the new node is there", async () => {
      const before = await tasks();
      const wait = "echo here; until [ -e /tmp/paper-over ]; do sleep 0.1; done";
      const job = await startJob(world, ["sh", "-c", wait], 2, { env });
      await using session = await openTerminal(`exec docker mpi hosts --watch --quiet --cluster ${NAME}`, {
        cwd,
        env: { DOCKER_CONFIG: world.config },
      });
      await session.shows(/master\r\nworker-1\r\n/);
      assert.equal((await mpi("scale", "2")).stdout, `Cluster "${NAME}" answers: 3 nodes, 3 slots\n`);
      await session.shows(/master\r\nworker-1\r\nworker-2\r\n/);
      await session.type(KEYS.ctrlC);
      assert.equal(await session.end(), 130);
      await mpi("exec", "--all", "touch", "/tmp/paper-over");
      const { code, stdout } = await job.ended();
      assert.deepEqual([code, stdout], [0, "here\nhere\n"]);
      assert.deepEqual((await tasks()).slice(0, 2), before);
      assert.deepEqual(lines(await mpi("run", "./mpi_hello_world")), hello(2));
    });

    await t.step("swarm.sh down: nothing is left", async () => {
      assert.equal((await mpi("down", NAME)).stdout, `${NAME}\n`);
      assert.deepEqual(await parts(world, NAME), []);
    });

    await t.step("swarm.sh clean: the image stayed, and goes with docker image rm", async () => {
      await expectOk(world.docker(["image", "inspect", `${NAME}:latest`]));
      await expectOk(world.docker(["image", "rm", `${NAME}:latest`]));
      assert.notEqual((await world.docker(["image", "inspect", `${NAME}:latest`])).code, 0);
    });
  } finally {
    await world.docker(["stack", "rm", NAME]);
    await world.docker(["image", "rm", "--force", `${NAME}:latest`]);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the lines that take a project over must do so, as the page has them", async () => {
  await using world = await openWorld({ mpi: "mpich" });
  const page = await Deno.readTextFile(`${root}/docs/paper.md`);
  const [, script = ""] = /## Take a project over\n\n```\n(.*?)```/s.exec(page) ?? [];
  assert.match(
    script,
    /^cd cluster .*\nsed -i .*\nrm -rf .*\necho .*\ndocker mpi deploy --workers 4 .*\ndocker mpi run .*\n$/,
  );
  const folder = await Deno.makeTempDir({ prefix: "mpitest-" });
  await makeOriginal(`${folder}/cluster`, "nlknguyen/alpine-mpich:onbuild");
  await using _end = cleanUp(world, "hello");
  try {
    const env = { DOCKER_CONFIG: world.config, MPI_PORT: PORT };
    const shell = new Deno.Command("sh", { args: ["-ec", script], cwd: folder, env, stdin: "null" });
    const { code, stdout, stderr } = await shell.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const [first, ...others] = new TextDecoder().decode(stdout).trim().split("\n");
    assert.equal(first, 'Cluster "hello" answers: 5 nodes, 5 slots');
    assert.deepEqual(others.sort(), hello(4));
    const left = (await Array.fromAsync(Deno.readDir(`${folder}/cluster`))).map(({ name }) => name);
    assert.deepEqual(left.sort(), ["Dockerfile", "mpi.yaml", "project"]);
    assert.equal((await expectOk(world.docker(["mpi", "rm", "hello"]))).stdout, "hello\n");
  } finally {
    await world.docker(["image", "rm", "--force", "hello:latest"]);
    await Deno.remove(folder, { recursive: true });
  }
});
