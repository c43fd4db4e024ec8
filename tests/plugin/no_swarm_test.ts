/** Engines that are in no swarm, or not a manager of one: every command says so, and what to do. No engine is needed. */
import assert from "node:assert/strict";
import { type EngineSocket, engineWithSwarm, SWARM } from "../support/engine_socket.ts";
import { type Outcome, run } from "../support/cli.ts";

/** Every command that needs a manager. */
const MANAGED = ["deploy", "ls", "config", "status", "inspect", "key create"];

/** Every command that needs a cluster besides. */
const CLUSTERED = [
  ...[
    "run x",
    "exec x",
    "login",
    "login --print",
    "hosts",
    "scale 1",
    "rm",
    "ps",
    "logs",
    "cp /etc/hostname .",
    "sync .",
  ],
  ...["jobs", "jobs ls", "jobs logs x", "jobs attach x", "jobs wait x", "jobs cancel x", "jobs rm x", "jobs inspect x"],
  ...["key export"],
];

/** The command's name, and the status of an error of ours: another one where it hands on a program's. */
function named(line: string): { name: string; code: number } {
  const [first = "", second = ""] = line.split(" ");
  const name = ["jobs", "key"].includes(first) && second !== "" ? `${first} ${second}` : first;
  return { name, code: ["run", "exec", "jobs attach", "jobs wait"].includes(name) ? 125 : 1 };
}

const swarms: [state: keyof typeof SWARM, message: string, hint: string][] = [
  ["inactive", "The Docker engine is in no swarm", "docker swarm init"],
  [
    "worker",
    "This engine is a worker of its swarm; the managers are: 10.9.0.1:2377, 10.9.0.3:2377",
    "docker -H ssh://10.9.0.1 mpi ls",
  ],
  ["locked", "The swarm is locked", "docker swarm unlock"],
  ["pending", 'The engine\'s swarm is "pending"; it must be active', "docker info  # shows why"],
  ["error", 'The engine\'s swarm is "error"; it must be active', "docker info  # shows why"],
];

async function mpi(engine: EngineSocket, line: string, cwd: string): Promise<Outcome> {
  return await run(["mpi", ...line.split(" ")], {
    endpoint: engine.endpoint,
    cwd: () => cwd,
    configDir: () => `${cwd}/docker`,
  });
}

for (const [state, message, hint] of swarms) {
  Deno.test(`an engine whose swarm is "${state}" must be told by every command, which changes nothing`, async () => {
    await using engine = await engineWithSwarm(SWARM[state]);
    const cwd = await Deno.makeTempDir({ prefix: "mpi-no-swarm-" });
    try {
      for (const line of [...MANAGED, ...CLUSTERED]) {
        const { name, code } = named(line);
        const err = `docker mpi ${name}: ${message}\nhint: ${hint}\n`;
        assert.deepEqual(await mpi(engine, line, cwd), { code, out: "", err });
      }
      assert.deepEqual(engine.requests.filter((request) => !request.startsWith("GET ")), []);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(cwd)), []);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  });
}

Deno.test("a swarm without a cluster must be told by every command that needs one", async () => {
  await using engine = await engineWithSwarm(SWARM.manager);
  const cwd = await Deno.makeTempDir({ prefix: "mpi-no-swarm-" });
  try {
    const hint = "hint: docker mpi deploy  # in a project's directory; docker mpi init hello makes a project\n";
    for (const line of CLUSTERED) {
      const { name, code } = named(line);
      const err = `docker mpi ${name}: No cluster runs in this swarm\n${hint}`;
      assert.deepEqual(await mpi(engine, line, cwd), { code, out: "", err });
    }
    await Deno.writeTextFile(`${cwd}/mpi.yaml`, "name: cfd\n");
    assert.deepEqual(await mpi(engine, "hosts", cwd), {
      code: 1,
      out: "",
      err: `docker mpi hosts: Cluster "cfd" is not deployed, and no other runs in this swarm\n${hint}`,
    });
    assert.deepEqual(await mpi(engine, "ls -q", cwd), { code: 0, out: "", err: "" });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
