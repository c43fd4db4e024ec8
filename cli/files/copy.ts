import { MpiError } from "../../stack/errors.ts";
import { type Place, putFiles, requireComplete } from "../../stack/master/copy.ts";
import { getFiles } from "../../stack/master/get_files.ts";
import { type Host, listHosts } from "../../stack/master/hosts.ts";
import { isNodeName } from "../../stack/names.ts";
import { typed } from "../../stack/shell.ts";
import type { SshConnection } from "../../stack/ssh/ssh.ts";
import { quote, quotePath } from "../../stack/text.ts";
import { type ClusterContext, onMaster } from "../cluster_context.ts";
import type { Deps } from "../deps.ts";
import type { ProgressMode } from "../output/progress.ts";
import { bytesText, transferProgress } from "../output/transfer_progress.ts";
import { readSources, sourceName, withSums } from "./local_files.ts";
import { writing } from "./read_file.ts";
import { receiveFiles } from "./received_files.ts";
import { tarStream } from "./tar.ts";

/** What a copy works with. */
export interface CopyWorld {
  /** The world. */
  deps: Deps;
  /** How to show progress. */
  progress: ProgressMode;
  /** The cluster; its master is logged in to when it is time. */
  context: ClusterContext;
}

/** Brings files of this machine to nodes. */
export async function sendFiles(
  { deps, progress, context }: CopyWorld,
  paths: readonly string[],
  to: Place,
): Promise<void> {
  const { sources, entries } = await readSources(paths);
  const nodes = to.node === undefined || to.node === "all" ? undefined : [to.node];
  await onMaster(deps, context, async (master) => {
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    const shown = transferProgress(deps, progress, "copy", total);
    let sent = 0;
    const count = (bytes: number) => {
      shown.add(bytes);
      sent += bytes;
      if (sent === total) shown.phase("the nodes check it");
    };
    try {
      const request = { nodes, destination: to.path, sources };
      requireComplete(await putFiles(master, request, () => tarStream(withSums(entries, count))));
      shown.done(`${bytesText(total)} to ${nodes?.join(", ") ?? "every node"}`);
    } finally {
      await shown.stop();
    }
  });
}

/** How many nodes send at the same time. */
const AT_ONCE = 4;

/** Brings files of nodes to this machine; of all nodes, each into a folder with the node's name. */
export async function fetchFiles(
  { deps, progress, context }: CopyWorld,
  from: readonly Place[],
  to: string,
): Promise<void> {
  requireOwnNames(from);
  await onMaster(deps, context, async (master) => {
    const failures: unknown[] = [];
    const fetches = await plan(master, context.cluster.name, from, to);
    const shown = transferProgress(deps, progress, "copy");
    const next = async () => {
      for (let fetch = fetches.shift(); fetch !== undefined; fetch = fetches.shift()) {
        await fetchOne(master, fetch, shown.add).catch((error) => failures.push(error));
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, next));
      deps.signal.throwIfAborted();
      if (failures.length > 0) throw combined(failures);
      shown.done("all is here");
    } finally {
      await shown.stop();
    }
  });
}

/** One thing to get. */
interface Fetch {
  node: string;
  path: string;
  to: string;
}

async function plan(master: SshConnection, cluster: string, from: readonly Place[], to: string): Promise<Fetch[]> {
  const single = from.filter(({ node }) => node !== "all").map(({ node, path }) => ({ node: node!, path, to }));
  if (single.length > 1 && !await Deno.stat(to).then((info) => info.isDirectory, () => false)) {
    throw new MpiError("usage", `There is no directory "${to}" to take several files`, {
      hint: typed("mkdir", "-p", to),
    });
  }
  if (single.length === from.length) return single;
  const nodes = folderNames(await listHosts(master, cluster));
  await writing(to, async () => {
    for (const node of nodes) await Deno.mkdir(`${to}/${node}`, { recursive: true });
  });
  const all = from.filter(({ node }) => node === "all");
  return [...single, ...all.flatMap(({ path }) => nodes.map((node) => ({ node, path, to: `${to}/${node}` })))];
}

/** The folders that nodes get here: their names, none of which may lead elsewhere. */
export function folderNames(hosts: readonly Pick<Host, "name">[]): string[] {
  const names = hosts.map(({ name }) => name);
  const wrong = names.find((name) => !isNodeName(name));
  if (wrong === undefined) return names;
  throw new MpiError("cluster", `The master lists a node whose name can be no folder's here: ${quote(wrong)}`, {
    hint: "docker mpi hosts  # shows its list; docker mpi cp NODE:FILE DIR copies from one of them",
  });
}

/** What two nodes have under one name would be one file here. */
export function requireOwnNames(from: readonly Place[]): void {
  const seen = new Map<string, string>();
  for (const { node, path } of from) {
    const name = `${node === "all" ? "all" : ""}:${sourceName(path)}`;
    const [before, now] = [seen.get(name), `${node}:${path}`];
    if (before !== undefined && !name.endsWith(":")) {
      throw new MpiError(
        "usage",
        `Both ${quotePath(before)} and ${quotePath(now)} would be ${quote(name.slice(name.indexOf(":") + 1))} here`,
        {
          hint: "copy them one after the other, to different destinations; all:FILE DIR takes it from every node",
        },
      );
    }
    seen.set(name, now);
  }
}

async function fetchOne(
  master: SshConnection,
  { node, path, to }: Fetch,
  onBytes: (bytes: number) => void,
): Promise<void> {
  await using files = receiveFiles(to, sourceName(path), onBytes);
  await getFiles(master, node, path, files);
  await files.place();
}

/** One error of several; a defect of ours goes first. */
function combined(failures: readonly unknown[]): unknown {
  const unexpected = failures.find((failure) => !(failure instanceof MpiError));
  if (unexpected !== undefined || failures.length === 1) return unexpected ?? failures[0];
  const known = failures as MpiError[];
  return new MpiError(known[0]!.code, known.map(({ message }) => message).join("\n"), {
    hint: known[0]!.hint ?? "",
    cause: known[0],
  });
}
