/** The examples of docstrings that need an engine: each runs as it stands there, on a swarm where the cluster "hello" runs. */
import assert from "node:assert/strict";
import { root, sh } from "../support/plugin_cli.ts";
import { expectOk, openWorld } from "../support/swarm.ts";

interface Example {
  title: string;
  folder: string;
  code: string;
}

/** Every example that `deno test --doc` leaves out. */
async function examples(folder: string): Promise<Example[]> {
  const found: Example[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await examples(`${folder}/${name}`));
    else found.push(...examplesOf(await Deno.readTextFile(`${folder}/${name}`), folder));
  }
  return found;
}

function examplesOf(source: string, folder: string): Example[] {
  return [...source.matchAll(/@example (.+)\n \* ```ts ignore\n((?: \*.*\n)*?) \* ```\n/g)].map(([, title, code]) => ({
    title: title!,
    folder,
    code: code!.replace(/^ \* ?/gm, ""),
  }));
}

Deno.test("examples that need an engine must run as they stand in the docstrings", async (t) => {
  await using world = await openWorld();
  await expectOk(world.docker(["tag", world.image, "hello:latest"]));
  await using _cluster = await world.cluster(2, { name: "hello", port: 2300 });
  const found = await examples(`${root}/stack`);
  assert.ok(found.length >= 6, "there are none any more, or the test does not find them");
  const file = (at: number) => `${world.project}/example_${at}.ts`;
  const deno = async (command: string, ...args: string[]) => {
    const env = { DOCKER_CONFIG: world.config, NO_COLOR: "1" };
    const { code, err } = await sh(
      Deno.execPath(),
      [command, "--quiet", "--config", `${root}/deno.json`, ...args],
      env,
    );
    assert.deepEqual([code, err], [0, ""]);
  };
  for (const [at, { folder, code }] of found.entries()) {
    await Deno.writeTextFile(file(at), code.replace(/(?<=from ")(?=\.\.?\/)/g, `${folder}/`));
  }
  await t.step("types", () => deno("check", ...found.keys().map(file)));
  for (const [at, { title }] of found.entries()) {
    await t.step(title, () => deno("run", "--no-check", "--allow-all", file(at)));
  }
});
