/** Between hosts: MPI over the overlay, beside one stream of iperf3 over the same overlay. */
import type { Family } from "./figure.ts";
import { readPingPong } from "./shm.ts";
import { CLUSTER, type Site } from "./site.ts";
import { alternate } from "./stats.ts";

const ROUNDS = 5;
const SECONDS = 2;

export const NETWORK: Family = {
  name: "network",
  minutes: 9,
  figures: [
    {
      name: "overlay-4m",
      what: "4 MB between two hosts over the overlay, mpich: bandwidth",
      against: "one iperf3 stream over the same overlay",
      goal: { at: "least", value: 0.8 },
      kind: "ours/theirs",
      unit: "MB/s",
      bound:
        "Not taken apart; likely: a ping-pong has one message on its way at a time, iperf3 always the next one; both ends, the switch between them and " +
        "VXLAN share the CPUs of one machine here.",
    },
  ],
  async measure(arena) {
    const site = await arena.lab();
    await site.cluster({
      mpi: "mpich",
      workers: 1,
      flags: ["--master-constraint", "node.hostname==host1", "--worker-constraint", "node.hostname==host2"],
    });
    const stop = await startServer(site);
    try {
      const times = await alternate(ROUNDS, {
        ours: async () => {
          const text = await site.docker(["mpi", "run", "--name", CLUSTER, "-n", "2", "--ppn", "1", "./ping_pong"]);
          return readPingPong(text).find(({ bytes }) => bytes === 4194304)?.bandwidth ?? NaN;
        },
        theirs: async () => readStream(await site.onMaster(`iperf3 --json --time ${SECONDS} --client worker-1`)),
      });
      return { samples: { "overlay-4m": times } };
    } finally {
      await stop();
    }
  },
};

/** Starts the stream's other end on the worker. */
async function startServer(site: Site): Promise<() => Promise<void>> {
  const exec = ["mpi", "exec", "--name", CLUSTER, "--host", "worker-1"];
  await site.docker([...exec, "iperf3", "--server", "--daemon"]);
  return async () => void await site.docker([...exec, "pkill", "iperf3"]).catch(() => {});
}

/** Reads what the receiver of a stream got, in millions of bytes per second. */
export function readStream(json: string): number {
  const { end, error } = JSON.parse(json);
  if (error !== undefined) throw new Error(`iperf3: ${error}`);
  return end.sum_received.bits_per_second / 8e6;
}
