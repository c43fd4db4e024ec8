import assert from "node:assert/strict";
import { UsageError } from "../../cli/command_line/usage_error.ts";
import { explain } from "../../cli/exit.ts";
import { OutputClosed } from "../../cli/io.ts";
import { MpiError, type MpiErrorCode } from "../../stack/errors.ts";

const deploy = { path: "docker mpi deploy", takesProgram: false, debug: false };
const runs = { path: "docker mpi run", takesProgram: true, debug: false };

const statuses: Record<MpiErrorCode, [usual: number, withProgram: number]> = {
  usage: [125, 125],
  settings: [125, 125],
  engine: [1, 125],
  swarm: [1, 125],
  "not-found": [1, 125],
  conflict: [1, 125],
  build: [1, 125],
  cluster: [1, 125],
  ssh: [1, 125],
  timeout: [124, 124],
  cancelled: [130, 130],
};

for (const [code, [usual, withProgram]] of Object.entries(statuses)) {
  Deno.test(`explain() gives "${code}" the status ${usual}, and ${withProgram} where 1 is the program's`, () => {
    const error = new MpiError(code as MpiErrorCode, "It failed");
    assert.deepEqual(explain(error, deploy), { status: usual, text: "docker mpi deploy: It failed\n" });
    assert.deepEqual(explain(error, runs), { status: withProgram, text: "docker mpi run: It failed\n" });
  });
}

Deno.test("explain() shows the hint, and cause and stack with --debug only", () => {
  const error = new MpiError("engine", "No engine", { hint: "start it", cause: new Error("ECONNREFUSED") });
  assert.equal(explain(error, deploy).text, "docker mpi deploy: No engine\nhint: start it\n");
  const { text } = explain(error, { ...deploy, debug: true });
  assert.match(text, /^docker mpi deploy: No engine\nhint: start it\nMpiError: No engine\n {4}at /);
  assert.match(text, /\ncaused by: Error: ECONNREFUSED\n/);
});

Deno.test("explain() makes an object of an error where progress is one, too", () => {
  const error = new MpiError("timeout", 'No "x"\nfor 5 s', { hint: "wait" });
  const text = '{"error":true,"message":"No \\"x\\"\\nfor 5 s","code":"timeout","hint":"wait"}\n';
  assert.deepEqual(explain(error, { ...deploy, json: true }), { status: 124, text });
  assert.deepEqual(explain(new MpiError("engine", "No engine"), { ...runs, json: true }), {
    status: 125,
    text: '{"error":true,"message":"No engine","code":"engine"}\n',
  });
});

Deno.test("explain() makes an object of a wrong command line, and of a defect", () => {
  const json = { ...deploy, json: true };
  const usage = new UsageError("unknown flag: --x\n\nUsage: …\n", 125, {
    fault: "unknown flag: --x",
    hint: "x --help",
  });
  const text = '{"error":true,"message":"unknown flag: --x","code":"usage","hint":"x --help"}\n';
  assert.deepEqual(explain(usage, json), { status: 125, text });
  const defect = explain(new TypeError("x is undefined"), json);
  assert.equal(defect.status, 70);
  assert.deepEqual(JSON.parse(defect.text), {
    error: true,
    message: "TypeError: x is undefined",
    code: "defect",
    hint: "this is a defect of docker mpi, please report it, with what --debug adds",
  });
  const { trace } = JSON.parse(explain(new TypeError("x"), { ...json, debug: true }).text);
  assert.match(trace, /^TypeError: x\n {4}at /);
});

Deno.test("explain() lets no control character through, wherever it comes from", () => {
  const error = new MpiError("engine", "It said \x1b[2J\u202e\n\tand more", { hint: "a\rb" });
  const text = "docker mpi deploy: It said \\u001b[2J\\u202e\n\tand more\nhint: a\\u000db\n";
  assert.deepEqual(explain(error, deploy), { status: 1, text });
  assert.match(explain(new Error("\x07"), deploy).text, /^docker mpi deploy: Error: \\u0007\n/);
  assert.equal(explain(new UsageError("\x9b", 125), deploy).text, "\\u009b");
});

Deno.test("explain() calls everything else a defect", () => {
  const text = "docker mpi deploy: TypeError: x is undefined\n" +
    "hint: this is a defect of docker mpi, please report it, with what --debug adds\n";
  const error = new TypeError("x is undefined");
  assert.deepEqual(explain(error, deploy), { status: 70, text });
  assert.match(explain(error, { ...deploy, debug: true }).text, /TypeError: x is undefined\n {4}at /);
  assert.equal(explain("odd", deploy).status, 70);
});

Deno.test("explain() says nothing when nobody reads, and nothing of its own about a wrong command line", () => {
  assert.deepEqual(explain(new OutputClosed("Nobody reads"), deploy), { status: 141, text: "" });
  assert.deepEqual(explain(new UsageError("as Docker says it\n", 1), deploy), {
    status: 1,
    text: "as Docker says it\n",
  });
});
