/** The event loop of mpi_run, mpi_relay and mpi_exec: what it does with the lines of many streams. Perl is needed. */
import assert from "node:assert/strict";
import { root, sh } from "../support/plugin_cli.ts";

const LIBRARY = `${root}/images/rootfs/usr/local/lib/mpi`;

/** Merges the output of shell commands, and gives what comes out and when: `SECONDS TEXT`. */
async function merge(commands: string[], options = ""): Promise<string> {
  const program = `use lib shift; use Loop; use Time::HiRes ();
    my $loop = Loop->new(out => \\*STDOUT, err => \\*STDERR);
    for (@ARGV) { open my $stream, '-|', 'sh', '-c', $_ or die; $loop->relay($stream, 'out'${options}) }
    $loop->turn until $loop->idle;`;
  const { code, out, err } = await sh("perl", ["-we", program, LIBRARY, ...commands], {});
  assert.deepEqual([code, err], [0, ""]);
  return out;
}

Deno.test("lines that come in two halves are whole, however many streams there are", async () => {
  const halves = (stream: number) =>
    `for i in 1 2 3; do printf "stream ${stream} first"; sleep 0.${stream + 2}; echo " second $i"; done`;
  const out = await merge([1, 2, 3, 4].map(halves));
  const lines = [1, 2, 3, 4].flatMap((stream) => [1, 2, 3].map((i) => `stream ${stream} first second ${i}`));
  assert.deepEqual(out.trimEnd().split("\n").sort(), lines);
});

Deno.test("a question without a line end is shown while the program waits", async () => {
  const asks = "printf 'how many? '; sleep 3";
  const answer = await merge([asks, "sleep 2; echo 5"]);
  assert.equal(answer, "how many? 5\n");
});

Deno.test("what has no line end at all arrives byte for byte", async () => {
  const digits = ["1", "2", "3"];
  const out = await merge(digits.map((digit) => `head -c 5000000 /dev/zero | tr '\\0' ${digit}`));
  for (const digit of digits) assert.equal(out.split(digit).length - 1, 5_000_000);
  assert.equal(out.length, 15_000_000);
});

Deno.test("a label is before each line, and the last line gets its end", async () => {
  const out = await merge(["printf 'a\\n\\nb'", "sleep 0.5; printf 'c\\n'"], ", label => 'x | '");
  assert.equal(out, "x | a\nx | \nx | b\nx | c\n");
});
