import assert from "node:assert/strict";
import { Argument, Command, Option, takesProgram, withCompletion } from "../../cli/command_line/command.ts";
import { complete } from "../../cli/command_line/completion.ts";
import { createProgram } from "../../cli/program.ts";
import { fakeWorld } from "../support/cli.ts";

function tree() {
  const root = new Command("docker mpi").enablePositionalOptions().helpCommand(false).option("-D, --debug", "Debug");
  const rm = new Command("rm").alias("down").summary("Remove").description("Remove a cluster")
    .argument("[cluster]").addArgument(new Argument("[what]").choices(["all", "keys"]))
    .option("--cluster <string>", "Name").option("-f, --force", "Force")
    .addOption(new Option("--format <string>", "Format").choices(["table", "json"]))
    .option("--slots <int|auto>", "Slots").option("--host <string>", "Node").option("--file <file>", "File").option(
      "-w, --workdir <dir>",
      "Dir",
    ).option("-e, --env <list>", "Env")
    .addOption(new Option("--hidden", "Hidden").hideHelp());
  withCompletion(rm, {
    "--cluster": () => Promise.resolve(["hello", "cfd"]),
    "--host": (_, flags) => Promise.resolve([`worker-1 of ${flags.get("--cluster")}`]),
    cluster: () => Promise.resolve([["hello", "5 workers"], "cfd"] as const),
  });
  const run = takesProgram(new Command("run").description("Run a program").argument("<program>").argument("[args...]"))
    .option("-n, --np <int>", "Ranks");
  const bad = withCompletion(new Command("bad").description("Bad").argument("[x]"), {
    x: () => Promise.reject(new Error("no engine")),
  });
  const places = (word: string) => Promise.resolve(word === "" ? [] : ["master:", "worker-1:"]);
  const cp = withCompletion(new Command("cp").description("Copy").argument("<source>").argument("<path...>"), {
    source: places,
    path: places,
  });
  for (const command of [rm, run, bad, cp]) root.addCommand(command);
  return root;
}

const cases: [args: string, answer: string][] = [
  ["", "rm\tRemove\nrun\tRun a program\nbad\tBad\ncp\tCopy\n:4\n"],
  ["ru", "run\tRun a program\n:4\n"],
  ["x", ":4\n"],
  ["x ", ":4\n"],
  ["-", "--debug\tDebug\n-D\tDebug\n:4\n"],
  ["rm --f", "--force\tForce\n--format\tFormat\n--file\tFile\n:4\n"],
  ["rm --force --fo", "--format\tFormat\n:4\n"],
  ["rm -f --fo", "--format\tFormat\n:4\n"],
  ["rm -e A=1 --e", "--env\tEnv\n:4\n"],
  ["down --for", "--force\tForce\n--format\tFormat\n:4\n"],
  ["rm --hid", ":4\n"],
  ["rm --format ", "table\njson\n:4\n"],
  ["rm --format=j", "json\n:4\n"],
  ["rm --format table ", "hello\t5 workers\ncfd\n:4\n"],
  ["rm --cluster c", "cfd\n:4\n"],
  ["rm --cluster=", "hello\ncfd\n:4\n"],
  ["rm --slots ", "auto\n:4\n"],
  ["rm --cluster cfd --host ", "worker-1 of cfd\n:4\n"],
  ["rm --cluster=cfd -f --host=w", "worker-1 of cfd\n:4\n"],
  ["rm --file ", ":0\n"],
  ["rm -w ", ":16\n"],
  ["rm he", "hello\t5 workers\n:4\n"],
  ["rm hello ", "all\nkeys\n:4\n"],
  ["rm hello all ", ":4\n"],
  ["rm -- --f", ":4\n"],
  ["run ", ":0\n"],
  ["run -n 4 ./pro", ":0\n"],
  ["run -n4 --", ":4\n"],
  ["run -np 4 --", ":4\n"],
  ["run -np ", ":4\n"],
  ["run ./prog --n", ":0\n"],
  ["run ./prog -n ", ":0\n"],
  ["bad ", ":4\n"],
  ["rm hello keys f", ":4\n"],
  ["cp ", ":0\n"],
  ["cp ./", ":0\n"],
  ["cp m", "master:\n:6\n"],
  ["cp a wor", "worker-1:\n:6\n"],
];

for (const [args, answer] of cases) {
  Deno.test(`complete() answers "${args}"`, async () => {
    assert.equal(await complete(tree(), args.split(" "), { env: () => undefined }), answer);
  });
}

Deno.test("complete() leaves descriptions out on request", async () => {
  const env = (name: string) => name === "DOCKER_CLI_DISABLE_COMPLETION_DESCRIPTION" ? "1" : undefined;
  assert.equal(await complete(tree(), ["r"], { env }), "rm\nrun\n:4\n");
});

const real: [args: string, answer: string][] = [
  ["run --env-file ", ":0\n"],
  ["run --env-file=.", ":0\n"],
  ["run --sync=", ":16\n"],
  ["run -e A=1 --env-f", "--env-file\tFile of variables, KEY=VALUE in a line, as docker run takes it\n:4\n"],
  [
    "run -e A=1 --env",
    "--env\tEnvironment variable for all ranks, KEY=VALUE\n--env-file\tFile of variables, KEY=VALUE in a line, as docker run takes it\n:4\n",
  ],
  ["deploy --add-key ", ":0\n"],
  [
    "deploy --add-key a.pub --add",
    "--add-key\tLet a further key in, a .pub file; restarts the master. Can be repeated\n:4\n",
  ],
  ["cp ", ":0\n"],
  ["init ", ":16\n"],
];

for (const [args, answer] of real) {
  Deno.test(`complete() answers "${args}" of our own commands`, async () => {
    const { root } = createProgram(fakeWorld().deps, () => {});
    assert.equal(await complete(root, args.split(" "), { env: () => undefined }), answer);
  });
}
