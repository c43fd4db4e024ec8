/** A test cluster as somebody sees it who wants its keys, or wants in. */
import assert from "node:assert/strict";
import { containers } from "./nodes.ts";
import { expectOk, IMAGE, type World } from "./swarm.ts";

/** What every OpenSSH private key begins with, in base64. */
export const KEY_START = "b3BlbnNzaC1rZXktdj";

/** The private keys of a cluster, as files of OpenSSH. */
export interface PrivateKeys {
  user: string;
  cluster: string;
  masterHost: string;
  workerHost: string;
}

/** The containers of a cluster with one worker. */
export interface Nodes {
  master: string;
  worker: string;
}

/** Finds both containers. The worker that stays when others go need not be the first. */
export async function bothNodes(world: World): Promise<Nodes> {
  const nodes = await containers(world);
  const [master, worker] = [nodes.get("master"), [...nodes].find(([name]) => name.startsWith("worker-"))?.[1]];
  assert.ok(master !== undefined && worker !== undefined, `nodes: ${[...nodes.keys()]}`);
  return { master, worker };
}

/** Runs a script in a node. */
export async function inside(world: World, id: string, script: string, stdin = ""): Promise<string> {
  return (await expectOk(world.docker(["exec", "-i", id, "bash", "-c", script], { stdin }))).stdout;
}

/** The directory with the user's keys. */
export async function keyDirectory(world: World): Promise<string> {
  const names = (await Array.fromAsync(Deno.readDir(`${world.config}/mpi/keys`))).map(({ name }) => name);
  const name = names.find((each) => each.startsWith("mpitest-"));
  assert.ok(name, `no keys of the cluster among ${names}`);
  return `${world.config}/mpi/keys/${name}`;
}

/** Reads all of them. */
export async function privateKeys(world: World, { master, worker }: Nodes): Promise<PrivateKeys> {
  return {
    user: await Deno.readTextFile(`${await keyDirectory(world)}/id_ed25519`),
    cluster: await inside(world, master, "cat /run/secrets/cluster_key"),
    masterHost: await inside(world, master, "cat /run/secrets/host_key"),
    workerHost: await inside(world, worker, "cat /run/secrets/host_key"),
  };
}

/** The lines of a private key that are its secret part. */
export function secretLines(key: string): string[] {
  const lines = key.trim().split("\n").slice(2, -1);
  assert.ok(lines.length >= 3, "that is no private key");
  return lines;
}

/** Fails where a text holds a private key: one of these, or any. */
export function holdsNoKey(text: string, keys: PrivateKeys, where: string): void {
  for (const sign of ["PRIVATE KEY", KEY_START, ...Object.values(keys).flatMap(secretLines)]) {
    assert.ok(!text.includes(sign), `a private key in ${where}`);
  }
}

/** How OpenSSH's client is told to take any host key, and the key in `/tmp/key` alone. */
const OPTIONS = "-F none -p 2222 -o BatchMode=no -o NumberOfPasswordPrompts=1 -o LogLevel=ERROR " +
  "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -i /tmp/key";

/** What came of a login: the status, and all that was said. */
export type Answer = [status: number, said: string];

/** Logs in to the published port from outside with OpenSSH's client of the image; the key comes by standard input. */
export async function sshFromOutside(world: World, key: string, args: string): Promise<Answer> {
  const script = `umask 077; cat >/tmp/key; exec ssh ${OPTIONS} ${args} </dev/null 2>&1`;
  const run = ["run", "--rm", "-i", "--network", "host", IMAGE, "bash", "-c", script];
  const { code, stdout } = await world.docker(run, { stdin: key });
  return [code, stdout.trim().replaceAll("\r", "")];
}

/** The same from a node, to a node. */
export async function sshFromInside(world: World, id: string, key: string, args: string): Promise<Answer> {
  const script = `umask 077; cat >/tmp/key; ssh ${OPTIONS} ${args} </dev/null 2>&1; echo $?; rm /tmp/key`;
  const lines = (await inside(world, id, script, key)).trim().replaceAll("\r", "").split("\n");
  return [Number(lines.pop()), lines.join("\n")];
}
