/** `docker mpi build`, and what it refuses before anything is built. */
import assert from "node:assert/strict";
import { VERSION } from "../../cli/docker/metadata.ts";
import { commandWorld } from "../support/command_world.ts";
import { anImage } from "../support/fakes.ts";

Deno.test("build --pull renews our image from the newest Debian, and never asks a registry for ours", async () => {
  await using world = await commandWorld();
  const builds = async (from: string) => {
    await Deno.writeTextFile(`${world.folder}/Dockerfile`, `FROM ${from}\n`);
    const asked: string[] = [];
    const docker = (args: string) => {
      if (args.startsWith("build")) {
        asked.push(args.split(` ${world.folder}`)[0]!.replace(/ --label docker-mpi.context.*/, ""));
      }
      return {};
    };
    assert.equal((await world.mpi("build --cluster hello --pull --progress quiet", { docker })).code, 0);
    return asked;
  };
  assert.deepEqual(await builds(`docker-mpi/mpich:${VERSION}-dev`), [
    `build --pull --no-cache --target dev --build-arg MPI=mpich -t docker-mpi/mpich:${VERSION}-dev`,
    "build -t hello:latest --label docker-mpi.project=hello",
  ]);
  assert.deepEqual(await builds("debian:trixie"), ["build -t hello:latest --label docker-mpi.project=hello --pull"]);
});

Deno.test("variables of a build go to Docker as they are; one without a name is refused", async () => {
  await using world = await commandWorld();
  await Deno.writeTextFile(`${world.folder}/Dockerfile`, "FROM debian:trixie\n");
  const built: string[] = [];
  const docker = (args: string) => {
    if (args.startsWith("build")) built.push(args.replace(/^.*?(?=--build-arg)/, "").split(` ${world.folder}`)[0]!);
    return {};
  };
  const args = "build --cluster hello --progress quiet --build-arg A=b=c --build-arg HOME";
  assert.equal((await world.mpi(args, { docker })).code, 0);
  const { code, out, err } = await world.mpi("build --build-arg =1", { docker });
  assert.deepEqual([code, out, err.split("\n")[0]], [
    125,
    "",
    'invalid argument "=1" for "--build-arg" flag: must be KEY=VALUE',
  ]);
  assert.deepEqual(built, ["--build-arg A=b=c --build-arg HOME"]);
  assert.match((await world.mpi("build --build-arg MPI")).err, /^invalid argument "MPI" for .*: must be MPI=VALUE\n/);
});

Deno.test("a name that nobody has given takes no image from somebody else", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  world.swarm.images = { "python:latest": anImage() };
  await Deno.writeTextFile(`${world.folder}/Dockerfile`, `FROM docker-mpi/mpich:${VERSION}-dev\n`);
  const built: string[] = [];
  const docker = (args: string) => {
    if (args.startsWith("build")) built.push(args);
    return {};
  };
  for (const command of ["build", "deploy"]) {
    assert.deepEqual(await world.mpi(`${command} --cluster python --progress quiet`, { docker }), {
      code: 1,
      out: "",
      err: `docker mpi ${command}: There is an image "python:latest" already, which docker mpi did not build\n` +
        "hint: echo 'image: python-mpi' >> mpi.yaml  # gives the project's another name\n",
    });
  }
  assert.deepEqual([built, world.swarm.changes], [[], []]);
  assert.equal((await world.mpi("build --cluster python --image python --progress quiet", { docker })).code, 0);
  assert.match(built.at(-1) ?? "", /^build -t python /);
});

Deno.test("images of ours that another version has made are taken from the engine, and from nowhere else", async () => {
  await using world = await commandWorld();
  const old = "docker-mpi/mpich:0.0.9-dev";
  const asked: string[] = [];
  const docker = (args: string) => {
    asked.push(args);
    return {};
  };
  const build = (text: string) =>
    Deno.writeTextFile(`${world.folder}/Dockerfile`, text)
      .then(() => world.mpi("build --cluster hello --pull --progress quiet", { docker }));
  const refused = `docker mpi build: The Dockerfile takes ${old}, which docker mpi ${VERSION} does not make\n`;
  const ours = `docker-mpi/mpich:${VERSION}-dev`;
  const sed = `hint: sed -i.orig 's|${old}|${ours}|' Dockerfile  # takes what it makes\n`;
  assert.deepEqual(await build(`FROM ${old}\n`), { code: 1, out: "", err: refused + sed });
  assert.deepEqual(await build(`FROM debian\nCOPY --from=${old} /a /b\n`), { code: 1, out: "", err: refused + sed });
  const variables = `hint: ${ours} is what it makes: correct the variables in the Dockerfile\n`;
  assert.deepEqual(await build("ARG V=0.0.9-dev\nFROM docker-mpi/mpich:$V\n"), {
    code: 1,
    out: "",
    err: refused + variables,
  });
  assert.deepEqual(asked, []);
  world.swarm.images[old] = anImage();
  assert.equal((await build(`FROM ${old}\n`)).code, 0);
  assert.deepEqual(asked, [`build -t hello:latest --label docker-mpi.project=hello ${world.folder}`]);
});

Deno.test("an image under one of our names is pulled by no command", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  const pulled: string[] = [];
  const docker = (args: string) => {
    if (args.startsWith("pull")) pulled.push(args);
    return {};
  };
  for (const line of ["", " --pull"]) {
    assert.deepEqual(await world.mpi(`deploy --image docker-mpi/mpich:0.0.9 --progress quiet${line}`, { docker }), {
      code: 1,
      out: "",
      err:
        'docker mpi deploy: Image "docker-mpi/mpich:0.0.9" is made by docker mpi where it is needed, and never pulled\n' +
        "hint: docker mpi build  # in the project's directory; image: in mpi.yaml names the project's own image\n",
    });
  }
  assert.deepEqual([pulled, world.swarm.changes], [[], []]);
});
