/** That the lab is what it says: hosts that are real to each other, and that break as real ones do. */
import assert from "node:assert/strict";
import { type CommandOptions, must, poll, run } from "../../box/command.ts";
import { commandLines } from "../../box/processes.ts";
import { measured, stopwatch } from "../../support/measured.ts";
import { type Host, type Lab, labTest } from "../../lab/mod.ts";
import { ENGINE_PORT } from "../../lab/network.ts";

const BASE = "debian:trixie-slim";

/** Runs `docker` with the engine of a host; it must succeed. */
async function docker(host: Host, args: string[], options: CommandOptions = {}): Promise<string> {
  return (await must(["docker", ...args], { seconds: 120, ...options, env: { ...host.env, ...options.env } })).trim();
}

/** Waits for the swarm to say that of a host, and notes how long it took. */
async function swarmSays(lab: Lab, host: Host, state: string): Promise<void> {
  const time = stopwatch();
  const says = async () =>
    await docker(lab.manager, ["node", "inspect", host.name, "-f", "{{.Status.State}}"]) === state;
  await poll(`the swarm to see that ${host.name} is ${state}`, says, { seconds: 60 });
  measured(`the swarm sees that ${host.name} is ${state}`, time());
}

/** Whether the client reaches the port of a host that members of a swarm talk to each other by. */
async function reaches(lab: Lab, host: Host): Promise<boolean> {
  const connect = `exec 3<>/dev/tcp/${host.address}/7946`;
  return (await run([...lab.enter, "timeout", "1", "bash", "-c", connect])).code === 0;
}

/** Connects the client with a host, and reads for a while: a shell's status is 1 at the end of file, 142 at none. */
async function startToRead(lab: Lab, host: Host): Promise<{ status: Promise<number> }> {
  const read = `exec 3<>/dev/tcp/${host.address}/7946; read -r -t 4 <&3`;
  const status = lab.client.exec(["bash", "-c", read]).then(({ code }) => code);
  const connected = async () => (await lab.client.exec(["ss", "-Htn", "dst", host.address])).stdout.includes("ESTAB");
  await poll(`a connection with ${host.name}`, connected, { seconds: 3 });
  return { status };
}

/** A container that sleeps, for the time of a block. */
interface Sleeper extends AsyncDisposable {
  name: string;
  /** Whether its process runs on this machine, whatever its engine says. */
  sleeps(): Promise<boolean>;
}

/** Starts one; by the number of seconds its process is known among all others of the machine. */
async function sleeper(host: Host, args: string[] = []): Promise<Sleeper> {
  const seconds = String(1_000_000 + Math.floor(Math.random() * 1_000_000));
  const name = `mpitest-${seconds}`;
  await docker(host, ["run", "--detach", "--init", "--name", name, ...args, BASE, "sleep", seconds]);
  const sleeps = async () => (await commandLines()).some(({ words }) => words === `sleep ${seconds}`);
  await poll(`a container to sleep on ${host.name}`, sleeps, { seconds: 10 });
  return { name, sleeps, [Symbol.asyncDispose]: async () => void await docker(host, ["rm", "--force", name]) };
}

/** Every host has the base image after that. */
async function shareBase(lab: Lab): Promise<void> {
  const shared = await lab.share(BASE);
  await Promise.all(lab.hosts.map((host) => docker(host, ["tag", shared, BASE])));
}

labTest("three hosts with names of their own are one swarm", async (lab) => {
  assert.deepEqual(await Promise.all(lab.hosts.map((host) => docker(host, ["info", "-f", "{{.Name}}"]))), [
    "host1",
    "host2",
    "host3",
  ]);
  const nodes = await docker(lab.manager, ["node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}"]);
  assert.deepEqual(nodes.split("\n").map((line) => line.trim()).sort(), [
    "host1 Ready Leader",
    "host2 Ready",
    "host3 Ready",
  ]);
  const inspect = ["node", "inspect", "-f", "{{.Status.Addr}}", "host2", "host3"];
  assert.equal(await docker(lab.manager, inspect), "198.19.0.2\n198.19.0.3");
  assert.equal((await lab.hosts[1]!.exec(["hostname"])).stdout, "host2\n");
  for (const host of lab.hosts) assert.ok(await reaches(lab, host));
});

labTest("the client reaches the manager's engine over the network, and nobody else does", async (lab) => {
  const name = ["docker", "info", "--format", "{{.Name}}"];
  assert.equal((await lab.client.exec(name)).stdout, "host1\n");
  const connect = ["timeout", "1", "bash", "-c", `exec 3<>/dev/tcp/${lab.manager.address}/${ENGINE_PORT}`];
  for (const host of lab.hosts) assert.notEqual((await host.exec(connect)).code, 0);
  const contained = await run(["docker", "run", "--rm", BASE, ...connect], { env: lab.env });
  assert.equal(contained.code, 124, contained.stderr);
});

labTest("an image goes through the registry to all hosts, and one that is in none is refused at once", async (lab) => {
  await shareBase(lab);
  const id = await docker(lab.manager, ["image", "inspect", "-f", "{{.Id}}", BASE]);
  for (const host of lab.hosts) assert.equal(await docker(host, ["image", "inspect", "-f", "{{.Id}}", BASE]), id);
  for (const image of ["nobody/nothing", `${lab.registry.address}/nothing`]) {
    const { code, stderr } = await run(["docker", "pull", image], { env: lab.at("host2"), seconds: 5 });
    assert.equal(code, 1);
    assert.match(stderr, /connection refused|not found|manifest unknown/);
  }
});

labTest("the private registry wants its password", async (lab) => {
  const { address, user, password } = lab.privateRegistry;
  const image = `${address}/mpitest`;
  const folder = await Deno.makeTempDir({ prefix: "mpitest-" });
  const env = { DOCKER_CONFIG: folder };
  try {
    await docker(lab.manager, ["tag", BASE, image]);
    const refused = await run(["docker", "push", image], { env: { ...lab.env, ...env } });
    assert.match(refused.stderr, /no basic auth credentials/);
    const wrong = await run(["docker", "login", "-u", user, "-p", "wrong", address], { env: { ...lab.env, ...env } });
    assert.match(wrong.stderr, /401 Unauthorized/);
    await docker(lab.manager, ["login", "-u", user, "-p", password, address], { env });
    await docker(lab.manager, ["push", "--quiet", image], { env });
    const without = await run(["docker", "pull", image], { env: { ...lab.at("host2"), DOCKER_CONFIG: "/nowhere" } });
    assert.match(without.stderr, /no basic auth credentials/);
    await docker(lab.hosts[1]!, ["pull", "--quiet", image], { env });
  } finally {
    await docker(lab.hosts[1]!, ["image", "rm", "--force", image]).catch(() => {});
    await docker(lab.manager, ["image", "rm", "--force", image]).catch(() => {});
    await Deno.remove(folder, { recursive: true });
  }
});

labTest("containers on two hosts talk over a network of the swarm", async (lab) => {
  await shareBase(lab);
  await docker(lab.manager, ["network", "create", "--driver", "overlay", "--attachable", "mpitest-net"]);
  try {
    await using here = await sleeper(lab.manager, ["--network", "mpitest-net"]);
    await using there = await sleeper(lab.hosts[1]!, ["--network", "mpitest-net"]);
    // Perl is in every Debian; a line is said to the first that comes.
    const serve = "use IO::Socket; my $s = IO::Socket::INET->new(LocalPort => 7777, Listen => 1) or die; " +
      "my $c = $s->accept; print $c `hostname`;";
    await docker(lab.hosts[1]!, ["exec", "--detach", there.name, "perl", "-e", serve]);
    const ask = ["exec", here.name, "bash", "-c", `exec 3<>/dev/tcp/${there.name}/7777 && cat <&3`];
    let said = "";
    const answered = async () => (said = (await run(["docker", ...ask], { env: lab.env })).stdout) !== "";
    await poll("a word from the other host's container", answered, { seconds: 20 });
    assert.equal(said.trim(), await docker(lab.hosts[1]!, ["inspect", "-f", "{{.Config.Hostname}}", there.name]));
  } finally {
    await docker(lab.manager, ["network", "rm", "mpitest-net"]);
  }
});

labTest("a host that is cut off is down in the swarm, and ready again when healed", async (lab) => {
  const host = lab.hosts[1]!;
  await host.cut();
  assert.equal(await host.state(), "cut");
  assert.equal(await reaches(lab, host), false);
  assert.ok(await reaches(lab, lab.hosts[2]!));
  await swarmSays(lab, host, "down");
  await host.heal();
  assert.ok(await reaches(lab, host));
  await swarmSays(lab, host, "ready");
});

labTest("a host without power is gone at once, and comes back with what it had", async (lab) => {
  const host = lab.hosts[2]!;
  await shareBase(lab);
  await using container = await sleeper(host);
  const reading = await startToRead(lab, host);
  const time = stopwatch();
  await host.kill();
  measured("a host without power is gone", time(), 2);
  assert.ok(await reading.status > 128, "somebody closed the connection of a host that lost power");
  assert.equal(await container.sleeps(), false);
  assert.equal(await host.state(), "dead");
  assert.equal(await reaches(lab, host), false);
  await assert.rejects(host.exec(["true"]), /host3 is dead/);
  await swarmSays(lab, host, "down");
  await host.start();
  await swarmSays(lab, host, "ready");
  assert.ok(await reaches(lab, host));
  assert.equal(await docker(host, ["inspect", "-f", "{{.State.Running}}", container.name]), "false");
});

labTest("an engine that restarts takes its own containers with it and no others", async (lab) => {
  await shareBase(lab);
  await using here = await sleeper(lab.manager);
  await using there = await sleeper(lab.hosts[1]!);
  const time = stopwatch();
  await lab.manager.restartEngine();
  measured("the manager's engine is back after a restart", time());
  assert.equal(await here.sleeps(), false);
  assert.ok(await there.sleeps());
  assert.equal(await docker(lab.manager, ["inspect", "-f", "{{.State.Running}}", here.name]), "false");
  assert.equal(await docker(lab.hosts[1]!, ["inspect", "-f", "{{.State.Running}}", there.name]), "true");
  await lab.ready();
});

labTest("mend() repairs all that tests may have broken", async (lab) => {
  await Promise.all([lab.manager.kill(), lab.hosts[1]!.cut(), lab.client.cut()]);
  assert.equal(await reaches(lab, lab.hosts[2]!), false);
  await lab.mend();
  for (const host of lab.hosts) {
    assert.equal(await host.state(), "up");
    assert.ok(await reaches(lab, host));
  }
});
