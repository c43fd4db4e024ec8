import { pause } from "../../stack/limit.ts";
import type { Deps } from "../deps.ts";

/** How often to look, in milliseconds: each look can be a login, which the master's log has a line for. */
const INTERVAL = 2000;

/**
 * Shows a text once, or with `--watch` again whenever it changes, until interrupted.
 *
 * @param deps The world.
 * @param watch Whether `--watch` was given.
 * @param render Makes the text.
 * @param gap What stands between two of them.
 */
export async function showText(deps: Deps, watch: boolean, render: () => Promise<string>, gap = "\n"): Promise<void> {
  let shown = await render();
  await deps.io.stdout.write(shown);
  while (watch) {
    await pause(INTERVAL, deps.signal);
    const text = await render();
    if (text !== shown) await deps.io.stdout.write(gap + text);
    shown = text;
  }
}
