/** Engines in a box. */
import { must, poll } from "./command.ts";
import { boxData } from "./words.ts";

/** Names the folder of images that an engine starts with. */
export const SEED = "BOX_SEED";

const START_SECONDS = 60;

/** Where an engine is. */
export interface EnginePlace {
  /** Its data folder. */
  data: string;
  /** Its socket: 107 bytes at most, so not below the data. */
  socket: string;
  /** Where it says what it does. */
  log: string;
  /** The end of its control group's name. */
  group: string;
}

/** The engine of a box that has one: it is where `docker` looks by itself. */
export function onlyEngine(): EnginePlace {
  return { data: `${boxData()}/engine`, socket: "/run/docker.sock", log: `${boxData()}/engine.log`, group: "1" };
}

/** Gives a data folder the images of the seed, by hard links: no copy, no load. */
export async function plant(data: string): Promise<void> {
  await Deno.mkdir(data, { recursive: true });
  const seed = Deno.env.get(SEED);
  if (seed) await must(["cp", "-al", `${seed}/overlay2`, `${seed}/image`, data], { seconds: 300 });
}

/** The command of an engine, with what it has besides. */
export function dockerd({ data, socket, group }: EnginePlace, ...more: string[]): string[] {
  const parent = `/${Deno.env.get("BOX_GROUP") ?? "docker-mpi-box"}-${group}`;
  return ["dockerd", `--data-root=${data}`, `--host=unix://${socket}`, `--cgroup-parent=${parent}`, ...more];
}

/** Starts an engine here and waits for its answer. It ends with the box, or by the signal that the result sends. */
export async function startEngine(place: EnginePlace): Promise<{ stop(): Promise<void> }> {
  await plant(place.data);
  // What the machine's own engine is told is not for this one; images by hard links need the store of old.
  const config = `${place.log}.json`;
  await Deno.writeTextFile(config, JSON.stringify({ features: { "containerd-snapshotter": false } }));
  const words = dockerd(place, `--config-file=${config}`);
  const [command = "", ...args] = ["sh", "-c", 'exec "$@" >>"$0" 2>&1 </dev/null', place.log, ...words];
  const child = new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  child.unref();
  await answers(place, () => Promise.resolve(!ended));
  return {
    async stop() {
      child.kill("SIGTERM");
      await poll("the engine to end", () => Promise.resolve(ended), { seconds: 30 });
    },
  };
}

/** Starts the only engine of a box, as a swarm of one node. */
export async function startSwarm(): Promise<void> {
  await startEngine(onlyEngine());
  await must(["docker", "swarm", "init", "--advertise-addr", "127.0.0.1"]);
}

/** Waits for an engine's first answer; where it doesn't come, the engine's last words are told. */
export async function answers(place: EnginePlace, isAlive: () => Promise<boolean>): Promise<void> {
  const ready = async () => {
    if (await pings(place.socket)) return true;
    if (!(await isAlive())) throw new Error("the engine ended before its first answer");
    return false;
  };
  await poll("the engine's first answer", ready, { seconds: START_SECONDS }).catch(async (error) => {
    const said = await Deno.readTextFile(place.log).catch(() => "");
    throw new Error(`${(error as Error).message}\n${said.trimEnd().slice(-2000)}`);
  });
}

/** Whether an engine answers at this socket. */
export async function pings(socket: string): Promise<boolean> {
  try {
    using connection = await Deno.connect({ transport: "unix", path: socket });
    await connection.write(new TextEncoder().encode("GET /_ping HTTP/1.0\r\n\r\n"));
    const answer = new Uint8Array(64);
    const length = await connection.read(answer) ?? 0;
    return new TextDecoder().decode(answer.subarray(0, length)).includes(" 200 ");
  } catch {
    return false;
  }
}
