import assert from "node:assert/strict";
import { checkHello } from "../demo.ts";

const hello = (ranks: number, node: (rank: number) => string, size = ranks) =>
  Array.from({ length: ranks }, (_, rank) => `Hello from rank ${rank} of ${size} on ${node(rank)}\n`).join("");

Deno.test("checkHello() is content with every rank on a node of its own", () => {
  checkHello(`starting\n${hello(6, (rank) => `node-${rank}`)}`, 6);
});

Deno.test("checkHello() says what it saw instead", () => {
  const node = (rank: number) => `node-${rank}`;
  assert.throws(() => checkHello(hello(5, node), 6), /expected hello from 6 ranks on 6 nodes, got 5 lines/);
  assert.throws(() => checkHello(hello(6, () => "same"), 6), /got 6 lines from 6 ranks on 1 nodes/);
  assert.throws(() => checkHello(hello(6, node, 1), 6), /\(of 1\)/);
  assert.throws(() => checkHello("", 6), /got 0 lines from 0 ranks on 0 nodes \(of none\)/);
});
