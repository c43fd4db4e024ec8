/**
 * A machine of the lab: one program with all that it starts, in namespaces of its own (processes, mounts, network, name).
 *
 * Ending its first process ends all of it at once, as a loss of power does.
 */
import { poll } from "../box/command.ts";
import { childrenOf, isAlive, killProcess, type Process } from "../box/processes.ts";

/** What to run on a machine, and how. */
interface MachinePlan {
  /** The machine's folder, for its log and its record. */
  folder: string;
  /** What runs on it. */
  command: string[];
  /** Puts its cable in before the command starts. */
  connect: (machine: Machine) => Promise<void>;
}

/** The namespaces that are new; `slave` lets what the box mounts in, and nothing out. */
const NEW = ["--net", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--propagation", "slave"];

/** A machine that was started. */
export class Machine {
  /** The number of its first process. */
  readonly pid: number;

  constructor(readonly folder: string, readonly first: Process) {
    this.pid = first.pid;
  }

  /** Words before a command that is to run in its network, and see the files of the box. */
  get network(): string[] {
    return ["nsenter", `--net=/proc/${this.pid}/ns/net`, "--"];
  }

  /** Words before a command that is to run on it altogether. */
  inside(folder = "/"): string[] {
    return ["nsenter", `--target=${this.pid}`, "--net", "--mount", "--uts", "--pid", `--wd=${folder}`, "--"];
  }

  /** Whether its first process runs. */
  isAlive(): Promise<boolean> {
    return isAlive(this.first);
  }

  /** Ends it with all that is on it, without a word to any of it. */
  async kill(): Promise<void> {
    await killProcess(this.first);
    const gone = async () => !(await this.isAlive());
    await poll(`process ${this.pid} to end`, gone, { seconds: 20 });
  }
}

/** Starts a machine and writes it down in its folder, from where any process may take it up. */
export async function startMachine(plan: MachinePlan): Promise<Machine> {
  const { holder, go, close } = await unshare(plan);
  try {
    const machine = new Machine(plan.folder, await firstProcess(holder));
    await Deno.writeTextFile(`${plan.folder}/machine.json`, JSON.stringify(machine.first));
    await plan.connect(machine);
    await go();
    return machine;
  } finally {
    // One that was not told to go ends now.
    await close();
  }
}

/** The machine that was started last in this folder; it may have ended. */
export async function recordedMachine(folder: string): Promise<Machine | undefined> {
  try {
    return new Machine(folder, JSON.parse(await Deno.readTextFile(`${folder}/machine.json`)));
  } catch {
    return undefined;
  }
}

/**
 * Starts `machine.sh` in new namespaces, in a session of its own: the terminal's Ctrl-C is none of its business, and it is
 * no child of ours that somebody would have to wait for. Everything that is said goes to the log.
 */
async function unshare(plan: MachinePlan) {
  const script = decodeURIComponent(new URL("machine.sh", import.meta.url).pathname);
  const logged = 'echo $$; exec unshare "$@" >>"$0" 2>&1';
  const child = new Deno.Command("setsid", {
    args: ["--fork", "sh", "-c", logged, `${plan.folder}/log`, ...NEW, script, plan.folder, ...plan.command],
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
