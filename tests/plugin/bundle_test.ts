/** What the bundled program can do with the launcher's permissions, and what it can't. No engine is needed. */
import assert from "node:assert/strict";
import { launcher } from "../../cli/plugin/build.ts";
import { bundle } from "../../cli/plugin/bundle.ts";
import { root, sh } from "../support/plugin_cli.ts";

const folder = await Deno.makeTempDir({ prefix: "docker-mpi-bundle-" });
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

/** Makes a launcher with another program in it, and runs it as Docker would. */
async function launch(entry: string, env: Record<string, string> = {}, args: string[] = []) {
  const path = `${folder}/${crypto.randomUUID()}`;
  const banner = (await launcher()).replace("@DENO@", Deno.execPath());
  await Deno.writeTextFile(path, await bundle(banner, entry), { mode: 0o755 });
  return await sh(path, args, env);
}

async function launchText(program: string, env: Record<string, string> = {}, args: string[] = []) {
  const entry = `${folder}/${crypto.randomUUID()}.ts`;
  await Deno.writeTextFile(entry, program);
  return await launch(entry, env, args);
}

Deno.test("arguments reach the bundled program as they are, also those that end in a carriage return", async () => {
  const program =
    `import { givenArgs } from "${root}/cli/command_line/args.ts"; console.log(JSON.stringify(givenArgs(Deno.args)));`;
  const args = [
    "a\r",
    "\r",
    "\r\r",
    "b\r\n",
    "",
    "-x",
    "\r\uf8ff",
    "c\r\uf8ff\uf8ff",
    "\uf8ff",
    "'\"$HOME\\ *\r",
    "é\n",
  ];
  assert.deepEqual(JSON.parse((await launchText(program, {}, args)).out), args);
});

Deno.test("SSH works in the bundled program", async () => {
  assert.deepEqual(await launch(`${root}/tests/support/ssh_probe.ts`), { code: 7, out: "ran hello\n", err: "" });
});

Deno.test("the bundled program sees Docker's settings and ours, and no other variable", async () => {
  const program = 'for (const n of ["DOCKER_X", "MPI_X", "HOME", "SECRET"]) console.log(Deno.env.get(n));';
  const env = { DOCKER_X: "1", MPI_X: "2", HOME: "/h", SECRET: "3" };
  assert.equal((await launchText(program, env)).out, "1\n2\n/h\nundefined\n");
});

Deno.test("the bundled program may start the docker command and nothing else", async () => {
  await Deno.writeTextFile(`${folder}/my docker`, "#!/bin/sh\necho docker\n", { mode: 0o755 });
  const program = `const show = (name: string) => {
    try {
      console.log(new TextDecoder().decode(new Deno.Command(name).outputSync().stdout).trim());
    } catch (error) {
      console.log((error as Error).name);
    }
  };
  show(Deno.env.get("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND")!);
  show("/bin/sh");`;
  const env = { DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: `${folder}/my docker` };
  assert.deepEqual(await launchText(program, env), { code: 0, out: "docker\nNotCapable\n", err: "" });
});

Deno.test("the bundled program may load no machine code and nothing from the network, and ask for no more", async () => {
  const program = `const attempts = {
    ffi: () => Deno.dlopen("libc.so.6", {}),
    import: () => import(["https://jsr.io", "other.mjs"].join("/")),
    hostname: () => Deno.hostname(),
    networks: () => Deno.networkInterfaces(),
    preload: () => new Deno.Command("docker", { env: { LD_PRELOAD: "/x.so" } }).outputSync(),
    more: async () => { throw new Error((await Deno.permissions.request({ name: "ffi" })).state); },
  };
  const why = (error: Error) => /^denied|--no-remote/.exec(error.message)?.[0] ?? error.name;
  for (const [name, attempt] of Object.entries(attempts)) {
    console.log(name, await Promise.try<unknown, []>(attempt).then(() => "done", why));
  }`;
  const { out } = await launchText(program);
  assert.deepEqual(out.trim().split("\n"), [
    "ffi NotCapable",
    "import --no-remote",
    "hostname NotCapable",
    "networks NotCapable",
    "preload NotCapable",
    "more denied",
  ]);
});

Deno.test("a docker command that isn't there is one clear error in the bundled program too", async () => {
  const program = `import { dockerCommand } from "${root}/cli/docker/docker.ts";
  const docker = dockerCommand({ command: "/nowhere/docker", globals: [], signal: new AbortController().signal });
  await Promise.try(() => docker.run([])).catch(({ code, message }) => console.log(code, message));`;
  const out = 'engine Cannot start the docker command "/nowhere/docker"\n';
  const env = { DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: "/nowhere/docker" };
  assert.deepEqual(await launchText(program, env), { code: 0, out, err: "" });
});

Deno.test("the bundled program has its templates and images with it", async () => {
  const program = `import { embedded } from "${root}/cli/assets_embedded.ts";
  console.log(embedded?.map(({ path }: { path: string }) => path).filter((path: string) => path.startsWith("examples/hello/")).join(" "));`;
  const { out } = await launchText(program);
  assert.equal(
    out,
    "examples/hello/Dockerfile examples/hello/README.md examples/hello/mpi.yaml examples/hello/project/mpi_hello_world.c\n",
  );
});
