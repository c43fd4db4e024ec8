/**
 * The plugin with commands that exist for the sake of tests: what a command can't show without an engine.
 *
 * @module
 */
import { Command } from "../../cli/command_line/command.ts";
import { progressOption } from "../../cli/command_line/flags.ts";
import type { Deps } from "../../cli/deps.ts";
import { metadata } from "../../cli/docker/metadata.ts";
import { main } from "../../cli/main.ts";
import { MpiError } from "../../stack/errors.ts";
import { startProgress } from "../../cli/output/progress.ts";

const wait = (deps: Deps) =>
  new Command("wait").option("--stubborn", "Don't end when interrupted").action(async ({ stubborn }) => {
    deps.interrupts.subscribe((count) => void deps.io.stdout.write(`interrupt ${count}\n`));
    await deps.io.stdout.write(`waiting ${Deno.pid}\n`);
    // A promise alone does not keep a process alive.
    const alive = setInterval(() => {}, 1000);
    await new Promise((_, reject) => {
      if (stubborn) return;
      const end = () => reject(deps.signal.reason);
      // Who read our words may have interrupted us by now.
      if (deps.signal.aborted) end();
      else deps.signal.addEventListener("abort", end);
    }).finally(() => clearInterval(alive));
  });

const flood = (deps: Deps) =>
  new Command("flood").argument("<bytes>").action(async (bytes) => {
    await deps.io.stdout.write("x".repeat(Number(bytes)));
  });

const status = (deps: Deps) =>
  new Command("status").argument("<number>").action((number) => {
    deps.status = Number(number);
  });

const fail = () =>
  new Command("fail").action(() => {
    throw new TypeError("something is undefined");
  });

/** The endpoint, where keys are kept, and what requests carry: by the global flags that we were given. */
const where = (deps: Deps) =>
  new Command("where").option("--all", "All of it").action(async ({ all }) => {
    const { host, headers } = await deps.endpoint();
    await deps.io.stdout.write(`${all ? JSON.stringify([host, deps.configDir(), headers]) : host}\n`);
  });

const progress = (deps: Deps) =>
  new Command("progress").addOption(progressOption()).option("--fail", "Fail at last").action(
    async ({ progress, fail }) => {
      const display = startProgress(deps.io, progress, deps.hint);
      display.report({ resource: "image", state: "working", text: "building" });
      display.report({ resource: "image", state: "done", text: "built" });
      await display.stop();
      if (fail) throw new MpiError("build", "It failed");
    },
  );

if (Deno.args[0] === "docker-cli-plugin-metadata") {
  await new Response(JSON.stringify(metadata)).body?.pipeTo(Deno.stdout.writable);
  Deno.exit(0);
}
Deno.exit(await main(Deno.args, [wait, flood, status, fail, where, progress]));
