/** Who gets into a cluster from outside, how, and how far. */
import assert from "node:assert/strict";
import { makeKeyPair } from "../../../stack/ssh/key_pair.ts";
import { askToForward } from "../../support/forwarding.ts";
import { bothNodes, inside, privateKeys, sshFromInside, sshFromOutside } from "../../support/security.ts";
import { expectOk, openWorld } from "../../support/swarm.ts";

const PASSWORDS = "-o PubkeyAuthentication=no -o PreferredAuthentications=password,keyboard-interactive,hostbased";

Deno.test("a cluster must let in its user, by one key and one port, and nobody else", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(1);
  const nodes = await bothNodes(world);
  const { master, worker } = nodes;
  const keys = await privateKeys(world, nodes);
  const another = (await makeKeyPair("another")).privateKey;
  const addressOf = async (id: string) => (await inside(world, id, "cat /run/mpi/address")).trim();
  const denied = (user: string, host = "127.0.0.1") => [255, `${user}@${host}: Permission denied (publickey).`];

  await t.step("the master's port alone is published", async () => {
    const shown = async (...args: string[]) => JSON.parse((await expectOk(world.docker(args))).stdout);
    const ports = async (id: string) => {
      const all: Record<string, unknown> = await shown("inspect", "--format", "{{json .NetworkSettings.Ports}}", id);
      return Object.entries(all).filter(([, published]) => published !== null).map(([port]) => port);
    };
    assert.deepEqual([await ports(master), await ports(worker)], [["2222/tcp"], []]);
    const spec = (role: string) =>
      shown("service", "inspect", "--format", "{{json .Endpoint.Ports}}", `mpitest_${role}`);
    assert.deepEqual(await spec("master"), [
      { Protocol: "tcp", TargetPort: 2222, PublishedPort: 2222, PublishMode: "host" },
    ]);
    assert.equal(await spec("worker"), null);
  });

  await t.step("a node listens for SSH and nothing else, a worker in the cluster's network alone", async () => {
    // In hexadecimal, each byte turned around; Docker's own resolver listens on 127.0.0.11.
    const list = "awk '$4 == \"0A\" { print $2 }' /proc/net/tcp /proc/net/tcp6 | grep -v '^0B00007F:' | sort";
    const hex = (await addressOf(worker)).split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
    assert.equal(await inside(world, master, list), "00000000:08AE\n");
    assert.equal(await inside(world, worker, list), `${hex.reverse().join("").toUpperCase()}:08AE\n`);
    const datagrams = "awk 'FNR > 1 { print $2 }' /proc/net/udp /proc/net/udp6 | grep -v '^0B00007F:' || :";
    for (const id of [master, worker]) assert.equal(await inside(world, id, datagrams), "");
  });

  await t.step("the user's key opens the master, for user mpi", async () => {
    assert.deepEqual(await sshFromOutside(world, keys.user, "mpi@127.0.0.1 id -u"), [0, "1000"]);
  });

  const refused: [what: string, key: string, user: string, options?: string][] = [
    ["another key", another, "mpi"],
    ["the cluster's key", keys.cluster, "mpi"],
    ["the workers' host key", keys.workerHost, "mpi"],
    ["its own host key", keys.masterHost, "mpi"],
    ["a password", keys.user, "mpi", PASSWORDS],
    ["root", keys.user, "root"],
    ["another user", keys.user, "nobody"],
    ["a user there is not", keys.user, "somebody"],
  ];
  for (const [what, key, user, options = ""] of refused) {
    await t.step(`the master refuses ${what}`, async () => {
      assert.deepEqual(await sshFromOutside(world, key, `${options} ${user}@127.0.0.1 id`), denied(user));
    });
  }

  await t.step("SSH forwards nothing: no port, no socket, no agent, no display", async () => {
    const target = { host: "127.0.0.1", port: 2222, user: "mpi", privateKey: keys.user, hostKey: "" };
    const closed = "(SSH) Channel open failure: open failed";
    assert.deepEqual(await askToForward(target, await addressOf(worker)), {
      "a port of the master (ssh -L, -W)": closed,
      "a port of another node (ssh -D)": closed,
      "a unix socket of the master (ssh -L)": closed,
      "a port back to the client (ssh -R)": "Unable to bind to 127.0.0.1:0",
      "a unix socket back to the client (ssh -R)": "Unable to bind to /tmp/forwarded",
      "the agent (ssh -A)": "Unable to request agent forwarding",
      "a display (ssh -X)": "Unable to request X11",
    });
  });

  await t.step("SSH makes no network device, and takes no variable from the client", async () => {
    const want = "disableforwarding yes\npermittunnel no\npermituserenvironment no\nx11forwarding no\n";
    const ask = `/usr/sbin/sshd -T -f /run/mpi/sshd_config | grep -E '^(${want.match(/^\w+/gm)?.join("|")}) ' | sort`;
    for (const id of [master, worker]) assert.equal(await inside(world, id, ask), want);
    const [, said] = await sshFromOutside(
      world,
      keys.user,
      "-o SetEnv=LD_PRELOAD=x mpi@127.0.0.1 'echo ${LD_PRELOAD-none}'",
    );
    assert.equal(said, "none");
  });

  await t.step("with what a worker has, no node opens", async () => {
    for (const host of [await addressOf(master), await addressOf(worker)]) {
      assert.deepEqual(await sshFromInside(world, worker, keys.workerHost, `mpi@${host} id`), denied("mpi", host));
    }
  });

  await t.step("workers take the cluster's key, and no other", async () => {
    const host = await addressOf(worker);
    assert.deepEqual(await sshFromInside(world, master, keys.cluster, `mpi@${host} hostname`), [0, "worker-1"]);
    for (const key of [keys.user, keys.masterHost, keys.workerHost, another]) {
      assert.deepEqual(await sshFromInside(world, master, key, `mpi@${host} id`), denied("mpi", host));
    }
  });
});

Deno.test("where it was asked for, SSH forwards TCP ports from the user to the nodes, and nothing else", async () => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(1, { args: ["--forwarding"] });
  const nodes = await bothNodes(world);
  const keys = await privateKeys(world, nodes);
  const target = { host: "127.0.0.1", port: 2222, user: "mpi", privateKey: keys.user, hostKey: "" };
  const address = (await inside(world, nodes.worker, "cat /run/mpi/address")).trim();
  assert.deepEqual(await askToForward(target, address), {
    "a port of the master (ssh -L, -W)": "granted",
    "a port of another node (ssh -D)": "granted",
    "a unix socket of the master (ssh -L)": "(SSH) Channel open failure: open failed",
    "a port back to the client (ssh -R)": "Unable to bind to 127.0.0.1:0",
    "a unix socket back to the client (ssh -R)": "Unable to bind to /tmp/forwarded",
    "the agent (ssh -A)": "Unable to request agent forwarding",
    "a display (ssh -X)": "Unable to request X11",
  });
  const ask = "/usr/sbin/sshd -T -f /run/mpi/sshd_config | grep ^disableforwarding";
  assert.equal(await inside(world, nodes.worker, ask), "disableforwarding yes\n");
});
