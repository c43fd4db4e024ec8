/**
 * `deno task test [WORD]…`: runs the gates and tests that are named, or those that run before each commit; see
 * `runner/plan.ts`.
 *
 * The last line on standard output is `N passed, N failed`; the status is 0 only if something ran and nothing failed.
 */
import { type Ending, Interrupted, main, withEnding } from "./box/ending.ts";
import { SEED } from "./box/engine.ts";
import { needPrograms } from "./box/packages.ts";
import { makeScratch } from "./box/scratch.ts";
import { needSeed } from "./box/seed.ts";
import { print } from "./box/tell.ts";
import { boxNeeds, inBox, needBoxPrograms } from "./box/words.ts";
import { LAB_PROGRAMS } from "./lab/start.ts";
import { GATE_PROGRAMS, runGates } from "./runner/gates.ts";
import { type Group, runGroup } from "./runner/group.ts";
import { type Plan, planOf, testFiles } from "./runner/plan.ts";
import { Tally } from "./runner/tally.ts";
import { MPIS } from "./support/swarm.ts";

async function runAll(plan: Plan, tally: Tally, ending: Ending): Promise<void> {
  const { signal } = ending;
  const scratch = await makeScratch(ending);
  const engineGroups = plan.groups.filter(({ engines }) => engines !== undefined);
  const needs = engineGroups.length > 0 ? boxNeeds() : undefined;
  if (plan.gates) await needPrograms(GATE_PROGRAMS, signal);
  if (engineGroups.length > 0 && needs === undefined) {
    await needBoxPrograms(signal);
    await needPrograms(LAB_PROGRAMS, signal);
  }
  // The images take a minute, once; what needs no engine can run meanwhile.
  const seed = engineGroups.length > 0 && needs === undefined ? needSeed(plan.mpis, signal) : Promise.resolve("");
  seed.catch(() => {});
  if (plan.gates) tally.add(await runGates(signal));
  for (const group of plan.groups) {
    if (group.engines === undefined) tally.add(await runGroup(group, scratch, signal));
    else if (needs !== undefined) tally.skipped.push(`${group.name}: ${needs}`);
    else tally.add(await runGroup(await onEngines(group, await seed, plan.mpis), scratch, signal));
  }
}

/** The group, in a box with its engines. */
function onEngines(group: Group, seed: string, mpis: string[]): Group {
  const enter = group.engines === "lab"
    ? [...inBox(new URL("lab/main.ts", import.meta.url)), "3", "--here"]
    : inBox(new URL("box/main.ts", import.meta.url));
  return { ...group, enter, env: { ...group.env, [SEED]: seed, [MPIS]: mpis.join(" ") } };
}

async function test(): Promise<number> {
  const plan = await planOf(Deno.args, testFiles);
  const tally = new Tally();
  let interrupted = 0;
  try {
    await withEnding((ending) => runAll(plan, tally, ending));
  } catch (error) {
    tally.failed.push(`the run: ${error instanceof Error ? error.message : error}`);
    if (error instanceof Interrupted) interrupted = error.code;
  }
  print(tally.report);
  return interrupted || (tally.ok ? 0 : 1);
}

if (import.meta.main) await main("test", test);
