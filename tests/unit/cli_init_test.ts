import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { TEMPLATES } from "../../cli/commands/init.ts";
import { readSettingsFile } from "../../stack/settings/file.ts";
import { DEFAULT_WORKERS } from "../../stack/settings/schema.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { run } from "../support/cli.ts";

const EXAMPLES = new URL("../../examples", import.meta.url).pathname;

const TEMPLATE = [".mpi.schema.json", "Dockerfile", "README.md", "mpi.yaml", "project/mpi_hello_world.c"];
const MORE = "README.md there says what it shows, and what to try\n";

/** Runs a test in a folder of its own, and counts what is in it. */
async function inFolder(test: (init: (args: string) => ReturnType<typeof run>, cwd: string) => Promise<void>) {
  const cwd = await Deno.makeTempDir();
  try {
    await test((args) => run(["mpi", "init", ...args.split(" ").filter(Boolean)], { cwd: () => cwd }), cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

async function filesIn(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) found.push(...await filesIn(`${folder}/${entry.name}`, `${prefix}${entry.name}/`));
    else found.push(prefix + entry.name);
  }
  return found.sort();
}

Deno.test("init makes a project, named after its directory, and says what comes next", () =>
  inFolder(async (init, cwd) => {
    const next = "Next: cd Heat_2 && docker mpi deploy --workers 5\n";
    const out = `Made the cluster project "heat-2" in "Heat_2"\n\n${next}${MORE}`;
    assert.deepEqual(await init("Heat_2"), { code: 0, out, err: "" });
    assert.deepEqual(await filesIn(`${cwd}/Heat_2`), TEMPLATE);
    assert.match(await Deno.readTextFile(`${cwd}/Heat_2/mpi.yaml`), /^name: heat-2$/m);
  }));

Deno.test("init works in the directory that is there, and takes a name", () =>
  inFolder(async (init, cwd) => {
    const out = `Made the cluster project "cfd" in "."\n\nNext: docker mpi deploy --workers 5\n${MORE}`;
    assert.deepEqual(await init("--cluster cfd"), { code: 0, out, err: "" });
    assert.deepEqual(await filesIn(cwd), TEMPLATE);
    assert.match(await Deno.readTextFile(`${cwd}/mpi.yaml`), /^name: cfd$/m);
    await init("--force --cluster true");
    assert.match(await Deno.readTextFile(`${cwd}/mpi.yaml`), /^name: "true"$/m);
  }));

Deno.test("init writes the MPI into the settings and into the Dockerfile", () =>
  inFolder(async (init, cwd) => {
    const lines = async () => [
      /^.*mpi: .*$/m.exec(await Deno.readTextFile(`${cwd}/mpi.yaml`))?.[0],
      /^ARG.*$/m.exec(await Deno.readTextFile(`${cwd}/Dockerfile`))?.[0],
    ];
    assert.equal((await init("--mpi openmpi")).code, 0);
    assert.deepEqual(await lines(), [
      "mpi: openmpi               # mpich or openmpi: which MPI the image is built with",
      "ARG MPI=openmpi",
    ]);
    assert.equal((await init("--force")).code, 0);
    assert.deepEqual(await lines(), [
      "# mpi: mpich               # mpich or openmpi: which MPI the image is built with",
      "ARG MPI=mpich",
    ]);
  }));

Deno.test("init writes a schema beside the settings, whose first line names it for editors", () =>
  inFolder(async (init, cwd) => {
    assert.equal((await init("hello")).code, 0);
    const [first = "", second] = (await Deno.readTextFile(`${cwd}/hello/mpi.yaml`)).split("\n");
    assert.match(second ?? "", /^# A cluster of docker mpi/);
    const [, name] = /^# yaml-language-server: \$schema=(\S+)$/.exec(first) ?? [];
    const schema = await Deno.readTextFile(`${cwd}/hello/${name}`);
    assert.deepEqual(await run(["mpi", "config", "--schema"]), { code: 0, out: schema, err: "" });
    const accepts = new Ajv({ allowUnionTypes: true, keywords: ["errorMessage"] }).compile(JSON.parse(schema));
    const settings = await Deno.readTextFile(`${cwd}/hello/mpi.yaml`);
    assert.ok(accepts(parse(settings)));
    // What is commented out are the defaults.
    const lines = settings.split("\n").slice(2).map((line) => line.replace(/^# /, "")).join("\n");
    assert.ok(accepts(parse(lines)), JSON.stringify(accepts.errors));
    const { faults, values } = readSettingsFile(lines);
    assert.deepEqual(faults, []);
    const { sources: _, ...defaults } = await resolveSettings({ directory: "/hello" });
    for (const key of ["name", "image", "slots", "port", "shm", "encrypted"] as const) {
      assert.equal(values[key]?.value, defaults[key], key);
    }
    assert.equal(values.workers?.value, DEFAULT_WORKERS);
  }));

Deno.test("init overwrites nothing", () =>
  inFolder(async (init, cwd) => {
    await Deno.mkdir(`${cwd}/p/project`, { recursive: true });
    await Deno.writeTextFile(`${cwd}/p/mpi.yaml`, "mine");
    await Deno.writeTextFile(`${cwd}/p/project/mpi_hello_world.c`, "mine");
    const err =
      'docker mpi init: "p" has "mpi.yaml", "project/mpi_hello_world.c" already, which would be overwritten\n' +
      "hint: choose another directory, or overwrite them with --force\n";
    assert.deepEqual(await init("p"), { code: 1, out: "", err });
    assert.deepEqual(await filesIn(`${cwd}/p`), ["mpi.yaml", "project/mpi_hello_world.c"]);
    assert.equal(await Deno.readTextFile(`${cwd}/p/mpi.yaml`), "mine");
  }));

Deno.test("init leaves a directory with other things in it alone", () =>
  inFolder(async (init, cwd) => {
    await Deno.mkdir(`${cwd}/p`);
    await Deno.writeTextFile(`${cwd}/p/README`, "mine");
    const err = 'docker mpi init: "p" is not empty\n' +
      "hint: choose another directory, or add the project to this one with --force\n";
    assert.deepEqual(await init("p"), { code: 1, out: "", err });
    assert.deepEqual(await filesIn(`${cwd}/p`), ["README"]);
  }));

Deno.test("init --force overwrites its own files and removes none", () =>
  inFolder(async (init, cwd) => {
    await Deno.mkdir(`${cwd}/p`);
    for (const name of ["README", "mpi.yaml"]) await Deno.writeTextFile(`${cwd}/p/${name}`, "mine");
    assert.equal((await init("--force p")).code, 0);
    assert.deepEqual(await filesIn(`${cwd}/p`), [...TEMPLATE, "README"].sort());
    assert.equal(await Deno.readTextFile(`${cwd}/p/README`), "mine");
    assert.match(await Deno.readTextFile(`${cwd}/p/mpi.yaml`), /^name: p$/m);
  }));

Deno.test("init says which templates there are", () =>
  inFolder(async (init, cwd) => {
    const { code, out, err } = await init("--template heap p");
    assert.deepEqual([code, out], [125, ""]);
    assert.equal(
      err,
      'docker mpi init: There is no template "heap", did you mean "heat"?\n' +
        "hint: templates are hello, pi, heat, solver, python, farm, hybrid\n",
    );
    assert.deepEqual(await filesIn(cwd), []);
  }));

Deno.test("init knows every project of examples/, in its help and for the shell as well", async () => {
  const names = Object.keys(TEMPLATES);
  const folders = (await Array.fromAsync(Deno.readDir(EXAMPLES))).map(({ name }) => name);
  assert.deepEqual(names.toSorted(), folders.sort());
  const help = (await run(["mpi", "init", "--help"])).out;
  const offered = (await run(["__complete", "mpi", "init", "--template", ""])).out;
  for (const [name, what] of Object.entries(TEMPLATES)) {
    assert.match(help, new RegExp(`^  ${name} +${what}$`, "m"));
    assert.match(offered, new RegExp(`^${name}\t${what}$`, "m"));
  }
});

for (const template of Object.keys(TEMPLATES)) {
  Deno.test(`init --template ${template} makes a project that is all of the example, with the name and the MPI it is given`, () =>
    inFolder(async (init, cwd) => {
      assert.equal((await init(`--template ${template} --mpi openmpi my-own`)).code, 0);
      const [made, example] = [`${cwd}/my-own`, `${EXAMPLES}/${template}`];
      const files = await filesIn(made);
      assert.deepEqual(files, [".mpi.schema.json", ...await filesIn(example)]);
      for (const file of files.filter((name) => ![".mpi.schema.json", "mpi.yaml", "Dockerfile"].includes(name))) {
        assert.deepEqual(await Deno.readFile(`${made}/${file}`), await Deno.readFile(`${example}/${file}`));
      }
      const settings = await Deno.readTextFile(`${made}/mpi.yaml`);
      assert.match(settings, /^name: my-own$/m);
      assert.match(settings, /^mpi: openmpi +#/m);
      assert.match(await Deno.readTextFile(`${made}/Dockerfile`), /^ARG MPI=openmpi$/m);
      assert.equal((await init(`--template ${template} --mpi mpich --force my-own`)).code, 0);
      assert.match(await Deno.readTextFile(`${made}/mpi.yaml`), /^mpi: mpich +#/m);
    }));
}

Deno.test("init says what a name has to look like", () =>
  inFolder(async (init, cwd) => {
    const err = 'docker mpi init: "A_B" cannot be the name of a cluster\n' +
      'hint: lower case letters, digits and "-", a letter first, for example --cluster a-b\n';
    assert.deepEqual(await init("--cluster A_B p"), { code: 125, out: "", err });
    assert.deepEqual(await filesIn(cwd), []);
  }));

Deno.test("init says why a place can't be used", () =>
  inFolder(async (init, cwd) => {
    await Deno.writeTextFile(`${cwd}/file`, "mine");
    for (const dir of ["file", "file/p"]) {
      const { code, err } = await init(dir);
      assert.equal(code, 1);
      assert.match(err, /^docker mpi init: Cannot use ".*": Not a directory\nhint: choose another directory, .*\n$/);
    }
    assert.equal(await Deno.readTextFile(`${cwd}/file`), "mine");
  }));
