/**
 * `deno task build`: makes `dist/docker-mpi`, one file that needs nothing of this checkout.
 *
 * @module
 */
import { basename } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { why } from "../../stack/file_error.ts";
import { metadata } from "../docker/metadata.ts";
import { bundle, root } from "./bundle.ts";
import { type Say, script } from "./script.ts";

/** A download that does not come is no reason to wait for ever. */
const COMPILE_LIMIT_MS = 60_000;

/** What was built. */
export interface Built {
  /** Where it is. */
  path: string;
  /** `compiled` holds Deno itself; `launcher` runs with the Deno that is there. */
  form: "compiled" | "launcher";
}

/** What the forms are, for people. */
export const FORMS: Record<Built["form"], string> = {
  compiled: "compiled, with Deno inside",
  launcher: "a launcher, which runs with the Deno of this machine",
};

/** Builds the plugin into a folder, in the best form that can be had here. */
export async function build(folder: string, say: Say): Promise<Built> {
  const path = `${folder}/docker-mpi${Deno.build.os === "windows" ? ".exe" : ""}`;
  await Deno.mkdir(folder, { recursive: true });
  const reason = await compile(path, await bundle(""));
  if (reason === undefined) return { path, form: "compiled" };
  if (Deno.build.os === "windows") throw new MpiError("build", `Cannot compile the plugin: ${reason}`);
  await Deno.writeTextFile(path, await bundle(await launcher()), { mode: 0o755 });
  await Deno.chmod(path, 0o755);
  await say(`deno compile can't be used here: ${reason}`);
  return { path, form: "launcher" };
}

/**
 * The sh part of the launcher, with the answer that Docker asks for written into it.
 *
 * The line after the first says nothing in either language, but it opens a comment in JavaScript.
 */
export async function launcher(): Promise<string> {
  const script = await Deno.readTextFile(`${root}/cli/plugin/launcher.sh`);
  const [shebang, ...lines] = script.replace("@METADATA@", () => JSON.stringify(metadata)).split("\n");
  return [shebang, "':' /*", ...lines, "*/\n"].join("\n");
}

/**
 * Compiles the bundle together with Deno's runtime, which is downloaded, or is named by `DENORT_BIN`.
 *
 * The permissions are those of the launcher, but that any program may be started: which `docker` it is, is known only
 * when it runs.
 *
 * @param path Where to put it.
 * @param program The bundle.
 * @param env More variables for `deno compile`.
 * @returns Why it could not be done; nothing if it could.
 */
export async function compile(
  path: string,
  program: string,
  env: Record<string, string> = {},
): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "docker-mpi-compile-" });
  try {
    const output = `${folder}/${basename(path)}`;
    await Deno.writeTextFile(`${folder}/docker-mpi.mjs`, program);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ..."compile --quiet --no-config --no-lock --no-remote --no-npm --no-prompt".split(" "),
        ..."--allow-run --allow-net --allow-read --allow-write --ignore-env".split(" "),
        "--allow-sys=uid,gid",
        "--allow-env=DOCKER_*,MPI_*,HOME,USERPROFILE,NO_COLOR,TERM,SSH_AUTH_SOCK,BUILDX_NO_DEFAULT_ATTESTATIONS",
        ...["--output", output, `${folder}/docker-mpi.mjs`],
      ],
      signal: AbortSignal.timeout(COMPILE_LIMIT_MS),
      stdin: "null",
      env: { NO_COLOR: "1", ...env },
    }).output();
    if (!success) return reasonOf(new TextDecoder().decode(stderr));
    const reason = await tryOut(output);
    if (reason !== undefined) return reason;
    await Deno.copyFile(output, path);
    return undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Why a program does not answer as Docker asks; nothing if it does. Where `DENORT_BIN` names Deno itself, `deno compile` makes
 * just that; and folders for temporary files may take no programs.
 */
async function tryOut(program: string): Promise<string | undefined> {
  const asked = new Deno.Command(program, {
    args: ["docker-cli-plugin-metadata"],
    signal: AbortSignal.timeout(COMPILE_LIMIT_MS),
    stdin: "null",
    stderr: "null",
  }).output();
  const answer = await asked.catch((error) => error);
  if (answer instanceof Error) return `what came out of it can't be started: ${why(answer)}`;
  const isPlugin = new TextDecoder().decode(answer.stdout) === `${JSON.stringify(metadata)}\n`;
  return isPlugin ? undefined : "what came out of it is not the plugin";
}

/** Deno's first line says what it was doing; the reason is the first of the causes that speaks of an error. */
function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const cause = lines.find((line) => /^\d+: .*error/.test(line))?.replace(/^\d+: /, "");
  return cause ?? lines[0] ?? `no answer in ${COMPILE_LIMIT_MS / 1000} seconds`;
}

if (import.meta.main) {
  await script(async (say) => {
    const { path, form } = await build(`${root}/dist`, say);
    await say(`Built ${path} (${FORMS[form]})`);
  });
}
