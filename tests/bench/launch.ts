/** How long a launch takes, beside the same launcher with plain ssh, and without any. */
import type { Arena } from "./arena.ts";
import type { Family, Figure } from "./figure.ts";
import { type Mpi, MPIS, type Site } from "./site.ts";

const [FEW, MANY] = [4, 31];
const ROUNDS = 5;

/** What makes the launcher use another program than ours to reach a node, and whether it then can do without ssh. */
const AGENT: Record<Mpi, string> = { mpich: "HYDRA_LAUNCHER_EXEC", openmpi: "PRTE_MCA_plm_ssh_agent" };
const HOSTFILE: Record<Mpi, string> = { mpich: "-f", openmpi: "--hostfile" };

const BOUNDS: Record<Mpi, string> = {
  mpich:
    "Hydra's own time, the floor below. The rest is 1 to 2 ms for each node: mpi_ssh, a shell of sh that becomes mpi_mux, on the " +
    "master, and a process of the SSH server with a shell on the worker.",
  openmpi:
    "PRRTE starts a daemon on each node, prted. With the same mpi_ssh each node beyond the fourth costs 19 ms here, and with MPICH " +
    "5: an mpi_ssh that took no time at all would save a quarter at most. One machine starts all 31 daemons here.",
};

const figuresOf = (mpi: Mpi): Figure[] => [
  {
    name: `launch-${mpi}`,
    what: `\`mpirun hostname\` on ${MANY} nodes, ${mpi}`,
    against: "the same launcher with plain ssh",
    goal: { at: "least", value: 5 },
    kind: "theirs/ours",
    unit: "ms",
    bound: BOUNDS[mpi],
  },
  ...(mpi === "mpich"
    ? [{
      name: "launch-floor",
      what: `\`mpirun hostname\` on ${MANY} nodes, ${mpi}`,
      against: "Hydra without any ssh, all on the master: the floor",
      goal: { at: "most", value: 2 } as const,
      kind: "ours/theirs" as const,
      unit: "ms",
      bound: "For each node 1 to 2 ms, as above.",
    }]
    : []),
  {
    name: `launch-growth-${mpi}`,
    what: `growth of the launch from ${FEW} to ${MANY} nodes, ${mpi}`,
    against: "linear growth",
    goal: { at: "most", value: 1 },
    kind: "ours/theirs",
    unit: "ms",
    bound:
      "The launcher starts one process for each node, one after the other: beyond the few that the CPUs run at once the time is " +
      "linear.",
  },
];

/** Times each way in turn; a way that does not name every node fails. */
function script(mpi: Mpi): string {
  const ways = mpi === "mpich" ? "ours plain floor few" : "ours plain few";
  return `set -u
nodes=$(wc -l </run/mpi/hosts)
[[ $nodes == ${MANY} ]] || { echo "there are $nodes nodes"; exit 1; }
folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
head -n ${FEW} /run/mpi/hosts >"$folder/few"
printf '%s\\n' '#!/bin/sh' 'exec ssh -o ControlPath=none "$@"' >"$folder/plain"
printf '%s\\n' '#!/bin/sh' '[ "$1" = -x ] && shift' 'shift' 'exec sh -c "$*"' >"$folder/floor"
chmod +x "$folder/plain" "$folder/floor"
way() {
  case $1 in
    ours) mpirun hostname ;;
    few) mpirun ${HOSTFILE[mpi]} "$folder/few" hostname ;;
    *) ${AGENT[mpi]}=$folder/$1 mpirun hostname ;;
  esac </dev/null >"$folder/out" 2>"$folder/err"
}
for round in {0..${ROUNDS}}; do
  for way in ${ways}; do
    want=${MANY}; [[ $way != few ]] || want=${FEW}
    begin=\${EPOCHREALTIME/./}
    way "$way"; status=$?
    end=\${EPOCHREALTIME/./}
    if ((status != 0 || $(wc -l <"$folder/out") != want)); then
      echo "$way: status $status, $(wc -l <"$folder/out") lines: $(head -c 300 "$folder/err")"; exit 1
    fi
    ((round == 0)) || echo "$way $((end - begin))"
  done
done`;
}

/** Reads lines of a name and microseconds: the milliseconds of each name. */
export function readTimes(text: string): Record<string, number[]> {
  const times: Record<string, number[]> = {};
  for (const [, name = "", time] of text.matchAll(/^(\w+) (\d+)$/gm)) (times[name] ??= []).push(Number(time) / 1000);
  return times;
}

async function measure(arena: Arena, mpi: Mpi) {
  const site: Site = await arena.engine();
  await site.cluster({ mpi, workers: MANY - 1 });
  const { ours = [], plain = [], floor = [], few = [] } = readTimes(await site.onMaster(script(mpi)));
  return {
    samples: {
      [`launch-${mpi}`]: { ours, theirs: plain },
      "launch-floor": { ours, theirs: floor },
      [`launch-growth-${mpi}`]: { ours, theirs: few.map((time) => time * MANY / FEW) },
    },
  };
}

export const LAUNCH: Family[] = MPIS.map((mpi) => ({
  name: `launch-${mpi}-31`,
  figures: figuresOf(mpi),
  minutes: 5,
  measure: (arena) => measure(arena, mpi),
}));
