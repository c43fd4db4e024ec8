import { type Assets, checkoutAssets } from "../../cli/assets.ts";
import type { Deps } from "../../cli/deps.ts";
import { splitGlobalFlags } from "../../cli/docker/global_flags.ts";
import type { Output } from "../../cli/io.ts";
import { runCli } from "../../cli/main.ts";
import { startProgress } from "../../cli/output/progress.ts";
import { countInterrupts, type InterruptHandling } from "../../cli/signals.ts";

/** What a command line left. */
export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** A world for commands, in memory. */
export interface FakeWorld {
  deps: Deps;
  /** What was written so far. */
  out: () => string;
  err: () => string;
  /** Interrupts the command. */
  interrupt: InterruptHandling["add"];
}

/** Fails the test: it says which part of the world a command used that the test did not expect. */
function unexpected(what: string): never {
  throw new Error(`unexpected use of ${what}`);
}

/** Makes a world; a test states only what its command is to use. */
export function fakeWorld(parts: Partial<Deps> = {}): FakeWorld {
  const [out, err] = [capture(), capture()];
  const { signal, interrupts, add } = countInterrupts(() => {});
  const io = {
    stdin: {
      isTerminal: false,
      get readable() {
        return unexpected("stdin");
      },
      setRaw: () => unexpected("stdin"),
    },
    stdout: out.output,
    stderr: err.output,
    color: false,
  };
  const assets: Assets = checkoutAssets(new URL("../..", import.meta.url).pathname);
  const deps: Deps = {
    io,
    signal,
    interrupts,
    docker: { run: (args) => unexpected(`docker ${args.join(" ")}`), attach: () => unexpected("docker") },
    assets,
    debug: false,
    hint: (text) => text,
    status: 0,
    env: () => undefined,
    cwd: () => unexpected("cwd"),
    configDir: () => unexpected("the configuration directory"),
    endpoint: () => unexpected("the engine"),
    progress: (mode = "auto") => startProgress(io, mode, (text) => deps.hint(text)),
    ...parts,
  };
  return { deps, out: out.text, err: err.text, interrupt: add };
}

/** Runs a command line, given as Docker gives it to the plugin: `mpi deploy …`. */
export async function run(argv: string[], parts: Partial<Deps> = {}): Promise<Outcome> {
  const world = fakeWorld(parts);
  const invocation = splitGlobalFlags(argv);
  world.deps.debug = invocation.debug;
  const code = await runCli(invocation, world.deps);
  return { code, out: world.out(), err: world.err() };
}

function capture(): { output: Output; text: () => string } {
  let text = "";
  const decoder = new TextDecoder();
  const output: Output = {
    isTerminal: false,
    columns: () => 80,
    write(data) {
      text += typeof data === "string" ? data : decoder.decode(data, { stream: true });
      return Promise.resolve();
    },
    flushed: () => Promise.resolve(),
  };
  return { output, text: () => text };
}
