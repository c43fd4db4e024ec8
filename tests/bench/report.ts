/** What was measured, for people and for programs. */
import { aligned } from "../lab/list.ts";
import type { Row, Spread } from "./stats.ts";

/** The machine and what runs on it, in a sentence; a load average above nothing much says that something else ran. */
export async function machineText(engine: string, client: string, plugin: string): Promise<string> {
  const cpu = /^model name\s*: (.+)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
  const gigabytes = Math.round(Deno.systemMemoryInfo().total / 1e9);
  return `${new Date().toISOString().slice(0, 10)}: ${navigator.hardwareConcurrency} CPUs (${cpu}), ${gigabytes} GB, ` +
    `kernel ${
      Deno.osRelease().replace(/-.*/, "")
    }, Docker engine ${engine}, client ${client}; the plugin is ${plugin}; load average ` +
    `${Deno.loadavg()[0]?.toFixed(1)} before the first family.`;
}

/** Three digits that count. */
export function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** The median, and from where to where the values go. */
export function spreadText({ median, min, max }: Spread, unit: Row["unit"]): string {
  const [factor, shown] = unit === "s" && median < 1 ? [1000, "ms"] : [1, unit];
  const [middle, from, to] = [median, min, max].map((value) => number(value * factor));
  return `${middle} ${shown} (${from}..${to})`;
}

const HEADINGS = ["family", "what", "against", "ours", "the raw thing", "ratio"];

function cells({ family, what, against, unit, ours, theirs, ratio }: Row): string[] {
  return [family, what, against, spreadText(ours, unit), spreadText(theirs, unit), number(ratio)];
}

/** A table for a terminal. */
export function tableOf(rows: Row[]): string {
  return aligned([HEADINGS.map((heading) => heading.toUpperCase()), ...rows.map(cells)]).replaceAll("`", "");
}

/** A row each line. */
export function jsonOf(rows: Row[]): string {
  return rows.map((row) => JSON.stringify(row)).join("\n");
}

/** BENCHMARKS.md, from a template with places for the machine, the table and the rounds. */
export function markdownOf(template: string, rows: Row[], machine: string): string {
  const line = (words: string[]) => `| ${words.join(" | ")} |`;
  const table = [HEADINGS, HEADINGS.map(() => "---"), ...rows.map(cells)].map(line).join("\n");
  const rounds = [...new Set(rows.map(({ family, rounds }) => `${family} ${rounds}`))].join(", ");
  const values: Record<string, string> = { machine, table, rounds };
  return template.replace(/@(\w+)@/g, (_, name: string) => values[name]!);
}
