/** How long things took, for what is promised to be quick. */
import { tell } from "../box/tell.ts";

/** Names the file that the runner collects measurements in: `deno test --quiet` swallows what tests print. */
export const MEASURED = "MPI_MEASURED";

/**
 * Notes how long something took, to be shown with the results of the run, and whether that is more than promised. It never
 * fails: a machine can be busy with other things. What must not go on for ever has a limit where the test waits for it.
 *
 * @param promise What happened, as in "a worker that was killed leaves the hostfile".
 */
export function measured(promise: string, seconds: number, limit = Infinity): void {
  const over = seconds > limit ? ", EXCEEDED" : "";
  const line = `${promise}: ${seconds.toFixed(1)} s${limit === Infinity ? "" : ` (limit ${limit} s${over})`}`;
  tell(line);
  const file = Deno.env.get(MEASURED);
  if (file) Deno.writeTextFileSync(file, `${line}\n`, { append: true });
}

/** Starts a clock, and returns what reads it in seconds. */
export function stopwatch(): () => number {
  const begin = performance.now();
  return () => (performance.now() - begin) / 1000;
}
