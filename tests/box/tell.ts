/** What the tools of the tests say: progress on standard error, results on standard output. */

const encoder = new TextEncoder();

/** Writes all of it, also where the stream takes it in pieces. */
export function writeAll(to: { writeSync(data: Uint8Array): number }, data: Uint8Array): void {
  for (let rest = data; rest.length > 0;) rest = rest.subarray(to.writeSync(rest));
}

/** Tells a line of progress. */
export function tell(line: string): void {
  writeAll(Deno.stderr, encoder.encode(`${line}\n`));
}

/** Prints a line of the result. */
export function print(line: string): void {
  writeAll(Deno.stdout, encoder.encode(`${line}\n`));
}
