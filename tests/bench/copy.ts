/** Files to all nodes, beside one scp after the other. */
import type { Family } from "./figure.ts";
import { CLUSTER } from "./site.ts";
import { alternate, timed } from "./stats.ts";

const NODES = 12;
const MEGABYTES = 100;
const ROUNDS = 2;

/** Brings it from the master to each worker, each time by a connection of its own, as scp does. */
const HAND_ON = `set -e
for address in $(awk 'NR > 1 { print $2 }' /run/mpi/nodes); do
  scp -q -o ControlPath=none -P 2222 /tmp/plain "mpi@$address:/tmp/plain"
done`;

export const COPY: Family = {
  name: "copy",
  minutes: 5,
  figures: [{
    name: "cp-12",
    what: `\`docker mpi cp\` of ${MEGABYTES} MB to ${NODES} nodes`,
    against: `${NODES} plain scp, one after the other`,
    goal: { at: "least", value: 4 },
    kind: "theirs/ours",
    unit: "s",
    bound:
      `Not taken apart; likely: one machine has all nodes here: it encrypts, decrypts, digests and writes the ${MEGABYTES} MB ${NODES} times, whoever ` +
      "copies, and with all of its CPUs.",
  }],
  async measure(arena) {
    const site = await arena.engine();
    await site.cluster({ mpi: "mpich", workers: NODES - 1 });
    const file = `${site.place.folder}/data`;
    await arena.must(["sh", "-c", 'head -c "$1" /dev/urandom >"$2"', "sh", `${MEGABYTES}000000`, file]);
    const [ssh, ...login] = (await site.docker(["mpi", "login", "--print", "--name", CLUSTER])).trim().split(" ");
    if (ssh !== "ssh") throw new Error("`docker mpi login --print` printed no ssh command");
    const options = login.slice(0, -1).map((word) => word === "-p" ? "-P" : word).filter((word) => word !== "-t");
    const times = await alternate(ROUNDS, {
      ours: () =>
        timed(() =>
          site.docker(["mpi", "cp", "--progress", "plain", "--name", CLUSTER, file, "/tmp/ours"], { seconds: 120 })
        ),
      theirs: () =>
        timed(async () => {
          await site.must(["scp", "-q", ...options, file, `${login.at(-1)}:/tmp/plain`], { seconds: 120 });
          await site.onMaster(HAND_ON);
        }),
    }, { warm: false });
    await site.docker(["mpi", "exec", "--name", CLUSTER, "--all", "rm", "-f", "/tmp/ours", "/tmp/plain"]);
    const seconds = (values: number[]) => values.map((ms) => ms / 1000);
    return { samples: { "cp-12": { ours: seconds(times.ours), theirs: seconds(times.theirs) } } };
  },
};
