/** What a node has in memory while it does nothing. */
import type { Family } from "./figure.ts";
import { memoryMb, processesOf } from "./processes.ts";

const NAME = "mpibench-sshd";

/** An SSH server as the node's, and nothing else. */
const BARE = `ssh-keygen -q -t ed25519 -N "" -f /tmp/key
exec /usr/sbin/sshd -D -e -f /dev/null -o Port=2222 -o HostKey=/tmp/key -o PidFile=none -o UsePAM=no`;

export const MEMORY: Family = {
  name: "memory",
  minutes: 3,
  figures: [{
    name: "memory-worker",
    what: "a worker's memory at rest",
    against: "a bare sshd in the same image",
    goal: { at: "most", value: 1.5 },
    kind: "ours/theirs",
    unit: "MB",
    bound:
      "The bare one has nobody logged in. With the master's kept connection the SSH server alone is three processes. In a cluster " +
      "of 31 nodes here they had 1.3, 0.9 and 1.1 MB (proportional set size), mpi_node 0.3 and its `cat` 0.1: without the " +
      "connection the goal is in reach, and with it the server alone misses it.",
  }],
  async measure(arena) {
    const site = await arena.engine();
    await site.cluster({ mpi: "mpich", workers: 3 });
    await site.docker(["rm", "--force", NAME]).catch(() => {});
    arena.defer(
      "remove a container",
      async () => void await arena.succeeds(["docker", "rm", "--force", NAME], { env: site.place.env }),
    );
    await site.docker(["run", "--detach", "--name", NAME, "--init", site.image("mpich"), "sh", "-c", BARE]);
    const inspect = ["inspect", "--format", "{{.Id}}", NAME];
    const id = (await site.docker(inspect)).trim();
    const pss = async (container: string) => await memoryMb(await processesOf(container));
    await new Promise((resolve) => setTimeout(resolve, 2000)); // the server has started, and its start is over
    const bare = await pss(id);
    const workers = await Promise.all(
      [1, 2, 3].map(async (number) => await pss(await site.container(`worker.${number}`))),
    );
    await site.docker(["rm", "--force", NAME]);
    return { samples: { "memory-worker": { ours: workers, theirs: workers.map(() => bare) } } };
  },
};
