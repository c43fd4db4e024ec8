/** One `deno test`, counted. */
import { run } from "../box/command.ts";
import { which } from "../box/packages.ts";
import { tell } from "../box/tell.ts";
import { MEASURED } from "../support/measured.ts";
import { Tally, tallyOf } from "./tally.ts";

/** Ends single tests that take too long. */
const LIMIT = decodeURIComponent(new URL("limit.ts", import.meta.url).pathname);

/** Tests that run together. */
export interface Group {
  name: string;
  /** Options of `deno test`: permissions above all. */
  args: string[];
  /** Folders and files with tests. */
  paths: string[];
  /** What the tests need: one engine with a swarm, a lab, or boxes of their own; nothing of the kind if not said. */
  engines?: "one" | "lab" | "own";
  /** They are ended and count as failed after that. */
  minutes: number;
  /** Added to the environment. */
  env?: Record<string, string>;
  /** Words before the command. */
  enter?: string[];
}

/** Whether what a group says is shown as it comes, or when it has ended, since another one is running. */
export type Show = "now" | "later";

/** Runs a group; a group that has no tests, crashes or takes too long counts as a failed test. */
export async function runGroup(group: Group, scratch: string, show: Show, signal: AbortSignal): Promise<Tally> {
  if (show === "now") tell(`\n== ${group.name}`);
  const folder = await Deno.makeTempDir({ dir: scratch, prefix: `${group.name.replaceAll("/", "-")}-` });
  const junit = `${folder}.xml`;
  const measured = `${folder}.measured`;
  const options = ["--quiet", "--no-prompt", `--preload=${LIMIT}`, `--junit-path=${junit}`];
  const command = [Deno.execPath(), "test", ...options, ...group.args, ...group.paths];
  const { code, stdout, stderr } = await run([...await leash(), ...(group.enter ?? []), ...command], {
    env: { TMPDIR: folder, [MEASURED]: measured, ...noColor(), ...group.env },
    output: show === "now" ? "show" : "keep",
    seconds: group.minutes * 60,
    signal,
  });
  if (show === "later") tell(`\n== ${group.name}\n${stdout}${stderr}`);
  const tally = tallyOf(await read(junit), group.name);
  tally.measured.push(...(await read(measured)).split("\n").filter((line) => line !== ""));
  return judge(group, code, tally);
}

/** Deno asks no terminal whether it is one. */
function noColor(): Record<string, string> {
  return Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" };
}

async function read(file: string): Promise<string> {
  return await Deno.readTextFile(file).catch(() => "");
}

/** Words before a command that should not outlive a runner which is killed. */
async function leash(): Promise<string[]> {
  return (await which("setpriv")) === undefined ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
}

/** What the exit status adds to the report: Deno's doesn't name a module that could not be loaded. */
export function judge(group: Pick<Group, "name" | "minutes">, code: number, tally: Tally): Tally {
  const count = tally.passed + tally.failed.length;
  if (code === 124) tally.failed.push(`${group.name}: ended after its time limit of ${group.minutes} min`);
  else if (code !== 0 && tally.failed.length === 0) tally.failed.push(`${group.name}: deno test ended with ${code}`);
  else if (count === 0) tally.failed.push(`${group.name}: no test ran`);
  return tally;
}
