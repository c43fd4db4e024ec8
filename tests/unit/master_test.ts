import assert from "node:assert/strict";
import { findClusters } from "../../stack/cluster/cluster.ts";
import { writeUserKeys } from "../../stack/keys/key_store.ts";
import { OTHER_MACHINE } from "../../stack/keys/keys.ts";
import { followHosts, type Host, listHosts, parseHosts } from "../../stack/master/hosts.ts";
import { findMaster, masterAddress } from "../../stack/master/master.ts";
import type { SshConnection, Streams } from "../../stack/ssh/ssh.ts";
import { aNode, aTask, FakeSwarm, MANAGER } from "../support/fakes.ts";

const addresses: [what: string, vantage: Parameters<typeof masterAddress>[0], master: string, address: string][] = [
  ["this machine, by its socket", { local: true }, "node-1", "127.0.0.1"],
  ["the endpoint's host, where the master runs there", { local: false, hostname: "head" }, "node-1", "head"],
  ["the swarm's address, where an endpoint has no host", { local: false }, "node-1", "10.0.0.9"],
  ["the swarm's address, where the master runs elsewhere", { local: true }, "node-2", "10.0.0.9"],
  ["the swarm's address, seen from afar as well", { local: false, hostname: "head" }, "node-2", "10.0.0.9"],
];

for (const [what, vantage, master, address] of addresses) {
  Deno.test(`masterAddress() is ${what}`, () => {
    assert.equal(masterAddress(vantage, "node-1", master, "10.0.0.9"), address);
  });
}

async function world() {
  const swarm = new FakeSwarm();
  swarm.addCluster("hello", 1, { master: { "docker-mpi.port": "2345" } });
  const [cluster] = findClusters(swarm.services);
  assert.ok(cluster);
  const keys = await Deno.makeTempDir();
  return { swarm, cluster, search: { engine: swarm.engine(), vantage: { local: true }, keys } };
}

Deno.test("findMaster() gives place, key and the pinned host key", async () => {
  const { search, cluster } = await world();
  await writeUserKeys(search.keys, "hello", {
    privateKey: "P\n",
    publicKey: "ssh-ed25519 A",
    masterHostKey: "ssh-ed25519 H",
  });
  assert.deepEqual(await findMaster(search, MANAGER, cluster), {
    host: "127.0.0.1",
    port: 2345,
    user: "mpi",
    privateKey: "P\n",
    hostKey: "ssh-ed25519 H",
  });
});

Deno.test("findMaster() says what to do where this machine has no key", async () => {
  const { search, cluster } = await world();
  await assert.rejects(findMaster(search, MANAGER, cluster), {
    code: "ssh",
    message: `This machine has no key for cluster "hello": nothing in ${search.keys}`,
    hint: OTHER_MACHINE,
  });
});

Deno.test("findMaster() says why the master does not run", async () => {
  const { swarm, search, cluster } = await world();
  const says = async (tasks: ReturnType<typeof aTask>[], why: string) => {
    swarm.tasks = tasks;
    await assert.rejects(findMaster(search, MANAGER, cluster), {
      code: "cluster",
      message: `The master of cluster "hello" is not running: ${why}`,
      hint: "docker mpi ps hello  # shows how it goes on",
    });
  };
  await says([], "it has no task");
  await says([aTask("hello-master", 1, { state: "preparing" })], "it is preparing");
  await says([aTask("hello-master", 1, { state: "pending", error: "no suitable node" })], "no suitable node");
  const failed = aTask("hello-master", 1, { state: "failed", desired: "shutdown", error: "it crashed" });
  await says([failed, aTask("hello-master", 1, { state: "ready", desired: "ready" })], "it crashed");
  swarm.nodes = [aNode(7)];
  await says([aTask("hello-master", 1)], "it is running");
});

Deno.test("parseHosts() reads every line, and nothing of no line", () => {
  assert.deepEqual(parseHosts(""), []);
  assert.deepEqual(parseHosts("master 10.0.1.2 4 rack-1\nworker-1 10.0.1.3 2 \n.\n"), [
    { name: "master", address: "10.0.1.2", slots: 4, host: "rack-1" },
    { name: "worker-1", address: "10.0.1.3", slots: 2, host: "" },
  ]);
});

Deno.test("followHosts() gives each list once, wherever the network cuts the text", async () => {
  const [one, two] = ["master 10.0.1.2 1 räck-1\n", "master 10.0.1.2 1 räck-1\nworker-1 10.0.1.3 1 räck-2\n"];
  const bytes = new TextEncoder().encode(`${one}.\n${two}.\n${one}.\n`);
  for (let size = 1; size <= bytes.length; size++) {
    const commands: string[] = [];
    const master = {
      async run(command: string, streams: Streams) {
        commands.push(command);
        for (let at = 0; at < bytes.length; at += size) await streams.stdout(bytes.subarray(at, at + size));
        return { status: 0 };
      },
    } as unknown as SshConnection;
    const lists: Host[][] = [];
    await followHosts(master, "hello", 2, (hosts) => void lists.push(hosts));
    assert.deepEqual(lists, [one, two, one].map(parseHosts), `in pieces of ${size} bytes`);
    assert.deepEqual(commands, ["exec mpi_hosts --until 2"]);
    await followHosts(master, "hello", undefined, () => {});
    assert.equal(commands[1], "exec mpi_hosts --follow");
  }
});

Deno.test("listHosts() and followHosts() say why the master can't list its nodes", async () => {
  const master = {
    async run(_: string, { stderr }: Streams) {
      await stderr(new TextEncoder().encode("bash: mpi_hosts: not found\n"));
      return { status: 127 };
    },
    capture: () => Promise.resolve({ status: 2, stdout: "master 10.0.1.2 1 rack-1\n", stderr: "" }),
  };
  const hint = "docker mpi logs hello  # shows what the master says";
  await assert.rejects(followHosts(master, "hello", 2, () => {}), {
    code: "cluster",
    message: "The master can't list its nodes: bash: mpi_hosts: not found",
    hint,
  });
  await assert.rejects(listHosts(master, "hello"), { message: "The master can't list its nodes: status 2", hint });
});
