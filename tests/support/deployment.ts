/** Deployments into a swarm in memory. */
import type { Deployment } from "../../stack/deploy/deployment.ts";
import { keyDirectory, writeUserKeys } from "../../stack/keys/key_store.ts";
import { LABELS } from "../../stack/labels.ts";
import { fingerprint } from "../../stack/names.ts";
import { resolveSettings, type SettingsInput } from "../../stack/settings/settings.ts";
import { makeKeyPair } from "../../stack/ssh/key_pair.ts";
import { type Answer, fakeDocker, FakeSwarm, MANAGER } from "./fakes.ts";

/** A limit that no test in memory should come to. */
export const limit = { timeout: 10_000, signal: new AbortController().signal };

/** A deployment into an empty swarm; `docker stack deploy` makes the services. */
export async function world(
  { flags = {}, client = "28.0.0", answer = {}, ...parts }:
    & Partial<Deployment>
    & { flags?: SettingsInput["flags"]; client?: string; answer?: Answer } = {},
) {
  const swarm = new FakeSwarm();
  const log: string[] = [];
  const docker = fakeDocker((line) => {
    if (line.startsWith("version")) return { stdout: `${client}\n` };
    log.push(...swarm.changes.splice(0), `docker ${line}`);
    if (line.startsWith("pull")) return {};
    if (answer.code === undefined) swarm.addCluster("hello", 2);
    return answer;
  });
  const deployment: Deployment = {
    engine: swarm.engine(),
    // Nothing listens there: these tests end where the master is to answer.
    vantage: { local: true },
    docker,
    configDir: await Deno.makeTempDir(),
    settings: await resolveSettings({ flags: { name: "hello", ...flags }, directory: "/home/ada/hello" }),
    rotateKeys: false,
    registryAuth: false,
    resolveImage: "always",
    version: "1.2.3",
    ...parts,
  };
  const directory = keyDirectory(deployment.configDir, MANAGER.clusterId, "hello");
  return { swarm, log, docker, deployment, directory };
}

/** How a deployment ends that went well: nothing listens where the master is to answer. */
export const noMaster = { code: "ssh", message: /^The master does not answer at 127\.0\.0\.1:2222: / };

/** A world where the cluster runs, deployed with the keys of this machine. */
export async function running(parts: Parameters<typeof world>[0] = {}) {
  const all = await world(parts);
  const keys = { ...await makeKeyPair("user"), masterHostKey: "ssh-ed25519 AAAA host" };
  await writeUserKeys(all.directory, "hello", keys);
  all.swarm.addCluster("hello", 5, { master: { [LABELS.userKey]: fingerprint(keys.publicKey) } });
  for (const kind of ["cluster_key", "master_host", "worker_host"]) {
    all.swarm.secrets.push({
      id: `id-${kind}`,
      name: `hello_${kind}-1`,
      labels: {
        "com.docker.stack.namespace": "hello",
        [LABELS.cluster]: "hello",
        "docker-mpi.key": kind,
        "docker-mpi.public-key": `ssh-ed25519 AAAA ${kind}`,
      },
      createdAt: "2026-01-01T00:00:00Z",
    });
  }
  return all;
}
