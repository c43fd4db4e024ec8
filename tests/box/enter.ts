/** The way of a program of the tests into a box. */
import { run } from "./command.ts";
import { withEnding } from "./ending.ts";
import { SEED } from "./engine.ts";
import { needPrograms } from "./packages.ts";
import { needSeed } from "./seed.ts";
import { inBox, needBoxPrograms } from "./words.ts";

/** More than anything takes that should end. */
export const LIMIT_SECONDS = 3 * 3600;

/**
 * Runs a program again in a box, with all that it needs there: packages, and the images of an engine.
 *
 * @param program The program, and its arguments.
 * @param programs What it needs besides, and the packages that have it.
 * @returns Its status.
 */
export async function enterBox(
  program: URL,
  args: string[],
  { cwd, programs = {} }: { cwd?: string; programs?: Record<string, string> } = {},
): Promise<number> {
  return await withEnding(async ({ signal }) => {
    await needBoxPrograms(signal);
    await needPrograms(programs, signal);
    const env = { [SEED]: await needSeed(["mpich"], signal) };
    const options = { env, output: "show", stdin: true, seconds: LIMIT_SECONDS, signal, ...(cwd && { cwd }) } as const;
    return (await run([...inBox(program), ...args], options)).code;
  });
}
