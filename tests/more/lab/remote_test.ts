/** A swarm elsewhere: by SSH and by TLS, each with the whole main job; what is said where that fails; and closed ports. */
import assert from "node:assert/strict";
import { measured, stopwatch } from "../../support/measured.ts";
import { clients } from "../../support/plugin_cli.ts";
import { cleanUp } from "../../support/projects.ts";
import { eventually, expectOk, type RunOptions, type World } from "../../support/swarm.ts";
import { type Doors, doorsOf } from "../../lab/doors.ts";
import { type Host, type Lab, labTest } from "../../lab/mod.ts";
import { ENGINE_PORT } from "../../lab/network.ts";
import { openLabWorld } from "../../lab/world.ts";

const PORT = "2222";

/** No endpoint, whatever the world has. */
const NOWHERE = { DOCKER_HOST: "", DOCKER_TLS_VERIFY: "", DOCKER_CERT_PATH: "" };

/** The world of a user elsewhere, with what opens the manager's doors. */
async function open(lab: Lab) {
  const world = await openLabWorld(lab);
  const head = lab.manager;
  const doors = doorsOf(head.folder);
  const bin = await Deno.makeTempDir({ prefix: "mpitest-ssh-" });
  await Deno.writeTextFile(`${bin}/ssh`, `#!/bin/sh\nexec /usr/bin/ssh -F "$MPITEST_SSH" "$@"\n`, { mode: 0o755 });
  const ssh = { ...NOWHERE, PATH: `${bin}:${Deno.env.get("PATH")}`, MPITEST_SSH: doors.ssh };
  const tls = (folder = doors.certificates, address = head.address) => ({
    DOCKER_HOST: `tcp://${address}:${ENGINE_PORT}`,
    DOCKER_TLS_VERIFY: "1",
    DOCKER_CERT_PATH: folder,
  });
  return {
    world,
    head,
    doors,
    ssh,
    tls,
    async [Symbol.asyncDispose]() {
      await cleanUp(world, "mpitest")[Symbol.asyncDispose]();
      await Deno.remove(bin, { recursive: true });
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Makes a context with certificates, as people keep them. */
async function context(world: World, { address }: Host, { certificates }: Doors): Promise<AsyncDisposable> {
  const files = ["ca", "cert", "key"].map((name) => `${name}=${certificates}/${name}.pem`).join(",");
  const endpoint = `host=tcp://${address}:${ENGINE_PORT},${files}`;
  await expectOk(world.docker(["context", "create", "mpitest", "--docker", endpoint]));
  return { [Symbol.asyncDispose]: async () => void await world.docker(["context", "rm", "--force", "mpitest"]) };
}

/** Every command of the main job, from the first to the last. */
async function mainJob(world: World, globals: string[], env: Record<string, string>): Promise<void> {
  const mpi = (words: string[], options: RunOptions = {}) =>
    expectOk(world.docker([...globals, "mpi", ...words], { seconds: 120, ...options, env }));
  const quiet = ["--progress", "quiet"];
  const directory = await Deno.makeTempDir({ prefix: "mpitest-" });
  await mpi(["init", "--cluster", "mpitest", `${directory}/hello`]);
  await Deno.remove(directory, { recursive: true });
  const deploy = ["deploy", "--pull", "--image", world.place.image ?? "", "--workers", "1", ...quiet];
  assert.equal((await mpi(deploy)).stdout, 'Cluster "mpitest" answers: 2 nodes, 2 slots\n');
  assert.equal((await mpi(["run", "hostname"])).stdout.split("\n").sort().join(" "), " master worker-1");
  assert.equal((await mpi(["run", "-n", "1", "wc", "-c"], { stdin: "x".repeat(200_000) })).stdout.trim(), "200000");
  assert.match((await mpi(["login"], { stdin: "echo in $HOSTNAME\n" })).stdout, /^in master$/m);
  assert.equal((await mpi(["exec", "--host", "worker-1", "hostname"])).stdout, "worker-1\n");
  assert.equal((await mpi(["scale", "2", ...quiet])).stdout, 'Cluster "mpitest" answers: 3 nodes, 3 slots\n');
  assert.equal((await mpi(["hosts", "--quiet"])).stdout, "master\nworker-1\nworker-2\n");
  // A host that was without power in an earlier test can be without logs for a while.
  const logs = await world.docker([...globals, "mpi", "logs"], { env });
  assert.match(logs.stdout + logs.stderr, /mpi_agent: worker-2 \(.*\) is up|node \w+ is not available/);
  assert.match((await mpi(["ls"])).stdout, /^mpitest +running +2\/2 /m);
  assert.equal((await mpi(["rm", ...quiet])).stdout, "mpitest\n");
}

labTest("a swarm elsewhere is used by SSH, by TLS and by contexts", async (lab, t) => {
  await using remote = await open(lab);
  const { world, head, doors, ssh, tls } = remote;

  await t.step(
    "the main job by a name that only ~/.ssh/config knows",
    () => mainJob(world, ["-H", "ssh://head"], ssh),
  );

  await t.step("a cluster by a context with certificates", async () => {
    await using _context = await context(world, head, doors);
    const mpi = (...words: string[]) =>
      expectOk(world.docker(["--context", "mpitest", "mpi", ...words], { env: NOWHERE, seconds: 120 }));
    await mpi("deploy", "--pull", "--image", world.place.image ?? "", "--workers", "0", "--progress", "quiet");
    assert.equal((await mpi("run", "hostname")).stdout, "master\n");
    await mpi("rm", "--progress", "quiet");
  });

  await t.step("flags and variables for TLS, and SSH, under every client", async () => {
    const files = ["cacert", "cert", "key"].map((name) =>
      `--tls${name}=${doors.certificates}/${name.replace("cacert", "ca")}.pem`
    );
    const flags = ["-H", `tcp://${head.address}:${ENGINE_PORT}`, "--tlsverify", ...files];
    const empty = "NAME   MASTER   WORKERS   SLOTS   PORT   IMAGE\n";
    for (const { path } of await clients()) {
      const list = async (words: string[], env: Record<string, string>) =>
        (await expectOk(world.docker([...words, "mpi", "ls"], { docker: path, env }))).stdout;
      assert.equal(await list(flags, NOWHERE), empty);
      assert.equal(await list([], tls()), empty);
      assert.equal(await list(["-H", "ssh://head"], ssh), empty);
    }
  });

  const wrong: { what: string; env: Record<string, string>; says: RegExp }[] = [
    { what: "a certificate of a stranger", env: tls(doors.strangers), says: /tls: / },
    {
      what: "no certificate",
      env: { ...NOWHERE, DOCKER_HOST: tls().DOCKER_HOST },
      says: /wants TLS: .*HTTPS/,
    },
    {
      what: "an address where nobody is",
      env: tls(doors.certificates, "198.19.0.99"),
      says: /no route to host|timeout/,
    },
    { what: "a user whom SSH refuses", env: { ...ssh, DOCKER_HOST: "ssh://daemon@head" }, says: /Permission denied/ },
    {
      what: "a user who has no shell there",
      env: { ...ssh, DOCKER_HOST: "ssh://nobody@head" },
      says: /what answers there is no Docker engine/,
    },
    { what: "an unknown host key", env: { ...ssh, DOCKER_HOST: "ssh://stranger" }, says: /verification failed/ },
  ];
  for (const { what, env, says } of wrong) {
    await t.step(`${what}: in Docker's words, soon`, async () => {
      const time = stopwatch();
      const { code, stdout, stderr } = await world.docker(["mpi", "ls"], { env });
      measured(`${what} is told`, time(), 30);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, says);
      assert.match(
        stderr,
        /^docker mpi ls: [^\n]+[^]*\nhint: (docker info|export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=…) {2}# [^\n]+\n$/,
      );
    });
  }
});

/** Keeps the client from the master's port on a host, until the end of the block. */
async function barred(lab: Lab, { address }: Host, how: "DROP" | "REJECT"): Promise<AsyncDisposable> {
  const rule = ["OUTPUT", "-p", "tcp", "-d", address, "--dport", PORT, "-j", how];
  const all = how === "REJECT" ? [...rule, "--reject-with", "tcp-reset"] : rule;
  assert.equal((await lab.client.exec(["iptables", "-I", ...all])).code, 0);
  return { [Symbol.asyncDispose]: async () => void await lab.client.exec(["iptables", "-D", ...all]) };
}

labTest("a master whose port is closed to the client is reached through the engine", async (lab, t) => {
  await using world = await openLabWorld(lab);
  const mpi = (words: string[], options: RunOptions = {}) => world.docker(words, { seconds: 60, ...options });
  const on = ({ name }: Host) => ["--master-constraint", `node.hostname == ${name}`];
  const [here, elsewhere] = [lab.manager, lab.hosts[2]!];
  const goes = /^debug: 198\.19\.0\.\d:2222 does not answer; trying container [0-9a-f]{12} of the engine\n$/;

  await t.step("that runs the master, whether packets are refused or dropped", async () => {
    await using _cluster = await world.cluster(2, { args: on(here) });
    for (const how of ["REJECT", "DROP"] as const) {
      await using _rule = await barred(lab, here, how);
      const time = stopwatch();
      const { code, stdout, stderr } = await mpi(["--debug", "mpi", "exec", "hostname"]);
      measured(`a port with ${how} is got around`, time(), 10);
      assert.deepEqual([code, stdout], [0, "master\n"]);
      assert.match(stderr, goes);
      assert.equal((await mpi(["mpi", "exec", "hostname"])).stderr, "", "said without --debug");
      const input = "y".repeat(3_000_000);
      const counted = await expectOk(mpi(["mpi", "run", "-n", "1", "wc", "-c"], { stdin: input }));
      assert.equal(counted.stdout.trim(), "3000000");
      assert.equal((await mpi(["mpi", "run", "-n", "2", "sh", "-c", "exit 3"])).code, 3);
      assert.deepEqual(await mpi(["mpi", "login"], { stdin: "hostname; exit 5\n" }), {
        code: 5,
        stdout: "master\n",
        stderr: "",
      });
    }
    assert.equal((await mpi(["--debug", "mpi", "exec", "hostname"])).stderr, "", "not needed any more");
  });

  await t.step("that runs a worker; and where it runs none, what to open is told", async () => {
    const args = [...on(elsewhere), "--worker-constraint", `node.hostname == ${here.name}`];
    await using _cluster = await world.cluster(1, { args });
    await using _rule = await barred(lab, elsewhere, "REJECT");
    const { code, stdout, stderr } = await mpi(["--debug", "mpi", "exec", "hostname"]);
    assert.deepEqual([code, stdout], [0, "master\n"]);
    assert.match(stderr, goes);
    // No node can be asked that is not there.
    await expectOk(world.docker(["service", "scale", "--detach", "mpitest_worker=0"]));
    await eventually(
      "no worker is left",
      async () => (await expectOk(world.docker(["ps", "-q", "--filter", "name=mpitest_worker"]))).stdout === "",
    );
    const none = await mpi(["mpi", "exec", "hostname"]);
    assert.equal(none.code, 125);
    assert.match(
      none.stderr,
      /^docker mpi exec: The master does not answer at 198\.19\.0\.3:2222: [^\n]*; through the engine: the engine runs no node of this cluster to go through\nhint: docker mpi ps {2}# shows how it is; if it runs, open port 2222\/tcp of 198\.19\.0\.3 to this machine\n$/,
    );
  });
});
