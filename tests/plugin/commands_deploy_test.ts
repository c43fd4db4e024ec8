/** Commands that make a cluster and take it away: what they print, their status, and what they tell Docker and the swarm. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { takeTurn } from "../../stack/deploy/turn.ts";
import { LABELS } from "../../stack/labels.ts";
import { keyDirectory } from "../../stack/keys/key_store.ts";
import { commandWorld } from "../support/command_world.ts";
import { aNetwork, anImage, aNode, MANAGER } from "../support/fakes.ts";

Deno.test("config and deploy --dry-run show the same stack file, and change nothing", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  world.swarm.tasks = [];
  await Deno.writeTextFile(`${world.folder}/mpi.yaml`, "name: hello\nworkers: 2\n");
  const config = await world.mpi("config --slots 4");
  assert.deepEqual([config.code, config.err], [0, ""]);
  const { services } = parse(config.out);
  assert.equal(services.worker.deploy.replicas, 2);
  assert.equal(services.worker.environment.MPI_SLOTS, "4");
  assert.equal(services.master.labels, undefined, "an image that isn't there has no id");
  assert.equal(services.master.image, "hello:latest");
  assert.deepEqual(await world.mpi("deploy --dry-run --slots 4"), config);
  world.swarm.images["hello:latest"] = anImage();
  assert.equal(parse((await world.mpi("config")).out).services.master.labels["docker-mpi.image"], "sha256:1");
  assert.equal(JSON.parse((await world.mpi("config --format json")).out).services.master.image, "sha256:1");
  assert.deepEqual(world.swarm.changes, []);
});

Deno.test("deploy with no image and no Dockerfile says that neither engine nor registry gives it", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  const docker = (args: string) => args.startsWith("pull") ? { code: 1, stderr: "no such host\n" } : undefined;
  const { code, out, err } = await world.mpi("deploy --cluster hello --progress quiet", { docker });
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /^docker mpi deploy: Image "hello:latest" is not on this engine, and its registry can't be reached: no such host\nhint: .*\n$/,
  );
  assert.deepEqual(world.swarm.changes, []);
});

Deno.test("deploy builds a project's own image each time, and one that has a name of its own only if it is missing", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  await Deno.writeTextFile(`${world.folder}/Dockerfile`, "FROM scratch\n");
  world.swarm.images = { "hello:latest": anImage({ labels: { [LABELS.project]: "hello" } }), "other:1": anImage() };
  const builds = async (line: string) => {
    const asked: string[] = [];
    const docker = (args: string) => {
      asked.push(args);
      return { code: 1 }; // what comes after the build is of no interest here
    };
    await world.mpi(`deploy --cluster hello --progress quiet ${line}`.trim(), { docker });
    return asked.filter((args) => args.startsWith("build")).map((args) => args.split(" ").slice(0, 3).join(" "));
  };
  assert.deepEqual(await builds(""), ["build -t hello:latest"]);
  assert.deepEqual(await builds("--image other:1"), []);
  assert.deepEqual(await builds("--image other:1 --build"), ["build -t other:1"]);
  assert.deepEqual(await builds("--image other:2"), ["build -t other:2"]);
});

Deno.test("deploy builds, pushes or pulls as it is told to, and asks before it builds what hosts could not have", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  await Deno.writeTextFile(`${world.folder}/Dockerfile`, "FROM scratch\n");
  const [image, digest] = ["example.org/hello:1", "example.org/hello@sha256:2"];
  world.swarm.images = {
    "hello:latest": anImage({ labels: { [LABELS.mpi]: "mpich" } }),
    [image]: anImage(),
    "example.org/old": anImage({ digests: [digest] }),
  };
  world.swarm.nodes = [aNode(1), aNode(2)];
  const asked = async (line: string) => {
    const calls: string[] = [];
    const docker = (args: string) => {
      calls.push(args.replace(` --label docker-mpi.project=hello ${world.folder}`, ""));
      if (args.startsWith("push")) world.swarm.images[image] = anImage({ digests: [digest] });
      return args.startsWith("stack") ? { code: 1 } : {}; // what comes after the image is of no interest here
    };
    const { err } = await world.mpi(`deploy --cluster hello --progress quiet ${line}`, { docker });
    return { calls: calls.filter((args) => !/^(version|stack)/.test(args)), err: err.split("\n")[0] };
  };
  const only = (name: string) =>
    `docker mpi deploy: Image "${name}" is on this engine only, and nodes may start on 2 hosts: rack-1, rack-2`;
  assert.deepEqual(await asked("--workers 2"), { calls: [], err: only("hello:latest") });
  assert.deepEqual(await asked(`--image ${image}`), { calls: [], err: only(image) });
  assert.deepEqual(await asked("--image example.org/new"), { calls: [], err: only("example.org/new") });
  assert.deepEqual(await asked(`--image ${image} --build`), { calls: [], err: only(image) });
  assert.deepEqual((await asked("--image example.org/old")).calls, []);
  assert.deepEqual((await asked(`--image ${image} --push`)).calls, [`push ${image}`, `pull --quiet ${digest}`]);
  world.swarm.images[image] = anImage();
  assert.deepEqual((await asked(`--image ${image} --build --push`)).calls, [
    `build -t ${image}`,
    `push ${image}`,
    `pull --quiet ${digest}`,
  ]);
  assert.deepEqual((await asked(`--image ${image} --pull`)).calls, [`pull --quiet ${image}`, `pull --quiet ${digest}`]);
  assert.deepEqual((await asked("--resolve-image never")).calls, ["build -t hello:latest"]);
  assert.deepEqual(await asked("--push"), {
    calls: [],
    err: 'docker mpi deploy: Image "hello:latest" names no registry to push it to',
  });
  assert.match((await asked("--pull --push")).err ?? "", /--pull/);
  assert.match((await asked("--resolve-image sometimes")).err ?? "", /--resolve-image/);
});

Deno.test("a cluster with a worker on each host gets no number, and the way to one names the cluster", async () => {
  await using world = await commandWorld();
  world.swarm.services[1] = { ...world.swarm.services[1]!, replicas: undefined };
  const way = (workers: number) => `docker mpi rm hello && docker mpi deploy --cluster hello --workers ${workers}\n`;
  assert.deepEqual(await world.mpi("scale 5 --progress quiet"), {
    code: 125,
    out: "",
    err: 'docker mpi scale: Cluster "hello" has one worker on each host: it grows with the swarm\n' +
      `hint: docker swarm join-token worker  # adds a host; ${way(5)}`,
  });
  world.swarm.images["hello:latest"] = anImage();
  assert.deepEqual(await world.mpi("deploy --cluster hello --workers 3 --resolve-image never --progress quiet"), {
    code: 1,
    out: "",
    err: 'docker mpi deploy: Cluster "hello" has one worker on each host, and can\'t get 3 workers while it runs\n' +
      `hint: ${way(3)}`,
  });
});

Deno.test("deploy says how many workers the hosts' network has room for, of the cluster that was named", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  world.swarm.tasks = [];
  world.swarm.nodes = [aNode(1), aNode(2), aNode(3)];
  world.swarm.images["hello:latest"] = anImage();
  const line = "deploy --cluster hello --network host --workers 5 --resolve-image never --progress quiet";
  assert.deepEqual(await world.mpi(line), {
    code: 1,
    out: "",
    err: "docker mpi deploy: On the hosts' network each node needs a host of its own; beside the master's, " +
      "2 are there for 5 workers\nhint: docker mpi deploy --cluster hello --network host --workers 2  " +
      "# as many as there are; with --network overlay several nodes can be on one host\n",
  });
  assert.deepEqual(world.swarm.changes, []);
});

Deno.test("rm takes the cluster and its keys away, and prints its name", async () => {
  await using world = await commandWorld();
  const keys = keyDirectory(world.folder, MANAGER.clusterId, "hello");
  assert.deepEqual(await world.mpi("rm --progress quiet"), { code: 0, out: "hello\n", err: "" });
  assert.deepEqual(world.swarm.changes.toSorted(), [
    "remove network hello-net",
    "remove service hello-master",
    "remove service hello-worker",
  ]);
  await assert.rejects(Deno.stat(keys), Deno.errors.NotFound);
});

Deno.test("what rm leaves of somebody else's is told with Docker's flags that were given", async () => {
  for (
    const [mode, said] of [["plain", /^service hello_web: [^\n]*, and stays: docker -c lab service rm hello_web$/m], [
      "json",
      /"text":"is not docker mpi's, and stays","hint":"docker -c lab service rm hello_web"}$/m,
    ]] as const
  ) {
    await using world = await commandWorld();
    const labels = { "com.docker.stack.namespace": "hello" };
    world.swarm.services.push({ ...world.swarm.services[0]!, id: "web", name: "hello_web", labels });
    const { code, err } = await world.mpi(`rm hello --progress ${mode}`, { globals: ["-c", "lab"] });
    assert.equal(code, 0);
    assert.match(err, said);
  }
});

Deno.test("rm takes away what an interrupted command left, by the name that it knows", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  const labels = { "com.docker.stack.namespace": "half", "docker-mpi.cluster": "half" };
  world.swarm.networks = [aNetwork("half")];
  world.swarm.secrets = [{ id: "key", name: "half_key", labels, createdAt: "" }];
  assert.deepEqual(await world.mpi("rm hall --progress quiet"), {
    code: 1,
    out: "",
    err: 'docker mpi rm: Cluster "hall" is not deployed; there are: half\nhint: did you mean "half"?\n',
  });
  assert.deepEqual(await world.mpi("rm half --progress quiet"), { code: 0, out: "half\n", err: "" });
  assert.deepEqual(world.swarm.changes, ["remove network half-net", "remove secret key"]);
  const again = await world.mpi("rm half --progress quiet");
  assert.deepEqual([again.code, again.out], [1, ""]);
  assert.match(again.err, /^docker mpi rm: Cluster "half" is not deployed, and no other runs in this swarm\n/);

  const keys = keyDirectory(world.folder, MANAGER.clusterId, "half");
  await Deno.mkdir(keys, { recursive: true });
  assert.deepEqual(await world.mpi("rm half --force"), { code: 0, out: "", err: "" });
  await assert.rejects(Deno.stat(keys), Deno.errors.NotFound);
  assert.deepEqual(await world.mpi("rm ../half --force"), { code: 0, out: "", err: "" });

  await Deno.mkdir(keys, { recursive: true });
  assert.deepEqual(await world.mpi("rm -f", { env: { MPI_CLUSTER: "half" } }), { code: 0, out: "", err: "" });
  await assert.rejects(Deno.stat(keys), Deno.errors.NotFound);

  const deploying = await takeTurn(keys, { timeout: 1000, signal: new AbortController().signal }, () => {});
  const { code, out, err } = await world.mpi("rm half --force --wait-timeout 300ms");
  deploying[Symbol.dispose]();
  assert.deepEqual([code, out], [124, ""]);
  assert.match(err, /^docker mpi rm: Another command that changes the cluster did not end within 0\.3 s/);
  assert.ok((await Deno.stat(keys)).isDirectory, "what another command is at is left to it");
});
