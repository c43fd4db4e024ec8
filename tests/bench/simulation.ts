/**
 * The master with more workers than this machine has room for: SSH servers on addresses of the loopback device, and the real
 * mpi_agent, mpi_ssh and mpi_run, of the image.
 *
 * What the workers do they do on the same CPUs as the master, so times are longer than where each has its own. DNS is a file.
 */
import { type Box, startBox } from "../engine/box.ts";
import { poll } from "../engine/command.ts";
import { Lifeline } from "../engine/lifeline.ts";
import { makeFolder, namesOf, removeTraces } from "../engine/traces.ts";
import type { Arena } from "./arena.ts";
import type { Family, Measured } from "./figure.ts";
import { readTimes } from "./launch.ts";
import { cpuTicks, pssMb, TICKS } from "./processes.ts";
import { number } from "./report.ts";
import { bare, rootfs } from "./rootfs.ts";
import { median } from "./stats.ts";

const SIZES = [100, 500, 1000];
const SCRIPT = decodeURIComponent(new URL("simulated.sh", import.meta.url).pathname);

/** Stands for a node's own address in the files that mpi_bootstrap writes. */
const SOME_ADDRESS = "192.0.2.1";
const MASTER = "10.99.255.254";
const NETWORK = "10.99.0.0/16";
const UID = 1000;

/** How long one size may take. */
const SIZE_SECONDS = 240;

/** How long all of the workers may take to be listed. */
const CONNECT_SECONDS = 150;
const REST_SECONDS = 10;

/** The address of a worker, from 1 on. */
export function addressOf(worker: number): string {
  return `10.99.${Math.floor(worker / 250)}.${worker % 250 + 1}`;
}

/** What the swarm's DNS would have of so many workers, in a file: their full names, by which the agent checks what they say. */
export function hostsFile(workers: number): string {
  const lines = Array.from(
    { length: workers },
    (_, index) => `${addressOf(index + 1)} sim_worker.${index + 1}.task.sim_cluster tasks.sim_worker`,
  );
  return ["127.0.0.1 localhost", `${MASTER} master`, ...lines, ""].join("\n");
}

/** What a size came to. */
interface Point {
  workers: number;
  /** Seconds from the agent's start until all are listed. */
  connect: number;
  /** Percent of a core. */
  rest: number;
  /** Milliseconds, of several launches. */
  mpirun: number[];
  mpiRun: number[];
  /** Seconds. */
  leaves: number;
  /** The most that one process of a run has open. */
  files: number;
  /** Megabytes for each connection. */
  memory: number;
}

export const SIMULATION: Family = {
  name: "simulation",
  minutes: 12,
  figures: [
    {
      name: "simulated-agent-cpu",
      what: "the master's agent at rest with 500 workers, simulated",
      against: "–",
      goal: { at: "most", value: 5 },
      kind: "ours",
      unit: "% of a core",
      bound:
        "Not taken apart; likely: each connection is asked for a sign of life every two seconds, which costs its process of ssh the encryption of a packet " +
        "each way.",
    },
    {
      name: "simulated-growth",
      what: "growth of the launch from 100 to 500 workers, simulated, mpich",
      against: "linear growth",
      goal: { at: "most", value: 1 },
      kind: "ours/theirs",
      unit: "ms",
      bound:
        "Not taken apart; likely: Hydra starts one process of ssh for each node, one after the other, and master and workers share the CPUs here.",
    },
  ],
  async measure(arena) {
    const root = await rootfs(arena, await arena.engine(), "mpich");
    const points: Point[] = [];
    const rows: string[][] = [];
    const all = arena.signal;
    for (const workers of SIZES) {
      arena.signal = AbortSignal.any([all, AbortSignal.timeout(SIZE_SECONDS * 1000)]);
      try {
        const point = await simulate(arena, root, workers);
        points.push(point);
        rows.push(rowOf(point));
      } catch (error) {
        all.throwIfAborted();
        const why = arena.signal.aborted
          ? `took more than ${SIZE_SECONDS} s`
          : error instanceof Error
          ? error.message.split("\n")[0]!
          : `${error}`;
        arena.tell(`${workers} workers: ${why}`);
        rows.push([`${workers}`, `failed: ${why}`, "", "", "", "", "", ""]);
      }
    }
    return { samples: samplesOf(points), tables: [{ title: "The master with simulated workers", head: HEAD, rows }] };
  },
};

const HEAD = [
  "workers",
  "all listed after",
  "at rest",
  "`mpirun hostname` on all",
  "`mpi_run hostname` on all",
  "a killed one leaves after",
  "files open in one process",
  "memory of a connection",
];

function rowOf(point: Point): string[] {
  const { workers, connect, rest, mpirun, mpiRun, leaves, files, memory } = point;
  return [
    `${workers}`,
    `${number(connect)} s`,
    `${number(rest)} % of a core`,
    `${number(median(mpirun) / 1000)} s`,
    `${number(median(mpiRun) / 1000)} s`,
    `${number(leaves)} s`,
    `${files}`,
    `${number(memory)} MB`,
  ];
}

function samplesOf(points: Point[]): Measured["samples"] {
  const [few, many] = [100, 500].map((size) => points.find(({ workers }) => workers === size));
  const missing = "that size did not come to its end";
  return {
    "simulated-agent-cpu": many === undefined ? missing : { ours: [many.rest] },
    "simulated-growth": few === undefined || many === undefined
      ? missing
      : { ours: [median(many.mpirun)], theirs: [median(few.mpirun) * many.workers / few.workers] },
  };
}

/** Starts so many workers, measures, and ends them. */
async function simulate(arena: Arena, root: string, workers: number): Promise<Point> {
  const names = namesOf("engine");
  await makeFolder(names);
  const lifeline = await Lifeline.hold(names.folder);
  let box: Box | undefined;
  let ended: Promise<void> | undefined;
  const end = () =>
    ended ??= (async () => {
      lifeline[Symbol.dispose]();
      await box?.kill();
      await removeTraces(names);
    })();
  arena.defer("end the simulation", end);
  try {
    await writeNodes(arena, root, names.folder, workers);
    box = await startBox({
      folder: names.folder,
      lifeline: lifeline.path,
      seconds: 900,
      command: [SCRIPT, root, names.folder, `${workers}`],
      connect: (started) => layLoopback(arena, started),
    });
    return await measure(arena, { box, root, folder: names.folder, workers });
  } finally {
    await end();
  }
}

/** All addresses of the network are this machine's; the master's alone is also one of a device, as the launcher wants it. */
async function layLoopback(arena: Arena, box: Box): Promise<void> {
  const ip = (...words: string[]) => arena.must([...box.network, "ip", ...words]);
  await ip("link", "set", "lo", "up");
  await ip("route", "add", "local", NETWORK, "dev", "lo");
  await ip("address", "add", `${MASTER}/32`, "dev", "lo");
}

/** Writes what each node has below /run/mpi: what mpi_bootstrap writes, with the node's own address. */
async function writeNodes(arena: Arena, root: string, folder: string, workers: number): Promise<void> {
  await Deno.chmod(folder, 0o711);
  await makeKeys(arena, root);
  const run = `${root}/run/mpi`;
  const key = async (name: string) => (await Deno.readTextFile(`${root}/run/secrets/${name}.pub`)).trim();
  const bootstrap = `source <(sed '/^grep .*NoNewPrivs/,$d' /usr/local/bin/mpi_bootstrap)
    write_files lo ${SOME_ADDRESS}; write_sshd_config ${SOME_ADDRESS}`;
  const env = [`MPI_AUTHORIZED_KEYS=${await key("cluster_key")}`, `MPI_KNOWN_HOST_KEY=${await key("host_key")}`];
  await bare(arena, root, ["env", ...env, "MPI_SLOTS=1", "MPI_CLUSTER=sim", "bash", "-c", bootstrap]);
  const files: { name: string; text: string }[] = [];
  for await (const { name, isFile } of Deno.readDir(run)) {
    if (isFile) files.push({ name, text: await Deno.readTextFile(`${run}/${name}`) });
    await Deno.remove(`${run}/${name}`, { recursive: true }); // the figures on the bare machine are to see none of it
  }
  await Deno.writeTextFile(`${root}/etc/hosts`, hostsFile(workers));
  await writeNode(`${folder}/master`, files, MASTER);
  for (let worker = 1; worker <= workers; worker++) {
    await writeNode(`${folder}/worker-${worker}`, files, addressOf(worker));
  }
}

async function writeNode(folder: string, files: { name: string; text: string }[], address: string): Promise<void> {
  const folders = [folder, ...["mux", "jobs", "ranks"].map((name) => `${folder}/${name}`)];
  for (const each of folders) await Deno.mkdir(each, { mode: 0o700 });
  for (const { name, text } of files) {
    await Deno.writeTextFile(`${folder}/${name}`, text.replaceAll(SOME_ADDRESS, address), { mode: 0o600 });
    await Deno.chown(`${folder}/${name}`, UID, UID);
  }
  for (const each of folders) await Deno.chown(each, UID, UID);
}

/** The cluster's key and the workers' host key, where a container has them. */
async function makeKeys(arena: Arena, root: string): Promise<void> {
  const folder = `${root}/run/secrets`;
  if (await Deno.stat(folder).catch(() => undefined)) return;
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["cluster_key", "host_key"]) {
    await arena.must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", `${folder}/${name}`]);
    await Deno.chown(`${folder}/${name}`, UID, UID);
  }
}

/** A cluster that runs. */
interface Simulated {
  box: Box;
  root: string;
  /** Of the nodes' folders. */
  folder: string;
  workers: number;
}

async function measure(arena: Arena, cluster: Simulated): Promise<Point> {
  const { box, folder, workers } = cluster;
  const { signal } = arena;
  arena.tell(`${workers} workers: starting`);
  const listening = async () => {
    const list = await arena.must([...box.network, "ss", "-Hltn", "sport = :2222"]);
    return list.trim().split("\n").length === workers;
  };
  await box.reaches("all SSH servers to listen", 120, listening, signal);
  const begin = performance.now();
  await Deno.writeTextFile(`${folder}/go`, "");
  const listed = async (count: number) => {
    const list = await Deno.readTextFile(`${folder}/master/hosts`).catch(() => "");
    return list.split("\n").length - 1 === count;
  };
  await box.reaches("all workers to be listed", CONNECT_SECONDS, () => listed(workers + 1), signal);
  const connect = (performance.now() - begin) / 1000;
  arena.tell(`${workers} workers: listed after ${connect.toFixed(1)} s`);
  const rest = await atRest(arena, cluster);
  const memory = pssMb(await onMaster(arena, cluster, "cat /proc/[0-9]*/smaps_rollup 2>/dev/null; true", "0:0")) /
    workers;
  const launches = readTimes(await onMaster(arena, cluster, launchScript(workers)));
  const files = Number((await onMaster(arena, cluster, filesScript(workers))).trim());
  const victim = (await Deno.readTextFile(`${folder}/worker-${workers}/process`)).trim();
  const killed = performance.now();
  await arena.must([...box.inside(), "pkill", "-KILL", "--parent", victim]);
  await poll("a killed worker to leave", () => listed(workers), { seconds: 60, signal });
  const leaves = (performance.now() - killed) / 1000;
  const { mpirun = [], run: mpiRun = [] } = launches;
  return { workers, connect, rest, memory, mpirun, mpiRun, files, leaves };
}

/** Runs a bash script on the master; as root, it sees the memory of all processes. */
async function onMaster(arena: Arena, { box, root, folder }: Simulated, script: string, user = `${UID}:${UID}`) {
  const unshared = (await Deno.readTextFile(`${folder}/master/process`)).trim();
  const first = (await arena.must([...box.inside(), "pgrep", "--parent", unshared])).trim();
  const env = [
    ...["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/project", "MPI_CLUSTER=sim"],
    ...["HYDRA_HOST_FILE=/run/mpi/hosts", "HYDRA_LAUNCHER_EXEC=/usr/local/bin/mpi_ssh"],
  ];
  const enter = ["nsenter", `--target=${first}`, "--mount", "--uts", "--pid", "--"];
  const inside = ["chroot", `--userspec=${user}`, root, "env", "-i", ...env, "bash", "-c", script];
  return await arena.must([...box.inside(), ...enter, ...inside], { seconds: 240 });
}

/** The share of a core that the agent's session takes, in percent: it is the first process there. */
async function atRest(arena: Arena, cluster: Simulated): Promise<number> {
  const ticks = async () => cpuTicks(await onMaster(arena, cluster, "cat /proc/[0-9]*/stat 2>/dev/null; true"), "1");
  const [begin, before] = [performance.now(), await ticks()];
  await new Promise((resolve) => setTimeout(resolve, REST_SECONDS * 1000));
  return (await ticks() - before) / TICKS / ((performance.now() - begin) / 1000) * 100;
}

/** Launches, three where that takes no time, by the launcher alone, and as `docker mpi run` has them; an answer is wanted of every node. */
const launchScript = (workers: number) =>
  `cd /project; ulimit -n "$(ulimit -H -n)"
for round in ${workers > 100 ? "1" : "1 2 3"}; do
  for way in mpirun run; do
    begin=\${EPOCHREALTIME/./}
    if [[ $way == mpirun ]]; then mpirun hostname >/tmp/out 2>/tmp/err </dev/null
    else mpi_run --job "sim-$round" -- hostname >/tmp/out 2>/tmp/err </dev/null; fi
    status=$?
    end=\${EPOCHREALTIME/./}
    if ((status != 0 || $(wc -l </tmp/out) != ${workers + 1})); then
      echo "$way: status $status, $(wc -l </tmp/out) answers: $(head -c 300 /tmp/err)" >&2; exit 1
    fi
    echo "$way $((end - begin))"
  done
done`;

/** The most files that a process of a run has open. */
const filesScript = (workers: number) =>
  `cd /project; ulimit -n "$(ulimit -H -n)"
mpi_run --job sim-files --np ${workers + 1} -- hostname >/dev/null 2>&1 </dev/null & run=$!
most=0
while kill -0 $run 2>/dev/null; do
  for process in $(pgrep 'mpi_run|mpirun|mpiexec'); do
    count=$(ls /proc/$process/fd 2>/dev/null | wc -l)
    ((count <= most)) || most=$count
  done
  sleep 0.1
done
echo $most`;
