/** The installed plugin under each docker command of this machine. No engine is needed. */
import assert from "node:assert/strict";
import { metadata, VERSION } from "../../cli/docker/metadata.ts";
import { clientsToTest, root, sh, tempConfig } from "../support/plugin_cli.ts";

const config = await tempConfig();
const { env } = config;
const plugin = `${config.path}/cli-plugins/docker-mpi`;

Deno.test.beforeAll(async () => {
  const { code, err } = await sh(Deno.execPath(), ["run", "-A", "cli/plugin/install.ts"], env);
  assert.equal(code, 0, err);
  assert.match(err, /^Installed .*\/cli-plugins\/docker-mpi \((compiled|a launcher)/m);
});
Deno.test.afterAll(async () => await config[Symbol.asyncDispose]());

Deno.test("the plugin answers for its metadata without Deno, and so at once", async () => {
  const { code, out, err } = await sh(plugin, ["docker-cli-plugin-metadata"], env);
  assert.deepEqual([code, JSON.parse(out), err], [0, metadata, ""]);
  const text = await Deno.readTextFile(plugin);
  if (!text.startsWith("#!/bin/sh")) return;
  const blind = text.replace(/^deno='.*'$/m, "deno=/nowhere");
  await Deno.writeTextFile(`${config.path}/blind`, blind, { mode: 0o755 });
  const bare = { ...env, PATH: "/nowhere" };
  assert.deepEqual(JSON.parse((await sh(`${config.path}/blind`, ["docker-cli-plugin-metadata"], bare)).out), metadata);
  const lost = await sh(`${config.path}/blind`, ["mpi", "version"], bare);
  assert.deepEqual([lost.code, lost.out], [1, ""]);
  assert.match(lost.err, /^docker mpi: Cannot find Deno, which runs this plugin\nhint: .*\n$/);
});

Deno.test("mod.ts gives the same metadata", async () => {
  const { out } = await sh(Deno.execPath(), ["run", `${root}/mod.ts`, "docker-cli-plugin-metadata"]);
  assert.deepEqual(JSON.parse(out), metadata);
});

Deno.test("the plugin runs without docker in front", async () => {
  const unplugged = { ...env, DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: "" };
  assert.deepEqual(await sh(plugin, ["version", "--short"], unplugged), { code: 0, out: `${VERSION}\n`, err: "" });
});

for (const { path: docker, version, major } of await clientsToTest()) {
  const run = (...args: string[]) => sh(docker, args, env);

  Deno.test(`docker ${version} lists the plugin`, async () => {
    assert.match((await run("--help")).out, /^ {2}mpi\* +MPI clusters on Docker Swarm/m);
    const { out } = await run("info");
    assert.match(out, new RegExp(`mpi: MPI clusters on Docker Swarm \\(docker-mpi`));
  });

  Deno.test(`docker ${version} shows our help, however it is asked`, async () => {
    const { code, out, err } = await run("mpi", "--help");
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^Usage: {2}docker mpi \[OPTIONS\] COMMAND\n/);
    for (const args of [["mpi"], ["help", "mpi"], ["mpi", "-h"], ["--log-level", "info", "mpi"]]) {
      assert.deepEqual(await run(...args), { code, out, err }, args.join(" "));
    }
    const leaf = await run("mpi", "version", "--help");
    assert.match(leaf.out, /^Usage: {2}docker mpi version \[OPTIONS\]\n/);
    assert.deepEqual(await run("help", "mpi", "version"), leaf);
  });

  Deno.test(`docker ${version} may have global flags before the word, and debug after it`, async () => {
    const out = `docker mpi version ${VERSION}, Deno ${Deno.version.deno}\n`;
    const lines = ["-l error mpi version", "-H unix:///nowhere mpi version", "mpi version -D", "mpi -D version"];
    for (const line of lines) assert.deepEqual(await run(...line.split(" ")), { code: 0, out, err: "" }, line);
  });

  Deno.test(`docker ${version} passes on errors and statuses`, async () => {
    const command = await run("mpi", "verson");
    assert.deepEqual([command.code, command.out], [1, ""]);
    assert.match(command.err, /^docker: unknown command: docker mpi verson\nDid you mean "version"\?\n\nUsage:/);
    const flag = await run("mpi", "version", "--shrt");
    const err = 'unknown flag: --shrt\nDid you mean "--short"?\n\nUsage:  docker mpi version [OPTIONS]\n\n' +
      "Run 'docker mpi version --help' for more information\n";
    assert.deepEqual(flag, { code: 125, out: "", err });
  });

  Deno.test(`docker ${version} hands us a broken pipe, and nobody hears of it`, async () => {
    const { out, err } = await sh("bash", ["-c", `'${docker}' mpi --help | true; echo \${PIPESTATUS[0]}`], env);
    assert.deepEqual([out, err], ["141\n", ""]);
  });

  // Older clients complete no plugins.
  if (major < 23) continue;
  Deno.test(`docker ${version} completes our commands and flags`, async () => {
    const { code, out } = await run("__complete", "mpi", "vers");
    assert.deepEqual([code, out], [0, "version\tShow the version of docker mpi\n:4\n"]);
    assert.equal((await run("__complete", "mpi", "version", "--format", "")).out, "table\njson\n:4\n");
    assert.equal(
      (await run("__complete", "mpi", "version", "--sh")).out,
      "--short\tShow the version number alone\n:4\n",
    );
    assert.match((await run("__complete", "mp")).out, /^mpi\t/);
  });
}
