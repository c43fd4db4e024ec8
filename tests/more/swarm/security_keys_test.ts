/** Where private keys are, and where they must never be. */
import assert from "node:assert/strict";
import { watchProcesses } from "../../support/process_watch.ts";
import {
  bothNodes,
  holdsNoKey,
  inside,
  keyDirectory,
  type PrivateKeys,
  privateKeys,
  secretLines,
} from "../../support/security.ts";
import { expectOk, IMAGE, openWorld, type World } from "../../support/swarm.ts";

/** Stands for the docker command, and writes down how it was started. */
const RECORDER = `#!/bin/bash
tr '\\0' '\\n' <"/proc/$$/cmdline" >>"$RECORDED"
tr '\\0' '\\n' <"/proc/$$/environ" >>"$RECORDED"
exec -a "$0" docker "$@"
`;

Deno.test("a cluster's private keys must be where they are needed and nowhere else", async (t) => {
  await using world = await openWorld();
  await using watch = watchProcesses();
  // What is over in no time, a watch can miss; so all that the plugin starts, which is docker, is written down as well.
  const recorder = { docker: `${world.project}/recorder`, log: `${world.project}/recorded` };
  await Deno.writeTextFile(recorder.docker, RECORDER, { mode: 0o755 });
  const said: string[] = [];
  const mpi = async (...args: string[]) => {
    const { stdout, stderr } = await expectOk(
      world.docker(["mpi", ...args], { seconds: 120, docker: recorder.docker, env: { RECORDED: recorder.log } }),
    );
    said.push(stdout + stderr);
  };
  await using cluster = await world.cluster(1);
  const nodes = await bothNodes(world);
  const keys = await privateKeys(world, nodes);

  await t.step("each is a key of its own", () => {
    assert.equal(new Set(Object.values(keys).map((key) => secretLines(key).join())).size, 4);
  });

  await t.step(
    "none is in the arguments or the environment of a process, on either side, or in what is said",
    async () => {
      await mpi("deploy", "--image", IMAGE, "--workers", "1");
      await mpi("run", "./mpi_hello_world");
      await mpi("exec", "--all", "hostname");
      await mpi("scale", "2");
      await mpi("scale", "1");
      await mpi("deploy", "--image", IMAGE, "--rotate-keys");
      const recorded = await Deno.readTextFile(recorder.log);
      assert.match(recorded, /\nstack\ndeploy\n/);
      const seen = [...watch.seen, recorded];
      const newKeys = await privateKeys(world, await bothNodes(world));
      assert.notEqual(newKeys.user, keys.user);
      // That it was looked at all: the plugin, what it starts, and the nodes where this machine has them.
      for (const sign of [/docker-mpi\nmpi\ndeploy\n/, /DOCKER_CONFIG=/]) {
        assert.ok(seen.some((text) => sign.test(text)), `no process was seen with ${sign}`);
      }
      for (const each of [keys, newKeys]) {
        for (const text of seen) holdsNoKey(text, each, `a process: ${text.slice(0, 80)}`);
        for (const text of said) holdsNoKey(text, each, `what the plugin said: ${text.slice(0, 80)}`);
      }
    },
  );

  await t.step("none is in what Docker shows, in logs, or in a node's processes", async () => {
    const now = await bothNodes(world);
    const current = await privateKeys(world, now);
    const everyProcess = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'";
    const shown: [what: string, text: string][] = [
      ["inspect", (await expectOk(world.docker(["inspect", ...await objects(world)]))).stdout],
      ["tasks", (await expectOk(world.docker(["stack", "ps", "--no-trunc", cluster.name]))).stdout],
      ["logs", (await expectOk(world.docker(["mpi", "logs"]))).stdout],
      ["config", (await expectOk(world.docker(["mpi", "config"]))).stdout],
      ["the master's processes", await inside(world, now.master, everyProcess)],
      ["the worker's processes", await inside(world, now.worker, everyProcess)],
    ];
    for (const [what, text] of shown) {
      assert.ok(text.length > 100, `${what}: ${text}`);
      holdsNoKey(text, current, what);
    }
  });

  await t.step("none is in a file of a node but those of the swarm, nor in the build context", async () => {
    const now = await bothNodes(world);
    const current = await privateKeys(world, now);
    for (const id of Object.values(now)) {
      assert.equal(await filesWith(world, id, current), "");
    }
    const { stdout } = await new Deno.Command("grep", { args: ["-rl", "PRIVATE KEY", world.project] }).output();
    assert.equal(new TextDecoder().decode(stdout), "", "a key in the build context");
  });

  await t.step("files with keys can be read by their owner alone", async () => {
    const now = await bothNodes(world);
    const list = "stat -c '%n %a %U %G' /run/secrets/*";
    const hostKey = "/run/secrets/host_key 400 mpi mpi\n";
    assert.equal(await inside(world, now.master, list), `/run/secrets/cluster_key 400 mpi mpi\n${hostKey}`);
    assert.equal(await inside(world, now.worker, list), hostKey);
    const directory = await keyDirectory(world);
    const mode = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assert.equal(await mode(directory), 0o700);
    const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
    assert.ok(names.includes("id_ed25519"), `${names}`);
    for (const name of names) assert.equal(await mode(`${directory}/${name}`), 0o600, name);
  });
});

/** The ids of all that Docker has of the cluster. */
async function objects(world: World): Promise<string[]> {
  const label = "label=com.docker.stack.namespace=mpitest";
  const ids = async (...args: string[]) =>
    (await expectOk(world.docker([...args, "--filter", label]))).stdout.trim().split("\n").filter(Boolean);
  assert.deepEqual(await ids("config", "ls", "-q"), []);
  const kinds = { service: 2, secret: 3, network: 1 };
  const all = await ids("ps", "-aq");
  assert.ok(all.length >= 2, `${all.length} containers`);
  for (const [kind, count] of Object.entries(kinds)) {
    const found = await ids(kind, "ls", "-q");
    assert.equal(found.length, count, kind);
    all.push(...found);
  }
  return all;
}

/** The files of a node in which one of these keys is, other than the swarm's mounts. */
async function filesWith(world: World, id: string, keys: PrivateKeys): Promise<string> {
  const patterns = Object.values(keys).map((key) => secretLines(key)[0]).join("\n") + "\n";
  const places = "/run /tmp /project /etc /var /dev/shm";
  return await inside(world, id, `grep -rlFf - --exclude-dir=secrets ${places} 2>/dev/null || :`, patterns);
}
