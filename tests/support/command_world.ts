/** A world for commands against an engine and a master in this process. */
import type { Deps } from "../../cli/deps.ts";
import { splitGlobalFlags } from "../../cli/docker/global_flags.ts";
import { runCli } from "../../cli/main.ts";
import { startProgress } from "../../cli/output/progress.ts";
import { keyDirectory, writeUserKeys } from "../../stack/keys/key_store.ts";
import { fakeWorld, type Outcome } from "./cli.ts";
import { type FakeMaster, fakeMaster, type Session } from "./fake_master.ts";
import { fakeSwarmApi } from "./fake_swarm_api.ts";
import { type Answer, fakeDocker, FakeSwarm, MANAGER } from "./fakes.ts";

/** An engine and a master in this process, and one cluster. */
export interface CommandWorld extends AsyncDisposable {
  /** The working directory, and Docker's configuration directory. */
  folder: string;
  swarm: FakeSwarm;
  master: FakeMaster;
  /** Runs a command line; `during` may interrupt it. */
  mpi(line: string, options?: CommandOptions): Promise<Outcome>;
}

/** How a command line is run. */
export interface CommandOptions {
  stdin?: string;
  docker?: (args: string) => Answer | undefined;
  /** The status of a docker command that has our streams. */
  attach?: (args: string) => number;
  /** Whether the engine is on this machine. Default true. */
  local?: boolean;
  env?: Record<string, string>;
  /** Docker's own flags, before `mpi`. */
  globals?: string[];
  /** The working directory. Default: the world's folder. */
  cwd?: string;
  during?: (interrupt: ReturnType<typeof fakeWorld>["interrupt"]) => void;
}

/** A swarm with the running cluster "hello" of two workers, whose master does that. */
export async function commandWorld(
  serve: (session: Session) => void | Promise<void> = () => {},
): Promise<CommandWorld> {
  const swarm = new FakeSwarm();
  const master = await fakeMaster(serve);
  const api = await fakeSwarmApi(swarm);
  const folder = await Deno.makeTempDir();
  swarm.addCluster("hello", 2, { master: { "docker-mpi.port": String(master.target.port) } });
  const { privateKey, hostKey } = master.target;
  const keys = { privateKey, publicKey: "ssh-ed25519 AAAA", masterHostKey: hostKey };
  await writeUserKeys(keyDirectory(folder, MANAGER.clusterId, "hello"), "hello", keys);
  return {
    folder,
    swarm,
    master,
    async mpi(line, { stdin = "", docker, attach, local = true, env = {}, cwd = folder, globals = [], during } = {}) {
      const parts: Partial<Deps> = {
        endpoint: async () => ({ ...await api.endpoint(), local }),
        configDir: () => folder,
        cwd: () => cwd,
        docker: {
          ...fakeDocker(
            docker === undefined ? undefined : async (args) => {
              const answer = await docker(args);
              if (args.startsWith("build ") && answer?.code === undefined) swarm.build(args);
              return answer;
            },
          ),
          ...(attach === undefined ? {} : { attach: (args) => Promise.resolve(attach(args.join(" "))) }),
        },
        env: (name) => env[name],
      };
      const world = fakeWorld(parts);
      const io = { ...world.deps.io, stdin: { isTerminal: false, readable: new Blob([stdin]).stream(), setRaw() {} } };
      during?.(world.interrupt);
      const deps: Deps = {
        ...world.deps,
        io,
        progress: (mode = "auto") => startProgress(io, mode, (text) => deps.hint(text)),
      };
      const words = [...globals, ...(line.startsWith("__complete ") ? [] : ["mpi"]), ...line.split(" ")];
      const code = await runCli(splitGlobalFlags(words), deps);
      return { code, out: world.out(), err: world.err() };
    },
    async [Symbol.asyncDispose]() {
      await master[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
