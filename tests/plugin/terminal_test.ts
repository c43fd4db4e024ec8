/** What a terminal is sent, and what a pipe: escape sequences only where they are wanted. No engine is needed. */
import assert from "node:assert/strict";
import { type Client, clientsToTest, installProbe, sh, tempConfig } from "../support/plugin_cli.ts";
import { openTerminal } from "../support/terminal.ts";

const config = await tempConfig();
Deno.test.beforeAll(() => installProbe(config.path));
Deno.test.afterAll(async () => await config[Symbol.asyncDispose]());

const REDRAWN = "\x1b[2K";
const COLOURED = "\x1b[32m";

/** All that `docker mpi progress` sends to a terminal. */
async function screen({ path }: Client, flags: string, env: Record<string, string>): Promise<string> {
  const clean = { ...config.env, NO_COLOR: "", ...env };
  await using session = await openTerminal(`${path} mpi progress ${flags}; echo over`, { env: clean });
  return await session.shows(/over/);
}

const cases: [flags: string, env: Record<string, string>, sequences: string[]][] = [
  ["", {}, [REDRAWN, COLOURED]],
  ["", { NO_COLOR: "1" }, []],
  ["", { TERM: "dumb" }, []],
  ["--progress plain", {}, []],
  ["--progress tty", { NO_COLOR: "1" }, [REDRAWN]],
];

for (const client of await clientsToTest()) {
  for (const [flags, env, sequences] of cases) {
    const named = [flags, ...Object.entries(env).map((pair) => pair.join("="))].filter(Boolean).join(", ") || "no flag";
    Deno.test(`on a terminal with ${named}, docker ${client.version}: ${sequences.length} kinds of sequences`, async () => {
      const text = await screen(client, flags, env);
      assert.match(text, /image.*built/);
      assert.deepEqual(
        [REDRAWN, COLOURED].filter((sequence) => text.includes(sequence)),
        sequences,
        JSON.stringify(text),
      );
      if (sequences.length === 0) assert.ok(!text.includes("\x1b"), JSON.stringify(text));
    });
  }
  Deno.test(`a pipe gets lines, and nothing else, docker ${client.version}`, async () => {
    const { out, err } = await sh(client.path, ["mpi", "progress"], { ...config.env, NO_COLOR: "" });
    assert.deepEqual({ out, err }, { out: "", err: "image: building\nimage: built\n" });
  });

  Deno.test(`--progress json gives an object in each line, docker ${client.version}`, async () => {
    const { err } = await sh(client.path, ["mpi", "progress", "--progress", "json"], config.env);
    assert.deepEqual(err.trim().split("\n").map((line) => JSON.parse(line)), [
      { resource: "image", state: "working", text: "building" },
      { resource: "image", state: "done", text: "built" },
    ]);
    const failed = await sh(client.path, ["mpi", "progress", "--progress=json", "--fail"], config.env);
    assert.equal(failed.code, 1);
    assert.deepEqual(JSON.parse(failed.err.trim().split("\n").at(-1)!), {
      error: true,
      message: "It failed",
      code: "build",
    });
  });
}
