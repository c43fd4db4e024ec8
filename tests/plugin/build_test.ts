/** What `deno task build` takes for the plugin. */
import assert from "node:assert/strict";
import { compile } from "../../cli/plugin/build.ts";
import { bundle } from "../../cli/plugin/bundle.ts";

Deno.test("a runtime that makes no plugin of the program is told, and nothing is put anywhere", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mpi-build-" });
  try {
    // Deno itself takes the name of its command from the arguments, whatever program was compiled into it.
    const reason = await compile(`${folder}/docker-mpi`, await bundle(""), { DENORT_BIN: Deno.execPath() });
    assert.equal(reason, "what came out of it is not the plugin");
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a folder that takes no programs is told as well", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mpi-build-" });
  const program = await bundle("");
  const { output } = Deno.Command.prototype;
  let asked = 0;
  Deno.Command.prototype.output = function () {
    if (asked++ === 0) return output.call(this);
    return Promise.reject(new Deno.errors.PermissionDenied("Permission denied (os error 13)"));
  };
  try {
    const reason = await compile(`${folder}/docker-mpi`, program, { DENORT_BIN: Deno.execPath() });
    assert.equal(reason, "what came out of it can't be started: you may not");
  } finally {
    Deno.Command.prototype.output = output;
    await Deno.remove(folder, { recursive: true });
  }
});
