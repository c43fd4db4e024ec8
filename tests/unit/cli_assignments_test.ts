import assert from "node:assert/strict";
import { type AnyCommand, Command, takesProgram } from "../../cli/command_line/command.ts";
import { createProgram } from "../../cli/program.ts";
import { fakeWorld, run } from "../support/cli.ts";

/** What a command makes of a command line. */
async function parse(line: string): Promise<{ args: string[]; options: Record<string, unknown> }> {
  let seen: { args: string[]; options: Record<string, unknown> } | undefined;
  const make = (command: AnyCommand) => () =>
    command.argument("[args...]").option("-n, --np <int>").option("--watch").option("-q, --quiet").option("--no-cache")
      .action((...got) => void (seen = { args: got[0] as string[], options: got[1] as Record<string, unknown> }));
  const program = createProgram(fakeWorld().deps, () => {}, [], [
    make(new Command("ls")),
    make(takesProgram(new Command("run"))),
  ]);
  await program.root.parseAsync(line.split(" ").map((word) => word === "''" ? "" : word), { from: "user" });
  assert.ok(seen);
  return seen;
}

const understood: Record<string, [args: string[], options: Record<string, unknown>]> = {
  "ls --watch=true -q=1": [[], { watch: true, quiet: true, cache: true }],
  "ls --watch=false -q=F": [[], { watch: false, quiet: false, cache: true }],
  "ls --no-cache=true": [[], { cache: false }],
  "ls --no-cache=false": [[], { cache: true }],
  "ls --watch --watch=0": [[], { watch: false, cache: true }],
  "ls --watch=0 --watch": [[], { watch: true, cache: true }],
  "ls --watch=0 --watch=t": [[], { watch: true, cache: true }],
  "ls -n=5": [[], { np: "5", cache: true }],
  "ls -n=": [[], { np: "", cache: true }],
  "ls -n =5": [[], { np: "=5", cache: true }],
  "ls -np 5": [[], { np: "5", cache: true }],
  "run -np 5 ./a -np 6": [["./a", "-np", "6"], { np: "5", cache: true }],
  "ls --np=a=b": [[], { np: "a=b", cache: true }],
  "ls --np --watch=false": [[], { np: "--watch=false", cache: true }],
  "ls a --watch=false b": [["a", "b"], { watch: false, cache: true }],
  "ls -- --watch=false": [["--watch=false"], { cache: true }],
  "run --watch=false ./a --watch=false": [["./a", "--watch=false"], { watch: false, cache: true }],
  "run ./a -n=5 --help": [["./a", "-n=5", "--help"], { cache: true }],
  "run -- -n=5": [["-n=5"], { cache: true }],
  "--debug=false ls": [[], { cache: true }],
};

for (const [line, [args, options]] of Object.entries(understood)) {
  Deno.test(`"${line}" is understood as Docker understands it`, async () => {
    assert.deepEqual(await parse(line), { args, options });
  });
}

const refused: Record<string, string> = {
  "hosts --watch=maybe": 'invalid argument "maybe" for "--watch" flag: must be true or false',
  "hosts -q=": 'invalid argument "" for "-q, --quiet" flag: must be true or false',
  "run -n=x ./a": 'invalid argument "x" for "-n, --np" flag: must be a whole number from 1 to 1000000',
  "run -np x ./a": 'invalid argument "x" for "-n, --np" flag: must be a whole number from 1 to 1000000',
  "hosts -np 1": "unknown shorthand flag: 'n' in -np",
  "hosts --wach=false": 'unknown flag: --wach\nDid you mean "--watch"?',
  "hosts --bogus --help": "unknown flag: --bogus",
  "run --bogus ./a --help": "unknown flag: --bogus",
  "--bogus ls --help": "unknown flag: --bogus",
};

for (const [line, fault] of Object.entries(refused)) {
  Deno.test(`"docker mpi ${line}" is refused in Docker's words`, async () => {
    const { code, out, err } = await run(["mpi", ...line.split(" ")]);
    assert.deepEqual([code, out, err.split("\n\n")[0]], [125, "", fault]);
  });
}

Deno.test("help that is asked for from Docker's side never runs a program", async () => {
  const asked = await run(["mpi", "run", "--help"]);
  for (const argv of [["help", "mpi", "run", "./a"], ["--help", "mpi", "run", "./a", "-x"]]) {
    assert.deepEqual(await run(argv), asked);
  }
});

Deno.test("help for a command that a group doesn't have says so", async () => {
  for (const argv of [["help", "mpi", "jobs", "cancle"], ["mpi", "help", "jobs", "cancle"]]) {
    const { code, out, err } = await run(argv);
    const fault = 'docker: unknown command: docker mpi jobs cancle\nDid you mean "cancel"?';
    assert.deepEqual([code, out, err.split("\n\n")[0]], [1, "", fault]);
  }
});
