import { join, relative, resolve } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { buildThere, compareFiles, putFiles, requireComplete } from "../../stack/master/copy.ts";
import { untilAborted } from "../../stack/master/master.ts";
import type { SshConnection } from "../../stack/ssh/ssh.ts";
import { quote } from "../../stack/text.ts";
import { projectDirectory } from "../cluster_context.ts";
import type { Deps } from "../deps.ts";
import type { ProgressMode } from "../output/progress.ts";
import { bytesText, transferProgress } from "../output/transfer_progress.ts";
import { ignoredBy } from "./ignore.ts";
import { unreadable } from "./read_file.ts";
import { type LocalEntry, readTree, withSums } from "./local_files.ts";
import { tarStream } from "./tar.ts";

/** What the image copies to `/project` in a project of ours. */
const DIRECTORY = "project";
/** Where it is on the nodes. */
const THERE = "/project";

/** What is to be brought up to date. */
export interface SyncOptions {
  /** A directory of this machine; empty or none: `project` beside `mpi.yaml`. */
  directory?: string | undefined;
  /** A command for the master, whose files go to all workers. */
  build?: string | undefined;
  /** How to show progress. */
  progress?: ProgressMode | undefined;
}

/**
 * Sends what the nodes don't have as it is here, has the master build, and brings what that made to the workers.
 *
 * @returns The status of the build, 0 if there was none.
 */
export async function syncProject(deps: Deps, master: SshConnection, options: SyncOptions): Promise<number> {
  const { progress = "auto", build } = options;
  return await untilAborted(deps.signal, master, async () => {
    await sendChanged(deps, master, await readProject(deps, options.directory), progress);
    if (build === undefined) return 0;
    const status = await buildThere(master, build, (chunk) => deps.io.stderr.write(chunk));
    // Not every compiler ends its words with what they mean.
    if (status !== 0) await deps.io.stderr.write(`The build on the master ended with status ${status}: ${build}\n`);
    return status;
  });
}

/** All of a directory, but what `.dockerignore` keeps out of images. The first entry is the directory. */
async function readProject(deps: Deps, directory: string | undefined): Promise<LocalEntry[]> {
  const project = await projectDirectory(deps);
  const folder = directory ? resolve(deps.cwd(), directory) : join(project, DIRECTORY);
  if (!await Deno.stat(folder).then((info) => info.isDirectory, () => false)) {
    throw new MpiError(
      "usage",
      `There is no directory ${quote(directory || relative(deps.cwd(), folder))} to bring to the nodes`,
      {
        hint: "docker mpi sync .  # brings this directory; as a flag of run: --sync=DIR",
      },
    );
  }
  const below = relative(project, folder).replaceAll("\\", "/");
  const rules = below.startsWith("..") ? "" : await readIgnored(join(project, ".dockerignore"));
  const ignored = ignoredBy(rules);
  const wanted = (path: string) => !ignored(below === "" ? path : `${below}/${path}`);
  return await readTree(`${folder}/`, "0", wanted, /^\s*!/m.test(rules));
}

async function readIgnored(file: string): Promise<string> {
  return await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw unreadable(file, error);
  });
}

async function sendChanged(
  deps: Deps,
  master: SshConnection,
  [root, ...entries]: LocalEntry[],
  progress: ProgressMode,
): Promise<void> {
  const compared = entries.map((entry) => ({ ...entry, path: entry.path.slice("0/".length) }));
  const { nodes, missing } = await compareFiles(master, THERE, compared);
  if (missing.length === 0) return;
  const changed = [root!, ...missing.map((number) => entries[number]!)];
  const total = changed.reduce((sum, { size }) => sum + size, 0);
  const shown = transferProgress(deps, progress, "sync", total);
  try {
    const request = { nodes, ofAll: true, destination: THERE, sources: [{ type: "d", name: "" }] } as const;
    requireComplete(await putFiles(master, request, () => tarStream(withSums(changed, shown.add))));
    shown.done(`${bytesText(total)} to ${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}`);
  } finally {
    await shown.stop();
  }
}
