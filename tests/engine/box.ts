/**
 * A box: one program with all that it starts, in namespaces of its own (processes, mounts, network, host name).
 *
 * It shares no port, bridge, firewall rule or mount with anything else on the machine, and ending its first process ends
 * all of it at once. That process also ends when nobody holds the box's lifeline any more: whatever becomes of the
 * program that made a box, the box doesn't outlive it. Who started it doesn't matter.
 */
import { poll } from "./command.ts";
import { childrenOf, isAlive, killProcess, type Process } from "./processes.ts";

/** What to run in a box, and how. */
export interface BoxPlan {
  /** The box's folder, for its log and its record. */
  folder: string;
  /** What keeps it alive. */
  lifeline: string;
  /** When it ends at the latest. */
  seconds: number;
  /** What runs in it. */
  command: string[];
  /** Lays its network before the command starts. */
  connect: (box: Box) => Promise<void>;
}

/** The namespaces that are new; `slave` lets what the machine mounts in, and nothing out. */
const NEW = ["--net", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--propagation", "slave"];

/** A box that was started. */
export class Box {
  /** The number of its first process. */
  readonly pid: number;

  constructor(readonly folder: string, readonly first: Process) {
    this.pid = first.pid;
  }

  /** Words before a command that is to run in the box's network, and see the machine's files. */
  get network(): string[] {
    return ["nsenter", `--net=/proc/${this.pid}/ns/net`, "--"];
  }

  /** Words before a command that is to run inside the box altogether. */
  inside(folder = "/"): string[] {
    return ["nsenter", `--target=${this.pid}`, "--net", "--mount", "--uts", "--pid", `--wd=${folder}`, "--"];
  }

  /** Whether its first process runs. */
  isAlive(): Promise<boolean> {
    return isAlive(this.first);
  }

  /** Ends it with all that is in it, without a word to any of it. */
  async kill(): Promise<void> {
    await killProcess(this.first);
    const gone = async () => !(await this.isAlive());
    await poll(`process ${this.pid} to end`, gone, { seconds: 20 });
  }

  /** Waits for a step of its start; where it doesn't come, the box's own last words are told. */
  async reaches(what: string, seconds: number, ready: () => Promise<boolean>, signal?: AbortSignal): Promise<void> {
    const aliveAndReady = async () => {
      if (!(await this.isAlive())) throw new Error(`it ended before ${what}`);
      return await ready();
    };
    try {
      await poll(what, aliveAndReady, { seconds, signal });
    } catch (error) {
      signal?.throwIfAborted();
      const log = await Deno.readTextFile(`${this.folder}/log`).catch(() => "");
      throw new Error(`${(error as Error).message}\n${log.trimEnd().slice(-2000)}`);
    }
  }
}

/** Starts a box and writes it down in its folder, from where any process may take it up. */
export async function startBox(plan: BoxPlan): Promise<Box> {
  const { holder, go, close } = await unshare(plan);
  try {
    const box = new Box(plan.folder, await firstProcess(holder));
    await Deno.writeTextFile(`${plan.folder}/box.json`, JSON.stringify(box.first));
    await plan.connect(box);
    await go();
    return box;
  } finally {
    // A box that was not told to go ends now.
    await close();
  }
}

/** The box that was started last in this folder; it may have ended. */
export async function recordedBox(folder: string): Promise<Box | undefined> {
  try {
    return new Box(folder, JSON.parse(await Deno.readTextFile(`${folder}/box.json`)));
  } catch {
    return undefined;
  }
}

/**
 * Starts `inside.sh` in new namespaces, in a session of its own: the terminal's Ctrl-C is none of its business, and it is
 * no child of ours that somebody would have to wait for. Everything that is said goes to the log.
 */
async function unshare(plan: BoxPlan) {
  const script = decodeURIComponent(new URL("inside.sh", import.meta.url).pathname);
  const logged = 'echo $$; exec unshare "$@" >>"$0" 2>&1';
  const words = [...NEW, script, plan.folder, plan.lifeline, String(Math.ceil(plan.seconds)), ...plan.command];
  const child = new Deno.Command("setsid", {
    args: ["--fork", "sh", "-c", logged, `${plan.folder}/log`, ...words],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const { stdout } = await child.output();
  const stdin = child.stdin.getWriter();
  return {
    holder: Number(new TextDecoder().decode(stdout)),
    go: () => stdin.write(new TextEncoder().encode("go\n")),
    close: () => stdin.close().catch(() => {}),
  };
}

/** Where the holder has a child, the namespaces are there. */
async function firstProcess(holder: number): Promise<Process> {
  let first: Process | undefined;
  const born = async () => (first = (await childrenOf(holder))[0]) !== undefined;
  await poll("a first process in new namespaces", born, { seconds: 10 });
  return first!;
}
