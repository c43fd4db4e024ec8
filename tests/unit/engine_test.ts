import assert from "node:assert/strict";
import { poll, run } from "../box/command.ts";
import { Ending, Interrupted } from "../box/ending.ts";
import { judge } from "../box/find.ts";
import { parseStat } from "../box/processes.ts";
import { ownerOf } from "../box/scratch.ts";

Deno.test("parseStat() reads fields 3, 4 and 22, whatever the program is called", () => {
  const rest = Array.from({ length: 40 }, (_, index) => String(index + 3)).join(" ");
  assert.deepEqual(parseStat(`17 (sh) ${rest}`), { state: "3", parent: 4, start: "22" });
  assert.deepEqual(parseStat(`17 (a) b (c) ${rest}`), { state: "3", parent: 4, start: "22" });
  assert.throws(() => parseStat("17 (sh) S 1"), /no line of/);
});

Deno.test("ownerOf() knows whose a scratch folder is, if it can be known", () => {
  assert.deepEqual(ownerOf("docker-mpi-test.17-22"), { pid: 17, start: "22" });
  for (const name of ["docker-mpi-test.17-0", "docker-mpi-test.x", "docker-mpi-test.17-22x", "other"]) {
    assert.equal(ownerOf(name), undefined);
  }
});

Deno.test("judge() wants a manager, and says what to type where there is none", () => {
  assert.equal(judge("h", "active true").kind, "ready");
  const none = judge("h", "inactive false");
  assert.ok(none.kind === "no-manager" && none.hint === "docker swarm init");
  const worker = judge("h", "active false");
  assert.ok(worker.kind === "no-manager" && /worker/.test(worker.why));
  assert.equal(judge("h", "").kind, "no-manager");
});

Deno.test("Ending undoes in reverse order, all of it, and then tells what failed", async () => {
  const ending = new Ending();
  const done: number[] = [];
  ending.defer("undo one", () => Promise.resolve(void done.push(1)));
  ending.defer("undo two", () => Promise.reject(new Error("stuck")));
  ending.defer("undo three", () => Promise.resolve(void done.push(3)));
  await assert.rejects(ending.undo(), { message: "could not undo two: stuck" });
  assert.deepEqual(done, [3, 1]);
  await ending.undo();
});

Deno.test("an interrupted Ending starts nothing more", async () => {
  const ending = new Ending();
  ending.interrupt(new Interrupted("SIGINT"));
  await assert.rejects(run(["true"], { signal: ending.signal }), { code: 130 });
});

Deno.test("poll() names what it waited for", async () => {
  await assert.rejects(poll("the moon", () => Promise.resolve(false), { seconds: 0.1 }), {
    message: "waited 0.1 s in vain for the moon",
  });
});
