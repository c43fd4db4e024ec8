/** The benchmark suite as a program, with a figure that takes seconds and no engine. */
import assert from "node:assert/strict";
import { root } from "../support/plugin_cli.ts";

/** Starts the suite with a folder for temporary files of its own, which it has to leave empty. */
async function startBench(args: string[]) {
  const folder = await Deno.makeTempDir({ prefix: "mpitest-bench-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${root}/tests/bench/main.ts`, ...args],
    env: { TMPDIR: folder, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return { folder, child };
}

Deno.test("one figure is measured, printed and written as JSON, and BENCHMARKS.md stays", async () => {
  const json = await Deno.makeTempFile();
  const file = `${root}/BENCHMARKS.md`;
  const before = await Deno.readTextFile(file);
  const { folder, child } = await startBench(["--only", "metadata", "--json", json]);
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, err);
  assert.match(
    out!,
    /^name .*\nmetadata +at most 1\.2 × +[\d.]+ × +[\d.]+ to [\d.]+ +[\d.]+ ms +[\d.]+ ms +(met|missed)\n$/,
  );
  const { results, machine } = JSON.parse(await Deno.readTextFile(json));
  assert.equal(results.length, 1);
  assert.equal(results[0].rounds, 15);
  assert.ok(results[0].ours > 0 && results[0].theirs > 0);
  assert.equal(machine.engine, "not used");
  assert.equal(await Deno.readTextFile(file), before);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  await Deno.remove(json);
  await Deno.remove(folder);
});

Deno.test("an interrupt ends it, and leaves nothing", async () => {
  const { folder, child } = await startBench(["--only", "cli"]);
  const reader = child.stderr.getReader();
  let said = "";
  while (!said.includes("== cli")) said += new TextDecoder().decode((await reader.read()).value);
  child.kill("SIGINT");
  while (!(await reader.read()).done);
  await child.stdout.cancel();
  assert.equal((await child.status).code, 130);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  await Deno.remove(folder);
});
