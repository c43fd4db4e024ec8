/** The way to the master where its port is closed or silent: through a tunnel, and only then. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { containerHere } from "../../stack/master/master.ts";
import { makeKeyPair } from "../../stack/ssh/key_pair.ts";
import { reach } from "../../stack/ssh/reach.ts";
import { type SshTarget } from "../../stack/ssh/ssh.ts";
import { end, type FakeMaster, fakeMaster } from "../support/fake_master.ts";
import { aService, aTask } from "../support/fakes.ts";

/** A tunnel to a master that counts how often it is opened. */
function tunnelTo(master: FakeMaster) {
  const { host, port } = master.target;
  const opened: Duplex[] = [];
  return {
    opened,
    open: () => {
      const socket = connect({ host, port });
      opened.push(socket);
      return Promise.resolve<Duplex>(socket);
    },
  };
}

/** A port where nobody listens. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

const says = (text: string) => ({ stream }: Parameters<Parameters<typeof fakeMaster>[0]>[0]) =>
  end(stream, { out: text });

Deno.test("a master whose port answers is reached by it, and no tunnel is opened", async () => {
  await using master = await fakeMaster(says("hello"));
  const tunnel = tunnelTo(master);
  const ssh = await reach(master.target, tunnel.open);
  assert.equal((await ssh.capture("x")).stdout, "hello");
  ssh.close();
  assert.equal(tunnel.opened.length, 0);
});

Deno.test("a master whose port is closed is reached through the tunnel, with the same keys", async () => {
  await using master = await fakeMaster(says("hello"));
  const tunnel = tunnelTo(master);
  const ssh = await reach({ ...master.target, port: closedPort() }, tunnel.open);
  assert.equal((await ssh.capture("x")).stdout, "hello");
  ssh.close();
  assert.equal(tunnel.opened.length, 1);
});

const refusals: [what: string, wrong: () => Promise<Partial<SshTarget>>, message: RegExp][] = [
  ["another host key", async () => ({ hostKey: (await makeKeyPair("x")).publicKey }), /is not the one of this cluster/],
  ["a refused key", async () => ({ privateKey: (await makeKeyPair("x")).privateKey }), /refuses this machine's key/],
];

for (const [what, wrong, message] of refusals) {
  Deno.test(`${what} at the port ends it: no tunnel is tried`, async () => {
    await using master = await fakeMaster(says("hello"));
    const tunnel = tunnelTo(master);
    await assert.rejects(reach({ ...master.target, ...await wrong() }, tunnel.open), { code: "ssh", message });
    assert.equal(tunnel.opened.length, 0);
  });

  Deno.test(`${what} at the end of the tunnel is told as such`, async () => {
    await using master = await fakeMaster(says("hello"));
    const target = { ...master.target, ...await wrong(), port: closedPort() };
    await assert.rejects(reach(target, tunnelTo(master).open), { code: "ssh", message });
  });
}

Deno.test("where there is no way, both are told, and which port to open", async () => {
  const { publicKey: hostKey, privateKey } = await makeKeyPair("any");
  const port = closedPort();
  const target = { host: "127.0.0.1", port, user: "mpi", privateKey, hostKey };
  const error = (why: string) => ({
    code: "ssh",
    message: new RegExp(`^The master does not answer at 127\\.0\\.0\\.1:${port}: .*; through the engine: ${why}$`),
    hint: `docker mpi ps  # shows how it is; if it runs, open port ${port}/tcp of 127.0.0.1 to this machine`,
  });
  await assert.rejects(
    reach(target, () => Promise.resolve(undefined)),
    error("the engine runs no node of this cluster.*"),
  );
  await assert.rejects(reach(target, () => Promise.reject(new Error("no exec for you"))), error("no exec for you"));
});

Deno.test("a user who gives up is heard at any time", async () => {
  await using master = await fakeMaster(says("hello"));
  const target = { ...master.target, port: closedPort() };
  await assert.rejects(reach(target, tunnelTo(master).open, AbortSignal.abort(new Error("enough"))), /enough/);
  const control = new AbortController();
  const openTunnel = () => {
    control.abort(new Error("enough"));
    return Promise.resolve(undefined);
  };
  await assert.rejects(reach(target, openTunnel, control.signal), /^Error: enough$/);

  const later = new AbortController();
  const transport = new PassThrough();
  const openLate = () => {
    later.abort(new Error("enough"));
    return Promise.resolve<Duplex>(transport);
  };
  await assert.rejects(reach(target, openLate, later.signal), /^Error: enough$/);
  assert.ok(transport.destroyed, "nothing is left of a tunnel that came too late");
});

Deno.test("containerHere() is the master's where it runs on that host, or else a worker's that runs", () => {
  const [master, worker] = [aService("hello", "master"), aService("hello", "worker")];
  const cluster = { name: "hello", master, worker };
  const tasks = [
    aTask("other", 1, { nodeId: "node-1" }),
    aTask(worker.id, 1, { nodeId: "node-1" }),
    aTask(worker.id, 2, { nodeId: "node-2", state: "failed" }),
    aTask(worker.id, 3, { nodeId: "node-2" }),
    aTask(master.id, 1, { nodeId: "node-1" }),
  ];
  assert.equal(containerHere(cluster, tasks, "node-1"), `container-${master.id}-1`);
  assert.equal(containerHere(cluster, tasks, "node-2"), `container-${worker.id}-3`);
  assert.equal(containerHere(cluster, tasks, "node-3"), undefined);
});
