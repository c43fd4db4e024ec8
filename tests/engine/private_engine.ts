/**
 * A Docker engine of our own, thrown away afterwards.
 *
 * It runs in a box, which a cable connects with the outside. Ports that its containers publish are on 127.0.0.1 *inside*:
 * what should see them is started with the words of `enter` in front.
 */
import { type Box, startBox } from "./box.ts";
import { connectOutside } from "./cable.ts";
import { clientEnv, pings } from "./client.ts";
import { must } from "./command.ts";
import { Lifeline } from "./lifeline.ts";
import { needPrograms } from "./packages.ts";
import { makeFolder, type Names, namesOf, removeTraces } from "./traces.ts";

/** What boxes with engines in them need. */
export const PROGRAMS = {
  dockerd: "docker.io",
  docker: "docker.io",
  flock: "util-linux",
  ip: "iproute2",
  iptables: "iptables",
  nsenter: "util-linux",
  setsid: "util-linux",
  unshare: "util-linux",
};

/** A private engine that answers and manages a swarm of one. */
export interface PrivateEngine {
  /** The endpoint. */
  host: string;
  /** What `docker` needs in its environment to use it. */
  env: Record<string, string>;
  /** Words before a command that is to run inside the engine's network. */
  enter: string[];
  /** Ends it and removes all of it. */
  dispose(): Promise<void>;
}

/** Starts a private engine; throws with a remedy where that can't be. Only root on Linux can. */
export async function startPrivateEngine(hours: number, signal?: AbortSignal): Promise<PrivateEngine> {
  await needPrograms(PROGRAMS, signal);
  const names = namesOf("engine");
  await makeFolder(names);
  const lifeline = await Lifeline.hold(names.folder);
  let box: Box | undefined;
  const dispose = async () => {
    lifeline[Symbol.dispose]();
    await box?.kill();
    await removeTraces(names);
  };
  try {
    box = await startEngineBox(names, lifeline, hours);
    const socket = `${names.folder}/docker.sock`;
    await box.reaches("the engine's first answer", 60, () => pings(socket), signal);
    const env = await clientEnv(socket, names.folder);
    await must([...box.network, "docker", "swarm", "init", "--advertise-addr", "127.0.0.1"], { env });
    return { host: env.DOCKER_HOST ?? "", env, enter: box.network, dispose };
  } catch (error) {
    await dispose();
    signal?.throwIfAborted();
    throw new Error(`the private engine did not start: ${(error as Error).message}`);
  }
}

async function startEngineBox(names: Names, lifeline: Lifeline, hours: number): Promise<Box> {
  const { folder, tag } = names;
  await Deno.writeTextFile(`${folder}/daemon.json`, "{}");
  return await startBox({
    folder,
    lifeline: lifeline.path,
    seconds: hours * 3600,
    command: [
      "dockerd",
      `--config-file=${folder}/daemon.json`,
      `--data-root=${folder}/data`,
      `--exec-root=${folder}/exec`,
      `--pidfile=${folder}/pid`,
      `--cgroup-parent=/${tag}`,
      `--host=unix://${folder}/docker.sock`,
    ],
    connect: (box) => connectOutside(names, box),
  });
}
