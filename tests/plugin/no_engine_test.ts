/** No engine, no permission, an engine that says nothing: one clear error each. No swarm is needed. */
import assert from "node:assert/strict";
import { dialer } from "../../cli/docker/dial_stdio.ts";
import { openEngine } from "../../stack/engine/engine.ts";
import { engineSocket } from "../support/engine_socket.ts";
import { clientsToTest, type Ended, root, sh } from "../support/plugin_cli.ts";

/** Docker's folders with the plugin of this checkout in it. */
async function openWorld() {
  const path = await Deno.makeTempDir({ prefix: "mpi-no-engine-" });
  await Deno.mkdir(`${path}/cli-plugins`);
  const script =
    `#!/bin/sh\nexec '${Deno.execPath()}' run -A --quiet --config '${root}/deno.json' '${root}/mod.ts' "$@"\n`;
  await Deno.writeTextFile(`${path}/cli-plugins/docker-mpi`, script, { mode: 0o755 });
  const env = { DOCKER_CONFIG: path, DOCKER_HOST: "", DOCKER_CONTEXT: "" };
  return {
    path,
    run: (docker: string, args: string[], before: string[] = []): Promise<Ended> => {
      const [command = docker, ...rest] = [...before, docker, ...args];
      return sh(command, rest, env, path);
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A socket file that nobody listens on, as a dead engine leaves it. */
async function deadSocket(folder: string): Promise<string> {
  const path = `${folder}/dead.sock`;
  const listener = Deno.listen({ transport: "unix", path: `${folder}/alive.sock` });
  // Deno removes a socket's file with the listener, but not its second name.
  await Deno.link(`${folder}/alive.sock`, path);
  listener.close();
  return path;
}

/** A socket where something answers that is no engine. */
function talkingSocket(folder: string): { path: string } & Disposable {
  const path = `${folder}/talker.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode("This account is currently not available.\n")).catch(() => {});
      connection.close();
    }
  })();
  return { path, [Symbol.dispose]: () => listener.close() };
}

/** A port of this machine that nobody listens on. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

const hint = (flags: string) =>
  `hint: docker${flags} info  # shows why; start Docker, or choose another engine: docker --context NAME mpi ls\n`;

for (const { path: docker, version } of await clientsToTest()) {
  Deno.test(`docker ${version}: no engine must end with one error and a remedy`, async () => {
    await using world = await openWorld();
    const missing = `${world.path}/missing.sock`;
    const dead = await deadSocket(world.path);
    const port = closedPort();
    using talker = talkingSocket(world.path);
    const cases: [host: string, why: string][] = [
      [`unix://${missing}`, "there is no such socket"],
      [`unix://${dead}`, "nobody listens on that socket"],
      [`tcp://127.0.0.1:${port}`, "connection refused"],
      [`unix://${talker.path}`, "what answers there is no Docker engine"],
      ["tcp://nowhere.invalid:2375", "there is no such host"],
    ];
    for (const [host, why] of cases) {
      assert.deepEqual(await world.run(docker, ["-H", host, "mpi", "ls"]), {
        code: 1,
        out: "",
        err: `docker mpi ls: No Docker engine answers at "${host}": ${why}\n${hint(` -H ${host}`)}`,
      });
    }
    // Under run, 1 would be the program's own status.
    assert.deepEqual(await world.run(docker, ["-H", `unix://${missing}`, "mpi", "run", "./hello"]), {
      code: 125,
      out: "",
      err: `docker mpi run: No Docker engine answers at "unix://${missing}": there is no such socket\n${
        hint(` -H unix://${missing}`)
      }`,
    });
  });

  Deno.test(`docker ${version}: a socket that we may not use must be told from one that isn't there`, async () => {
    await using world = await openWorld();
    const socket = `${world.path}/closed.sock`;
    using _listener = Deno.listen({ transport: "unix", path: socket });
    const root = Deno.uid() === 0;
    // Root may all, unless it gives that right up.
    await Deno.chmod(socket, root ? 0o600 : 0);
    if (root) await Deno.chown(socket, 65_534, 65_534);
    const right = "-dac_override,-dac_read_search";
    const weak = root ? ["setpriv", `--bounding-set=${right}`, `--inh-caps=${right}`, "--"] : [];
    assert.deepEqual(await world.run(docker, ["-H", `unix://${socket}`, "mpi", "ls"], weak), {
      code: 1,
      out: "",
      err: `docker mpi ls: No permission to talk to the Docker engine at "unix://${socket}"\n` +
        "hint: sudo usermod -aG docker $USER  # and a new login let you use Docker\n",
    });
  });

  Deno.test(`docker ${version}: a context that isn't there must be named`, async () => {
    await using world = await openWorld();
    const { code, out, err } = await world.run(docker, ["--context", "gone", "mpi", "ls"]);
    assert.deepEqual([code, out], [1, ""]);
    // Old clients look it up before they start us.
    const [start, end] = parseInt(version) < 23
      ? ["", "\n"]
      : ["docker mpi ls: Docker can't say which engine to use: ", "\nhint: docker context ls\n"];
    assert.ok(err.startsWith(start) && err.endsWith(end), err);
    assert.match(err, /context "gone"[^\n]* (not found|does not exist)/);
  });
}

Deno.test("an engine that takes the connection and never answers must be given up, on a socket", async () => {
  await using engine = await engineSocket(() => undefined);
  const { connection, host } = await engine.endpoint();
  await assert.rejects(openEngine({ host, connection, patience: 300 }).info(), {
    code: "engine",
    message: `No Docker engine answers at "${host}": nothing came within 0.3 s`,
    hint: "docker info  # shows why; start Docker, or choose another engine: docker --context NAME mpi ls",
  });
  assert.deepEqual(engine.requests, ["GET /info"]);
});

Deno.test("a user who gives up is heard while an engine is silent; what tidies up after that has its time", async () => {
  await using engine = await engineSocket(() => undefined);
  const { connection, host } = await engine.endpoint();
  const user = new AbortController();
  const client = openEngine({ host, connection, patience: 1000, signal: user.signal });
  const asked = client.info();
  user.abort(new Error("enough"));
  await assert.rejects(asked, /enough/);
  await assert.rejects(client.info(), /nothing came within 1 s/);
});

Deno.test("an engine that takes the connection and never answers must be given up, behind docker's dial-stdio", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const taking = (async () => {
    for await (const connection of listener) taken.push(connection);
  })();
  const host = `tcp://127.0.0.1:${listener.addr.port}`;
  const { agent, close } = dialer({ command: "docker", globals: ["-H", host] });
  try {
    await assert.rejects(openEngine({ host, connection: { agent }, patience: 2000 }).info(), {
      code: "engine",
      message: `No Docker engine answers at "${host}": nothing came within 2 s`,
    });
    assert.ok(taken.length > 0, "it was never connected to");
  } finally {
    await close();
    listener.close();
    for (const connection of taken) connection.close();
    await taking;
  }
});

Deno.test("what answers and is no Docker engine must be told", async () => {
  await using server = await engineSocket(() => ({ status: 404, message: "page not found" }));
  const { connection, host } = await server.endpoint();
  await assert.rejects(openEngine({ host, connection }).info(), {
    code: "engine",
    message: "The Docker engine refuses: page not found",
  });
});
