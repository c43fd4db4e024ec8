/** More workers, beside what Docker itself takes. */
import type { Family } from "./figure.ts";
import { CLUSTER } from "./site.ts";
import { alternate, timed } from "./stats.ts";

const [FROM, TO] = [5, 30];
const ROUNDS = 2;

export const SCALE: Family = {
  name: "scale",
  minutes: 8,
  figures: [{
    name: "scale-5-30",
    what: `\`docker mpi scale\` from ${FROM} to ${TO} until the hostfile agrees`,
    against: "`docker service scale` until the tasks run",
    goal: { at: "most", value: 1.2 },
    kind: "ours/theirs",
    unit: "s",
    bound: "Not taken apart; likely: each new node has to answer the master.",
  }],
  async measure(arena) {
    const site = await arena.engine();
    const back = () => site.cluster({ mpi: "mpich", workers: FROM });
    const ours = async () => {
      await back();
      return await timed(() => site.cluster({ mpi: "mpich", workers: TO }));
    };
    const theirs = async () => {
      await back();
      const time = await timed(async () => {
        await site.docker(["service", "scale", "--detach", `${CLUSTER}_worker=${TO}`]);
        await site.tasksRun(TO + 1);
      });
      await site.cluster({ mpi: "mpich", workers: TO }); // waits for the hostfile, so that the next round begins alike
      return time;
    };
    const times = await alternate(ROUNDS, { ours, theirs }, { warm: false });
    const seconds = (values: number[]) => values.map((ms) => ms / 1000);
    return { samples: { "scale-5-30": { ours: seconds(times.ours), theirs: seconds(times.theirs) } } };
  },
};
