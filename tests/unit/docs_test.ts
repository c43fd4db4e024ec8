/** What the documents say, against the program. */
import assert from "node:assert/strict";
import { TEMPLATES } from "../../cli/commands/init.ts";
import type { AnyCommand } from "../../cli/command_line/command.ts";
import { createProgram } from "../../cli/program.ts";
import { filesBelow, ROOT } from "../support/checkout.ts";
import { fakeWorld } from "../support/cli.ts";
import { SETTINGS_DOCUMENT, withTables } from "../support/settings_docs.ts";

const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const readme = await read("README.md");
const EXAMPLES = Object.keys(TEMPLATES).map((name) => `examples/${name}/README.md`);
const markdownIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(new URL(`./${folder}`, ROOT)))).map(({ name }) => folder + name)
    .filter((path) => path.endsWith(".md")).sort();
const DOCUMENTS = [...EXAMPLES, ...await markdownIn(""), ...await markdownIn("docs/")];

const { root } = createProgram(fakeWorld().deps, () => {});
const names = root.commands.map((command) => command.name()).filter((name) => !name.startsWith("_"));
const known = new Set([...names, ...root.commands.flatMap((command) => command.aliases())]);

Deno.test("README has every command in its table, and no other", () => {
  const table = [...readme.matchAll(/^\| `docker mpi (\w+)` +\|/gm)].map((row) => row[1]);
  assert.deepEqual(table.toSorted(), names.filter((name) => name !== "help").toSorted());
});

/** The flags of a command, by its words: `jobs`, `logs`; a second word that is no command is an argument. */
function flagsOf(name: string, next: string | undefined): string[] {
  const named = (word: string | undefined) => (each: AnyCommand) =>
    each.name() === word || each.aliases().includes(word ?? "");
  const command = root.commands.find(named(name));
  const flags = (command?.commands.find(named(next)) ?? command)?.options.flatMap(({ long, short }) => [long, short]);
  return [...(flags ?? []).filter((flag) => typeof flag === "string"), "--help"];
}

/** Cells of a document's tables that are about a command alone: below its name in the first column, and beside it. */
function* cellsOfCommands(text: string): Generator<[name: string, next: string | undefined, cell: string]> {
  const command = /^`docker mpi ([a-z]+)\b(?: ([a-z]+)\b)?/;
  let heading: RegExpExecArray | null = null;
  let isFirst = true;
  for (const line of text.split("\n")) {
    const [, first = "", ...others] = line.split("|").map((cell) => cell.trim());
    if (line.startsWith("|")) {
      const own = command.exec(first);
      if (isFirst) heading = own;
      else if (heading !== null) yield [heading[1]!, heading[2], first];
      else if (own !== null) { for (const cell of others) yield [own[1]!, own[2], cell]; }
    }
    isFirst = !line.startsWith("|");
  }
}

for (const path of DOCUMENTS) {
  Deno.test(`${path} has tables of flags that exist`, async () => {
    for (const [name, next, cell] of cellsOfCommands(await read(path))) {
      for (const [, flag] of cell.matchAll(/`(--?[a-z][a-z-]*)/g)) {
        // commander has no short flag of two letters: `-np` is read by ourselves.
        assert.ok(flag === "-np" || flagsOf(name, next).includes(flag!), `docker mpi ${name} has no flag ${flag}`);
      }
    }
  });

  Deno.test(`${path} shows commands and flags that exist`, async () => {
    const text = await read(path);
    // What stands behind a program is the program's.
    for (
      const [line, name = "", next] of text.matchAll(/docker mpi ([a-z]+)\b(?: ([a-z]+)\b)?(?:(?! \.\/)[^`\n;])*/g)
    ) {
      if (path === "CONTRIBUTING.md" && name === "uptime") continue; // the example of a new command
      assert.ok(known.has(name), `there is no command in "${line}"`);
      for (const [flag] of line.matchAll(/(?<= )--[a-z-]+/g)) {
        assert.ok(flagsOf(name, next).includes(flag), `"${line}" has no flag ${flag}`);
      }
    }
  });

  Deno.test(`${path} points to files that exist`, async () => {
    const text = await read(path);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) =>
      new URL(link!, new URL(path, ROOT))
    );
    const paths = [...text.matchAll(/`((?:cli|stack|images|tests|docs|examples)\/[\w./-]*)`/g)]
      .filter(([, name]) => name !== "cli/commands/uptime.ts") // the example of a new command
      .map(([, name]) => new URL(name!, ROOT));
    // In pictures and lines to type they stand bare.
    const pictures = [...text.matchAll(/^ *```.*\n([^]*?)^ *```$/gm)].map(([, picture]) => picture).join("\n");
    const bare = [...pictures.matchAll(/(?<![\w./-])(?:cli|stack|images|tests|docs|examples)\/[\w./-]*/g)]
      .map(([name]) => new URL(name.replace(/\.$/, ""), ROOT));
    // The pages name tests by their place below tests/.
    const tests = [...text.matchAll(/`((?:swarm|lab|more|unit|plugin|endurance)\/[\w./-]*_test\.ts)`/g)]
      .map(([, name]) => new URL(`tests/${name}`, ROOT));
    for (const url of [...links, ...paths, ...bare, ...tests]) {
      assert.ok(await Deno.stat(url).then(() => true, () => false), `${url.pathname} is not there`);
    }
  });
}

Deno.test("docs/settings.md has every setting, as the program knows it", async () => {
  const text = await Deno.readTextFile(SETTINGS_DOCUMENT);
  assert.equal(withTables(text), text, "deno run -A tests/support/settings_docs.ts writes it");
});

Deno.test("docs/teaching.md has every template", async () => {
  const text = await read("docs/teaching.md");
  const rows = [...text.matchAll(/^\| \[`(\w+)`\]/gm)].map(([, name]) => name!);
  assert.deepEqual(rows.toSorted(), Object.keys(TEMPLATES).toSorted());
});

Deno.test("docs/images.md has every program of the images", async () => {
  const text = await read("docs/images.md");
  for await (const { name } of Deno.readDir(new URL("images/rootfs/usr/local/bin/", ROOT))) {
    assert.ok(text.includes(`\`${name}\``), `${name} is not there`);
  }
});

Deno.test("stack/mod.ts passes on every file of the domain but what reads YAML", async () => {
  const module = await read("stack/mod.ts");
  const inside = [
    "mod.ts",
    "suggest.ts",
    "settings/file.ts",
    "settings/read_value.ts",
    "settings/yaml.ts",
    "stackfile/explain.ts",
    "stackfile/yaml_write.ts",
  ];
  const files = await filesBelow("stack/");
  assert.ok(files.length > inside.length);
  for (const name of files.filter((name) => !inside.includes(name))) {
    assert.ok(module.includes(`from "./${name}"`), `${name} is not passed on`);
  }
});
