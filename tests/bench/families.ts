/** What is measured, and the raw thing beside it. */
import { deploy } from "./deploy.ts";
import { CLUSTER, IMAGE, NODES, type Site } from "./site.ts";
import { alternate, type Sample, timed } from "./stats.ts";

/** Each family, in the order in which they are measured. */
export const FAMILIES: Record<string, (site: Site) => Promise<Sample[]>> = { cli, deploy, launch, copy, messages };

/** What answers at once, beside Docker's own command that asks the engine about as much. */
async function cli(site: Site): Promise<Sample[]> {
  await site.needCluster();
  const values = await alternate(10, {
    help: () => site.time("mpi", "--help"),
    version: () => site.time("mpi", "version"),
    asked: () => site.time("version", "--format", "x"),
    ls: () => site.time("mpi", "ls"),
    listed: () => site.time("service", "ls"),
  });
  const asked = { against: "`docker version --format x`", unit: "s", theirs: values.asked } as const;
  return [
    { what: "`docker mpi --help`", ours: values.help, ...asked },
    { what: "`docker mpi version`", ours: values.version, ...asked },
    { what: "`docker mpi ls`", against: "`docker service ls`", unit: "s", ours: values.ls, theirs: values.listed },
  ];
}

/** The launcher's ssh without the connections that are kept. */
const PLAIN_SSH = "/tmp/bench_ssh";

/** The launcher on the master; its time is taken there, without that of the login. */
const LAUNCHES = { typed: "mpirun", plain: `env HYDRA_LAUNCHER_EXEC=${PLAIN_SSH} mpirun` };

/** From the client to the end of the program on all nodes, beside the launcher alone. */
async function launch(site: Site): Promise<Sample[]> {
  await site.needCluster();
  const plain = `printf '%s\\n' '#!/bin/sh' 'exec ssh -o ControlPath=none "$@"' >${PLAIN_SSH}; chmod +x ${PLAIN_SSH}`;
  await site.onMaster(plain);
  for (const mpirun of Object.values(LAUNCHES)) {
    const nodes = new Set((await site.onMaster(`${mpirun} hostname </dev/null`)).trim().split("\n"));
    if (nodes.size !== NODES) {
      throw new Error(`\`${mpirun} hostname\` ran on ${[...nodes].join(", ")}, want ${NODES} nodes`);
    }
  }
  const there = (mpirun: string) => async () => {
    const script = `begin=\${EPOCHREALTIME/./}; ${mpirun} true </dev/null && echo $((\${EPOCHREALTIME/./} - begin))`;
    return Number(await site.onMaster(script)) / 1e6;
  };
  const { ours, typed, plainly } = await alternate(10, {
    ours: () => site.time("mpi", "run", "true"),
    typed: there(LAUNCHES.typed),
    plainly: there(LAUNCHES.plain),
  });
  const run = { what: `\`docker mpi run true\` on ${NODES} nodes`, unit: "s", ours } as const;
  return [
    { ...run, against: "`mpirun true` in an open SSH session on the master", theirs: typed },
    { ...run, against: "the same, by plain ssh without kept connections", theirs: plainly },
    {
      what: `\`mpirun true\` on ${NODES} nodes, in an open SSH session on the master`,
      against: "the same, by plain ssh without kept connections",
      unit: "s",
      ours: typed,
      theirs: plainly,
    },
  ];
}

/** Data to all nodes, beside one way to one of them, and beside what the disk has to do in any case. */
async function copy(site: Site): Promise<Sample[]> {
  await site.needCluster();
  const file = `${site.folder}/data`;
  await site.must("sh", "-c", 'head -c "$1" /dev/urandom >"$2"', "sh", "100000000", file);
  const login = (await site.docker("mpi", "login", "--print")).trim();
  const there = "/tmp/bench.data";
  const clear = async (seconds: number) => {
    await site.docker("mpi", "exec", "--all", "rm", "-f", there);
    return seconds;
  };
  const sh = (script: string) => timed(() => site.must("sh", "-c", script, "sh", file));
  const numbers = Array.from({ length: NODES }, (_, index) => index + 1).join(" ");
  const { ours, ssh, disk } = await alternate(5, {
    ours: async () => await clear(await site.time("mpi", "cp", file, there)),
    ssh: async () => await clear(await sh(`${login} 'cat >${there}' <"$1"`)),
    disk: async () => {
      const seconds = await sh(`for number in ${numbers}; do cat "$1" >"$1.$number" || exit; done`);
      await sh('rm "$1".*');
      return seconds;
    },
  });
  await Deno.remove(file);
  const cp = { what: `\`docker mpi cp\` of 100 MB to ${NODES} nodes`, unit: "s", ours } as const;
  return [
    { ...cp, against: "`ssh … 'cat >file'` to the master alone", theirs: ssh },
    { ...cp, against: `writing a file of that size ${NODES} times, on the same disk`, theirs: disk },
  ];
}

/** The time of one way in microseconds, and millions of bytes per second. */
type PingPong = Record<"latency" | "bandwidth", number>;

/** The latency of the first size, and the bandwidth of the last. */
export function readPingPong(text: string): PingPong {
  const sizes = [...text.matchAll(/^\d+ ([\d.]+) ([\d.]+)$/gm)];
  if (sizes.length < 2) throw new Error(`ping_pong printed ${JSON.stringify(text)}`);
  return { latency: Number(sizes[0]![1]), bandwidth: Number(sizes.at(-1)![2]) };
}

/** Two ranks, beside two in a plain container of the same image. */
async function messages(site: Site): Promise<Sample[]> {
  await site.needCluster();
  const ranks = (nodes: string) => async () =>
    readPingPong(await site.docker("mpi", "run", "--cluster", CLUSTER, "-n", "2", "--hosts", nodes, "./ping_pong"));
  // The host's network has the host's name, which the launcher looks up.
  const host = ["--network", "host", "--add-host", `${Deno.hostname()}:127.0.0.1`, "--shm-size", "1g"];
  const mpirun = ["mpirun", "-launcher", "fork", "-hosts", "localhost", "-n", "2", "./ping_pong"];
  const { one, two, plain } = await alternate(5, {
    one: ranks("worker-1"),
    two: ranks("worker-1,worker-2"),
    plain: async () => readPingPong(await site.docker("run", "--rm", ...host, IMAGE, ...mpirun)),
  });
  const against = "the same program, both ranks in one plain `docker run --network host`";
  const samples = (where: string, values: PingPong[]): Sample[] => {
    const of = (key: keyof PingPong) => ({
      against,
      ours: values.map((value) => value[key]),
      theirs: plain.map((value) => value[key]),
    });
    return [
      { what: `latency of 1 byte between two ranks ${where}`, unit: "µs", ...of("latency") },
      { what: `bandwidth of 4 MB between two ranks ${where}`, unit: "MB/s", ...of("bandwidth") },
    ];
  };
  return [...samples("of one node", one), ...samples("of two nodes", two)];
}
