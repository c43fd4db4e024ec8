import assert from "node:assert/strict";
import { shortPrefix } from "../../cli/commands/logs.ts";
import { requestWords } from "../../cli/job/run_request.ts";

const requests: [what: string, program: string[], options: Parameters<typeof requestWords>[1], words: string[]][] = [
  ["a program alone", ["./hello"], {}, ["--", "./hello"]],
  [
    "all options",
    ["./solver", "-n", "7", "--np"],
    { np: 4, ppn: 2, hosts: "worker-1,worker-2", workdir: "/tmp/a b", timeout: 1500, env: { A: "1", B: "x y=$HOME" } },
    [
      ...["--np", "4", "--ppn", "2", "--hosts", "worker-1,worker-2", "--dir", "/tmp/a b"],
      ...["--timeout", "1.5", "--env", "A=1", "--env", "B=x y=$HOME", "--", "./solver", "-n", "7", "--np"],
    ],
  ],
  [
    "what only the launcher understands",
    ["./hello"],
    { bindTo: "core", mapBy: "node", mpiArgs: ["--report-bindings", "a b"] },
    ["--bind-to", "core", "--map-by", "node", "--mpi-arg", "--report-bindings", "--mpi-arg", "a b", "--", "./hello"],
  ],
  ["arguments of all kinds", ["sh", "", "\n", "ü€"], { queue: true }, ["--queue", "--", "sh", "", "\n", "ü€"]],
];

for (const [what, program, options, words] of requests) {
  Deno.test(`a request for ${what}`, () => {
    assert.deepEqual(requestWords(program, options), words);
  });
}

Deno.test("what is not UTF-8 is refused, rather than changed", () => {
  const expected =
    /^MpiError: "a\ufffdb" can't be passed on: it has bytes that are not UTF-8, or the character U\+FFFD$/;
  assert.throws(() => requestWords(["ls", "a\ufffdb"], {}), expected);
  assert.throws(() => requestWords(["ls"], { env: { A: "a\ufffdb" } }), expected);
});

const lines: [line: string, shown: string][] = [
  ["hello_worker.3.qz2k@rack-1    | up", "worker-3 | up"],
  ["hello_master.1.ab3x@rack-1    | up", "master   | up"],
  ["hello_worker.12.qz2k@rack-1.example.org    | a | b", "worker-12 | a | b"],
  ["2026-01-01T00:00:00.1Z hello_worker.3.qz2k@rack-1    | up", "2026-01-01T00:00:00.1Z worker-3 | up"],
  ["my-worker_master.1.ab3x@rack-1    | ", "master   | "],
  ["hello_worker.3.qz2k@rack-1    |   indented", "worker-3 |   indented"],
  ["something else", "something else"],
  ["a line that says hello_worker.3.q@r | in its middle", "a line that says hello_worker.3.q@r | in its middle"],
];

for (const [line, shown] of lines) {
  Deno.test(`shortPrefix() of ${JSON.stringify(line)}`, () => assert.equal(shortPrefix(line), shown));
}
