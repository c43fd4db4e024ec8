/**
 * A world for tests on a real swarm: the installed plugin, a cluster project with its image, and clusters that go away.
 *
 * The engine is that of the box. Everything that is made here has a name that
 * begins with `mpitest`, and only that is removed.
 */
import { type Implementation, IMPLEMENTATIONS as KNOWN } from "../../stack/settings/schema.ts";
import { root, sh } from "./plugin_cli.ts";

/** What a command left. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** How to start a command. */
export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Bytes for its standard input; none: end of file at once. */
  stdin?: string | Uint8Array<ArrayBuffer>;
  /** After so many seconds it is killed, and the test fails. */
  seconds?: number;
  /** Another docker command than the first in PATH. */
  docker?: string;
}

/** The image that test clusters run: the hello project, and the programs of `tests/swarm/programs`. */
export const IMAGE = "mpitest:latest";

/** Names the variable that has the MPIs which are tried, parted by spaces. */
export const MPIS = "MPI_TEST_MPIS";

/** Every MPI that is tried: for `for (const mpi of IMPLEMENTATIONS)` around what has to hold for each. */
export const IMPLEMENTATIONS: readonly Implementation[] = Deno.env.get(MPIS)
  ? KNOWN.filter((mpi) => Deno.env.get(MPIS)!.split(" ").includes(mpi))
  : KNOWN;

/** The MPI of tests that don't say one; `MPI_TEST_MPI=openmpi ./dev test swarm` tries them with the other. */
function usualMpi(): Implementation {
  const wanted = Deno.env.get("MPI_TEST_MPI") ?? "mpich";
  const found = KNOWN.find((mpi) => mpi === wanted);
  if (found === undefined) throw new Error(`MPI_TEST_MPI is "${wanted}", want ${KNOWN.join(" or ")}`);
  return found;
}

/** Where a world is, if not on the engine that the environment names. */
export interface Place {
  /** The MPI of its image, if not the usual one. */
  mpi?: Implementation;
  /** Words before each command. */
  enter?: string[];
  /** What names the manager's engine. */
  env?: Record<string, string>;
  /** What names each engine of the swarm. */
  engines?: Record<string, string>[];
  /** The image, in a registry that all engines reach. */
  image?: string;
  /** Whether all engines have the image already. */
  everywhere?: boolean;
}

/** An installed plugin, and a project to work in. */
export interface World extends AsyncDisposable {
  /** The image that its clusters run. */
  image: string;
  /** Its place. */
  place: Place;
  /** The Docker configuration directory that the plugin is installed in. */
  config: string;
  /** A project directory with `name: mpitest`; its image is {@linkcode IMAGE}, and built. */
  project: string;
  /** Runs `docker ARGS…` in the project. */
  docker(args: string[], options?: RunOptions): Promise<Ended>;
  /** Starts it, for tests that do more than wait. */
  spawn(args: string[], options?: RunOptions & { stdin?: "piped" }): Deno.ChildProcess;
  /**
   * Has the cluster `mpitest` run with so many workers, and leaves it to the next test that asks: for tests that look, or
   * that leave it as it was. It is as new where nothing runs, and what is missing of it is made.
   */
  shared(workers: number): Promise<Cluster>;
  /** Deploys a cluster that goes away at the end of its block. */
  cluster(workers: number, options?: { name?: string; args?: string[]; port?: number }): Promise<Cluster>;
}

/** A running cluster. */
export interface Cluster extends AsyncDisposable {
  name: string;
  port: number;
}

/** Opens the world: installs the plugin and builds the image, where an earlier test of this run has not. */
export async function openWorld(place: Place = {}): Promise<World> {
  const usual = usualMpi();
  const { mpi = usual } = place;
  const image = mpi === usual ? place.image ?? IMAGE : (place.image ?? IMAGE).replace(/(?=:[^/]*$)/, `-${mpi}`);
  const enter = place.enter ?? [];
  const push = place.image === undefined ? [] : ["--push"];
  const config = await sharedConfig();
  const project = await Deno.makeTempDir({ prefix: "mpitest-" });
  const env = { ...place.env, DOCKER_CONFIG: config, NO_COLOR: "1" };
  const spawn: World["spawn"] = (args, options = {}) => {
    const [command = "docker", ...words] = [...enter, options.docker ?? "docker", ...args];
    return new Deno.Command(command, {
      args: words,
      cwd: options.cwd ?? project,
      env: { ...env, ...options.env },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  };
  const docker: World["docker"] = (args, options = {}) =>
    finish(args, spawn(args, { ...options, stdin: "piped" }), options);
  await expectOk(docker(["mpi", "init", "--force", "--cluster", "mpitest", project]));
  await addPrograms(project);
  await once(`${config}/image-is-built-${mpi}`, async () => {
    if (place.everywhere) return;
    await expectOk(docker(["mpi", "build", "--image", image, "--mpi", mpi, ...push], { seconds: 300 }));
  });
  const resolve = place.everywhere ? ["--resolve-image", "never"] : [];
  const deploy = async (name: string, port: number, workers: number, args: string[]) => {
    const flags = ["--cluster", name, "--image", image, "--port", `${port}`, "--workers", `${workers}`, ...resolve];
    await expectOk(docker(["mpi", "deploy", ...flags, ...args], { seconds: 120 }));
  };
  return {
    image,
    place,
    config,
    project,
    docker,
    spawn,
    async shared(workers) {
      await deploy("mpitest", 2222, workers, []);
      return { name: "mpitest", port: 2222, [Symbol.asyncDispose]: () => Promise.resolve() };
    },
    async cluster(workers, { name = "mpitest", args = [], port = 2222 } = {}) {
      await deploy(name, port, workers, args).catch(async (error) => {
        await docker(["mpi", "rm", name], { seconds: 120 });
        throw error;
      });
      return {
        name,
        port,
        [Symbol.asyncDispose]: async () => void await expectOk(docker(["mpi", "rm", name], { seconds: 120 })),
      };
    },
    [Symbol.asyncDispose]: () => Deno.remove(project, { recursive: true }),
  };
}

/** Does something once in a run: an image of an earlier run may be made of other files. */
async function once(mark: string, action: () => Promise<void>): Promise<void> {
  if (await Deno.stat(mark).then(() => true, () => false)) return;
  await action();
  await Deno.writeTextFile(mark, "");
}

/** Puts the programs of `tests/swarm/programs` into a project, and into its image. */
async function addPrograms(project: string): Promise<void> {
  const programs = `${root}/tests/swarm/programs`;
  for await (const { name } of Deno.readDir(programs)) {
    await Deno.copyFile(`${programs}/${name}`, `${project}/project/${name}`);
  }
  const compile = 'RUN for source in mpi_probe*.c; do mpicc -O2 -o "${source%.c}" "$source"; done\n';
  await Deno.writeTextFile(`${project}/Dockerfile`, compile, { append: true });
}

/** Fails with all that the command said, unless its status was 0. */
export async function expectOk(ended: Promise<Ended>): Promise<Ended> {
  const { code, stdout, stderr } = await ended;
  if (code !== 0) throw new Error(`status ${code}\nstdout: ${stdout}\nstderr: ${stderr}`);
  return { code, stdout, stderr };
}

/** What a command printed with `--format json`: a row each line. */
export function rows({ stdout }: Ended) {
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

/** Asks until the answer is true; fails after a limit, saying what was waited for. */
export async function eventually(what: string, ask: () => Promise<boolean>, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!await ask()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Feeds a started command, waits for its end and gives what it left. */
async function finish(args: string[], child: Deno.ChildProcess, { stdin, seconds = 60 }: RunOptions): Promise<Ended> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin ?? new Uint8Array();
  // A command that does not read all of its input is none of our business here.
  const fed = new Blob([bytes]).stream().pipeTo(child.stdin).catch(() => {});
  const { code, stdout, stderr } = await child.output().finally(() => clearTimeout(timer));
  await fed;
  const text = (data: Uint8Array) => new TextDecoder().decode(data);
  if (late) throw new Error(`docker ${args.join(" ")} took more than ${seconds} s\n${text(stdout)}\n${text(stderr)}`);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** One installation serves all test files of a run: they share the folder for temporary files. */
async function sharedConfig(): Promise<string> {
  const config = `${Deno.env.get("TMPDIR") ?? "/tmp"}/mpitest-docker-config`;
  if (await Deno.stat(`${config}/cli-plugins/docker-mpi`).then(() => true, () => false)) return config;
  await Deno.mkdir(config, { recursive: true });
  const { code, err } = await sh(Deno.execPath(), ["task", "install"], { DOCKER_CONFIG: config }, root);
  if (code !== 0) throw new Error(`the plugin can't be installed: ${err}`);
  return config;
}
