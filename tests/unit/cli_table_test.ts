import assert from "node:assert/strict";
import { displayWidth, renderTable } from "../../cli/output/table.ts";

Deno.test("renderTable() has bare columns with three blanks between, and none at the end of a line", () => {
  const text = "NAME    NODE   STATE\nhello   vm     up\ncfd            down\n";
  assert.equal(renderTable(["NAME", "NODE", "STATE"], [["hello", "vm", "up"], ["cfd", "", "down"]]), text);
  assert.equal(renderTable(["NAME", "NODE"], []), "NAME   NODE\n");
});

Deno.test("renderTable() aligns what is wider or narrower than it is long", () => {
  assert.equal(renderTable(["A", "B"], [["计算", "x"], ["é", "y"]]), "A      B\n计算   x\né      y\n");
});

Deno.test("renderTable() keeps each row in its line", () => {
  assert.equal(renderTable(["A", "B"], [["x\ny", "\x1b[2J"]]), "A          B\nx\\u000ay   \\u001b[2J\n");
});

Deno.test("displayWidth() counts columns", () => {
  for (
    const [text, width] of [["", 0], ["abc", 3], ["é", 1], ["e\u0301", 1], ["计", 2], ["🐳", 2], ["👩‍🔬", 2], [
      "\u200b",
      0,
    ]] as const
  ) {
    assert.equal(displayWidth(text), width, text);
  }
});
