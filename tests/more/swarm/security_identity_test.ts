/** Somebody in the middle: whether each side makes sure that the other is who it should be, before it says anything. */
import assert from "node:assert/strict";
import { makeKeyPair } from "../../../stack/ssh/key_pair.ts";
import { needPrograms } from "../../box/packages.ts";
import { end, fakeMaster } from "../../support/fake_master.ts";
import { hostNames } from "../../support/nodes.ts";
import { bothNodes, inside, privateKeys } from "../../support/security.ts";
import { eventually, expectOk, openWorld } from "../../support/swarm.ts";

Deno.test("who stands between the client and the master must learn nothing", async (t) => {
  await using world = await openWorld();
  await using cluster = await world.cluster(1);
  await needPrograms({ ssh: "openssh-client" });
  const keys = await privateKeys(world, await bothNodes(world));
  /** Sends clients to another port than the master's; the nodes go on. */
  const redirect = async (port: number) => {
    const label = `docker-mpi.port=${port}`;
    await expectOk(world.docker(["service", "update", "--detach", "--label-add", label, `${cluster.name}_master`]));
  };

  const commands: [args: string[], status: number][] = [
    [["run", "touch", "/tmp/sent"], 125],
    [["exec", "touch", "/tmp/sent"], 125],
    [["login"], 1],
    [["hosts"], 1],
    [["hosts", "--watch"], 1],
    [["scale", "1"], 1],
  ];
  const others: [what: string, hostKey: string][] = [
    ["a key of its own", (await makeKeyPair("other")).privateKey],
    ["the workers' host key, as a worker could", keys.workerHost],
    ["the cluster's key", keys.cluster],
  ];
  for (const [what, hostKey] of others) {
    await t.step(`a server with ${what} is refused by every command that logs in`, async () => {
      await using server = await fakeMaster(({ stream }) => end(stream), { hostKey });
      const { port } = server.target;
      await redirect(port);
      for (const [args, status] of commands) {
        const { code, stdout, stderr } = await world.docker(["mpi", ...args], { stdin: "a secret" });
        const error =
          `docker mpi ${
            args[0]
          }: The host key at 127.0.0.1:${port} is not the one of this cluster's master: refused\n` +
          "hint: docker mpi ps  # shows where the master runs; if that is another address, something else answers here\n";
        assert.deepEqual(
          { code, stdout, refused: stderr.endsWith(error) },
          { code: status, stdout: "", refused: true },
          stderr,
        );
      }
      const { stdout } = await expectOk(world.docker(["mpi", "login", "--print"]));
      const plain = await new Deno.Command("sh", { args: ["-c", `${stdout.trim()} hostname`], stdin: "null" }).output();
      assert.equal(plain.code, 255);
      assert.match(new TextDecoder().decode(plain.stderr), /Host key verification failed\./);
      assert.deepEqual([server.attempts, server.commands], [0, []], "somebody tried to log in");
    });
  }

  await t.step("only a server with the master's own host key gets as far as a login", async () => {
    await using server = await fakeMaster(({ stream }) => end(stream), { hostKey: keys.masterHost });
    await redirect(server.target.port);
    const { stderr } = await world.docker(["mpi", "hosts"]);
    assert.match(stderr, /refuses this machine's key/);
    assert.ok(server.attempts > 0);
  });
});

Deno.test("within a cluster the master must talk to nobody but its workers", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(1);
  const { master, worker } = await bothNodes(world);
  const ssh = (id: string, host: string, options = "") =>
    inside(world, id, `ssh ${options} ${host} hostname 2>&1 || :`);
  const address = async (id: string) => (await inside(world, id, "cat /run/mpi/address")).trim();
  const [masterAddress, workerAddress] = [await address(master), await address(worker)];

  await t.step("a worker is known by the workers' host key", async () => {
    assert.equal(await ssh(master, workerAddress, "-o ControlPath=none"), "worker-1\n");
  });

  await t.step("the master's own host key is not a worker's", async () => {
    assert.match(await ssh(master, masterAddress), /Host key verification failed\./);
  });

  await t.step("a worker has nobody to trust and nothing to log in with", async () => {
    for (const host of [masterAddress, workerAddress]) {
      assert.match(await ssh(worker, host), /Host key verification failed\./);
      assert.match(
        await ssh(worker, host, "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"),
        /Permission denied/,
      );
    }
  });

  await t.step("a worker with another host key is left out, and the log tells of it", async () => {
    const { publicKey } = await makeKeyPair("other");
    const right = await inside(world, master, "cat /run/mpi/known_hosts");
    const logins = async () => {
      const { stdout } = await world.docker(["mpi", "logs"]);
      return stdout.split("\n").filter((line) => line.startsWith("worker-1") && line.includes("Accepted")).length;
    };
    await inside(world, master, "cat >/run/mpi/known_hosts", `* ${publicKey}\n`);
    const before = await logins();
    await inside(world, master, `ssh -O exit ${workerAddress} 2>&1`);
    await eventually("a list without the worker", async () => `${await hostNames(world)}` === "master");
    const refusal = new RegExp(`^master .*mpi_agent: ${workerAddress} does not answer: .*(host key|@@@)`, "im");
    await eventually("a word in the log", async () => refusal.test((await world.docker(["mpi", "logs"])).stdout));
    assert.deepEqual(await expectOk(world.docker(["mpi", "run", "hostname"])), {
      code: 0,
      stdout: "master\n",
      stderr: "",
    });
    assert.match(await ssh(master, workerAddress, "-o ControlPath=none"), /Host key verification failed\.\s*$/);
    assert.equal(await logins(), before, "somebody logged in");
    await inside(world, master, "cat >/run/mpi/known_hosts", right);
    await eventually("the worker again", async () => `${await hostNames(world)}` === "master,worker-1");
  });
});
