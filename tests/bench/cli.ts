/** What the plugin takes before it does anything: Docker asks for the metadata at each `docker --help`. */
import { run } from "../engine/command.ts";
import type { Family, Figure } from "./figure.ts";
import { alternate, timed } from "./stats.ts";

const ROUNDS = 15;

const figure = (name: string, what: string, goal: number, bound: string): Figure => ({
  name,
  what,
  against: "an empty Deno program",
  goal: { at: "most", value: goal },
  kind: "ours/theirs",
  unit: "ms",
  bound,
});

export const CLI: Family = {
  name: "cli",
  minutes: 2,
  figures: [
    figure("metadata", "the answer to Docker's metadata request", 1.2, "It is one shell that prints a line."),
    figure(
      "help",
      "`docker-mpi mpi --help`",
      2,
      "Of 65 ms an empty program takes 20. The rest is the program: 9 ms its modules, 14 ms commander with all commands and " +
        "their flags, and parsing 1.3 MB, of which the images and templates are a part.",
    ),
    figure("completion", "completion of a command's name", 3, "Loading the bundle, as for `--help`."),
  ],
  async measure(arena) {
    const plugin = await arena.plugin();
    const empty = `${arena.scratch}/empty.js`;
    await Deno.writeTextFile(empty, "");
    const time = (words: string[]) => () => timed(() => arena.must(words, { env: { NO_COLOR: "1" } }));
    await run([plugin, "mpi", "--help"]); // its compiled form is kept from the second start on
    const times = await alternate(ROUNDS, {
      empty: time([Deno.execPath(), "run", "--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm", empty]),
      metadata: time([plugin, "docker-cli-plugin-metadata"]),
      help: time([plugin, "mpi", "--help"]),
      completion: time([plugin, "__complete", "mpi", "ru"]),
    });
    const against = (ours: number[]) => ({ ours, theirs: times.empty });
    return {
      samples: {
        metadata: against(times.metadata),
        help: against(times.help),
        completion: against(times.completion),
      },
    };
  },
};
