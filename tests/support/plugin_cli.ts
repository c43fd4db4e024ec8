/** What a command left. */
export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** The checkout. */
export const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

const LIMIT_MS = 60_000;

/** Runs a command to its end, with more environment variables if need be. */
export async function sh(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  cwd = root,
): Promise<Ended> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env, cwd, signal, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** A docker command of this machine. */
export interface Client {
  path: string;
  version: string;
  /** The first number of its version. */
  major: number;
}

/** The clients that tests are promised for: older ones have no socket for their plugins, and some do not complete. */
const PROMISED: readonly { says: string; is: (major: number) => boolean }[] = [
  { says: "docker < 23", is: (major) => major < 23 },
  { says: "docker >= 25", is: (major) => major >= 25 },
];

/** Which of the promised clients are missing, in words. */
export function missingClients(found: readonly Pick<Client, "major">[]): string[] {
  return PROMISED.filter(({ is }) => !found.some(({ major }) => is(major))).map(({ says }) => `${says} is not here`);
}

/**
 * The clients to make tests for, in the order of PATH; for the top level of a test file. What is missing of those that are
 * promised becomes an ignored test, so that the report of a run names it.
 */
export async function clientsToTest(): Promise<Client[]> {
  const found = await clients();
  for (const name of missingClients(found)) Deno.test.ignore(name, () => {});
  return found;
}

/** Every docker command in PATH, the same version once. */
export async function clients(): Promise<Client[]> {
  const found = new Map<string, Client>();
  for (const folder of new Set((Deno.env.get("PATH") ?? "").split(":"))) {
    const path = `${folder}/docker`;
    if (!await Deno.stat(path).then(({ isFile }) => isFile, () => false)) continue;
    const { out } = await sh(path, ["--version"]);
    const version = /version ([^,]+)/.exec(out)?.[1] ?? "";
    if (version && !found.has(version)) found.set(version, { path, version, major: parseInt(version) });
  }
  if (found.size === 0) throw new Error("There is no docker command in PATH");
  return [...found.values()];
}

/** A Docker configuration directory of its own, removed at the end. */
export async function tempConfig(): Promise<{ path: string; env: Record<string, string> } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "docker-mpi-config-" });
  return {
    path,
    env: { DOCKER_CONFIG: path },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Puts a plugin into a configuration directory that runs `tests/support/probe_cli.ts`. */
export async function installProbe(config: string): Promise<void> {
  await Deno.mkdir(`${config}/cli-plugins`, { recursive: true });
  const script = `#!/bin/sh\nexec '${Deno.execPath()}' run -A --quiet '${root}/tests/support/probe_cli.ts' "$@"\n`;
  await Deno.writeTextFile(`${config}/cli-plugins/docker-mpi`, script);
  await Deno.chmod(`${config}/cli-plugins/docker-mpi`, 0o755);
}
