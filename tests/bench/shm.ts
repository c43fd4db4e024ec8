/** Two ranks of one container, beside the same binary on the bare machine. */
import type { Arena } from "./arena.ts";
import type { Family, Figure, Measured } from "./figure.ts";
import { bare, rootfs } from "./rootfs.ts";
import { CLUSTER, type Mpi, MPIS } from "./site.ts";

const ROUNDS = 5;
const BARE: Record<Mpi, string[]> = {
  mpich: ["/usr/bin/mpirun", "-launcher", "fork", "-hosts", "localhost", "-n", "2", "/project/ping_pong"],
  openmpi: [
    ...["/usr/bin/mpirun", "--host", "localhost:2", "--bind-to", "none", "-n", "2"],
    "/project/ping_pong",
  ],
};

/** What is read of a size. */
const SIZES = [
  { bytes: 1, name: "1", text: "1 B", latency: true },
  { bytes: 65536, name: "64k", text: "64 KB", latency: false },
  { bytes: 4194304, name: "4m", text: "4 MB", latency: false },
] as const;

/** As far as it was measured, by leaving one thing out at a time. */
const BOUNDS: Record<Mpi, string> = {
  mpich:
    "A job on several nodes needs TCP. Docker's filter of system calls (engine 20.10) keeps UCX from copying out of another " +
    "process at once, so it takes TCP as its second way to a rank of the same container as well, and asks that for news at each " +
    "message: 0.2 µs. Where one node has all ranks, mpi_rank sets `UCX_TLS=sm,self`, which is without it.",
  openmpi:
    "Not taken apart; likely: nodes may share CPUs and don't know it of each other, so who waits yields (`mpi_yield_when_idle`), which takes a system call.",
};

/** Whether the job has ranks on other nodes besides. */
const SPANS = [
  { name: "alone", text: "", nodes: "master" },
  { name: "spanning", text: ", in a job that spans three nodes", nodes: undefined },
] as const;

const figuresOf = (mpi: Mpi): Figure[] =>
  SPANS.flatMap((span) =>
    SIZES.map(({ name, text, latency }): Figure => ({
      name: `shm-${mpi}-${name}-${span.name}`,
      what: `${text} between two ranks of one container, ${mpi}${span.text}: ${latency ? "latency" : "bandwidth"}`,
      against: "the same binary on the bare machine",
      goal: latency ? { at: "most", value: 1.1 } : { at: "least", value: 0.95 },
      kind: "ours/theirs",
      unit: latency ? "µs" : "MB/s",
      bound: BOUNDS[mpi],
    }))
  );

/** What ping_pong prints for a size. */
export interface PingPong {
  bytes: number;
  /** One way, in microseconds. */
  latency: number;
  /** In millions of bytes per second. */
  bandwidth: number;
}

/** Reads what ping_pong prints. */
export function readPingPong(text: string): PingPong[] {
  return [...text.matchAll(/^(\d+) ([\d.]+) ([\d.]+)$/gm)].map(([, bytes, latency, bandwidth]) => ({
    bytes: Number(bytes),
    latency: Number(latency),
    bandwidth: Number(bandwidth),
  }));
}

/** The value of a size that counts. */
function valueOf(measured: PingPong[], { bytes, latency }: typeof SIZES[number]): number {
  const found = measured.find((each) => each.bytes === bytes);
  return (latency ? found?.latency : found?.bandwidth) ?? NaN;
}

async function measure(arena: Arena, mpi: Mpi): Promise<Measured> {
  const site = await arena.engine();
  const root = await rootfs(arena, site, mpi);
  await site.cluster({ mpi, workers: 2, slots: 2 });
  const run = async (args: string[]) =>
    readPingPong(await site.docker(["mpi", "run", "--name", CLUSTER, ...args, "./ping_pong"]));
  const samples: Record<string, { ours: number[]; theirs: number[] }> = {};
  for (let round = 0; round < ROUNDS; round++) {
    const theirs = readPingPong(await bare(arena, root, BARE[mpi]));
    for (const span of SPANS) {
      const ours = await run(span.nodes === undefined ? ["-n", "6"] : ["--hosts", span.nodes, "-n", "2"]);
      for (const size of SIZES) {
        const sample = samples[`shm-${mpi}-${size.name}-${span.name}`] ??= { ours: [], theirs: [] };
        sample.ours.push(valueOf(ours, size));
        sample.theirs.push(valueOf(theirs, size));
      }
    }
  }
  return { samples };
}

export const SHM: Family[] = MPIS.map((mpi) => ({
  name: `shm-${mpi}`,
  figures: figuresOf(mpi),
  minutes: 5,
  measure: (arena) => measure(arena, mpi),
}));
