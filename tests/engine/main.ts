/**
 * `deno task engine [--for 2h] [CMD ARGS…]`: a private engine for CMD, for a shell, or until Ctrl-C.
 */
import { run } from "./command.ts";
import { type Ending, main, withEnding } from "./ending.ts";
import { DEFAULT_HOURS, hoursOf } from "./hours.ts";
import { privateEngine } from "./mod.ts";
import { removeLeftovers } from "./traces.ts";
import { print, tell } from "./tell.ts";

async function engine(ending: Ending, args: string[]): Promise<number> {
  const limited = args[0] === "--for";
  const hours = limited ? hoursOf(args[1] ?? "") : DEFAULT_HOURS;
  const command = limited ? args.slice(2) : args;
  await removeLeftovers();
  const { env, enter } = await privateEngine(ending, hours);
  const shell = command.length === 0 && Deno.stdin.isTerminal();
  if (command.length === 0 && !shell) return await stay(env, enter, ending.signal, hours);
  if (shell) tell(`A shell with that engine, for at most ${Math.round(hours * 60)} minutes; it ends with the shell.`);
  const words = shell ? [Deno.env.get("SHELL") ?? "bash"] : command;
  const result = await run([...enter, ...words], {
    env,
    cwd: Deno.env.get("INIT_CWD") ?? Deno.cwd(),
    output: "show",
    stdin: true,
    seconds: hours * 3600,
    signal: ending.signal,
  });
  return result.code;
}

/** Says how to use the engine from another terminal, and waits for the signal. */
async function stay(
  env: Record<string, string>,
  enter: string[],
  signal: AbortSignal,
  hours: number,
): Promise<number> {
  print(`export DOCKER_HOST=${env.DOCKER_HOST}`);
  tell(`Ports are published in the engine's own network. A shell in it: ${enter.join(" ")} bash`);
  tell(`It ends on Ctrl-C, and after ${Math.round(hours * 60)} minutes.`);
  return await new Promise((resolve) => {
    const limit = setTimeout(() => resolve(0), hours * 3600_000);
    signal.addEventListener("abort", () => (clearTimeout(limit), resolve(0)));
  });
}

if (import.meta.main) await main("engine", () => withEnding((ending) => engine(ending, Deno.args)));
