/**
 * `deno task test [WORD]…`: runs the gates and tests that are named, or those that run before each commit; see
 * `runner/plan.ts`.
 *
 * The last line on standard output is `N passed, N failed`; the status is 0 only if something ran and nothing failed.
 */
import { type Ending, Interrupted, main, withEnding } from "./box/ending.ts";
import { must } from "./box/command.ts";
import { SEED } from "./box/engine.ts";
import { needPrograms } from "./box/packages.ts";
import { makeScratch } from "./box/scratch.ts";
import { needSeed, type SeedMpi } from "./box/seed.ts";
import { print } from "./box/tell.ts";
import { BOX, boxNeeds, inBox, needBoxPrograms } from "./box/words.ts";
import { LAB_PROGRAMS } from "./lab/start.ts";
import { GATE_PROGRAMS, runGates } from "./runner/gates.ts";
import { type Group, runGroup, type Show } from "./runner/group.ts";
import { type Plan, planOf, testFiles } from "./runner/plan.ts";
import { Tally } from "./runner/tally.ts";
import { MPIS } from "./support/swarm.ts";

/**
 * Runs all of it: what needs engines, one after the other, and the rest meanwhile, whose output is shown when it has ended.
 * Where no image is kept from an earlier run, they are made first, which takes a minute.
 */
async function runAll(plan: Plan, tally: Tally, ending: Ending): Promise<void> {
  const scratch = await makeScratch(ending);
  const engineGroups = plan.groups.filter(({ engines }) => engines !== undefined);
  const otherGroups = plan.groups.filter(({ engines }) => engines === undefined);
  const needs = engineGroups.length > 0 ? boxNeeds() : undefined;
  if (plan.gates) await needPrograms(GATE_PROGRAMS, ending.signal);
  if (needs !== undefined) tally.skipped.push(...engineGroups.map(({ name }) => `${name}: ${needs}`));
  const engines = needs === undefined ? engineGroups : [];
  await Promise.all([
    runOthers(plan.gates, otherGroups, engines.length > 0 ? "later" : "now", scratch, tally, ending.signal),
    runOnEngines(engines, plan.mpis, scratch, tally, ending.signal),
  ]);
}

async function runOthers(
  gates: boolean,
  groups: Group[],
  show: Show,
  scratch: string,
  tally: Tally,
  signal: AbortSignal,
) {
  if (gates) tally.add(await runGates(signal));
  for (const group of groups) tally.add(await runGroup(group, scratch, show, signal));
}

async function runOnEngines(groups: Group[], mpis: SeedMpi[], scratch: string, tally: Tally, signal: AbortSignal) {
  if (groups.length === 0) return;
  await needBoxPrograms(signal);
  await needPrograms(LAB_PROGRAMS, signal);
  // Another box is waited for here, where no test's time runs; its own limit is a little shorter.
  await must([BOX, "true"], { seconds: 1300, signal });
  const seed = await needSeed(mpis, signal);
  for (const group of groups) tally.add(await runGroup(onEngines(group, seed, mpis), scratch, "now", signal));
}

/** The group, in a box with its engines if it makes none. */
function onEngines(group: Group, seed: string, mpis: SeedMpi[]): Group {
  if (group.engines === "own") return group;
  const enter = group.engines === "lab"
    ? [...inBox(new URL("lab/main.ts", import.meta.url)), "3", "--here"]
    : inBox(new URL("box/main.ts", import.meta.url));
  return { ...group, enter, env: { ...group.env, [SEED]: seed, [MPIS]: mpis.join(" ") } };
}

async function test(): Promise<number> {
  const plan = await planOf(Deno.args, testFiles, Deno.env.get("MPI_TEST_MPI"));
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
