/** Which swarm is meant: by flag, variable and context, as docker itself resolves them; under every docker client here. */
import assert from "node:assert/strict";
import { tell } from "../box/tell.ts";
import { type Client, clients } from "../support/plugin_cli.ts";
import { expectOk, IMAGE, openWorld } from "../support/swarm.ts";

/** No engine is there: what points to it must be overruled. */
const WRONG = "unix:///nonexistent/mpitest.sock";

/** Hands every connection to a port of this machine on to a socket, as an engine on TCP would take it. */
function relayTo(path: string): { host: string } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const relay = async (near: Deno.Conn) => {
    const far = await Deno.connect({ transport: "unix", path });
    await Promise.allSettled([near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)]);
  };
  const relays: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) relays.push(relay(connection));
  })();
  return {
    host: `tcp://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(relays);
    },
  };
}

Deno.test("every way to name an engine must reach it, under every client", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.shared(2);
  const inspect = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];
  const host = (await expectOk(world.docker(inspect))).stdout.trim();
  assert.match(host, /^unix:\/\//, "these tests need an engine on a socket of this machine");
  await using relay = relayTo(host.slice("unix://".length));
  await expectOk(world.docker(["context", "create", "mpitest", "--docker", `host=${host}`]));

  const ways: Record<string, { flags?: string[]; env?: Record<string, string> }> = {
    "-H over DOCKER_HOST": { flags: ["-H", host], env: { DOCKER_HOST: WRONG } },
    "DOCKER_HOST over DOCKER_CONTEXT": { env: { DOCKER_HOST: host, DOCKER_CONTEXT: "mpitest-missing" } },
    "--context over DOCKER_HOST": { flags: ["--context", "mpitest"], env: { DOCKER_HOST: WRONG } },
    "DOCKER_CONTEXT": { env: { DOCKER_CONTEXT: "mpitest" } },
    "TCP": { flags: ["--host", relay.host], env: { DOCKER_HOST: WRONG } },
  };
  const found = await clients();
  if (found.length < 2) tell(`ONLY ONE docker client is here, ${found[0]?.version}: no other is tested`);
  try {
    for (const client of found) {
      for (const [way, settings] of Object.entries(ways)) {
        await t.step(`${way}, ${client.version}`, () => use(client, settings));
      }
    }
  } finally {
    await world.docker(["context", "rm", "--force", "mpitest"]);
  }

  async function use({ path }: Client, { flags = [], env = {} }: typeof ways[string]): Promise<void> {
    // An empty DOCKER_HOST counts as set to an old client: the variable has to go.
    const words = ["-u", "DOCKER_HOST", ...Object.entries(env).map((pair) => pair.join("=")), path, ...flags, "mpi"];
    const mpi = async (...args: string[]) => await expectOk(world.docker([...words, ...args], { docker: "env" }));
    const deploy = ["--cluster", "mpitest", "--image", IMAGE];
    assert.equal((await mpi("ls", "-q")).stdout, "mpitest\n");
    assert.equal((await mpi("deploy", ...deploy)).stdout, 'Cluster "mpitest" answers: 3 nodes, 3 slots\n');
    assert.deepEqual((await mpi("run", "./mpi_hello_world")).stdout.trim().split("\n").sort(), [
      "Hello from rank 0 of 3 on master",
      "Hello from rank 1 of 3 on worker-1",
      "Hello from rank 2 of 3 on worker-2",
    ]);
    assert.equal((await mpi("exec", "--host", "worker-1", "hostname")).stdout, "worker-1\n");
  }
});
