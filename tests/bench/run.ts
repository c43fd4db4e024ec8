/** What a run from elsewhere takes, beside ssh. */
import type { Family } from "./figure.ts";
import { CLUSTER } from "./site.ts";
import { alternate, timed } from "./stats.ts";

const ROUNDS = 10;

export const RUN: Family = {
  name: "run",
  minutes: 3,
  figures: [
    {
      name: "run-true",
      what: "`docker mpi run -n 1 true`",
      against: "OpenSSH's `ssh` to the same master, `mpirun -n 1 true`",
      goal: { at: "most", value: 1.2 },
      kind: "ours/theirs",
      unit: "ms",
      bound:
        "Taken apart on a machine that tests kept busy: Docker and our program without an engine or SSH take 70 ms (`docker mpi " +
        "version`), the engine's answers and the login by SSH 215 ms more (`docker mpi exec true`), mpi_run with mpi_relay and " +
        "mpi_rank 60 ms. OpenSSH's login alone took 180 ms there.",
    },
    {
      name: "run-exec",
      what: "the same",
      against: "`docker exec MASTER mpirun -n 1 true`, which needs the master's own engine",
      kind: "ours/theirs",
      unit: "ms",
    },
  ],
  async measure(arena) {
    const site = await arena.engine();
    await site.cluster({ mpi: "mpich", workers: 3 });
    const master = await site.container("master");
    const login = (await site.docker(["mpi", "login", "--print", "--name", CLUSTER])).trim().split(" ")
      .filter((word) => word !== "-t");
    const times = await alternate(ROUNDS, {
      ours: () => timed(() => site.docker(["mpi", "run", "--name", CLUSTER, "-n", "1", "true"])),
      ssh: () => timed(() => site.must([...login, "mpirun", "-n", "1", "true"])),
      exec: () => timed(() => site.docker(["exec", master, "mpirun", "-n", "1", "true"])),
    });
    return {
      samples: {
        "run-true": { ours: times.ours, theirs: times.ssh },
        "run-exec": { ours: times.ours, theirs: times.exec },
      },
    };
  },
};
