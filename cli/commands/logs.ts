import { Argument } from "@commander-js/extra-typings";
import { MpiError } from "../../stack/errors.ts";
import { quote, visible } from "../../stack/text.ts";
import { clusterNames, findCluster } from "../cluster_context.ts";
import { type AnyCommand, Command, Option, withCompletion, withExamples } from "../command_line/command.ts";
import { clusterArgument, clusterOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";

interface LogsOptions {
  cluster?: string | undefined;
  follow?: true | undefined;
  tail?: string | undefined;
  timestamps?: true | undefined;
  since?: string | undefined;
  logPrefix: boolean;
}

/** `docker mpi logs`: what the nodes said. */
export function logsCommand(deps: Deps): AnyCommand {
  const command = new Command("logs")
    .summary("Show the logs of a cluster's nodes")
    .description(
      "Show what the nodes of a cluster said: who entered and left, who logged in; not the output of programs",
    )
    .addArgument(new Argument("[name]", "Name of the cluster"))
    .addOption(clusterOption())
    .option("-f, --follow", "Go on as more comes, until interrupted")
    .addOption(new Option("-n, --tail <int|all>", "Number of lines to show of each node").default("all"))
    .option("--no-log-prefix", "Don't show which node each line is of")
    .option("-t, --timestamps", "Show when each line was written")
    .option("--since <string>", "Only what is newer: a time such as 2013-01-02T13:23:37Z, or 42m for that long ago")
    .action((name, options) => run(deps, clusterArgument(name, options.cluster), options));
  withCompletion(command, { name: () => clusterNames(deps) });
  return withExamples(command, ["docker mpi logs -f --tail 10"]);
}

async function run(deps: Deps, name: string | undefined, options: LogsOptions): Promise<void> {
  const { tail = "all" } = options;
  if (tail !== "all" && !/^\d+$/.test(tail)) {
    throw new MpiError("usage", `Invalid value ${quote(tail)} for --tail: want a whole number, or "all"`);
  }
  const { cluster } = await findCluster(deps, name);
  const args = [
    ...(options.follow ? ["--follow"] : []),
    ...(options.timestamps ? ["--timestamps"] : []),
    ...(options.since === undefined ? [] : ["--since", options.since]),
    ...["--no-trunc", "--tail", tail],
  ];
  const prefix = options.logPrefix ? shortPrefix : (line: string) => line.replace(PREFIX, (_, time = "") => time);
  // Where one can't be shown any more, the other is not to be waited for.
  const failing = new AbortController();
  const show = async (service: string) => {
    const { code, stderr } = await deps.docker.run(["service", "logs", ...args, service], {
      signal: failing.signal,
      // Any program on a node can write to its log.
      onLine: (line) => isOfNode(line) && deps.io.stdout.write(`${visible(prefix(line), "\t")}\n`),
    });
    deps.signal.throwIfAborted();
    if (code !== 0) {
      const said = stderr.split("\n").filter((line) => !isOfNode(line)).join("\n").trim();
      throw new MpiError("engine", `Docker could not show the logs of "${service}": ${said}`, {
        hint: `docker service logs ${service}`,
      });
    }
  };
  const services = [cluster.master.name, cluster.worker.name];
  if (options.follow) {
    await Promise.allSettled(services.map((service) => show(service).catch((error) => failing.abort(error))));
    failing.signal.throwIfAborted();
    return;
  }
  // Docker fails where a single task of a service has no log to show: the others' is wanted the more.
  const failures: unknown[] = [];
  for (const service of services) {
    await show(service).catch((error) => {
      if (!(error instanceof MpiError && error.code === "engine")) throw error;
      failures.push(error);
    });
  }
  if (failures.length > 0) throw failures[0];
}

/** What Docker puts before each line that a task wrote; what has none is Docker's own word. */
const PREFIX = /^(\S+ )?\S+_(master|worker)\.(\d+)\.\w+@(\S+)\s*\| ?/;

function isOfNode(line: string): boolean {
  return PREFIX.test(line);
}

/**
 * Names the node before a line as everywhere else: `worker-3 |` in place of `hello_worker.3.qz2…@rack-1    |`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shortPrefix } from "./logs.ts";
 *
 * assert.equal(shortPrefix("hello_worker.3.qz2k@rack-1    | up"), "worker-3 | up");
 * assert.equal(shortPrefix("hello_worker.0.qz2k@rack-1    | up"), "worker-rack-1 | up");
 * assert.equal(shortPrefix("hello_master.1.ab3x@rack-1    | up"), "master   | up");
 * ```
 */
export function shortPrefix(line: string): string {
  return line.replace(
    PREFIX,
    (_, time = "", role, place, host) => {
      // Where each host has a worker, they have no numbers.
      const name = role === "master" ? role : `${role}-${place === "0" ? host : place}`;
      return `${time}${name.padEnd(8)} | `;
    },
  );
}
