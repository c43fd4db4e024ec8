import { Argument } from "@commander-js/extra-typings";
import { describeProblem } from "../../stack/cluster/diagnose.ts";
import { type ClusterStatus, wholeness } from "../../stack/inspect/status.ts";
import { visible } from "../../stack/text.ts";
import { clusterNames, findCluster } from "../cluster_context.ts";
import { askStatus } from "../cluster_status.ts";
import { type AnyCommand, Command, withCompletion, withExamples } from "../command_line/command.ts";
import { clusterArgument, clusterOption, formatOption, watchOption } from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import { type Format, renderList } from "../output/format.ts";
import { showText } from "../output/watch.ts";

interface StatusOptions {
  cluster?: string | undefined;
  format: Format;
  watch?: true | undefined;
}

/** `docker mpi status`: whether a cluster is whole, and what to do if it isn't. */
export function statusCommand(deps: Deps): AnyCommand {
  const command = new Command("status")
    .summary("Show whether a cluster is whole")
    .description("Show whether every node of a cluster runs and answers, and what to do if not; then the status is 1")
    .addArgument(new Argument("[name]", "Name of the cluster"))
    .addOption(clusterOption())
    .addOption(formatOption())
    .addOption(watchOption())
    .action((name, options) => run(deps, clusterArgument(name, options.cluster), options));
  withCompletion(command, { name: () => clusterNames(deps) });
  return withExamples(command, ["docker mpi status", "docker mpi status --format '{{.Answering}} of {{.Wanted}}'"]);
}

async function run(deps: Deps, name: string | undefined, { format, watch }: StatusOptions): Promise<void> {
  const render = async () => {
    const status = await askStatus(deps, await findCluster(deps, name));
    deps.status = status.healthy ? 0 : 1;
    return format === "table" ? statusText(status) : renderList([toRow(status)], {}, format);
  };
  await showText(deps, watch ?? false, render, format === "table" ? "\n" : "");
}

/** For people: what there is, then what is wrong with it. */
function statusText(status: ClusterStatus): string {
  const lines: [string, string][] = [
    ["Cluster", status.name],
    ["State", `${stateOf(status)}: ${wholeness(status)}`],
    ["Slots", String(status.slots)],
    ["Master", status.masterHost === "" ? "has no host yet" : `on ${status.masterHost}, port ${status.port}`],
    ["Image", status.image],
    ["Deployed", `${status.createdAt.replace(/\.\d+Z$/, "Z")}, docker mpi ${status.version}`],
  ];
  const facts = lines.map(([name, value]) => `${name.padEnd(8)}   ${value}\n`).join("");
  const problems = status.problems.map((problem) =>
    `\n${visible(describeProblem(problem))}\nhint: ${visible(problem.remedy)}\n`
  );
  return facts + problems.join("");
}

function stateOf({ healthy, answering }: ClusterStatus): string {
  if (healthy) return "whole";
  return answering === undefined ? "unknown" : "not whole";
}

function toRow(status: ClusterStatus) {
  return {
    Name: status.name,
    Healthy: status.healthy,
    Wanted: status.wanted,
    Running: status.running,
    Answering: status.answering ?? null,
    Slots: status.slots,
    MasterHost: status.masterHost,
    Port: status.port,
    Image: status.image,
    Version: status.version,
    CreatedAt: status.createdAt,
    Nodes: status.nodes.map(({ name, host, state, answers, slots }) => ({
      Name: name,
      Host: host,
      State: state,
      Answers: answers ?? null,
      Slots: slots,
    })),
    Problems: status.problems.map(({ nodes, error, hosts, remedy }) => ({
      Nodes: nodes,
      Error: error,
      Hosts: hosts,
      Remedy: remedy,
    })),
  };
}
