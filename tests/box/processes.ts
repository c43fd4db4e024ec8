/** Processes, as Linux shows them under /proc. */

/** A process, told apart from a later one of the same number. */
export interface Process {
  pid: number;
  /** When it started, in the kernel's own unit. */
  start: string;
}

/** A process that runs. */
export async function processOf(pid: number): Promise<Process | undefined> {
  const found = await look(pid);
  return found === undefined ? undefined : { pid, start: found.start };
}

/** Whether that very process still runs. */
export async function isAlive(process: Process): Promise<boolean> {
  return (await processOf(process.pid))?.start === process.start;
}

/** What every process of the machine was started as: its words, parted by spaces. */
export async function commandLines(): Promise<{ pid: number; words: string }[]> {
  const read = async (pid: number) => {
    const words = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    return { pid, words: words.replaceAll("\0", " ").trimEnd() };
  };
  return await Promise.all((await allPids()).map(read));
}

/** Asks a process and all that it started to end, and kills what has not ended after that time. */
export async function endTree(root: number, graceMs: number): Promise<void> {
  let tree = await treeOf(root);
  killAll(tree, "SIGTERM");
  for (const end = Date.now() + graceMs; tree.length > 0; tree = await alive(tree)) {
    if (Date.now() > end) return killAll(tree, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function alive(processes: Process[]): Promise<Process[]> {
  const found = await Promise.all(processes.map(isAlive));
  return processes.filter((_, index) => found[index]);
}

/** The processes that a process started itself. */
export async function childrenOf(pid: number): Promise<Process[]> {
  return (await allChildren()).get(pid) ?? [];
}

/** A process and what it started, directly or not; where there is no /proc, the process alone. */
async function treeOf(root: number): Promise<Process[]> {
  const children = await allChildren();
  const tree = [await processOf(root) ?? { pid: root, start: "" }];
  for (const { pid } of tree) tree.push(...children.get(pid) ?? []);
  return tree;
}

async function allChildren(): Promise<Map<number, Process[]>> {
  const children = new Map<number, Process[]>();
  for (const pid of await allPids()) {
    const found = await look(pid);
    if (found === undefined) continue;
    children.set(found.parent, [...children.get(found.parent) ?? [], { pid, start: found.start }]);
  }
  return children;
}

async function allPids(): Promise<number[]> {
  const entries = await Array.fromAsync(Deno.readDir("/proc")).catch(() => []);
  return entries.map((entry) => Number(entry.name)).filter((pid) => Number.isInteger(pid));
}

async function look(pid: number): Promise<{ parent: number; start: string } | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  if (stat === undefined) return undefined;
  const { state, ...found } = parseStat(stat);
  return state === "Z" ? undefined : found;
}

/** Fields 3, 4 and 22 of a process's `stat`; the second field is a name in parentheses that may hold anything. */
export function parseStat(stat: string): { state: string; parent: number; start: string } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, start] = [fields[0], fields[1], fields[19]];
  if (state === undefined || parent === undefined || start === undefined) {
    throw new Error(`no line of /proc/PID/stat: ${JSON.stringify(stat)}`);
  }
  return { state, parent: Number(parent), start };
}

function killAll(processes: Process[], signal: Deno.Signal): void {
  for (const { pid } of processes) send(pid, signal);
}

/** Kills that very process, if it still runs. */
export async function killProcess(process: Process): Promise<void> {
  if (await isAlive(process)) send(process.pid, "SIGKILL");
}

function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
