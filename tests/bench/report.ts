/** What was measured, as a table for people, as JSON for programs, and as BENCHMARKS.md. */
import { aligned } from "../lab/list.ts";
import type { Family, Figure, Goal, Result, Table } from "./figure.ts";
import type { Machine } from "./machine.ts";

/** All that came of a run. */
export interface Report {
  /** When it began, as in 2026-11-23. */
  date: string;
  /** What was measured. */
  version: string;
  minutes: number;
  machine: Machine;
  results: Result[];
  tables: Table[];
}

const HEAD = ["what", "against", "goal", "here", "quartiles", "ours", "the other", ""];

/** A number with three digits that count. */
export function number(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

/** A goal as the table has it. */
export function goalText(goal: Goal | undefined, unit: string): string {
  return goal === undefined ? "–" : `at ${goal.at} ${goal.value} ${unit}`;
}

/** The row of a figure. */
export function row(figure: Figure, result: Result): string[] {
  const unit = figure.kind === "ours" ? figure.unit : "×";
  const begin = [figure.what, figure.against, goalText(figure.goal, unit)];
  if (result.value === undefined) return [...begin, "–", "–", "–", "–", "**failed**"];
  const measured = (value: number | undefined) => value === undefined ? "–" : `${number(value)} ${figure.unit}`;
  return [
    ...begin,
    `${number(result.value)} ${unit}`,
    (result.spread ?? []).map(number).join(" to "),
    measured(figure.kind === "ours" ? undefined : result.ours),
    measured(result.theirs),
    { met: "met", missed: "**missed**", shown: "", failed: "**failed**" }[result.verdict],
  ];
}

/** Every figure with its result, in the order of the families. */
function rows(families: Family[], results: Result[]): { figure: Figure; result: Result }[] {
  return families.flatMap(({ figures }) => figures).flatMap((figure) => {
    const result = results.find(({ name }) => name === figure.name);
    return result === undefined ? [] : [{ figure, result }];
  });
}

/** Every reason why there is no figure, with the names of those it is one for. */
export function failuresOf(results: Result[]): { names: string[]; error: string }[] {
  const failures = new Map<string, string[]>();
  for (const { name, error } of results) {
    if (error !== undefined) failures.set(error, [...failures.get(error) ?? [], name]);
  }
  return [...failures].map(([error, names]) => ({ names, error }));
}

/** The tables for a terminal. */
export function textOf(families: Family[], report: Report): string {
  const all = rows(families, report.results);
  const lines = all.map(({ figure, result }) => [figure.name, ...row(figure, result).slice(2)]);
  const errors = failuresOf(report.results).map(({ names, error }) => `${names.join(", ")}: ${error}`);
  const plain = (text: string) => text.replaceAll("**", "");
  return [
    aligned([["name", ...HEAD.slice(2)], ...lines].map((line) => line.map(plain))),
    ...report.tables.map(({ title, head, rows }) => `\n${title}\n${aligned([head, ...rows])}`),
    ...(errors.length === 0 ? [] : ["", ...errors]),
  ].join("\n");
}

/** The mark by which BENCHMARKS.md is known to come from here. */
export const MARK = "<!-- Written by ./dev bench; what is changed by hand is lost. -->";

/** The text of BENCHMARKS.md. */
export function markdownOf(families: Family[], report: Report): string {
  const all = rows(families, report.results);
  const { machine } = report;
  const notes = all.flatMap(({ result: { name, note } }) => note === undefined ? [] : [`- \`${name}\`: ${note}`]);
  const misses = all.filter(({ result }) => result.verdict === "missed").map(({ figure, result }) =>
    `- **${figure.what}**${figure.against === "–" ? "" : `, beside ${figure.against}`}: ${
      number(result.value ?? NaN)
    }, ${goalText(figure.goal, "wanted")}. ${figure.bound ?? "What bounds it was not looked into."}`
  );
  const failures = failuresOf(report.results).map(({ names, error }) =>
    `- ${names.map((name) => `\`${name}\``).join(", ")}: ${error.split("\n")[0]}`
  );
  return [
    MARK,
    "",
    "# Benchmarks",
    "",
    "`./dev bench` measures what `docker mpi` costs beside the raw thing, in turn on the same engine, and writes this file. What",
    "carries over to another machine are the ratios. Each is the median of the rounds' own ratios; the quartiles tell how far",
    "they spread. [How it is measured](tests/bench/README.md).",
    "",
    `${report.date}, ${report.version}, in ${report.minutes} minutes, on ${machine.cpus} CPUs (${machine.cpu}), ${machine.memoryGb} GB, ${machine.system}, kernel ${machine.kernel}, ` +
    `Docker engine ${machine.engine}, client ${machine.client}. Load average ${
      machine.load.join(" at the beginning, ")
    } at the end.`,
    "",
    markdownTable(HEAD, all.map(({ figure, result }) => row(figure, result))),
    ...section("Where a goal is missed", misses),
    ...section("What failed", failures),
    ...section("To know of it", notes),
    ...report.tables.flatMap(({ title, head, rows }) => ["", `## ${title}`, "", markdownTable(head, rows)]),
    "",
  ].join("\n");
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ["", `## ${title}`, "", ...lines];
}

function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
