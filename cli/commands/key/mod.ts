import { type AnyCommand, Command, withExamples } from "../../command_line/command.ts";
import type { Deps } from "../../deps.ts";
import { createCommand } from "./create.ts";
import { exportCommand } from "./export.ts";
import { importCommand } from "./import.ts";

/** `docker mpi key`: a cluster's key on further machines. */
export function keyCommand(deps: Deps): AnyCommand {
  const group = new Command("key")
    .summary("Let further machines into a cluster")
    .description("Let further machines into a cluster: with the key of this one, or each with a key of its own");
  for (const make of [createCommand, exportCommand, importCommand]) group.addCommand(make(deps));
  return withExamples(group, [
    "docker mpi key export | ssh laptop docker mpi key import",
    "docker mpi key create  # on another machine; then here: docker mpi deploy --add-key FILE",
  ]);
}
