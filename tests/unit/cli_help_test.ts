import assert from "node:assert/strict";
import { Command, Option, takesProgram, withExamples } from "../../cli/command_line/command.ts";
import { collect, integer } from "../../cli/command_line/flags.ts";
import { renderHelp, usageLine, wrap } from "../../cli/command_line/help.ts";
import { run } from "../support/cli.ts";

function sample() {
  const root = new Command("docker mpi").enablePositionalOptions();
  const command = new Command("run")
    .description("Run a program on all ranks of the cluster, in the foreground, until it ends")
    .alias("x").alias("launch")
    .argument("<program>")
    .argument("[args...]")
    .addOption(new Option("-n, --np <int>", "Number of ranks").argParser(integer()).default(4))
    .addOption(new Option("-e, --env <list>", "Set an environment variable").argParser(collect).default([] as string[]))
    .addOption(new Option("--progress <string>", "How to show it").choices(["tty", "plain"]).default("tty"))
    .addOption(new Option("--secret", "Not shown").hideHelp())
    .option("--detach", "Return at once");
  root.addCommand(withExamples(takesProgram(command), ["docker mpi run ./a.out", "docker mpi run -n 2 hostname"]));
  return command;
}

Deno.test("renderHelp() follows Docker's layout", () => {
  assert.equal(
    renderHelp(sample(), 60),
    `Usage:  docker mpi run [OPTIONS] PROGRAM [ARGS...]

Run a program on all ranks of the cluster, in the
foreground, until it ends

Aliases:
  docker mpi run, docker mpi x, docker mpi launch

Examples:
  docker mpi run ./a.out
  docker mpi run -n 2 hostname

Options:
      --detach            Return at once
  -e, --env list          Set an environment variable
  -n, --np int            Number of ranks (default 4)
      --progress string   How to show it ("tty", "plain")
                          (default "tty")
`,
  );
});

Deno.test("renderHelp() keeps within the terminal, and gives up wrapping on a very narrow one", () => {
  for (const columns of [60, 72, 80, 132]) {
    for (const line of renderHelp(sample(), columns).split("\n")) {
      assert.ok(line.length < columns, `${columns}: ${line}`);
    }
  }
  assert.match(
    renderHelp(sample(), 40),
    /\n {6}--progress string {3}How to show it \("tty", "plain"\) \(default "tty"\)\n/,
  );
});

Deno.test("usageLine() shows which arguments may be left out", () => {
  assert.equal(usageLine(sample()), "Usage:  docker mpi run [OPTIONS] PROGRAM [ARGS...]");
});

Deno.test("wrap() breaks at blanks only and keeps line feeds", () => {
  assert.deepEqual(wrap("a bb ccc\ndddddddddd e", 5), ["a bb", "ccc", "dddddddddd", "e"]);
  assert.deepEqual(wrap("", 5), [""]);
});

Deno.test("every command's help is as it was read over", async (t) => {
  const names: string[] = [];
  const read = async (path: string[]) => {
    const { out } = await run(["mpi", ...path, "--help"]);
    await t.assertSnapshot(out, { name: ["docker mpi", ...path].join(" ") });
    names.push(path.join(" "));
    const below = /\nCommands:\n(.*?)\n\n/s.exec(out)?.[1] ?? "";
    for (const [, name = ""] of below.matchAll(/^ {2}([a-z]+) {2,}/gm)) await read([...path, name]);
  };
  await read([]);
  for (const name of ["version", "jobs attach", "key create"]) assert.ok(names.includes(name), name);
});
