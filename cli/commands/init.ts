import { dirname, join, resolve } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { clusterNameFrom, isClusterName } from "../../stack/names.ts";
import { type Implementation, IMPLEMENTATIONS } from "../../stack/settings/schema.ts";
import { typed } from "../../stack/shell.ts";
import { closest } from "../../stack/suggest.ts";
import { brief, quote, visible } from "../../stack/text.ts";
import type { AssetFile } from "../assets.ts";
import { type AnyCommand, Command, Option, withCompletion, withExamples } from "../command_line/command.ts";
import type { Deps } from "../deps.ts";

/** The projects below `examples/`, each with what it shows. */
export const TEMPLATES: Readonly<Record<string, string>> = {
  hello: "C: every rank says where it is",
  pi: "C: random points, and a reduction",
  heat: "C: strips of a plate that exchange their edges, and a picture",
  solver: "Fortran: linear equations with ScaLAPACK",
  python: "Python: NumPy arrays with mpi4py",
  farm: "C: a manager hands out uneven work",
  hybrid: "C: OpenMP threads in one MPI rank per node",
};

/** The JSON schema of `mpi.yaml`; its first line names it. */
const SCHEMA_FILE = ".mpi.schema.json";

interface InitOptions {
  template: string;
  force?: true | undefined;
  cluster?: string | undefined;
  mpi?: Implementation | undefined;
}

/** `docker mpi init`: a cluster project from a template. */
export function initCommand(deps: Deps): AnyCommand {
  const command = new Command("init")
    .description(
      "Make a cluster project: Dockerfile, mpi.yaml, a program, and a README.md that says what it shows.\n\n" +
        `Templates:\n${Object.entries(TEMPLATES).map(([name, what]) => `  ${name.padEnd(8)} ${what}`).join("\n")}`,
    )
    .summary("Make a cluster project")
    .argument("[dir]", "Where to make it; created if it is missing", ".")
    .option("--template <string>", "Which project to start from", "hello")
    .option("--cluster <string>", "Name of the cluster; taken from the directory if not given")
    .addOption(new Option("--mpi <string>", "MPI implementation").choices(IMPLEMENTATIONS))
    .option("--force", "Use a directory that is not empty, and overwrite files of the template's names")
    .action((dir, options) => init(deps, dir, options));
  withCompletion(command, { "--template": () => Promise.resolve(Object.entries(TEMPLATES)) });
  return withExamples(command, [
    "docker mpi init hello",
    "docker mpi init --template heat --cluster cfd .",
    "docker mpi init --mpi openmpi hello",
  ]);
}

async function init(deps: Deps, dir: string, { template, force, cluster: name, mpi }: InitOptions): Promise<void> {
  const target = resolve(deps.cwd(), dir);
  const cluster = clusterName(name, target);
  const own = (await templateFiles(deps, template)).map((file) => adapted(file, cluster, mpi));
  const files = [...own, await schemaFile()];
  const present = await entriesOf(target);
  if (!force && present.length > 0) throw inTheWay(dir, await clashes(target, files));
  for (const file of files) await write(target, file);
  const next = [...(dir === "." ? [] : [`cd ${typed(dir)}`]), "docker mpi deploy --workers 5"].join(
    " && ",
  );
  const made = `Made the cluster project "${cluster}" in "${visible(dir)}"`;
  await deps.io.stdout.write(`${made}\n\nNext: ${next}\nREADME.md there says what it shows, and what to try\n`);
}

function clusterName(name: string | undefined, target: string): string {
  if (name === undefined) return clusterNameFrom(target);
  if (isClusterName(name)) return name;
  throw new MpiError("usage", `${quote(name)} cannot be the name of a cluster`, {
    hint: `lower case letters, digits and "-", a letter first, for example --cluster ${clusterNameFrom(name)}`,
  });
}

async function templateFiles({ assets }: Deps, template: string): Promise<AssetFile[]> {
  if (Object.hasOwn(TEMPLATES, template)) return await assets.tree(`examples/${template}`);
  const names = Object.keys(TEMPLATES);
  const meant = closest(template, names);
  throw new MpiError("usage", `There is no template ${quote(template)}${meant ? `, did you mean "${meant}"?` : ""}`, {
    hint: `templates are ${names.join(", ")}`,
  });
}

/** Writes the cluster's name and its MPI into the template's settings, and the MPI into the Dockerfile's default. */
function adapted(file: AssetFile, cluster: string, mpi: Implementation | undefined): AssetFile {
  const changes: Record<string, (text: string) => string> = {
    "mpi.yaml": (text) =>
      `# yaml-language-server: $schema=${SCHEMA_FILE}\n${text}`.replace(/^name:.*$/m, `name: ${yamlWord(cluster)}`)
        .replace(/^(?:# )?mpi: \S+ */m, (line) => mpi === undefined ? line : `mpi: ${mpi}`.padEnd(line.length)),
    "Dockerfile": (text) => mpi === undefined ? text : text.replace(/^ARG MPI=.*$/m, `ARG MPI=${mpi}`),
  };
  const change = changes[file.path];
  if (change === undefined) return file;
  return { ...file, bytes: new TextEncoder().encode(change(new TextDecoder().decode(file.bytes))) };
}

/** YAML reads some words as something else than text. */
function yamlWord(text: string): string {
  return /^(true|false|null|yes|no|on|off|y|n)$/.test(text) ? `"${text}"` : text;
}

/** What editors know the settings by: a file beside them, which needs no network. */
async function schemaFile(): Promise<AssetFile> {
  const { settingsJsonSchema } = await import("../../stack/settings/json_schema.ts");
  const text = `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`;
  return { path: SCHEMA_FILE, mode: 0o644, bytes: new TextEncoder().encode(text) };
}

/** What is in the directory; nothing, if there is none yet. */
async function entriesOf(target: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(target))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw cannot("use", target, error);
  }
}

/** The template's files that exist already. */
async function clashes(target: string, files: readonly AssetFile[]): Promise<string[]> {
  const found = await Promise.all(
    files.map(({ path }) => Deno.lstat(join(target, path)).then(() => [path], () => [])),
  );
  return found.flat();
}

function inTheWay(dir: string, clashing: readonly string[]): MpiError {
  const names = clashing.map((path) => `"${path}"`).join(", ");
  if (clashing.length > 0) {
    return new MpiError("conflict", `"${brief(dir, 300)}" has ${names} already, which would be overwritten`, {
      hint: "choose another directory, or overwrite them with --force",
    });
  }
  return new MpiError("conflict", `"${brief(dir, 300)}" is not empty`, {
    hint: "choose another directory, or add the project to this one with --force",
  });
}

async function write(target: string, { path, mode, bytes }: AssetFile): Promise<void> {
  const file = join(target, path);
  try {
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeFile(file, bytes, { mode });
  } catch (error) {
    throw cannot("write", file, error);
  }
}

/** Errors of the file system are the user's to solve. Deno's text ends with the call; the reason stands before. */
function cannot(action: string, path: string, error: unknown): MpiError {
  const reason = error instanceof Error ? error.message.replace(/(: \w+ '.*'| \(os error.*)$/s, "") : String(error);
  return new MpiError("conflict", `Cannot ${action} "${brief(path, 300)}": ${reason}`, {
    hint: "choose another directory, or see to it that this one can be written",
    cause: error,
  });
}
