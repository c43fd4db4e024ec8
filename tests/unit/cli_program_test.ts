import assert from "node:assert/strict";
import { VERSION } from "../../cli/docker/metadata.ts";
import { run } from "../support/cli.ts";

const VERSION_HELP = `Usage:  docker mpi version [OPTIONS]

Show the version of docker mpi

Options:
  -D, --debug           Show where errors come from
      --format string   Format of the output: table, json, or a template such
                        as '{{.Name}}' (default "table")
      --short           Show the version number alone
`;

for (
  const argv of [
    "mpi version --help",
    "mpi version -h",
    "mpi help version",
    "help mpi version",
    "--help mpi version",
    "version --help",
  ]
) {
  Deno.test(`"${argv}" shows the help of version`, async () => {
    assert.deepEqual(await run(argv.split(" ")), { code: 0, out: VERSION_HELP, err: "" });
  });
}

Deno.test("docker mpi alone is a request for help, in whichever way", async () => {
  const { code, out, err } = await run(["mpi"]);
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  assert.match(out, /^Usage: {2}docker mpi \[OPTIONS\] COMMAND\n\nRun MPI programs on a Docker Swarm\n\nOptions:\n/);
  assert.match(out, /\nCommands:\n(?: {2}[a-z]+ .*\n)* {2}init {7}Make a cluster project\n/);
  assert.match(out, /\n\nRun 'docker mpi COMMAND --help' for more information on a command.\n$/);
  for (const argv of [["mpi", "--help"], ["help", "mpi"], ["--help", "mpi"], ["-D", "mpi"], ["mpi", "-D"], []]) {
    assert.deepEqual(await run(argv), { code, out, err }, argv.join(" "));
  }
});

Deno.test("the version is the same in every way to ask for it", async () => {
  const out = `docker mpi version ${VERSION}, Deno ${Deno.version.deno}\n`;
  for (
    const argv of ["mpi version", "mpi --version", "mpi -v", "--version mpi", "-v mpi", "-D mpi version", "version"]
  ) {
    assert.deepEqual(await run(argv.split(" ")), { code: 0, out, err: "" }, argv);
  }
  assert.equal((await run(["mpi", "version", "--short"])).out, `${VERSION}\n`);
  const json = await run(["mpi", "version", "--format", "json"]);
  assert.deepEqual(JSON.parse(json.out), { Version: VERSION, Deno: Deno.version.deno });
});

const refusals: [argv: string, code: number, fault: string, usage: string, path: string][] = [
  ["mpi verson", 1, 'docker: unknown command: docker mpi verson\nDid you mean "version"?', "[OPTIONS] COMMAND", ""],
  ["mpi xyzzy", 1, "docker: unknown command: docker mpi xyzzy", "[OPTIONS] COMMAND", ""],
  [
    "help mpi verson",
    1,
    'docker: unknown command: docker mpi verson\nDid you mean "version"?',
    "[OPTIONS] COMMAND",
    "",
  ],
  ["mpi --debg", 125, 'unknown flag: --debg\nDid you mean "--debug"?', "[OPTIONS] COMMAND", ""],
  [
    "mpi --context lab ls",
    125,
    "unknown flag: --context\nIt is Docker's own, and belongs before the word mpi",
    "[OPTIONS] COMMAND",
    "",
  ],
  ["mpi --cluster hello ps", 125, "unknown flag: --cluster", "[OPTIONS] COMMAND", ""],
  ["mpi -D --progress=plain hello", 125, "unknown flag: --progress", "[OPTIONS] COMMAND", ""],
  ["mpi -D deploi", 1, 'docker: unknown command: docker mpi deploi\nDid you mean "deploy"?', "[OPTIONS] COMMAND", ""],
  [
    "mpi help verson",
    1,
    'docker: unknown command: docker mpi verson\nDid you mean "version"?',
    "[OPTIONS] COMMAND",
    "",
  ],
  ["mpi version --formt=json", 125, 'unknown flag: --formt\nDid you mean "--format"?', "[OPTIONS]", " version"],
  ["mpi version -x", 125, "unknown shorthand flag: 'x' in -x", "[OPTIONS]", " version"],
  ["mpi version --format", 125, "flag needs an argument: --format", "[OPTIONS]", " version"],
  [
    "mpi version --format=xml",
    125,
    `invalid argument "xml" for "--format" flag: must be table, json, or a template such as '{{.Name}}'`,
    "[OPTIONS]",
    " version",
  ],
  ["mpi version now", 125, "docker: 'docker mpi version' accepts no arguments", "[OPTIONS]", " version"],
  ["mpi init a b", 125, "docker: 'docker mpi init' accepts at most 1 argument", "[OPTIONS] [DIR]", " init"],
];

for (const [argv, code, fault, usage, path] of refusals) {
  Deno.test(`"${argv}" is refused in Docker's words`, async () => {
    const err =
      `${fault}\n\nUsage:  docker mpi${path} ${usage}\n\nRun 'docker mpi${path} --help' for more information\n`;
    assert.deepEqual(await run(argv.split(" ")), { code, out: "", err });
  });
}

const asObjects: [argv: string, code: number, message: string, path: string][] = [
  ["mpi deploy --progress json --wrong", 125, "unknown flag: --wrong", " deploy"],
  ["mpi deploy --wrong --progress=json", 125, "unknown flag: --wrong", " deploy"],
  ["mpi rm --progress plain --progress json a b", 125, "docker: 'docker mpi rm' accepts at most 1 argument", " rm"],
  ["mpi deplo --progress json", 1, 'docker: unknown command: docker mpi deplo\nDid you mean "deploy"?', ""],
];

for (const [argv, code, message, path] of asObjects) {
  Deno.test(`"${argv}" is refused in an object, as all that it would say`, async () => {
    const err = JSON.stringify({ error: true, message, code: "usage", hint: `docker mpi${path} --help` });
    assert.deepEqual(await run(argv.split(" ")), { code, out: "", err: `${err}\n` });
  });
}

for (const argv of ["mpi run --wrong prog --progress json", "mpi rm --progress json --progress plain a b"]) {
  Deno.test(`"${argv}" is refused in words: it asks for no objects, or they are the program's`, async () => {
    assert.match((await run(argv.split(" "))).err, /^(unknown flag|docker: )[^]*for more information\n$/);
  });
}
