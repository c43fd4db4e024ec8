/** The comments of a stack file: what has made each line. */
import assert from "node:assert/strict";
import type { JsonObject } from "../../stack/json.ts";
import { explainStack } from "../../stack/stackfile/explain.ts";
import type { StackFile } from "../../stack/stackfile/stack_file.ts";

/** The lines that have a comment, behind their comment. */
function comments(own: JsonObject, stack: JsonObject): string[][] {
  const text = explainStack({ own: own as StackFile, stack: stack as StackFile }, "hello", "1.0.0");
  return [...text.matchAll(/^ *# (.*)\n *(?:- )?(\w+):/gm)].map(([, comment = "", key = ""]) => [key, comment]);
}

const own = {
  services: { master: { init: true, user: "mpi", cap_drop: ["ALL"] }, worker: { init: true } },
  volumes: { data: {} },
};
const reasons = [
  ["services", "The stack file of cluster hello, as docker mpi 1.0.0 deploys it"],
  ["master", "where programs are started: the MPI master node"],
  ["init", "an init as first process reaps what ranks leave behind"],
  ["user", "no root in the containers, sshd included"],
  ["cap_drop", "sshd and MPI need no capability"],
  ["worker", "the MPI worker nodes; what is as in the master has its reason there"],
  ["volumes", "by volumes in mpi.yaml"],
];

Deno.test("explainStack() gives each reason once", () => assert.deepEqual(comments(own, own), reasons));

const added: [what: string, stack: JsonObject, comment: string[]][] = [
  [
    "a value that the user's own piece has changed",
    { ...own, services: { ...own.services, master: { ...own.services.master, user: "root" } } },
    ["user", "by stack: in mpi.yaml"],
  ],
  [
    "a list that it has made longer",
    { ...own, services: { ...own.services, master: { ...own.services.master, cap_drop: ["ALL", "x"] } } },
    ["cap_drop", "sshd and MPI need no capability; and by stack: in mpi.yaml"],
  ],
  [
    "what it has added, as a whole",
    { ...own, services: { ...own.services, proxy: { init: true, user: "www" } } },
    ["proxy", "by stack: in mpi.yaml"],
  ],
  [
    "one more where there are some already",
    { ...own, volumes: { data: {}, extra: { driver: "local" } } },
    ["extra", "by stack: in mpi.yaml"],
  ],
];

for (const [what, stack, comment] of added) {
  Deno.test(`explainStack() tells of ${what}`, () => {
    const said = comments(own, stack);
    assert.deepEqual(said.filter(([, text]) => text?.includes("stack:")), [comment]);
    const others = reasons.filter(([key]) => key !== comment[0]);
    assert.deepEqual(said.filter(([key]) => key !== comment[0]), others);
  });
}
