/** A cluster that is used from a second machine: with the first one's key, or with one of its own. */
import assert from "node:assert/strict";
import { expectOk, IMAGE, openWorld, type World } from "../../support/swarm.ts";

/** A second machine is one that has the plugin and none of the keys. */
async function secondMachine(world: World): Promise<{ config: string } & AsyncDisposable> {
  const config = await Deno.makeTempDir({ prefix: "mpitest-machine-" });
  await Deno.mkdir(`${config}/cli-plugins`);
  await Deno.copyFile(`${world.config}/cli-plugins/docker-mpi`, `${config}/cli-plugins/docker-mpi`);
  return { config, [Symbol.asyncDispose]: () => Deno.remove(config, { recursive: true }) };
}

Deno.test("a second machine must get in by a key that it was given, or one that was added, and by no other", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(1);
  await using machine = await secondMachine(world);
  const here = (...args: string[]) => world.docker(["mpi", ...args], { seconds: 120 });
  const there = (args: string[], stdin?: string) =>
    world.docker(["mpi", ...args], { env: { DOCKER_CONFIG: machine.config }, seconds: 120, stdin: stdin ?? "" });
  const file = `${world.project}/bob.pub`;
  const deploy = ["deploy", "--image", IMAGE, "--progress", "plain"];

  await t.step("without a key it is told of both ways", async () => {
    const { code, stderr } = await there(["exec", "hostname"]);
    assert.equal(code, 125);
    assert.match(
      stderr,
      /^docker mpi exec: This machine has no key for cluster "mpitest": nothing in \S+\nhint: docker mpi key create .*--add-key/,
    );
    assert.equal((await there([...deploy, "--workers", "1"])).code, 1, "nor does it deploy");
  });

  await t.step("with the first machine's key", async () => {
    const { stdout: key } = await expectOk(here("key", "export"));
    assert.deepEqual(await there(["key", "import"], key), { code: 0, stdout: "mpitest\n", stderr: "" });
    assert.equal((await expectOk(there(["exec", "hostname"]))).stdout, "master\n");
    await Deno.remove(`${machine.config}/mpi`, { recursive: true });
  });

  await t.step("with a key of its own, once it is added; workers are not restarted for that", async () => {
    const { stdout } = await expectOk(there(["key", "create"]));
    assert.match(stdout, /^ssh-ed25519 \S+ mpitest-user\n$/);
    assert.equal((await there(["exec", "hostname"])).code, 125, "not yet");
    await Deno.writeTextFile(file, stdout);
    const worker = async () => (await expectOk(here("ps", "--format", "{{.Name}} {{.Task}}"))).stdout.split("\n")[1];
    const before = await worker();
    const { stderr } = await expectOk(here(...deploy, "--add-key", file));
    assert.match(stderr, /^master: warning: restarts to take a further key; programs that run end$/m);
    assert.equal(await worker(), before);
    for (const machine of [here, (...args: string[]) => there(args)]) {
      assert.equal((await expectOk(machine("exec", "hostname"))).stdout, "master\n");
    }
  });

  await t.step("it deploys as well, and what was added stays", async () => {
    const { stderr } = await expectOk(there([...deploy, "--workers", "2"]));
    assert.doesNotMatch(stderr, /^master: /m);
    for (const machine of [here, (...args: string[]) => there(args)]) {
      assert.equal((await expectOk(machine("hosts", "-q"))).stdout, "master\nworker-1\nworker-2\n");
    }
  });

  await t.step("new keys are those of the machine that made them alone", async () => {
    const { stdout: dropped } = await expectOk(there(["key", "export"]));
    await expectOk(here(...deploy, "--rotate-keys"));
    assert.equal((await expectOk(here("exec", "hostname"))).stdout, "master\n");
    assert.match((await there(["exec", "hostname"])).stderr, /was deployed with a key that this machine does not have/);
    const { code, stderr } = await there(["key", "import"], dropped);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^docker mpi key import: The key in standard input does not open cluster "mpitest": it is SHA256:/,
    );
  });
});
