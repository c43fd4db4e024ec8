/** How long a cluster takes to be there, beside what Docker takes for the same stack file. */
import { poll } from "../box/command.ts";
import { CLUSTER, IMAGE, type Site, WORKERS } from "./site.ts";
import { alternate, type Sample, timed } from "./stats.ts";

const STACK = `com.docker.stack.namespace=${CLUSTER}`;

/** What lets `docker mpi rm` clear it away, whatever fails. */
const OURS = `docker-mpi.cluster=${CLUSTER}`;

/** The secrets of a stack file, and where a node that has one finds it. */
const KEYS = [
  ["cluster_key", "master", "cluster_key"],
  ["master_host", "master", "host_key"],
  ["worker_host", "worker-1", "host_key"],
] as const;

/** Ours makes keys, waits for each node's answer to the master, and tells of it; Docker gets stack file and keys ready made. */
export async function deploy(site: Site): Promise<Sample[]> {
  await site.needCluster();
  const { file, keys } = await prepare(site);
  await site.clear();
  const { ours, theirs } = await alternate(3, {
    ours: async () => {
      const seconds = await site.time("mpi", "deploy", "--image", IMAGE, "--workers", `${WORKERS}`);
      await site.clear();
      return seconds;
    },
    theirs: async () => {
      for (const { name, value } of keys) {
        await site.docker("secret", "create", "--label", STACK, "--label", OURS, name, value);
      }
      const seconds = await timed(() => deployStack(site, file));
      await site.clear();
      return seconds;
    },
  });
  return [{
    what: `\`docker mpi deploy --workers ${WORKERS}\`, the image there, until all answer`,
    against: "`docker stack deploy` of the same file, the keys there, until all tasks run",
    unit: "s",
    ours,
    theirs,
  }];
}

/** Takes the stack file, and files with the values of its secrets, from a cluster that runs. */
async function prepare(site: Site) {
  const text = await site.docker("mpi", "config", "--workers", `${WORKERS}`, "--format", "json");
  const file = `${site.folder}/stack.json`;
  await Deno.writeTextFile(file, text);
  const { secrets } = JSON.parse(text) as { secrets: Record<string, { name: string }> };
  const keys: { name: string; value: string }[] = [];
  for (const [secret, node, key] of KEYS) {
    const name = secrets[secret]?.name;
    if (name === undefined) throw new Error(`the stack file has no secret ${secret}`);
    const value = `${site.folder}/${secret}`;
    const text = await site.docker("mpi", "exec", "--host", node, "cat", `/run/secrets/${key}`);
    await Deno.writeTextFile(value, text, { mode: 0o600 });
    keys.push({ name, value });
  }
  return { file, keys };
}

/** A task with a health check runs, to the swarm, when it is healthy. */
async function deployStack(site: Site, file: string): Promise<void> {
  // Clients since 26 warn unless told to return at once; older ones don't know the flag.
  const client = await site.docker("version", "--format", "{{.Client.Version}}");
  const detach = Number.parseInt(client) >= 26 ? ["--detach=true"] : [];
  await site.docker("stack", "deploy", "--resolve-image", "never", ...detach, "--compose-file", file, CLUSTER);
  const list = ["service", "ls", "--filter", `label=${STACK}`, "--format", "{{.Replicas}}"];
  const allRun = async () =>
    (await site.docker(...list)).trim().split("\n").sort().join(" ") === `1/1 ${WORKERS}/${WORKERS}`;
  await poll("all tasks to run", allRun, { seconds: 120 });
}
