import { type AnyCommand, Command, withExamples } from "../../command_line/command.ts";
import type { Deps } from "../../deps.ts";
import { attachCommand } from "./attach.ts";
import { cancelCommand } from "./cancel.ts";
import { inspectCommand } from "./inspect.ts";
import { logsCommand } from "./logs.ts";
import { addListOptions, list, lsCommand } from "./ls.ts";
import { rmCommand } from "./rm.ts";
import { waitCommand } from "./wait.ts";

/** `docker mpi jobs`: runs that need no client. By itself it lists them. */
export function jobsCommand(deps: Deps): AnyCommand {
  const group = addListOptions(new Command("jobs"))
    .summary("List and manage the jobs of a cluster")
    .description(
      "List and manage the jobs of a cluster: what run --detach started, and what outlived its client's connection",
    )
    .action((options) => list(deps, options));
  for (const make of [attachCommand, cancelCommand, inspectCommand, logsCommand, lsCommand, rmCommand, waitCommand]) {
    group.addCommand(make(deps));
  }
  // docker mpi jobs --cluster hello logs …, docker mpi jobs -q ls
  group.hook("preSubcommand", (command, sub) => {
    const names = sub.options.map((option) => option.attributeName());
    for (const name of names.filter((name) => command.getOptionValueSource(name) === "cli")) {
      sub.setOptionValue(name, command.getOptionValue(name));
    }
  });
  return withExamples(group, ["docker mpi jobs", "docker mpi jobs logs -f 3f9c02ab", "docker mpi jobs wait 3f9c02ab"]);
}
