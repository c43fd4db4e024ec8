import assert from "node:assert/strict";
import { type Invocation, splitGlobalFlags } from "../../cli/docker/global_flags.ts";

const cases: [argv: string, expected: Partial<Invocation>][] = [
  ["mpi deploy -n 3", { args: ["deploy", "-n", "3"] }],
  ["-D -l info -H unix:///x mpi deploy", {
    globals: ["-D", "-l", "info", "-H", "unix:///x"],
    debug: true,
    args: ["deploy"],
  }],
  ["--context mpi mpi ls", { globals: ["--context", "mpi"], args: ["ls"] }],
  ["--context=mpi mpi mpi", { globals: ["--context=mpi"], args: ["mpi"] }],
  ["-c mpi mpi ls -c x", { globals: ["-c", "mpi"], args: ["ls", "-c", "x"] }],
  ["-cmpi mpi ls", { globals: ["-cmpi"], args: ["ls"] }],
  ["-Dl info mpi ls", { globals: ["-Dl", "info"], debug: true, args: ["ls"] }],
  ["-Hv mpi ls", { globals: ["-Hv"], args: ["ls"] }],
  ["-H=v mpi ls", { globals: ["-H=v"], args: ["ls"] }],
  ["-DHmpi mpi ls", { globals: ["-DHmpi"], debug: true, args: ["ls"] }],
  ["--debug=false mpi ls", { globals: ["--debug=false"], args: ["ls"] }],
  ["--debug=false -D mpi ls", { globals: ["--debug=false", "-D"], debug: true, args: ["ls"] }],
  ["--tls --tlsverify=0 --tlscacert mpi mpi ls", {
    globals: ["--tls", "--tlsverify=0", "--tlscacert", "mpi"],
    args: ["ls"],
  }],
  ["--config /c mpi ls", { globals: ["--config", "/c"], config: "/c", args: ["ls"] }],
  ["--config=/c=d mpi ls", { globals: ["--config=/c=d"], config: "/c=d", args: ["ls"] }],
  ["mpi --help", { args: ["--help"] }],
  ["--help mpi deploy", { request: "help", args: ["deploy"] }],
  ["-h mpi", { request: "help" }],
  ["-Dh mpi", { request: "help", debug: true }],
  ["--help=false mpi ls", { args: ["ls"] }],
  ["help mpi", { request: "help" }],
  ["help mpi deploy", { request: "help", args: ["deploy"] }],
  ["--version mpi", { request: "version" }],
  ["-v mpi", { request: "version" }],
  ["-- mpi ls", { args: ["ls"] }],
  ["__complete mpi deploy --na", { request: "complete", args: ["deploy", "--na"] }],
  // Without Docker in front.
  ["deploy -n 3", { args: ["deploy", "-n", "3"] }],
  ["-D deploy", { globals: ["-D"], debug: true, args: ["deploy"] }],
  ["--bogus deploy", { args: ["--bogus", "deploy"] }],
  ["-x", { args: ["-x"] }],
  ["--context", { args: ["--context"] }],
  ["", {}],
];

for (const [argv, expected] of cases) {
  Deno.test(`splitGlobalFlags() takes apart "${argv}"`, () => {
    const whole = { globals: [], debug: false, request: "run", args: [], ...expected };
    assert.deepEqual(splitGlobalFlags(argv.split(" ").filter((word) => word !== "")), whole);
  });
}
