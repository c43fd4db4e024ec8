/** The checks that are no tests: each counts as one. */
import { run } from "../box/command.ts";
import { tell } from "../box/tell.ts";
import { Tally } from "./tally.ts";

interface Gate {
  name: string;
  /** What has to succeed; may throw to fail with a message. */
  command: () => Promise<string[]>;
}

/** Programs that they need, with their packages. */
export const GATE_PROGRAMS = { shellcheck: "shellcheck", perl: "perl" };

const deno = (...args: string[]) => () => Promise.resolve([Deno.execPath(), ...args]);

const GATES: Gate[] = [
  { name: "format", command: deno("fmt", "--check") },
  { name: "lint", command: deno("lint") },
  { name: "types", command: deno("check", "--frozen", ".") },
  { name: "lock file", command: deno("install", "--frozen") },
  { name: "documentation of stack/", command: deno("doc", "--lint", "stack/mod.ts") },
  { name: "shell scripts", command: shellcheck },
  { name: "Perl programs", command: perlSyntax },
];

/** Runs every gate, the later ones also when an earlier one fails. */
export async function runGates(signal: AbortSignal): Promise<Tally> {
  tell("\n== check");
  const tally = new Tally();
  for (const gate of GATES) {
    const begin = Date.now();
    const said = await failure(gate, signal);
    if (said === undefined) tally.passed++;
    else tally.failed.push(`check: ${gate.name}`);
    tell(`${said ?? ""}${gate.name} ... ${said === undefined ? "ok" : "FAILED"} (${Date.now() - begin}ms)`);
  }
  return tally;
}

/** What a gate says when it fails. */
async function failure(gate: Gate, signal: AbortSignal): Promise<string | undefined> {
  try {
    const command = await gate.command();
    const result = await run(command, { seconds: 300, signal });
    return result.code === 0 ? undefined : `${result.stdout}${result.stderr}\n`;
  } catch (error) {
    signal.throwIfAborted();
    return `${error instanceof Error ? error.message : error}\n`;
  }
}

async function shellcheck(): Promise<string[]> {
  const scripts: string[] = [];
  for (const root of ["dev", ".ci", "cli", "images", "examples", "tests"]) scripts.push(...await shellScripts(root));
  return ["shellcheck", ...scripts];
}

/** Has Perl read each program, with warnings; any that it gives is a failure. */
async function perlSyntax(): Promise<string[]> {
  const files = await filesWith("images", (text) => /^#!\S*\/perl\b|^package \w+;$/m.test(text));
  const script = `for file do
    said=$(perl -wc -Iimages/rootfs/usr/local/lib/mpi "$file" 2>&1)
    if [ "$said" != "$file syntax OK" ]; then echo "$said" >&2; exit 1; fi
  done`;
  return ["sh", "-c", script, "sh", ...files];
}

/** The files at or below a path that start with a shell's name. */
async function shellScripts(path: string): Promise<string[]> {
  return await filesWith(path, isShell);
}

/** The files at or below a path whose beginning is such. */
async function filesWith(path: string, is: (beginning: string) => boolean): Promise<string[]> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info?.isFile) return is(await firstBytes(path)) ? [path] : [];
  if (!info?.isDirectory) return [];
  const found: string[] = [];
  for await (const entry of Deno.readDir(path)) found.push(...await filesWith(`${path}/${entry.name}`, is));
  return found.sort();
}

/** Whether a file that begins so is a shell script. */
export function isShell(text: string): boolean {
  return /^#!\s*(\/usr)?\/bin\/(env\s+)?(ba|da)?sh\b/.test(text);
}

async function firstBytes(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(512);
  const length = await file.read(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, length));
}
