/**
 * `deno task engine [CMD ARGS…]`: an engine in a box, with a swarm of one node, for CMD or for a shell.
 *
 * Called outside of a box it enters one, and starts the engine there.
 */
import { must, run } from "./command.ts";
import { main, withEnding } from "./ending.ts";
import { onlyEngine, SEED, startEngine } from "./engine.ts";
import { needSeed } from "./seed.ts";
import { tell } from "./tell.ts";
import { inBox, isInBox, needBoxPrograms } from "./words.ts";

/** More than anything takes that should end. */
const LIMIT_SECONDS = 3 * 3600;

/** Where the command was typed: a task runs in the root of the checkout. */
const cwd = Deno.env.get("INIT_CWD") ?? Deno.cwd();

async function outside(args: string[]): Promise<number> {
  return await withEnding(async ({ signal }) => {
    await needBoxPrograms(signal);
    const env = { [SEED]: await needSeed(["mpich"], signal) };
    const words = [...inBox(new URL(import.meta.url)), ...args];
    return (await run(words, { cwd, env, output: "show", stdin: true, seconds: LIMIT_SECONDS, signal })).code;
  });
}

async function inside(args: string[]): Promise<number> {
  const begin = Date.now();
  await startEngine(onlyEngine());
  await must(["docker", "swarm", "init", "--advertise-addr", "127.0.0.1"]);
  tell(`engine: ready in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  const words = args.length > 0 ? args : [Deno.env.get("SHELL") ?? "bash"];
  return (await run(words, { cwd, output: "show", stdin: true, seconds: LIMIT_SECONDS })).code;
}

if (import.meta.main) await main("engine", () => isInBox() ? inside(Deno.args) : outside(Deno.args));
