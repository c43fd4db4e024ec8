import assert from "node:assert/strict";
import { breaches, importsOf, type Source } from "../runner/layers.ts";
import { filesBelow, ROOT } from "../support/checkout.ts";

async function sourcesBelow(folder: string): Promise<Source[]> {
  const paths = (await filesBelow(folder)).filter((name) => name.endsWith(".ts")).map((name) => folder + name);
  return await Promise.all(paths.map(async (path) => ({ path, text: await Deno.readTextFile(new URL(path, ROOT)) })));
}

Deno.test("the product keeps to its layers", async () => {
  const sources = [
    { path: "mod.ts", text: await Deno.readTextFile(new URL("mod.ts", ROOT)) },
    ...await sourcesBelow("cli/"),
    ...await sourcesBelow("stack/"),
  ];
  assert.ok(sources.length > 20, `only ${sources.length} files were looked at`);
  assert.deepEqual(breaches(sources), []);
});

const BREACHES: [path: string, text: string, rule: string][] = [
  ["stack/a.ts", 'import { x } from "../cli/x.ts";', "stack/ imports nothing of cli/ or mod.ts"],
  ["stack/a.ts", 'import type { X } from "../cli/x.ts";', "stack/ imports nothing of cli/ or mod.ts"],
  ["stack/a.ts", 'export * from "../mod.ts";', "stack/ imports nothing of cli/ or mod.ts"],
  ["stack/a.ts", 'const x = await import("../cli/x.ts");', "stack/ imports nothing of cli/ or mod.ts"],
  ["stack/a/b.ts", 'import {\n  x,\n  y,\n} from "../../cli/x.ts";', "stack/ imports nothing of cli/ or mod.ts"],
  ["stack/cluster/a.ts", 'import { x } from "../deploy/x.ts";', "a room of stack/ imports only those below it"],
  ["stack/a.ts", 'import { x } from "./engine/x.ts";', "a room of stack/ imports only those below it"],
  ["cli/a.ts", 'import "../mod.ts";', "cli/ doesn't import mod.ts"],
  ["cli/commands/run.ts", 'import { ls } from "./ls.ts";', "commands don't import each other"],
  ["cli/a.ts", 'import { ls } from "./commands/ls.ts";', "only cli/program.ts imports cli/commands/"],
  ["cli/output/a.ts", 'import { x } from "../docker/x.ts";', "cli/output/ imports only what is its to know"],
  ["cli/output/a.ts", 'import { x } from "../../stack/cluster/x.ts";', "cli/output/ imports only what is its to know"],
  ["cli/docker/a.ts", 'import { x } from "../cluster_context.ts";', "cli/docker/ imports only what is its to know"],
  ["cli/command_line/a.ts", 'import { x } from "../job/x.ts";', "cli/command_line/ imports only what is its to know"],
  ["cli/files/a.ts", 'import { x } from "../command_line/x.ts";', "cli/files/ imports only what is its to know"],
  ["cli/job/a.ts", 'import { x } from "../../stack/deploy/x.ts";', "cli/job/ imports only what is its to know"],
  ["cli/plugin/a.ts", 'import { x } from "../program.ts";', "cli/plugin/ imports only what is its to know"],
  ["cli/a.ts", 'import { fake } from "../tests/support/fake.ts";', "the product imports nothing of tests/"],
  ["mod.ts", 'import { deploy } from "./stack/mod.ts";', "mod.ts imports cli/ alone"],
  ["cli/a.ts", "Deno.exit(1);", "only mod.ts ends the process"],
  ["stack/a.ts", "Deno.exitCode = 1;", "only mod.ts ends the process"],
  ["cli/a.ts", "process.exitCode = 1;", "only mod.ts ends the process"],
  [
    "stack/a.ts",
    'import { env, exit } from "node:process";',
    "the process is Deno's: nothing is taken from node:process",
  ],
  ["stack/a.ts", "Deno.exit(1);", "only mod.ts ends the process"],
  ["stack/a.ts", 'console.log("x");', "stack/ has no terminal and no environment variables"],
  ["stack/a.ts", "const { log } = console;", "stack/ has no terminal and no environment variables"],
  ["stack/a.ts", 'Deno.env.get("HOME");', "stack/ has no terminal and no environment variables"],
  [
    "stack/a.ts",
    "await Deno.stdout.write(bytes);",
    "stack/ has no terminal and no environment variables",
  ],
  [
    "stack/a.ts",
    "Deno.stderr.writeSync(bytes);",
    "stack/ has no terminal and no environment variables",
  ],
  ["stack/a.ts", "Deno.stdin.readable;", "stack/ has no terminal and no environment variables"],
  [
    "stack/a.ts",
    'process.stdout.write("x");',
    "stack/ has no terminal and no environment variables",
  ],
  ["stack/a.ts", 'import Docker from "dockerode";', "dockerode is behind its seam"],
  ["cli/a.ts", 'import { Client } from "npm:ssh2@1.17.0";', "ssh2 is behind its seam"],
  ["stack/a.ts", 'import type { Client } from "@types/ssh2";', "ssh2 is behind its seam"],
  ["cli/a.ts", 'import { parse } from "yaml";', "yaml is behind its seam"],
  [
    "stack/a.ts",
    'import { Command } from "@commander-js/extra-typings";',
    "@commander-js/extra-typings is behind its seam",
  ],
  ["cli/files/a.ts", 'import { CommanderError } from "commander";', "commander is behind its seam"],
  [
    "cli/files/a.ts",
    'import { Argument } from "@commander-js/extra-typings";',
    "@commander-js/extra-typings is behind its seam",
  ],
];

for (const [path, text, rule] of BREACHES) {
  Deno.test(`breaches() finds ${JSON.stringify(text)} in ${path}`, () => {
    assert.deepEqual(breaches([{ path, text }]), [`${path}: ${rule}`]);
  });
}

Deno.test("breaches() lets pass what is allowed, and what stands in comments", () => {
  const sources = [
    { path: "mod.ts", text: 'import { main } from "./cli/main.ts";\nDeno.exit(await main());' },
    { path: "cli/main.ts", text: 'import { Command } from "commander";\nimport { x } from "../stack/x.ts";' },
    { path: "cli/program.ts", text: 'import { commands } from "./commands/mod.ts";' },
    { path: "cli/a.ts", text: 'import { x } from "./job/x.ts";\nimport { y } from "../stack/deploy/y.ts";' },
    { path: "cli/output/a.ts", text: 'import type { Io } from "../io.ts";\nimport { Argument } from "commander";' },
    { path: "cli/job/a.ts", text: 'import { x } from "../files/x.ts";\nimport { y } from "../../stack/text.ts";' },
    { path: "cli/files/a.ts", text: 'import fs from "node:fs";\nimport { b } from "./b.ts";' },
    { path: "cli/commands/mod.ts", text: 'import { run } from "./run.ts";' },
    { path: "stack/engine/engine.ts", text: 'import Docker from "dockerode";' },
    {
      path: "stack/a.ts",
      text: '/**\n * import { x } from "../cli/x.ts";\n */\n// console.log(1)\nexport const a = 1;',
    },
  ];
  assert.deepEqual(breaches(sources), []);
});

Deno.test("importsOf() takes names of packages as they are, and paths from the root", () => {
  const code = 'import a from "../b/a.ts";\nimport "./c.ts";\nexport { d } from "npm:d@1";\nimport e from "node:fs";';
  assert.deepEqual(importsOf("x/y/z.ts", code), ["x/b/a.ts", "npm:d@1", "node:fs", "x/y/c.ts"]);
});
