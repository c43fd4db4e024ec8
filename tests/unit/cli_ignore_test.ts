/** `.dockerignore` as Docker reads it; the expectations are those of Docker's own documentation and matcher. */
import assert from "node:assert/strict";
import { ignoredBy } from "../../cli/files/ignore.ts";

for (
  const [text, ignored, kept] of [
    ["", [], ["a", ".dockerignore"]],
    ["# a\n\n  \na", ["a", "a/b"], ["# a", "b/a", "ab"]],
    ["/a/b/\n./c/../d", ["a/b", "a/b/c", "d"], ["a", "x/a/b", "c"]],
    ["*", ["a", "a/b"], []],
    ["*.o", ["x.o", "x.o/y"], ["d/x.o", "xo"]],
    ["*/temp*", ["a/temp", "a/temporary/b"], ["temp", "a/b/temp"]],
    ["temp?", ["tempa", "tempé", "temp😀"], ["temp", "temp/"]],
    ["**/*.o", ["x.o", "a/x.o", "a/b/x.o"], ["x.oo"]],
    ["a/**", ["a/b", "a/b/c"], ["a", "b"]],
    ["a/**/z", ["a/z", "a/b/c/z"], ["a/bz"]],
    ["*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md", "README-x.md"]],
    ["out\n!out/keep", ["out", "out/a"], ["out/keep", "out/keep/a"]],
    ["! a\na\n!  a", [], ["a"]],
    ["[a-c].x\n[^a].y\nq[[]", ["b.x", "b.y", "q["], ["d.x", "a.y", "q"]],
    ["[z-a]\n[a\\_b]\n[\\]x-]", ["_", "]", "-", "a"], ["z", "c", "\\"]],
    ["a\\*b\n\\!c\n\\#d", ["a*b", "!c", "#d"], ["axb", "c"]],
    ["a+b(c).d|e$", ["a+b(c).d|e$"], ["aab(c).d|e$", "e"]],
    ["a\r\nb\r\n", ["a", "b"], []],
    ["..\n.\n/", [], ["a"]],
  ] as const
) {
  Deno.test(`.dockerignore of ${JSON.stringify(text)}`, () => {
    const paths = [...ignored, ...kept];
    assert.deepEqual(paths.filter(ignoredBy(text)), ignored);
  });
}
