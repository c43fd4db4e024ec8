/** Deploying again: what changed is changed, and nothing else. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Ended, eventually, expectOk, openWorld, rows, type World } from "../../support/swarm.ts";

const IMAGE = "mpitest-redeploy:latest";
const LABEL = "label=com.docker.stack.namespace=mpitest";

/** A project of its own image, since that is built anew here. */
async function openProject() {
  const world = await openWorld();
  await Deno.writeTextFile(`${world.project}/mpi.yaml`, `name: mpitest\nimage: ${IMAGE}\n`);
  const mpi = (...args: string[]) => world.docker(["mpi", ...args], { seconds: 180 });
  return {
    world,
    mpi,
    deploy: (...args: string[]) => expectOk(mpi("deploy", ...args)),
    /** The task of every node. */
    async tasks(): Promise<Record<string, string>> {
      const nodes = rows(await expectOk(mpi("ps", "--format", "json")));
      return Object.fromEntries(nodes.map(({ Name, Task }) => [Name, Task]));
    },
    secrets: async () => (await ids(world, "secret")).sort(),
    async [Symbol.asyncDispose]() {
      await mpi("rm", "mpitest");
      await world.docker(["image", "rm", "--force", IMAGE]);
      await world[Symbol.asyncDispose]();
    },
  };
}

async function ids({ docker }: World, kind: string): Promise<string[]> {
  const { stdout } = await expectOk(docker([kind, "ls", "--quiet", "--filter", LABEL]));
  return stdout.split("\n").filter(Boolean);
}

const hello = ({ stdout }: Ended) => stdout.trim().split("\n").sort();

/** Edits a file of the project, in which the text must be. */
async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  assert.ok(text.includes(from));
  await Deno.writeTextFile(path, text.replace(from, to));
}

Deno.test("deploy again must change only what changed", async (t) => {
  await using project = await openProject();
  const { world, mpi, deploy, tasks, secrets } = project;

  await t.step("config and deploy --dry-run show the stack file, and change nothing", async () => {
    const config = await mpi("config", "--workers", "2");
    assert.deepEqual(await mpi("deploy", "--dry-run", "--workers", "2"), config);
    assert.deepEqual({ code: config.code, stderr: config.stderr }, { code: 0, stderr: "" });
    const stack = parse(config.stdout);
    assert.deepEqual(Object.keys(stack.services), ["master", "worker"]);
    assert.equal(stack.services.worker.deploy.replicas, 2);
    for (const kind of ["service", "secret", "network", "config"]) assert.deepEqual(await ids(world, kind), []);
    assert.notEqual((await world.docker(["image", "inspect", IMAGE])).code, 0);
    const keys = await Array.fromAsync(Deno.readDir(`${world.config}/mpi/keys`)).catch(() => []);
    assert.deepEqual(keys.filter(({ name }) => name.startsWith("mpitest-")), []);
  });

  await t.step("the first time builds the image and shows how it goes on", async () => {
    const { stdout, stderr } = await deploy("--workers", "2");
    assert.equal(stdout, 'Cluster "mpitest" answers: 3 nodes, 3 slots\n');
    assert.match(stderr, /^image mpitest-redeploy:latest: building\n/m);
    assert.match(stderr, /^keys: made\nstack: docker stack deploy\nstack: deployed\nnodes: \d of 3 run\n/m);
    assert.match(stderr, /nodes: 3 of 3 answer\n$/);
  });

  await t.step("the same again restarts no node and makes no key", async () => {
    const before = { tasks: await tasks(), secrets: await secrets() };
    const { stderr } = await deploy();
    assert.match(stderr, /^keys: checking\nkeys: kept\n/);
    assert.deepEqual({ tasks: await tasks(), secrets: await secrets() }, before);
    const { stdout } = await expectOk(mpi("config"));
    assert.equal((await expectOk(mpi("deploy", "--dry-run"))).stdout, stdout);
    assert.equal(parse(stdout).services.worker.deploy.replicas, 2);
  });

  await t.step("a scaled number is kept, a given one is all that changes", async () => {
    await expectOk(mpi("scale", "3"));
    const three = await tasks();
    await deploy();
    assert.deepEqual(await tasks(), three);
    await deploy("--workers", "1");
    assert.deepEqual(await tasks(), { "master": three["master"], "worker-1": three["worker-1"] });
  });

  await t.step("--detach ends at once, and the cluster comes to what was asked for", async () => {
    assert.equal((await deploy("--workers", "2", "--detach")).stdout, "mpitest\n");
    assert.equal((await deploy()).stdout, 'Cluster "mpitest" answers: 3 nodes, 3 slots\n');
    assert.equal((await expectOk(mpi("scale", "3", "-d"))).stdout, "mpitest\n");
    await eventually("three workers", async () => Object.keys(await tasks()).length === 4);
    await deploy("--workers", "1");
  });

  await t.step("a changed program comes with --build, on every node", async () => {
    const before = await tasks();
    await edit(`${world.project}/project/mpi_hello_world.c`, "Hello from", "Salut from");
    await deploy();
    assert.deepEqual(await tasks(), before);
    await deploy("--build");
    assert.deepEqual(hello(await expectOk(mpi("run", "./mpi_hello_world"))), [
      "Salut from rank 0 of 2 on master",
      "Salut from rank 1 of 2 on worker-1",
    ]);
    const after = await tasks();
    assert.deepEqual(Object.keys(after), Object.keys(before));
    assert.deepEqual(Object.values(after).filter((id) => Object.values(before).includes(id)), []);
  });

  await t.step("--slots, which is what run goes by", async () => {
    const { stdout } = await deploy("--slots", "2");
    assert.equal(stdout, 'Cluster "mpitest" answers: 2 nodes, 4 slots\n');
    assert.deepEqual(hello(await expectOk(mpi("run", "./mpi_hello_world"))), [
      "Salut from rank 0 of 4 on master",
      "Salut from rank 1 of 4 on master",
      "Salut from rank 2 of 4 on worker-1",
      "Salut from rank 3 of 4 on worker-1",
    ]);
    await deploy("--slots", "auto");
    const cpus = Number((await expectOk(mpi("exec", "nproc"))).stdout);
    const hosts = (await expectOk(mpi("hosts", "--format", "json"))).stdout.trim().split("\n");
    assert.deepEqual(hosts.map((line) => JSON.parse(line).Slots), [cpus, cpus]);
    assert.equal(hello(await expectOk(mpi("run", "./mpi_hello_world"))).length, 2 * cpus);
  });

  await t.step("--rotate-keys: the old key is refused, the old secrets go", async () => {
    const command = async () => (await expectOk(mpi("login", "--print"))).stdout.trim();
    const directory = /-i (\S+)\/id_ed25519/.exec(await command())?.[1] ?? "";
    await Deno.copyFile(`${directory}/id_ed25519`, `${world.project}/old_key`);
    await Deno.copyFile(`${directory}/known_hosts`, `${world.project}/old_hosts`);
    const before = await secrets();
    const { stderr } = await deploy("--rotate-keys");
    assert.match(stderr, /^keys: making\nkeys: made\n/);
    const after = await secrets();
    assert.equal(after.length, 3);
    assert.deepEqual(after.filter((id) => before.includes(id)), []);

    const ssh = async (line: string) => {
      const { code, stderr } = await new Deno.Command("sh", { args: ["-c", `${line} true`], cwd: world.project })
        .output();
      return `${code} ${new TextDecoder().decode(stderr)}`;
    };
    assert.match(await ssh(await command()), /^0 /);
    assert.match(
      await ssh((await command()).replace(/-i \S+/, "-i old_key")),
      /^255 .*Permission denied \(publickey\)/,
    );
    const oldHost = (await command()).replace(/UserKnownHostsFile=\S+/, "UserKnownHostsFile=old_hosts");
    assert.match(await ssh(oldHost), /^255 [^]*Host key verification failed/);
    assert.equal((await expectOk(mpi("exec", "--all", "echo", "ok"))).stdout.match(/ok/g)?.length, 2);
  });
});

Deno.test("the stack mapping of mpi.yaml must reach the swarm", async () => {
  await using project = await openProject();
  const { world, mpi, deploy } = project;
  await Deno.writeTextFile(
    `${world.project}/mpi.yaml`,
    `name: mpitest
image: mpitest:latest
workers: 1
stack:
  services:
    worker:
      labels: { org.example.mpitest: "a label" }
      volumes: ["data:/data"]
      deploy:
        placement: { constraints: [node.role == manager] }
        labels: { org.example.mpitest: "on the service" }
  volumes:
    data: { labels: { org.example.mpitest: "a volume" } }
`,
  );
  try {
    await deploy();
    const { stdout } = await expectOk(world.docker(["service", "inspect", "mpitest_worker"]));
    const [{ Spec }] = JSON.parse(stdout);
    assert.equal(Spec.Labels["org.example.mpitest"], "on the service");
    assert.equal(Spec.TaskTemplate.ContainerSpec.Labels["org.example.mpitest"], "a label");
    assert.deepEqual(Spec.TaskTemplate.Placement.Constraints, ["node.role == manager"]);
    const mounts = async (node: string) => (await expectOk(mpi("exec", "--host", node, "cat", "/proc/mounts"))).stdout;
    assert.match(await mounts("worker-1"), / \/data /);
    assert.match(await mounts("worker-1"), / \/dev\/shm /);
    assert.doesNotMatch(await mounts("master"), / \/data /);
    const run = await expectOk(mpi("run", "./mpi_hello_world"));
    assert.equal(hello(run).length, 2);
  } finally {
    await mpi("rm", "mpitest");
    await world.docker(["volume", "rm", "mpitest_data"]);
  }
});
