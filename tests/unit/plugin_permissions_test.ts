/** What the plugin may do: the same in both of its forms, but for the programs that it may start. */
import assert from "node:assert/strict";
import { ROOT } from "../support/checkout.ts";

/** What Deno is told to allow in a file, comments apart, as sorted flags. */
async function permissionsIn(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  const code = text.replace(/^\s*(#|\/\/|\*).*$/gm, "").replaceAll("'", "");
  const flags = [...code.matchAll(/--(?:allow|deny|ignore)-[a-z]+(?:=[\w*,]+)?/g)].map(([flag]) => flag);
  return flags.filter((flag) => !flag.startsWith("--allow-run")).toSorted();
}

Deno.test("the compiled plugin and the launcher allow the same", async () => {
  const permissions = await permissionsIn("cli/plugin/build.ts");
  assert.deepEqual(permissions, await permissionsIn("cli/plugin/launcher.sh"));
  // Nothing else is allowed as a whole.
  const whole = permissions.filter((flag) => !flag.includes("="));
  assert.deepEqual(whole, ["--allow-net", "--allow-read", "--allow-write", "--ignore-env"]);
});
