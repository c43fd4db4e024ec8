/** What `shellQuote()` and `typed()` write, read by real shells: every word arrives byte for byte. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { shellQuote, typed } from "../../stack/shell.ts";
import { visible } from "../../stack/text.ts";
import { checkAll } from "../support/property.ts";
import { anyText } from "../support/settings_texts.ts";

/** A word as a program can get it: without NUL, and of whole characters. */
const word = fc.oneof(
  anyText,
  fc.string({ unit: fc.constantFrom(...`'"\\$\`!*?~#&|;<>(){}[]=%^-+@:, \t\n\rabé漢🦕`), maxLength: 30 }),
).map((text) => text.replaceAll("\0", "").toWellFormed());

/** Many argument lists, which one process takes. */
const batch = fc.array(fc.array(word, { maxLength: 6 }), { minLength: 40, maxLength: 60 });

/** Linux lets a single argument have 128 KB. */
const LONGEST = 131_000;

/** What a shell hands on of each list: their words, each list behind its number of words. */
async function echo(shell: string[], lists: string[][], write = shellQuote): Promise<string[]> {
  const lines = lists.map((words) => `show ${write(words)}`.trimEnd());
  const script = ['show() { printf "%s\\0" "$#" "$@"; }', ...lines].join("\n");
  const [program = "", ...args] = shell;
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args, script], stdin: "null" }).output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(stdout).split("\0").slice(0, -1);
}

for (const shell of [["/bin/sh", "-c"], ["bash", "-c"], ["bash", "-O", "extglob", "-c"]]) {
  Deno.test(`${shell.join(" ")} hands on thousands of argument lists byte for byte`, async () => {
    let count = 0;
    await checkAll(100, batch, async (lists) => {
      fc.pre(shellQuote(lists.flat()).length * 3 < LONGEST);
      count += lists.length;
      assert.deepEqual(await echo(shell, lists), lists.flatMap((words) => [String(words.length), ...words]));
    });
    assert.ok(count > 2000, `only ${count} lists`);
  });
}

Deno.test("what typed() shows arrives as it is shown", async () => {
  const write = (words: readonly string[]) => typed(...words);
  await checkAll(30, batch, async (lists) => {
    const shown = lists.map((words) => words.map((word) => visible(word)));
    fc.pre(write(shown.flat()).length * 3 < LONGEST);
    assert.deepEqual(
      await echo(["/bin/sh", "-c"], shown, write),
      shown.flatMap((words) => [String(words.length), ...words]),
    );
  });
});

Deno.test("a word of 100 KB arrives byte for byte", async () => {
  const long = '"$é`\\ *\n'.repeat(11_378);
  assert.equal(new TextEncoder().encode(long).length, 102_402);
  assert.deepEqual(await echo(["/bin/sh", "-c"], [[long, "end"]]), ["2", long, "end"]);
});
