import { isClusterName } from "../../stack/names.ts";
import { typed } from "../../stack/shell.ts";
import type { AnyCommand } from "./command.ts";

/** What the commands of a hint are to be about. */
export interface Meant {
  /** Docker's global flags, as they were typed. */
  globals: readonly string[];
  /** The cluster, if the command line named it. */
  cluster: string | undefined;
}

/**
 * Makes the commands of a hint mean the engine and the cluster that the user's own command meant: pasted as they are, they
 * would be about those of the directory that one is in.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Command } from "./command.ts";
 * import { asMeant } from "./hint.ts";
 *
 * const root = new Command("docker mpi").addCommand(new Command("hosts").option("--cluster <string>"));
 * assert.equal(
 *   asMeant("docker mpi hosts  # lists them", root, { globals: ["--context", "lab"], cluster: "cfd" }),
 *   "docker --context lab mpi hosts --cluster cfd  # lists them",
 * );
 * ```
 *
 * @param root The command tree, which says what takes `--cluster`.
 */
export function asMeant(hint: string, root: AnyCommand, { globals, cluster }: Meant): string {
  const docker = typed("docker", ...globals);
  // What another host is to run is about that host's own engine, and `docker context` is about none.
  // The word may be the end of a path.
  const parts = hint.split(/(?<!\bssh \S+ )(?<![/\w.-])docker (?!context)(?=[a-z])/);
  return parts.map((part, at) => at === 0 ? part : `${docker} ${withCluster(part, root, cluster)}`).join("");
}

/** A command without `docker`, and what follows it in the hint. */
function withCluster(text: string, root: AnyCommand, cluster: string | undefined): string {
  if (cluster === undefined || !text.startsWith("mpi ")) return text;
  const [, ...words] = /^[^;&|#]*/.exec(text)![0].split(" ");
  let command = root;
  let path = "mpi";
  for (const word of words) {
    const found = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (found === undefined) break;
    command = found;
    path += ` ${word}`;
  }
  const next = words[path.split(" ").length - 1] ?? "";
  const isNamed = words.includes("--cluster") || takesName(command) && next !== "" && !next.startsWith("-");
  // The cluster of `init` is one that is to be.
  const takesCluster = command.name() !== "init" && command.options.some(({ long }) => long === "--cluster");
  return takesCluster && !isNamed ? `${path} ${typed("--cluster", cluster)}${text.slice(path.length)}` : text;
}

/** The cluster that a command line named, by flag or argument; none where there can be none of that name. */
export function clusterOf(command: AnyCommand): string | undefined {
  const flag: unknown = command.opts()["cluster"];
  const name: unknown = takesName(command) ? command.processedArgs[0] : undefined;
  return [flag, name].find((each): each is string => typeof each === "string" && isClusterName(each));
}

function takesName(command: AnyCommand): boolean {
  return command.registeredArguments[0]?.name() === "name";
}
