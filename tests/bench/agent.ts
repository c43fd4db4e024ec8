/** What keeping the hostfile true costs, and how soon it is true again. */
import { poll } from "../engine/command.ts";
import type { Arena } from "./arena.ts";
import type { Family } from "./figure.ts";
import { cpuTicks, memoryMb, processesOf, TICKS } from "./processes.ts";
import { CLUSTER, type Site } from "./site.ts";

const WORKERS = 30;
const KILLS = 5;
const REST_SECONDS = 15;

/** Writes each change of the list of nodes, with the time in microseconds; for a script on the master. */
const WATCH = `
exec 2>/dev/null
seen=
for ((i = 0; i < 20000; i++)); do
  IFS= read -r -d '' list </run/mpi/nodes
  if [[ $list != "$seen" ]]; then seen=$list; echo "\${EPOCHREALTIME/./} $(wc -l </run/mpi/nodes)"; fi
  read -r -t 0.005 <> <(:)
done`;

export const AGENT: Family = {
  name: "agent",
  minutes: 4,
  figures: [
    {
      name: "leaves",
      what: "a killed worker leaves the hostfile",
      against: "the beginning of `docker kill`",
      goal: { at: "most", value: 1 },
      kind: "ours",
      unit: "s",
      bound: "Not taken apart; likely: the engine takes its time to kill; then the connection ends at once.",
    },
    {
      name: "enters",
      what: "the one that replaces it enters the hostfile",
      against: "its container being healthy, as the engine tells it",
      goal: { at: "most", value: 1 },
      kind: "ours",
      unit: "s",
      bound:
        "Not taken apart; likely: the agent asks the DNS once a second, and a healthy container takes a moment to be in it.",
    },
    {
      name: "agent-cpu",
      what: `the master's agent at rest with ${WORKERS} workers, with all of its connections`,
      against: "–",
      goal: { at: "most", value: 1 },
      kind: "ours",
      unit: "% of a core",
      bound:
        "Not taken apart; likely: once a second it asks the DNS, which takes three processes, and each connection is asked for a sign of life every two.",
    },
    {
      name: "agent-memory",
      what: "memory of the master for each connection",
      against: "–",
      kind: "ours",
      unit: "MB",
    },
  ],
  async measure(arena) {
    const site = await arena.engine();
    await site.cluster({ mpi: "mpich", workers: WORKERS });
    const master = await site.container("master");
    const changes = await killWorkers(arena, site);
    const cpu = await atRest(site, master);
    return {
      samples: {
        leaves: { ours: changes.leaves },
        enters: { ours: changes.enters },
        "agent-cpu": { ours: cpu },
        "agent-memory": {
          ours: [await memoryPerConnection(master)],
          note: "a process of ssh and one of bash for each; proportional set size, what is shared counts in parts.",
        },
      },
    };
  },
};

/** Kills workers one after the other, each after the last was replaced. */
async function killWorkers(arena: Arena, site: Site): Promise<{ leaves: number[]; enters: number[] }> {
  const begin = Math.floor(Date.now() / 1000);
  const all = async () => (await nodeCount(site)) === WORKERS + 1;
  const log = `/tmp/nodes.${begin}`;
  const master = await site.container("master");
  await site.docker(["exec", "--detach", master, "bash", "-c", `${WATCH} >${log}`]);
  const kills: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = await site.container(`worker.${kill + 2}`);
    const before = await changeCount(site, master, log);
    kills.push(Date.now() / 1000);
    await site.docker(["kill", victim]);
    await poll("the list to change twice", async () => await changeCount(site, master, log) >= before + 2, {
      seconds: 40,
      signal: arena.signal,
    });
    await poll("all nodes to be listed", all, { seconds: 40, signal: arena.signal });
  }
  const changes = readChanges(await site.docker(["exec", master, "cat", log]));
  const events = await site.docker([
    ...["events", "--since", `${begin}`, "--until", `${Math.ceil(Date.now() / 1000) + 1}`],
    ...["--filter", "event=health_status"],
    ...["--filter", `label=com.docker.stack.namespace=${CLUSTER}`],
    ...["--format", "{{.TimeNano}} {{.Action}}"],
  ]);
  return { leaves: delays(changes, kills, -1), enters: delays(changes, readHealthy(events), 1) };
}

async function nodeCount(site: Site): Promise<number> {
  return (await site.docker(["exec", await site.container("master"), "cat", "/run/mpi/nodes"])).trim().split("\n")
    .length;
}

async function changeCount(site: Site, master: string, log: string): Promise<number> {
  return readChanges(await site.docker(["exec", master, "cat", log])).length;
}

/** A change of the list: when, in seconds, and how many nodes it has since. */
export interface Change {
  at: number;
  nodes: number;
}

/** Reads lines of microseconds and a number of nodes. */
export function readChanges(text: string): Change[] {
  return text.split("\n").filter((line) => /^\d+ \d+$/.test(line)).map((line) => {
    const [at = NaN, nodes = NaN] = line.split(" ").map(Number);
    return { at: at / 1e6, nodes };
  });
}

/** Reads the engine's events: when containers became healthy, in seconds. */
export function readHealthy(text: string): number[] {
  return [...text.matchAll(/^(\d+) health_status: healthy$/gm)].map(([, nanoseconds]) => Number(nanoseconds) / 1e9);
}

/** From each moment to the next change that makes the list longer (1) or shorter (-1). */
export function delays(changes: Change[], moments: number[], sign: 1 | -1): number[] {
  const ones = changes.filter((change, index) =>
    index > 0 && Math.sign(change.nodes - changes[index - 1]!.nodes) === sign
  );
  return moments.flatMap((moment) => {
    const change = ones.find(({ at }) => at >= moment);
    return change === undefined ? [] : [change.at - moment];
  });
}

/** The share of a core that the agent's session takes, in percent, three times. */
async function atRest(site: Site, master: string): Promise<number[]> {
  const session = (await site.docker(["exec", master, "pgrep", "-of", "mpi_agent"])).trim();
  const ticks = async () =>
    cpuTicks(await site.docker(["exec", master, "sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true"]), session);
  const shares: number[] = [];
  for (let round = 0; round < 3; round++) {
    const [begin, before] = [performance.now(), await ticks()];
    await new Promise((resolve) => setTimeout(resolve, REST_SECONDS * 1000));
    shares.push((await ticks() - before) / TICKS / ((performance.now() - begin) / 1000) * 100);
  }
  return shares;
}

/** What a connection has in memory, in megabytes: all of the master's but its SSH server, its init and its health check. */
async function memoryPerConnection(master: string): Promise<number> {
  const kept: number[] = [];
  for (const pid of await processesOf(master)) {
    const words = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    if (/^ssh\0-M|mpi_agent\0/.test(words)) kept.push(pid);
  }
  return await memoryMb(kept) / WORKERS;
}
