/** A run that goes on while a test does something to it. */
import assert from "node:assert/strict";
import { jobProcesses, noProcess } from "./nodes.ts";
import type { Ended, RunOptions, World } from "./swarm.ts";
import { KEYS, openTerminal, type Session } from "./terminal.ts";

/** A program for {@linkcode startJob}: each rank says that it is here, and goes on until it is ended. */
export const SLEEP = ["sh", "-c", "echo here; sleep 600"];

/** One that ends by itself when it is interrupted, with a last word. */
export const POLITE = ["sh", "-c", 'trap "echo bye; exit 0" INT; echo here; while :; do sleep 0.1; done'];

/** One that only KILL ends. */
export const STUBBORN = ["sh", "-c", 'trap "" INT TERM; echo here; while :; do sleep 1; done'];

/** How long a run may go on after it lost a node, and the hostfile name that. */
export const END_SECONDS = 30;

/** A started run. */
export interface Job {
  /** The client's process. */
  pid: number;
  /** Sends the client a signal. */
  kill(signal: Deno.Signal): void;
  /** Types, where its standard input was asked for. */
  write(text: string): Promise<void>;
  /** What came so far on standard output. */
  readonly text: string;
  /** Waits for its end, and gives all that it printed. */
  ended(seconds?: number): Promise<Ended>;
}

/** Starts `docker mpi run ARGS…` and waits until that many ranks have printed a line with "here". */
export async function startJob(world: World, args: string[], ranks: number, options: RunOptions = {}): Promise<Job> {
  const child = world.spawn(["mpi", "run", ...args], { ...options, stdin: "piped" });
  const [out, err] = [gather(child.stdout), gather(child.stderr)];
  const keyboard = child.stdin.getWriter();
  const signal = (name: Deno.Signal) => {
    try {
      child.kill(name);
    } catch {
      // It has ended.
    }
  };
  const ended = async (seconds = 60) => {
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => {
        signal("SIGKILL");
        reject(new Error(`the run did not end within ${seconds} s: ${out.text}\n${err.text}`));
      }, seconds * 1000);
      child.status.then(() => clearTimeout(timer));
    });
    const { code } = await Promise.race([child.status, late]);
    await Promise.all([out.done, err.done, keyboard.close().catch(() => {})]);
    return { code, stdout: out.text, stderr: err.text };
  };
  const end = Date.now() + 60_000;
  while (out.text.split("here").length - 1 < ranks) {
    if (out.over || Date.now() > end) {
      signal("SIGKILL");
      throw new Error(`the run has not said ${ranks} times that it is here: ${out.text}\n${err.text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    pid: child.pid,
    kill: signal,
    write: (text) => keyboard.write(new TextEncoder().encode(text)),
    get text() {
      return out.text;
    },
    ended,
  };
}

/** Starts `docker mpi run PROGRAM` in a terminal, and waits until three ranks are here. */
export async function runInTerminal(
  world: World,
  [shell, flag, script]: string[],
  docker = "docker",
): Promise<Session> {
  // Without the trap the shell would answer with a status of its own.
  const line = `trap : INT; ${docker} mpi run ${shell} ${flag} '${script}'; exit $?`;
  const session = await openTerminal(line, { cwd: world.project, env: { DOCKER_CONFIG: world.config } });
  await session.shows(/here[^]*here[^]*here/);
  return session;
}

/** SIGINT without a terminal: the program ends by itself, and what it says last arrives. */
export async function interrupt(world: World): Promise<void> {
  const job = await startJob(world, POLITE, 3);
  job.kill("SIGINT");
  const { code, stdout } = await job.ended();
  assert.deepEqual([code, stdout], [130, "here\n".repeat(3) + "bye\n".repeat(3)]);
  assert.deepEqual(await jobProcesses(world), []);
}

/** Ctrl-C in a terminal: the same. */
export async function pressCtrlC(world: World, docker = "docker"): Promise<void> {
  await using session = await runInTerminal(world, POLITE, docker);
  await session.type(KEYS.ctrlC);
  await session.shows(/bye[^]*bye[^]*bye/);
  assert.equal(await session.end(), 130);
  assert.deepEqual(await jobProcesses(world), []);
}

/** The client is killed: nothing of the run is left. */
export async function killClient(world: World, docker = "docker"): Promise<void> {
  const job = await startJob(world, STUBBORN, 3, { docker });
  job.kill("SIGKILL");
  await noProcess(world);
  await job.ended();
}

/** The plugin itself is killed, so that nobody asks the cluster to end the run: nothing of it is left all the same. */
export async function killPlugin(world: World): Promise<void> {
  const job = await startJob(world, STUBBORN, 3);
  const children = await childrenOf(job.pid);
  assert.equal(children.length, 1, "docker has one child, the plugin");
  for (const plugin of children) Deno.kill(plugin, "SIGKILL");
  await noProcess(world);
  await job.ended();
}

/** The kernel keeps a process's children by the thread that started each. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`));
  const lists = await Promise.all(threads.map(({ name }) => Deno.readTextFile(`/proc/${pid}/task/${name}/children`)));
  return lists.flatMap((list) => list.split(" ").filter((word) => word !== "").map(Number));
}

function gather(stream: ReadableStream<Uint8Array>) {
  const gathered = { text: "", over: false, done: Promise.resolve() };
  gathered.done = (async () => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) gathered.text += part;
    gathered.over = true;
  })();
  return gathered;
}

/** The nodes that a run says it lost, each with its ranks. */
export function lostNodes(stderr: string): string[] {
  const list = /^docker mpi run: Lost during the run: (.*)$/m.exec(stderr)?.[1] ?? "";
  return [...list.matchAll(/([\w.-]+) \(ranks? \d[\d, -]*\)/g)].map(([, name = ""]) => name);
}
