/** Commands that say how clusters are, what is wrong with them, and who may in: what they print, and their status. */
import assert from "node:assert/strict";
import { keyDirectory, readUserKeys } from "../../stack/keys/key_store.ts";
import { OTHER_MACHINE } from "../../stack/keys/keys.ts";
import { fingerprint } from "../../stack/names.ts";
import { makeKeyPair, publicHalf } from "../../stack/ssh/key_pair.ts";
import { run } from "../support/cli.ts";
import { type CommandWorld, commandWorld } from "../support/command_world.ts";
import { end, type Session } from "../support/fake_master.ts";
import { MANAGER } from "../support/fakes.ts";

const HOSTS = "master 10.0.1.2 1 rack-1\nworker-1 10.0.1.3 2 rack-1\nworker-2 10.0.1.4 2 rack-1\n";
const lists = (hosts: string) => ({ stream }: Session) => end(stream, { out: hosts });
const keysOf = (world: CommandWorld, cluster = "hello") => keyDirectory(world.folder, MANAGER.clusterId, cluster);

/** A world whose cluster tells all that one of today tells; its owner is this machine. */
async function openWorld(serve: (session: Session) => void = lists(HOSTS)) {
  const world = await commandWorld(serve);
  const { privateKey, hostKey } = world.master.target;
  const publicKey = await publicHalf(privateKey, "");
  await Deno.writeTextFile(`${keysOf(world)}/id_ed25519.pub`, `${publicKey}\n`);
  const master = world.swarm.services[0]!;
  master.labels = {
    ...master.labels,
    "docker-mpi.version": "0.1.0",
    "docker-mpi.host-key": hostKey,
    "docker-mpi.user-key": fingerprint(publicKey),
  };
  return Object.assign(world, { publicKey, privateKey, port: world.master.target.port });
}

/** The same, with a second cluster, so that it must be said which is meant. */
async function openTwo() {
  const world = await openWorld();
  world.swarm.addCluster("cfd", 1);
  return world;
}

/** What ps shows of its tasks. */
const CFD = { code: 0, out: "cfd-master.1\ncfd-worker.1\n", err: "" };

const statusText = (state: string, slots: number, port: number) =>
  `Cluster    hello\nState      ${state}\nSlots      ${slots}\nMaster     on rack-1, port ${port}\n` +
  "Image      hello:latest\nDeployed   2026-01-01T00:00:00Z, docker mpi 0.1.0\n";

Deno.test("status shows a whole cluster, as text, as JSON, by a template", async () => {
  await using world = await openWorld();
  const text = { code: 0, out: statusText("whole: 3 of 3 nodes answer", 5, world.port), err: "" };
  for (const line of ["status", "status hello --cluster hello"]) assert.deepEqual(await world.mpi(line), text);
  const { code, out, err } = await world.mpi("status --format json");
  assert.deepEqual([code, err], [0, ""]);
  const node = { Host: "rack-1", State: "running", Answers: true };
  assert.deepEqual(JSON.parse(out), {
    Name: "hello",
    Healthy: true,
    Wanted: 3,
    Running: 3,
    Answering: 3,
    Slots: 5,
    MasterHost: "rack-1",
    Port: world.port,
    Image: "hello:latest",
    Version: "0.1.0",
    CreatedAt: "2026-01-01T00:00:00Z",
    Nodes: [
      { Name: "master", ...node, Slots: 1 },
      { Name: "worker-1", ...node, Slots: 2 },
      { Name: "worker-2", ...node, Slots: 2 },
    ],
    Problems: [],
  });
  const format = "{{.Answering}}/{{.Wanted}}:{{.Problems|json}}";
  assert.deepEqual(await world.mpi(`status --format ${format}`), { code: 0, out: "3/3:[]\n", err: "" });
});

Deno.test("status of a cluster that is not whole says why, and ends with 1", async () => {
  await using world = await openWorld(lists(HOSTS.split("\n").slice(0, 2).join("\n")));
  const silent = "\nworker-2: runs, and the master has no connection to it (on rack-1)\n" +
    "hint: docker mpi logs hello  # says why; between hosts 7946/tcp+udp and 4789/udp must be open\n";
  const text = statusText("not whole: 2 of 3 nodes answer", 3, world.port);
  assert.deepEqual(await world.mpi("status"), { code: 1, out: text + silent, err: "" });
  assert.deepEqual(await world.mpi("status --format {{.Healthy}}"), { code: 1, out: "false\n", err: "" });

  await Deno.remove(keysOf(world), { recursive: true });
  assert.deepEqual(await world.mpi("status"), {
    code: 1,
    out: statusText("unknown: 3 of 3 nodes run", 0, world.port) +
      `\nmaster: This machine has no key for cluster "hello": nothing in ${keysOf(world)}\nhint: ${OTHER_MACHINE}\n`,
    err: "",
  });
  const { Answering, Nodes } = JSON.parse((await world.mpi("status --format json")).out);
  assert.deepEqual([Answering, Nodes[0].Answers], [null, null]);
});

Deno.test("status shows what a swarm says of a node, without control characters, and a master that has no host", async () => {
  await using world = await openWorld();
  Object.assign(world.swarm.tasks[0]!, { state: "pending", nodeId: "", containerId: "", error: "no \x1b[31mluck" });
  const { code, out } = await world.mpi("status");
  assert.equal(code, 1);
  assert.equal(
    out,
    statusText("unknown: 2 of 3 nodes run", 0, world.port).replace(/^(Master {5}).*/m, "$1has no host yet") +
      "\nmaster: no \\u001b[31mluck\n" +
      "hint: docker mpi ps --no-trunc hello  # shows all of it; docker mpi logs shows more\n",
  );
});

Deno.test("an argument and --cluster say the same, or contradict each other", async () => {
  await using world = await openTwo();
  for (const command of ["ps", "status", "doctor"]) {
    assert.deepEqual(await world.mpi(`${command} hello --cluster cfd`), {
      code: 125,
      out: "",
      err: `docker mpi ${command}: "hello" and --cluster "cfd" contradict each other\nhint: leave one of them out\n`,
    });
  }
  for (const which of ["cfd", "--cluster cfd", "cfd --cluster cfd"]) {
    assert.deepEqual(await world.mpi(`ps --format {{.Task}} ${which}`), CFD);
  }
});

Deno.test("inspect shows clusters as one array, or each by a template, or none", async () => {
  await using world = await openTwo();
  const { code, out, err } = await world.mpi("inspect hello");
  const found = JSON.parse(out);
  assert.deepEqual([code, err, out], [0, "", `${JSON.stringify(found, undefined, 4)}\n`]);
  const [{ Services, Nodes, Networks, ...cluster }] = found;
  const { hostKey } = world.master.target;
  assert.deepEqual(cluster, {
    Name: "hello",
    CreatedAt: "2026-01-01T00:00:00Z",
    Version: "0.1.0",
    Image: "hello:latest",
    Slots: "1",
    Workers: 2,
    Master: { Host: "rack-1", Address: "10.0.0.1", Port: world.port, HostKey: fingerprint(hostKey) },
    UserKeys: [fingerprint(world.publicKey)],
    ...{ Secrets: [], Configs: [], Volumes: [] },
  });
  const roles = Services.map(({ Role, Replicas }: Record<string, unknown>) => `${Role} ${Replicas}`);
  const nodes = Nodes.map(({ Name, State }: Record<string, unknown>) => `${Name} ${State}`);
  assert.deepEqual(roles, ["master 1", "worker 2"]);
  assert.deepEqual(nodes, ["master running", "worker-1 running", "worker-2 running"]);
  assert.deepEqual([found.length, Networks[0].Subnet], [1, "10.0.1.0/24"]);
  assert.equal(JSON.parse((await world.mpi("inspect cfd hello -f json")).out).length, 2);
  const lines = { code: 0, out: "cfd:1\nhello:2\n", err: "" };
  assert.deepEqual(await world.mpi("inspect cfd --cluster hello -f {{.Name}}:{{.Workers}}"), lines);
  const unknown =
    'docker mpi inspect: Cluster "helo" is not deployed; there are: cfd, hello\nhint: did you mean "hello"?\n';
  assert.deepEqual(await world.mpi("inspect cfd helo"), { code: 1, out: "", err: unknown });
});

const ENGINE = "ok        Engine     28.0.0 at unix://";
const host = (out: string) => out.replace(/ at unix:\S+/, " at unix://");
const noCluster = (text: string, remedy: string) => `WARNING   Cluster    ${text}\nhint: ${remedy}\n`;
const well = `${ENGINE}\nok        Swarm      this engine is a manager\nok        Hosts      1 host is ready\n`;
const begin = "docker mpi deploy  # in a project's directory; docker mpi init hello makes a project";

Deno.test("doctor ends where there is no engine", async () => {
  const folder = await Deno.makeTempDir();
  const socketPath = `${folder}/missing.sock`;
  const close = () => Promise.resolve();
  const endpoint = { host: `unix://${socketPath}`, local: true, connection: { socketPath }, close };
  const parts = { endpoint: () => Promise.resolve(endpoint), cwd: () => folder, configDir: () => folder };
  assert.deepEqual(await run(["mpi", "doctor"], parts), {
    code: 1,
    out: `PROBLEM   Engine     No Docker engine answers at "unix://${socketPath}": there is no such socket\n` +
      "hint: docker info  # shows why; start Docker, or choose another engine: docker --context NAME mpi ls\n",
    err: "",
  });
});

Deno.test("doctor ends where there is no swarm", async () => {
  await using world = await commandWorld();
  world.swarm.info = { ...MANAGER, swarm: "inactive", manager: false };
  const { code, out, err } = await world.mpi("doctor");
  assert.deepEqual([code, err], [1, ""]);
  assert.equal(
    host(out),
    `${ENGINE}\nPROBLEM   Swarm      The Docker engine is in no swarm\nhint: docker swarm init\n`,
  );
});

Deno.test("doctor takes a fault in mpi.yaml for one finding, and goes on", async () => {
  await using world = await openTwo();
  await Deno.writeTextFile(`${world.folder}/mpi.yaml`, "wokers: 2\n");
  const { code, out, err } = await world.mpi("doctor");
  assert.deepEqual([code, err], [1, ""]);
  const [fault = "", hint = "", ...rest] = host(out).split("\n");
  assert.match(fault, /^PROBLEM {3}Settings {3}mpi\.yaml:1:1: Unknown key "wokers", did you mean "workers"\?/);
  assert.match(hint, /^hint: /);
  assert.equal(rest.join("\n"), well + noCluster("none is named, and there are cfd, hello", "docker mpi doctor cfd"));
});

Deno.test("doctor where no cluster runs says how to begin, and looks at what a project would meet", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  const none = await world.mpi("doctor");
  assert.deepEqual([none.code, host(none.out)], [0, well + noCluster("none is named, and none runs", begin)]);
  await Deno.writeTextFile(`${world.folder}/mpi.yaml`, "name: hello\n");
  const project = await world.mpi("doctor");
  assert.equal(
    host(project.out),
    `${well}ok        Port       2222 is no other service's in this swarm\n` +
      "WARNING   Image      this engine does not have hello:latest yet\n" +
      "hint: docker mpi build  # makes it; deploy does so as well\n" +
      noCluster("hello is not deployed; none runs", begin),
  );
  assert.deepEqual([project.code, project.err], [0, ""]);
  const other = { code: 1, out: "Engine:ok\nSwarm:ok\nHosts:ok\nCluster:problem\n", err: "" };
  assert.deepEqual(await world.mpi("doctor other --format {{.Check}}:{{.Verdict}}"), other);
});

Deno.test("key export writes a file of the user's alone, and none that is there; or to a pipe", async () => {
  await using world = await openWorld();
  const [file, key] = [`${world.folder}/key`, `${world.privateKey.trimEnd()}\n`];
  assert.deepEqual(await world.mpi(`key export ${file}`), { code: 0, out: "", err: "" });
  assert.equal(await Deno.readTextFile(file), key);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  await Deno.writeTextFile(file, "dear");
  const refusal = `docker mpi key export: Cannot write "${file}": it is there already\nhint: choose another file\n`;
  assert.deepEqual(await world.mpi(`key export ${file}`), { code: 1, out: "", err: refusal });
  assert.equal(await Deno.readTextFile(file), "dear");
  assert.deepEqual(await world.mpi("key export"), { code: 0, out: key, err: "" });
  assert.deepEqual(await world.mpi("key export -"), { code: 0, out: key, err: "" });
});

Deno.test("key import takes a key that opens the cluster, from a file or a pipe, and no other", async () => {
  await using world = await openWorld();
  const [file, keys] = [`${world.folder}/key`, keysOf(world)];
  const take = async (text: string) => {
    await Deno.writeTextFile(file, text);
    return await world.mpi(`key import ${file}`);
  };
  await Deno.remove(keys, { recursive: true });
  const other = await makeKeyPair("other");
  const refused: [text: string, code: number, err: string][] = [
    [
      other.privateKey,
      1,
      `The key in "${file}" does not open cluster "hello": it is ${fingerprint(other.publicKey)}\n` +
      `hint: the cluster takes ${fingerprint(world.publicKey)}; docker mpi key export there gives it\n`,
    ],
    [
      `${world.publicKey}\n`,
      125,
      `The key in "${file}" is a public one, which opens nothing\n` +
      "hint: docker mpi deploy --add-key FILE  # lets the machine in that has its private half\n",
    ],
    [
      "hello\n",
      125,
      `There is no private SSH key in "${file}"\n` +
      "hint: docker mpi key export FILE  # on the machine that deployed the cluster writes one\n",
    ],
  ];
  for (const [text, code, err] of refused) {
    assert.deepEqual(await take(text), { code, out: "", err: `docker mpi key import: ${err}` });
  }
  assert.deepEqual(await world.mpi(`key import ${world.folder}`), {
    code: 125,
    out: "",
    err: `docker mpi key import: Cannot read "${world.folder}": it is a directory\nhint: ls -ld ${world.folder}\n`,
  });
  assert.equal(await readUserKeys(keys), undefined, "it took a key that opens nothing");

  const hello = { code: 0, out: "hello\n", err: "" };
  assert.deepEqual(await take(world.privateKey), hello);
  assert.equal((await world.mpi("status")).code, 0);
  await Deno.remove(keys, { recursive: true });
  assert.deepEqual(await world.mpi("key import", { stdin: world.privateKey }), hello);
  assert.equal((await world.mpi("status")).code, 0);
});

Deno.test("key create makes one key, which opens the cluster when it is added", async () => {
  await using world = await openWorld();
  const already = 'This key opens cluster "hello" already\n';
  assert.deepEqual(await world.mpi("key create"), { code: 0, out: `${world.publicKey}\n`, err: already });
  await Deno.remove(keysOf(world), { recursive: true });
  const made = await world.mpi("key create");
  const own = await readUserKeys(keysOf(world));
  assert.deepEqual(made, {
    code: 0,
    out: `${own?.publicKey}\n`,
    err: 'Put this line into a file; docker mpi deploy --add-key FILE, where "hello" was deployed, lets it in\n',
  });
  assert.equal(own?.masterHostKey, world.master.target.hostKey);
  assert.deepEqual(await world.mpi("key create"), made, "the second time");
  const [master] = world.swarm.services;
  master!.labels = { ...master!.labels, "docker-mpi.user-keys": `${world.publicKey}\n${own?.publicKey}` };
  assert.deepEqual(await world.mpi("key create"), { ...made, err: already });
});

Deno.test("mpi.yaml is found from a folder of the project, and named by the way there", async () => {
  await using world = await openTwo();
  const cwd = `${world.folder}/project`;
  await Deno.mkdir(cwd);
  await Deno.writeTextFile(`${world.folder}/mpi.yaml`, "name: cfd\n");
  assert.deepEqual(await world.mpi("ps --format {{.Task}}", { cwd }), CFD);
  await Deno.writeTextFile(`${world.folder}/mpi.yaml`, "wokers: 2\n");
  const { code, out, err } = await world.mpi("ps", { cwd });
  assert.deepEqual([code, out], [125, ""]);
  assert.match(err, /^docker mpi ps: \.\.\/mpi\.yaml:1:1: Unknown key "wokers", did you mean "workers"\?/);
});
