/**
 * `deno task engine [CMD ARGS…]`: an engine in a box, with a swarm of one node, for CMD or for a shell.
 *
 * Called outside of a box it enters one, and starts the engine there.
 */
import { run } from "./command.ts";
import { main } from "./ending.ts";
import { startSwarm } from "./engine.ts";
import { enterBox, LIMIT_SECONDS } from "./enter.ts";
import { tell } from "./tell.ts";
import { isInBox } from "./words.ts";

/** Where the command was typed: a task runs in the root of the checkout. */
const cwd = Deno.env.get("INIT_CWD") ?? Deno.cwd();

async function inside(args: string[]): Promise<number> {
  const begin = Date.now();
  await startSwarm();
  tell(`engine: ready in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  const words = args.length > 0 ? args : [Deno.env.get("SHELL") ?? "bash"];
  return (await run(words, { cwd, output: "show", stdin: true, seconds: LIMIT_SECONDS })).code;
}

if (import.meta.main) {
  await main("engine", () => isInBox() ? inside(Deno.args) : enterBox(new URL(import.meta.url), Deno.args, { cwd }));
}
