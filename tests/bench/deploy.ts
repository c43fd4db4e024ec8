/** How long a cluster takes to be there, beside what Docker itself takes for the same stack file. */
import type { Arena } from "./arena.ts";
import type { Family } from "./figure.ts";
import { CLUSTER, type Site } from "./site.ts";
import { alternate, timed } from "./stats.ts";

const WORKERS = 30;
const NODES = WORKERS + 1;
const ROUNDS = 2;

/** The secrets of a stack file, by their names in the swarm. */
const SECRETS = ["cluster_key", "master_host", "worker_host"];

export const DEPLOY: Family = {
  name: "deploy",
  minutes: 9,
  figures: [{
    name: "deploy-30",
    what: `\`docker mpi deploy --workers ${WORKERS}\`, image present, until the hostfile has all ${NODES}`,
    against: `\`docker stack deploy\` of the same file until ${NODES} tasks run`,
    goal: { at: "most", value: 1.2 },
    kind: "ours/theirs",
    unit: "s",
    bound:
      "Not taken apart; likely: after the tasks run, as the swarm has it, each node has to answer the master: a login at either " +
      "end, and the connection that stays. Before, the image, the keys and the swarm are looked at.",
  }],
  async measure(arena) {
    const site = await arena.engine();
    await site.removeCluster();
    const { args, cwd } = await site.deployment({ mpi: "mpich", workers: WORKERS });
    const { file, names } = await stackFile(site, args, cwd);
    site.unknown();
    const seconds = (times: number[]) => times.map((ms) => ms / 1000);
    const times = await alternate(ROUNDS, {
      ours: async () => {
        await clear(site);
        return await timed(() => site.docker(["mpi", "deploy", ...args], { cwd, seconds: 240 }));
      },
      theirs: async () => {
        await clear(site);
        await makeSecrets(arena, site, names);
        return await timed(async () => {
          await site.docker(["stack", "deploy", "--resolve-image", "never", "-c", file, CLUSTER]);
          await site.tasksRun(NODES);
        });
      },
    }, { warm: false });
    await clear(site);
    site.none();
    return { samples: { "deploy-30": { ours: seconds(times.ours), theirs: seconds(times.theirs) } } };
  },
};

/** The file that the plugin would send, and the names of its secrets, which any keys will do for. */
async function stackFile(site: Site, args: string[], cwd: string) {
  const file = `${site.place.folder}/stack.yml`;
  const text = await site.docker(["mpi", "config", ...args], { cwd });
  await Deno.writeTextFile(file, text);
  const names = SECRETS.map((secret) => new RegExp(`\\b${CLUSTER}_${secret}-[\\w-]+`).exec(text)?.[0]);
  if (names.includes(undefined)) throw new Error(`the stack file does not name the secrets ${SECRETS.join(", ")}`);
  return { file, names: names as string[] };
}

async function makeSecrets(arena: Arena, site: Site, names: string[]): Promise<void> {
  const key = `${site.place.folder}/key`;
  if (!await Deno.stat(key).catch(() => undefined)) {
    await arena.must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
  }
  const label = `com.docker.stack.namespace=${CLUSTER}`;
  for (const name of names) await site.docker(["secret", "create", "--label", label, name, key]);
}

/** Removes the stack, its keys and what remains of its network. */
async function clear(site: Site): Promise<void> {
  const keys = ["secret", "ls", "--quiet", "--filter", `label=com.docker.stack.namespace=${CLUSTER}`];
  await site.docker(["mpi", "rm", CLUSTER], { seconds: 180 }).catch(() => {});
  const left = (await site.docker(keys)).split("\n").filter((id) => id !== "");
  if (left.length > 0) await site.docker(["secret", "rm", ...left]);
}
