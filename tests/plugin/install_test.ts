/** Installing, and what is left after the checkout, or the plugin, has gone. No engine is needed. */
import assert from "node:assert/strict";
import { VERSION } from "../../cli/docker/metadata.ts";
import { clients, root, sh, tempConfig } from "../support/plugin_cli.ts";

const PARTS = ["mod.ts", "deno.json", "deno.lock", "cli", "stack", "images", "examples"];
const [client] = await clients();
const docker = client?.path ?? "docker";

/** Every file below a folder. */
async function filesIn(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await filesIn(`${folder}/${name}`, `${prefix}${name}/`));
    else found.push(prefix + name);
  }
  return found.sort();
}

/** Copies the checkout, with a Deno inside as `./dev` puts it there. */
async function copyCheckout(): Promise<{ path: string; deno: string }> {
  const path = await Deno.makeTempDir({ prefix: "docker-mpi checkout é-" });
  await sh("cp", ["-a", ...PARTS.map((part) => `${root}/${part}`).filter((part) => exists(part)), path]);
  await Deno.mkdir(`${path}/.tools`);
  const deno = `${path}/.tools/deno`;
  await Deno.link(Deno.execPath(), deno).catch(() => Deno.copyFile(Deno.execPath(), deno));
  return { path, deno };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile || true;
  } catch {
    return false;
  }
}

Deno.test("the installed plugin needs nothing of the checkout, nor its Deno", async () => {
  await using config = await tempConfig();
  const checkout = await copyCheckout();
  const installed = await sh(checkout.deno, ["task", "install"], config.env, checkout.path);
  assert.equal(installed.code, 0, installed.err);
  const compiled = installed.err.includes("(compiled");
  const runtime = compiled ? [] : [`mpi/runtime/deno-${Deno.version.deno}`];
  assert.deepEqual(await filesIn(config.path), ["cli-plugins/docker-mpi", ...runtime]);
  await Deno.remove(checkout.path, { recursive: true });

  const env = { ...config.env, PATH: "/usr/bin:/bin" };
  const run = (...args: string[]) => sh(docker, args, env, config.path);
  const version = `docker mpi version ${VERSION}, Deno ${Deno.version.deno}\n`;
  assert.deepEqual(await run("mpi", "version"), { code: 0, out: version, err: "" });
  assert.equal((await run("mpi", "init", "project")).code, 0);
  const files = [".mpi.schema.json", ...await filesIn(`${root}/examples/hello`)];
  assert.deepEqual(await filesIn(`${config.path}/project`), files);
  const help = await run("mpi", "--help");
  assert.equal(help.code, 0);
  for (const [, name = ""] of help.out.matchAll(/^ {2}([a-z]+) {2,}[A-Z]/gm)) {
    assert.match((await run("mpi", name, "--help")).out, new RegExp(`^Usage:  docker mpi ${name} `), name);
  }
});

Deno.test("uninstall removes what install made, and nothing else", async () => {
  await using config = await tempConfig();
  const checkout = await copyCheckout();
  try {
    const others = ["cli-plugins/docker-other", "config.json", "mpi/keys/hello"];
    for (const folder of ["cli-plugins", "mpi/keys"]) await Deno.mkdir(`${config.path}/${folder}`, { recursive: true });
    for (const file of others) await Deno.writeTextFile(`${config.path}/${file}`, "{}");
    const task = (name: string) => sh(checkout.deno, ["task", name], config.env, checkout.path);
    assert.equal((await task("install")).code, 0);
    assert.equal((await task("install")).code, 0, "a second time");
    assert.ok((await filesIn(config.path)).includes("cli-plugins/docker-mpi"));
    assert.match((await task("uninstall")).err, /Removed .*\/cli-plugins\/docker-mpi\n/);
    assert.deepEqual(await filesIn(config.path), others);
    assert.match((await task("uninstall")).err, /There is no .*\/cli-plugins\/docker-mpi\n/);
  } finally {
    await Deno.remove(checkout.path, { recursive: true });
  }
});

Deno.test("install and uninstall leave a plugin of somebody else alone", async () => {
  await using config = await tempConfig();
  const plugin = `${config.path}/cli-plugins/docker-mpi`;
  const script = `#!/bin/sh\necho '{"SchemaVersion":"0.1.0","Vendor":"somebody"}'\n`;
  await Deno.mkdir(`${config.path}/cli-plugins`);
  await Deno.writeTextFile(plugin, script, { mode: 0o755 });
  for (const name of ["install", "uninstall"]) {
    const { code, err } = await sh(Deno.execPath(), ["run", "-A", `cli/plugin/${name}.ts`], config.env);
    assert.equal(code, 1);
    assert.ok(err.startsWith(`docker mpi: "${plugin}" exists and is not ours\nhint: move it away: mv `), err);
  }
  assert.equal(await Deno.readTextFile(plugin), script);
});
