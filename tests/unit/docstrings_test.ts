/** What the library's public docstrings have to say beyond what `deno doc --lint` asks for. */
import assert from "node:assert/strict";
import { filesBelow, ROOT } from "../support/checkout.ts";

const EXPORTED = /^(\/\*\*(?:(?!\*\/)[^])*\*\/\n)?export (?:async )?function\*? (\w+)[^]*?^}/gm;

/** The exported functions that throw in their own body, and whose docstring does not say what. */
function silent(text: string): string[] {
  return [...text.matchAll(EXPORTED)]
    .filter(([all, doc = ""]) => /\bthrow\b/.test(all.slice(doc.length)) && !doc.includes("@throws"))
    .map(([, , name = ""]) => name);
}

Deno.test("every function of stack/ that throws says what", async () => {
  const found: string[] = [];
  for (const path of await filesBelow("stack/")) {
    if (!path.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(new URL(`stack/${path}`, ROOT));
    found.push(...silent(text).map((name) => `${path}: ${name}`));
  }
  assert.deepEqual(found, []);
});

Deno.test("a function that throws without a word is found", () => {
  const body = "export function take(): void {\n  throw new Error();\n}\n";
  assert.deepEqual(silent(`/** Takes. */\n${body}`), ["take"]);
  assert.deepEqual(silent(body), ["take"]);
  assert.deepEqual(silent(`/**\n * Takes.\n *\n * @throws {Error} Always.\n */\n${body}`), []);
});
