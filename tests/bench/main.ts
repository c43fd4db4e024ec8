/**
 * `deno task bench [FAMILY…]`: what a user waits for, beside the raw thing, on an engine in a box.
 *
 * Called outside of a box it enters one, and measures there.
 */
import { parseArgs } from "node:util";
import { must } from "../box/command.ts";
import { main } from "../box/ending.ts";
import { startSwarm } from "../box/engine.ts";
import { enterBox } from "../box/enter.ts";
import { print, tell } from "../box/tell.ts";
import { isInBox } from "../box/words.ts";
import { FAMILIES } from "./families.ts";
import { jsonOf, machineText, markdownOf, tableOf } from "./report.ts";
import { Site } from "./site.ts";
import { type Row, rowOf } from "./stats.ts";

const NAMES = Object.keys(FAMILIES);

const USAGE = `Usage: ./dev bench [FAMILY…] [--format table|json] [--write]

Measures what a user waits for beside the raw thing, in some minutes. Families: ${NAMES.join(", ")}.

  --format json   a row each line, with all numbers
  --write         write BENCHMARKS.md too, of all families`;

/** Reads the command line. */
export function parse(args: string[]) {
  const wrong = (what: string) => new Error(`${what}\n  hint: ./dev bench --help`);
  const options = { format: { type: "string", default: "table" }, write: { type: "boolean", default: false } } as const;
  const { values: { format, write }, positionals } = parseArgs({ args, allowPositionals: true, options });
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw wrong(`there is no family "${unknown}", want ${NAMES.join(", ")}`);
  if (format !== "table" && format !== "json") throw wrong(`the format is "${format}", want table or json`);
  if (write && positionals.length > 0) throw wrong("--write wants all families, none may be named");
  return { families: NAMES.filter((name) => positionals.length === 0 || positionals.includes(name)), format, write };
}

/** A family that fails is told, and the others go on; nothing is written then. */
async function inside({ families, format, write }: ReturnType<typeof parse>): Promise<number> {
  await startSwarm();
  const version = await must(["docker", "version", "--format", "{{.Server.Version}} {{.Client.Version}}"]);
  const [engine = "", client = ""] = version.trim().split(" ");
  tell("bench: installing the plugin, building the image");
  const site = await Site.open();
  const machine = await machineText(engine, client, site.plugin);
  const rows: Row[] = [];
  let failed = false;
  for (const name of families) {
    const begin = Date.now();
    try {
      rows.push(...(await FAMILIES[name]!(site)).map((sample) => rowOf(name, sample)));
      tell(`bench: ${name}: ${Math.round((Date.now() - begin) / 1000)} s`);
    } catch (error) {
      failed = true;
      tell(`bench: ${name} failed: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (rows.length > 0) print(format === "json" ? jsonOf(rows) : tableOf(rows));
  if (failed) return 1;
  if (write) await writeReport(rows, machine);
  return 0;
}

/** `deno fmt` aligns the table, as it does all of the checkout's. */
async function writeReport(rows: Row[], machine: string): Promise<void> {
  const path = decodeURIComponent(new URL("../../BENCHMARKS.md", import.meta.url).pathname);
  const template = await Deno.readTextFile(new URL("template.md", import.meta.url));
  await Deno.writeTextFile(path, markdownOf(template, rows, machine));
  await must([Deno.execPath(), "fmt", "--quiet", path]);
  tell(`bench: wrote ${path}`);
}

async function bench(args: string[]): Promise<number> {
  if (["help", "-h", "--help"].includes(args[0] ?? "")) return print(USAGE), 0;
  const wanted = parse(args);
  return isInBox()
    ? await inside(wanted)
    : await enterBox(new URL(import.meta.url), args, { programs: { ssh: "openssh-client" } });
}

if (import.meta.main) await main("bench", () => bench(Deno.args));
