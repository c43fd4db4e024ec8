/**
 * `deno task demo`: the main job, from `docker mpi init` to `docker stack rm`, on a real swarm.
 *
 * It uses the engine that the user has, or one in a box where none answers. Each command is shown as a user would type it,
 * then its output. What the output has to say is checked.
 */
import { poll, run } from "./box/command.ts";
import { type Ending, main, withEnding } from "./box/ending.ts";
import { SEED } from "./box/engine.ts";
import { findUserEngine } from "./box/find.ts";
import { removeNewImages } from "./box/images.ts";
import { makeScratch } from "./box/scratch.ts";
import { needSeed } from "./box/seed.ts";
import { print, tell } from "./box/tell.ts";
import { inBox, isInBox, needBoxPrograms } from "./box/words.ts";

const STACK = "hello";
const LABEL = `label=com.docker.stack.namespace=${STACK}`;
const LIMIT_MINUTES = 10;

/** How long the swarm may take to drop a network after its last container. */
const GONE_SECONDS = 60;

/** Runs the user's commands in one folder, on one engine, with one Docker config directory. */
class Session {
  #folder: string;
  readonly #env: Record<string, string>;
  readonly #signal: AbortSignal;

  constructor(folder: string, config: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#env = { DOCKER_CONFIG: config };
    this.#signal = signal;
  }

  /** Shows a command and its output, which it returns; the command must succeed. */
  async type(line: string): Promise<string> {
    print(`\n$ ${line}`);
    const { code, stdout } = await run(line.split(" "), {
      cwd: this.#folder,
      env: this.#env,
      output: "both",
      seconds: LIMIT_MINUTES * 60,
      signal: this.#signal,
    });
    if (code !== 0) throw new Error(`\`${line}\` ended with status ${code}`);
    return stdout;
  }

  /** Has the project's image called otherwise: the user's own of that name stays. */
  useImage(image: string): void {
    this.#env.MPI_IMAGE = image;
    tell(`(your engine has the image that the project would make, so the demo calls its own ${image})`);
  }

  /** Goes to a folder. */
  cd(folder: string): void {
    print(`\n$ cd ${folder}`);
    this.#folder = `${this.#folder}/${folder}`;
  }

  /** Asks for something that a user wouldn't; also when the demo was interrupted. */
  async ask(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(["docker", ...args], { env: this.#env });
    if (code !== 0) throw new Error(`\`docker ${args.join(" ")}\` ended with status ${code}: ${stderr.trim()}`);
    return stdout.trim();
  }

  /** Installs the plugin into the session's config directory. */
  async install(): Promise<void> {
    print("\n$ ./dev install");
    const { code } = await run([Deno.execPath(), "task", "--quiet", "install"], {
      env: this.#env,
      output: "both",
      seconds: 180,
      signal: this.#signal,
    });
    if (code !== 0) throw new Error(`\`./dev install\` ended with status ${code}`);
  }
}

/** What the hello program has to print: every rank once, each on a node of its own. */
export function checkHello(output: string, ranks: number): void {
  const hellos = [...output.matchAll(/^Hello from rank (\d+) of (\d+) on (\S+)\s*$/gm)];
  const distinct = (field: number) => new Set(hellos.map((hello) => hello[field]));
  const seen = `${hellos.length} lines from ${distinct(1).size} ranks on ${distinct(3).size} nodes`;
  const sizes = [...distinct(2)].join(", ");
  const right = hellos.length === ranks && distinct(1).size === ranks && distinct(3).size === ranks &&
    sizes === String(ranks);
  if (!right) {
    throw new Error(`expected hello from ${ranks} ranks on ${ranks} nodes, got ${seen} (of ${sizes || "none"})`);
  }
  tell(`(${ranks} ranks on ${ranks} nodes, as expected)`);
}

/** A throw-away Docker config directory with the user's contexts, credentials and plugins in it. */
async function makeConfig(folder: string): Promise<string> {
  const theirs = Deno.env.get("DOCKER_CONFIG") ?? `${Deno.env.get("HOME") ?? ""}/.docker`;
  const ours = `${folder}/docker-config`;
  await Deno.mkdir(`${ours}/cli-plugins`, { recursive: true });
  await Deno.copyFile(`${theirs}/config.json`, `${ours}/config.json`).catch(() => {});
  await Deno.symlink(`${theirs}/contexts`, `${ours}/contexts`);
  for (const { name } of await entriesOf(`${theirs}/cli-plugins`)) {
    if (!name.startsWith("docker-mpi")) {
      await Deno.symlink(`${theirs}/cli-plugins/${name}`, `${ours}/cli-plugins/${name}`);
    }
  }
  return ours;
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  return await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
}

/** On an engine that stays, what the demo makes is removed again, also when it fails. */
async function protect(session: Session, ending: Ending): Promise<void> {
  const stacks = await session.ask("stack", "ls", "--format", "{{.Name}}");
  if (stacks.split("\n").includes(STACK)) {
    throw new Error(
      `your swarm has a stack "${STACK}" already, which the demo would replace\n  hint: docker stack rm ${STACK}`,
    );
  }
  const image = `${STACK}:latest`;
  if (await session.ask("image", "ls", "--quiet", image) !== "") session.useImage(`${image}-demo`);
  await removeNewImages(`${STACK}:`, {}, ending);
  ending.defer(`remove the stack "${STACK}"`, async () => {
    await session.ask("stack", "rm", STACK);
    await gone(session);
  });
}

/** Waits until the swarm has nothing of the stack any more. */
async function gone(session: Session, signal?: AbortSignal): Promise<void> {
  for (const kind of ["service", "secret", "config", "network"]) {
    const none = async () => (await session.ask(kind, "ls", "--quiet", "--filter", LABEL)) === "";
    await poll(`the last ${kind} of "${STACK}" to go`, none, { seconds: GONE_SECONDS, signal });
  }
  const none = async () => (await session.ask("ps", "--all", "--quiet", "--filter", LABEL)) === "";
  await poll(`the last container of "${STACK}" to go`, none, { seconds: GONE_SECONDS, signal });
}

/** The commands of a user, start to end. */
async function mainJob(session: Session, signal: AbortSignal): Promise<void> {
  await session.type(`docker mpi init ${STACK}`);
  session.cd(STACK);
  await session.type("docker mpi deploy --workers 5");
  checkHello(await session.type("docker mpi run ./mpi_hello_world"), 6);
  await session.type("docker mpi scale 8");
  checkHello(await session.type("docker mpi run ./mpi_hello_world"), 9);
  await session.type(`docker stack rm ${STACK}`);
  await gone(session, signal);
  for (const kind of ["service", "secret", "config", "network"]) {
    const list = await session.type(`docker ${kind} ls${isInBox() ? "" : ` --filter ${LABEL}`}`);
    if (list.includes(STACK)) throw new Error(`\`docker ${kind} ls\` still shows something of "${STACK}"`);
  }
}

async function demo(ending: Ending): Promise<void> {
  const limit = setTimeout(
    () => ending.interrupt(new Error(`not done within ${LIMIT_MINUTES} minutes`)),
    LIMIT_MINUTES * 60_000,
  );
  ending.defer("stop the clock", () => Promise.resolve(clearTimeout(limit)));
  const folder = await makeScratch(ending);
  const session = new Session(folder, await makeConfig(folder), ending.signal);
  if (!isInBox()) await protect(session, ending);
  await session.install();
  await mainJob(session, ending.signal);
}

/** Does it again in a box, where an engine of our own is the user's. */
async function demoInBox(why: string, { signal }: Ending): Promise<void> {
  tell(`no engine of yours answers (${why}): starting one in a box`);
  await needBoxPrograms(signal);
  const env = { [SEED]: await needSeed(["mpich"], signal) };
  const again = [Deno.execPath(), "run", "--allow-all", decodeURIComponent(new URL(import.meta.url).pathname)];
  const words = [...inBox(new URL("box/main.ts", import.meta.url)), ...again];
  const { code } = await run(words, { env, output: "show", seconds: LIMIT_MINUTES * 60, signal });
  if (code !== 0) throw new Error(`the demo in the box ended with status ${code}`);
}

async function demoSomewhere(ending: Ending): Promise<void> {
  if (isInBox()) return await demo(ending);
  const found = await findUserEngine(ending.signal);
  if (found.kind === "no-manager") throw new Error(`${found.why}\n  hint: ${found.hint}`);
  if (found.kind === "none") return await demoInBox(found.why, ending);
  tell(`engine: yours, at ${found.host}`);
  await demo(ending);
}

/** Also what ends the engine must succeed before the demo says that it went well. */
async function demoAndClean(): Promise<number> {
  const begin = Date.now();
  await withEnding(demoSomewhere);
  if (!isInBox()) print(`\ndemo: ok in ${Math.round((Date.now() - begin) / 1000)} s`);
  return 0;
}

if (import.meta.main) await main("demo: FAILED", demoAndClean);
