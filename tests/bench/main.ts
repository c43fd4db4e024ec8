/**
 * `./dev bench [--only NAME]… [--json FILE]`: measures what `docker mpi` costs beside the raw thing.
 * `./dev bench --from FILE…`: writes BENCHMARKS.md of what a run of all figures left there, and later ones of some.
 *
 * The table goes to standard output. A run of all figures writes BENCHMARKS.md.
 */
import { type Ending, main, withEnding } from "../engine/ending.ts";
import { must } from "../engine/command.ts";
import { makeScratch } from "../engine/scratch.ts";
import { print, tell } from "../engine/tell.ts";
import { removeLeftovers } from "../engine/traces.ts";
import { canInstall } from "../engine/packages.ts";
import { VERSION } from "../../cli/metadata.ts";
import { root } from "../support/plugin_cli.ts";
import { Arena } from "./arena.ts";
import { FAMILIES } from "./families.ts";
import type { Family, Result, Table } from "./figure.ts";
import { describeMachine, load } from "./machine.ts";
import { failuresOf, markdownOf, number, type Report, textOf } from "./report.ts";
import { judge } from "./stats.ts";

/** What the command line asks for. */
export interface BenchOptions {
  /** Names of figures or families; all if there are none. */
  only: string[];
  json: string | undefined;
  /** Where the reports of earlier runs are; nothing is measured then. */
  from: string[];
}

/** Reads the command line. */
export function parseBench(args: string[]): BenchOptions {
  const options: BenchOptions = { only: [], json: undefined, from: [] };
  for (let index = 0; index < args.length; index += 2) {
    const [flag, value] = [args[index], args[index + 1]];
    if (value === undefined || !["--only", "--json", "--from"].includes(flag!)) {
      throw new Error(
        `${JSON.stringify(flag)} is not understood\n  hint: ./dev bench [--only NAME]… [--json FILE] | --from FILE…`,
      );
    }
    if (flag === "--only") options.only.push(value);
    else if (flag === "--json") options.json = value;
    else options.from.push(value);
  }
  return options;
}

/** The families that measure what was asked for, each with the figures that are wanted of it. */
export function chosen(families: Family[], only: string[]): Family[] {
  const names = families.flatMap(({ name, figures }) => [name, ...figures.map((figure) => figure.name)]);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const known = families.map(({ name }) => name).join(", ");
    throw new Error(`there is no figure ${JSON.stringify(unknown)}\n  hint: families are ${known}`);
  }
  if (only.length === 0) return families;
  return families.flatMap((family) => {
    if (only.includes(family.name)) return [family];
    const figures = family.figures.filter(({ name }) => only.includes(name));
    return figures.length === 0 ? [] : [{ ...family, figures }];
  });
}

/** Measures one family; what fails leaves a reason, and the others go on. */
export async function measureFamily(
  family: Family,
  arena: Arena,
  signal: AbortSignal,
): Promise<{ results: Result[]; tables: Table[] }> {
  const limit = AbortSignal.timeout(family.minutes * 60_000);
  arena.signal = AbortSignal.any([signal, limit]);
  try {
    const { samples, tables = [] } = await Promise.race([family.measure(arena), aborted(arena.signal)]);
    return { results: family.figures.map((figure) => judge(figure, samples[figure.name])), tables };
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.aborted
      ? `took more than ${family.minutes} minutes`
      : error instanceof Error
      ? error.message
      : `${error}`;
    return { results: family.figures.map((figure) => judge(figure, why)), tables: [] };
  } finally {
    arena.signal = signal;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

async function bench(ending: Ending, { only, json }: Pick<BenchOptions, "only" | "json">): Promise<number> {
  const families = chosen(FAMILIES, only);
  if (await canInstall()) await removeLeftovers();
  const arena = new Arena(ending, await makeScratch(ending));
  const begin = Date.now();
  const before = load();
  const results: Result[] = [];
  const tables: Table[] = [];
  for (const family of families) {
    tell(`== ${family.name}`);
    const measured = await measureFamily(family, arena, ending.signal);
    for (const { name, verdict, value } of measured.results) {
      if (value !== undefined) tell(`  ${name}: ${number(value)}, ${verdict}`);
    }
    for (const { names, error } of failuresOf(measured.results)) tell(`  failed: ${names.join(", ")}: ${error}`);
    results.push(...measured.results);
    tables.push(...measured.tables);
  }
  const machine = { ...await describeMachine(arena.env), load: [before, load()] };
  const report: Report = {
    date: new Date(begin).toISOString().slice(0, 10),
    version: `docker mpi ${VERSION}`,
    minutes: Math.ceil((Date.now() - begin) / 60_000),
    machine,
    results,
    tables,
  };
  await write(families, report, { only, json });
  return results.some(({ verdict }) => verdict === "failed") ? 1 : 0;
}

async function write(
  families: Family[],
  report: Report,
  { only, json }: Pick<BenchOptions, "only" | "json">,
): Promise<void> {
  print(textOf(families, report));
  if (json !== undefined) await Deno.writeTextFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (only.length === 0) await writeBenchmarks(report);
}

async function rewrite(files: string[]): Promise<number> {
  const reports = await Promise.all(files.map(async (file) => JSON.parse(await Deno.readTextFile(file)) as Report));
  await writeBenchmarks(reports.reduce(updated));
  return 0;
}

/** A report with those results that a later one has; each of them says when it was measured. */
export function updated(report: Report, later: Report): Report {
  const again = `measured again, on ${later.date} with a load average of ${later.machine.load.join(" to ")}.`;
  const results = report.results.map((result) => {
    const found = later.results.find(({ name }) => name === result.name);
    return found === undefined ? result : { ...found, note: [found.note, again].filter(Boolean).join(" ") };
  });
  const tables = report.tables.map((table) => later.tables.find(({ title }) => title === table.title) ?? table);
  return { ...report, results, tables };
}

async function writeBenchmarks(report: Report): Promise<void> {
  const file = `${root}/BENCHMARKS.md`;
  await Deno.writeTextFile(file, markdownOf(FAMILIES, report));
  await must([Deno.execPath(), "fmt", "--quiet", file], { cwd: root });
  tell(`written: ${file}`);
}

if (import.meta.main) {
  await main("bench", () => {
    const options = parseBench(Deno.args);
    if (options.from.length > 0) return rewrite(options.from);
    return withEnding((ending) => bench(ending, options));
  });
}
