import assert from "node:assert/strict";
import { parseEnvFile } from "../../cli/files/env_file.ts";
import { jobOutput, type OutputOptions } from "../../cli/job/job_output.ts";
import { describeJob, elapsed } from "../../cli/job/job_row.ts";
import { inPieces, startingWith } from "../../cli/job/run_request.ts";
import { JobLogReader } from "../../stack/master/job_log.ts";
import { chooseJob, hasEnded, type Job, parseJobs } from "../../stack/master/jobs.ts";
import { fakeWorld } from "../support/cli.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What `mpi_job ls` prints. */
const listing = (jobs: Record<string, string>[]) =>
  `now\x00${1000}\0\0` +
  jobs.map((job) => Object.entries(job).map(([key, value]) => `${key}\0${value}\0`).join("") + "\0").join("");
const hex = (words: string[]) => encode(words.map((word) => `${word}\0`).join("")).toHex();

Deno.test("parseJobs() gives the newest first, with what is known of each", () => {
  const jobs = parseJobs(listing([
    { id: "0000000a", state: "queued", created: "900", program: hex(["./a", "", "b c\nü"]), dir: "/project" },
    {
      ...{ id: "0000000b", state: "failed", created: "950", started: "960", ended: "990", status: "3", np: "4" },
      ...{
        nodes: "master,worker-1",
        reason: "Rank 2 ended",
        program: hex(["x"]),
        log: "12",
        limit: "99",
        dropped: "7",
      },
      ...{ attempt: "2", retries: "3" },
    },
    { id: "0000000c", state: "running", created: "940", started: "990", program: hex(["y"]) },
    { id: "0000000d", state: "of tomorrow", created: "1", program: "" },
  ]));
  assert.deepEqual(jobs.map(({ id }) => id), ["0000000b", "0000000c", "0000000a", "0000000d"]);
  const [failed, running, queued, unknown] = jobs as [Job, Job, Job, Job];
  assert.deepEqual([failed.duration, running.duration, queued.duration], [30, 10, undefined]);
  assert.deepEqual(queued.program, ["./a", "", "b c\nü"]);
  assert.deepEqual(failed.nodes, ["master", "worker-1"]);
  assert.equal(unknown.state, "lost");
  assert.deepEqual(jobs.map(hasEnded), [true, false, false, true]);
  assert.deepEqual(describeJob(failed), {
    Id: "0000000b",
    State: "failed",
    Ranks: 4,
    Nodes: ["master", "worker-1"],
    CreatedAt: "1970-01-01T00:15:50Z",
    StartedAt: "1970-01-01T00:16:00Z",
    EndedAt: "1970-01-01T00:16:30Z",
    Seconds: 30,
    Status: 3,
    Reason: "Rank 2 ended",
    Command: ["x"],
    WorkingDir: "",
    Attempt: 2,
    Retries: 3,
    LogBytes: 12,
    LogLimit: 99,
    LogDropped: 7,
  });
});

Deno.test("parseJobs() of no jobs, and of an answer that is none", () => {
  assert.deepEqual(parseJobs(listing([])), []);
  assert.deepEqual(parseJobs(""), []);
});

Deno.test("chooseJob() takes an id or its beginning, and names what there is", () => {
  const jobs = parseJobs(
    listing(["3f9c02ab", "3f000000", "aa000000"].map((id) => ({ id, created: "1", program: "" }))),
  );
  assert.equal(chooseJob(jobs, "3f9").id, "3f9c02ab");
  assert.equal(chooseJob(jobs, "aa000000").id, "aa000000");
  assert.throws(() => chooseJob(jobs, "3f"), {
    code: "not-found",
    message: 'More than one job begins with "3f": 3f000000, 3f9c02ab',
  });
  assert.throws(() => chooseJob(jobs, "3f9c02ba"), {
    message: 'No job "3f9c02ba" on this cluster; there are: 3f000000, 3f9c02ab, aa000000',
    hint: 'did you mean "3f9c02ab"?',
  });
  assert.throws(() => chooseJob(jobs, ""), { hint: "docker mpi jobs  # lists them" });
  assert.throws(() => chooseJob([], "x"), { message: 'No job "x" on this cluster; there are none' });
});

Deno.test("JobLogReader gives the same pieces however the bytes are cut", () => {
  const log = encode("o0:a line\ne12+half\no12:\ne-:ours\n\nnonsense\no1:\xff€\no3:cut off");
  const whole = new JobLogReader().read(log);
  const text = whole.map(({ stream, rank, bytes }) => [stream, rank, decode(bytes)]);
  assert.deepEqual(text, [
    ["out", 0, "a line\n"],
    ["err", 12, "half"],
    ["out", 12, "\n"],
    ["err", undefined, "ours\n"],
    ["out", 1, "\xff€\n"],
  ]);
  for (let size = 1; size < 12; size++) {
    const reader = new JobLogReader();
    const pieces = [];
    for (let at = 0; at < log.length; at += size) pieces.push(...reader.read(log.subarray(at, at + size)));
    assert.deepEqual(pieces, whole, `in parts of ${size} bytes`);
  }
});

/** Shows a log; gives what came out. */
async function shown(log: string, options: OutputOptions, cwd = "/"): Promise<{ out: string; err: string }> {
  const world = fakeWorld({ cwd: () => cwd });
  const output = await jobOutput(world.deps, options);
  await output.take(encode(log));
  await output.end();
  return { out: world.out(), err: world.err() };
}

const LOG = "o0:zero\no1+one\ne1:bad\no0+0\no1:...\no1+end\ne-:ours\n";

Deno.test("a job's output is what its program printed", async () => {
  assert.deepEqual(await shown(LOG, {}), { out: "zero\none0...\nend", err: "bad\nours\n" });
  assert.deepEqual(await shown(LOG, { rank: 1 }), { out: "one...\nend", err: "bad\n" });
  assert.deepEqual(await shown("", { label: true }), { out: "", err: "" });
});

Deno.test("with labels each line says its rank, also where two are in the middle of one", async () => {
  assert.deepEqual(await shown(LOG, { label: true }), {
    out: "0: zero\n1: one\n0: 0\n1: ...\n1: end\n",
    err: "1: bad\nours\n",
  });
});

Deno.test("--output puts standard output into a file for each rank, byte for byte, and overwrites nothing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assert.deepEqual(await shown(LOG, { output: "a/b" }, folder), { out: "", err: "bad\nours\n" });
    assert.equal(await Deno.readTextFile(`${folder}/a/b/rank-0.out`), "zero\n0");
    assert.equal(await Deno.readTextFile(`${folder}/a/b/rank-1.out`), "one...\nend");
    await assert.rejects(shown(LOG, { output: "a" }, folder), {
      code: "usage",
      message: `Cannot write the ranks' output to "a": it has "b" in it`,
    });
    await assert.rejects(shown(LOG, { output: "a/b/rank-0.out" }, folder), /Cannot write the ranks' output to /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const envFiles: [what: string, text: string, is: Record<string, string> | string][] = [
  ["takes values as they are", 'A=1\nB= x \nC="q"\nD=a=b\n', { A: "1", B: " x ", C: '"q"', D: "a=b" }],
  ["passes over comments and empty lines", "\n# A=1\n  # B=2\n  C=3\n", { C: "3" }],
  ["takes Windows' line ends and an empty value", "\ufeffA=1\r\nB=\r\n", { A: "1", B: "" }],
  ["wants values", "A=1\nHOME\n", 'job.env:2: "HOME" has no value, want KEY=VALUE'],
  ["wants names", "=1\n", 'job.env:1: "" is no name of a variable, want KEY=VALUE'],
  ["wants names without blanks", "A B=1\n", 'job.env:1: "A B" is no name of a variable, want KEY=VALUE'],
];

for (const [what, text, is] of envFiles) {
  Deno.test(`parseEnvFile() ${what}`, () => {
    if (typeof is === "string") assert.throws(() => parseEnvFile(text, "job.env"), { code: "usage", message: is });
    else assert.deepEqual(parseEnvFile(text, "job.env"), is);
  });
}

Deno.test("input in pieces says where it ends", async () => {
  const parts = ["ab", "", "c\n"].map(encode);
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  const text = await new Response(startingWith(encode("first"), inPieces(source)) as BodyInit).text();
  assert.equal(text, "first2\nab2\nc\n0\n");
});

Deno.test("a time is shown with two units", () => {
  assert.deepEqual([0, 59, 60, 3599, 3600, 86_399, 86_400].map(elapsed), [
    ...["0s", "59s", "1m0s", "59m59s", "1h0m", "23h59m", "1d0h"],
  ]);
});
