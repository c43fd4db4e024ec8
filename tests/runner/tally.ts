/** Counting what ran. */

/** What came of a run: how many passed, and the names of those that did not. */
export class Tally {
  passed = 0;
  /** Each with the reason in the lines after the name, as far as there is one. */
  readonly failed: string[] = [];
  readonly skipped: string[] = [];
  /** How long things took, in words. */
  readonly measured: string[] = [];

  /** Adds what another one counted. */
  add(other: Tally): void {
    this.passed += other.passed;
    this.failed.push(...other.failed);
    this.skipped.push(...other.skipped);
    this.measured.push(...other.measured);
  }

  /** Whether something ran and nothing failed. */
  get ok(): boolean {
    return this.failed.length === 0 && this.passed > 0;
  }

  /** What was measured, the names that need attention, and the counts as the last line. */
  get report(): string {
    const named = (what: string, names: string[]) => names.map((name) => `${what}: ${name}`);
    const skipped = this.skipped.length === 0 ? "" : `, ${this.skipped.length} skipped`;
    return [
      "",
      ...named("MEASURED", this.measured),
      ...named("SKIPPED", this.skipped),
      ...named("FAILED", this.failed),
      `${this.passed} passed, ${this.failed.length} failed${skipped}`,
    ].join("\n");
  }
}

/** Counts the tests in a report that `deno test --junit-path` wrote; `group` goes in front of the names. */
export function tallyOf(xml: string, group: string): Tally {
  const tally = new Tally();
  for (const [, attributes = "", body = ""] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const name = `${group}: ${unescape(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "a test without a name")}`;
    const [, why] = /<(?:failure|error)\b[^>]*>([\s\S]*?)<\/(?:failure|error)>/.exec(body) ?? [];
    if (/<(failure|error)\b/.test(body)) tally.failed.push([name, ...reason(unescape(why ?? ""))].join("\n    "));
    else if (/<skipped\b/.test(body)) tally.skipped.push(name);
    else tally.passed++;
  }
  return tally;
}

/** How many lines of a reason are shown, and how much of each: the whole stands where the test ran. */
const [LINES, COLUMNS] = [15, 400];

/** What an error says, without the places in the code. */
function reason(error: string): string[] {
  const lines = error.split("\n").filter((line) => line.trim() !== "" && !/^ {4}at /.test(line));
  return lines.slice(0, LINES).map((line) => line.slice(0, COLUMNS));
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescape(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? "");
}
