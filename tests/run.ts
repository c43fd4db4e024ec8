/**
 * `deno task test [check|unit|plugin|swarm|lab|endurance]…`: runs the gates and tests that are named, or all but endurance.
 *
 * The last line on standard output is `N passed, N failed`; the status is 0 only if something ran and nothing failed.
 */
import { type Ending, Interrupted, main, withEnding } from "./engine/ending.ts";
import { MAX_HOURS } from "./engine/hours.ts";
import { removeNewImages } from "./engine/images.ts";
import { needEngine, type TestEngine } from "./engine/mod.ts";
import { makeScratch } from "./engine/scratch.ts";
import { print, tell } from "./engine/tell.ts";
import { removeLeftovers } from "./engine/traces.ts";
import { VARIABLE } from "./lab/lab.ts";
import { labNeeds, startLab } from "./lab/start.ts";
import { runGates } from "./runner/gates.ts";
import { type Group, runGroup } from "./runner/group.ts";
import { Tally } from "./runner/tally.ts";

const USUAL = ["check", "unit", "plugin", "swarm", "lab"] as const;
const NAMES = [...USUAL, "endurance"] as const;
type Name = typeof NAMES[number];

/** Unit tests decide from values: they start no program and reach no network. */
const UNIT = ["--allow-read", "--allow-env", "--allow-sys", "--allow-write=/tmp,/var/tmp"];

const UNIT_GROUPS: Group[] = [
  { name: "unit", args: [...UNIT, "tests/unit"], minutes: 5 },
  { name: "examples", args: [...UNIT, "--doc", "stack", "cli"], minutes: 5 },
];

const ENGINE_GROUPS: Group[] = [
  { name: "plugin", args: ["--allow-all", "tests/plugin"], minutes: 10 },
  { name: "swarm", args: ["--allow-all", "tests/swarm"], minutes: 60 },
];

/** They share one lab, one after the other. */
const LAB_GROUP: Group = { name: "lab", args: ["--allow-all", "tests/lab"], minutes: 50 };
const LAB_HOSTS = 3;

/** The long form of one of them. */
const ENDURANCE_GROUP: Group = {
  name: "endurance",
  args: ["--allow-all", "tests/lab/endurance_test.ts"],
  minutes: 60,
  env: { MPI_TEST_ROUNDS: "100" },
};

/** What the command line names. */
export function namesOf(args: string[]): Name[] {
  const unknown = args.find((arg) => !NAMES.includes(arg as Name));
  if (unknown !== undefined) {
    throw new Error(`there are no tests ${JSON.stringify(unknown)}\n  hint: ./dev test ${NAMES.join("|")}`);
  }
  return args.length === 0 ? [...USUAL] : args as Name[];
}

async function runAll(names: Name[], tally: Tally, ending: Ending): Promise<void> {
  const scratch = await makeScratch(ending);
  if (names.includes("check")) tally.add(await runGates(ending.signal));
  if (names.includes("unit")) {
    for (const group of UNIT_GROUPS) tally.add(await runGroup(group, scratch, ending.signal));
  }
  const groups = ENGINE_GROUPS.filter((group) => names.includes(group.name as Name));
  if (groups.length > 0) await runOnEngine(groups, scratch, tally, ending);
  const labGroups = [LAB_GROUP, ENDURANCE_GROUP].filter((group) => names.includes(group.name as Name));
  if (labGroups.length > 0) await runInLab(labGroups, scratch, tally, ending);
}

async function runOnEngine(groups: Group[], scratch: string, tally: Tally, ending: Ending): Promise<void> {
  tell("\n== engine");
  const { env, enter, private: ours }: TestEngine = await needEngine(ending);
  if (!ours) await removeNewImages("mpitest", env, ending);
  for (const group of groups) tally.add(await runGroup({ ...group, env, enter }, scratch, ending.signal));
}

async function runInLab(groups: Group[], scratch: string, tally: Tally, ending: Ending): Promise<void> {
  const needs = await labNeeds();
  if (needs !== undefined) return void tally.skipped.push(`lab: ${needs}`);
  tell("\n== engines");
  await removeLeftovers();
  const { lab, end } = await startLab({ hosts: LAB_HOSTS, hours: MAX_HOURS, signal: ending.signal });
  ending.defer("end the lab", end);
  for (const group of groups) {
    tally.add(await runGroup({ ...group, env: { ...group.env, [VARIABLE]: lab.folder } }, scratch, ending.signal));
  }
}

async function test(): Promise<number> {
  const names = namesOf(Deno.args);
  const tally = new Tally();
  let interrupted = 0;
  try {
    await withEnding((ending) => runAll(names, tally, ending));
  } catch (error) {
    tally.failed.push(`the run: ${error instanceof Error ? error.message : error}`);
    if (error instanceof Interrupted) interrupted = error.code;
  }
  print(tally.report);
  return interrupted || (tally.ok ? 0 : 1);
}

if (import.meta.main) await main("test", test);
