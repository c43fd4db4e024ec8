/**
 * Reads a `.dockerignore` and tells which paths it leaves out of a build, as Docker does: the last pattern that matches a path,
 * or a directory that it is in, decides.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ignoredBy } from "./ignore.ts";
 *
 * const ignored = ignoredBy("# results\nproject/out\n**\/*.o\n!keep.o\n");
 * assert.deepEqual(["project/out/a", "src/x.o", "keep.o", "x.c"].filter(ignored), ["project/out/a", "src/x.o"]);
 * ```
 *
 * @param text What the file has.
 * @returns Takes a path from the directory that the file is in, with slashes.
 */
export function ignoredBy(text: string): (path: string) => boolean {
  const rules = text.replace(/^\ufeff/, "").split(/\r?\n/).filter((line) => !line.startsWith("#")).flatMap(readRule);
  return (path) => {
    let ignored = false;
    for (const { keeps, matches } of rules) {
      if (keeps === ignored && matches(path)) ignored = !keeps;
    }
    return ignored;
  };
}

interface Rule {
  /** Whether it begins with an exclamation mark. */
  keeps: boolean;
  /** Whether it is about the path, or a directory above it. */
  matches: (path: string) => boolean;
}

function readRule(line: string): Rule[] {
  const keeps = line.trim().startsWith("!");
  const pattern = clean(line.trim().slice(keeps ? 1 : 0).trim());
  if (pattern === "") return [];
  const expression = new RegExp(`^${toExpression(pattern)}(/.*)?$`, "su");
  return [{ keeps, matches: (path) => expression.test(path) }];
}

/** Go's `filepath.Clean`, and no slash in front. */
function clean(pattern: string): string {
  const steps: string[] = [];
  for (const step of pattern.split("/")) {
    if (step === ".." && steps.length > 0) steps.pop();
    else if (step !== "" && step !== "." && step !== "..") steps.push(step);
  }
  return steps.join("/");
}

/** Go's `filepath.Match` with Docker's `**`, as a regular expression. */
function toExpression(pattern: string): string {
  return pattern.replace(/\*\*\/?|\*|\?|\\.|\[(?:\\.|[^\]\\])+\]|[^*?\\[]|[[\\]/gsu, (part) => {
    if (part.startsWith("**")) return part === "**/" ? "(?:.*/)?" : ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1 && part.startsWith("[")) return toClass(part.slice(1, -1));
    return RegExp.escape(part.length > 1 && part.startsWith("\\") ? part.slice(1) : part);
  });
}

/** What stands in brackets: characters and ranges, which may be escaped. A range backwards has nothing in it. */
function toClass(text: string): string {
  const not = text.startsWith("^") ? "^" : "";
  const literal = (part: string) => RegExp.escape(part.startsWith("\\") ? part.slice(1) : part);
  const parts = text.slice(not.length).matchAll(/(\\.|[^\\])(?:-(\\.|[^\\]))?/gsu);
  const class_ = [...parts].map(([, from, to]) => {
    const [first, last] = [from!, to ?? from!].map((part) => part.replace(/^\\(?=.)/su, "").codePointAt(0)!);
    if (first! > last!) return "";
    return to === undefined ? literal(from!) : `${literal(from!)}-${literal(to)}`;
  });
  return `[${not}${class_.join("")}]`;
}
