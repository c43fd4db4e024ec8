/** Which slots runs get and share, and who is first in the queue: the decisions of mpi_run. Perl is needed. */
import assert from "node:assert/strict";
import { root, sh } from "../support/plugin_cli.ts";

const LIBRARY = `${root}/images/rootfs/usr/local/lib/mpi`;

/** Evaluates an expression with the nodes a, b and c, of 2, 2 and 4 slots; gives what it prints. */
async function slots(expression: string): Promise<string> {
  const program = `use lib shift; use strict; use warnings; use Slots;
    my @nodes = map { {name => $_->[0], address => $_->[0], slots => $_->[1]} } ['a', 2], ['b', 2], ['c', 4];
    sub ranks { my %ranks = Slots::ranks(@_); return join ' ', map { "$_:$ranks{$_}" } sort keys %ranks }
    sub free { my ($np, $ppn, %used) = @_; return join ' ', map { "$_->{name}:$_->{slots}" } Slots::free($np, $ppn, \\%used, @nodes) }
    print ${expression};`;
  const { code, out, err } = await sh("perl", ["-e", program, LIBRARY]);
  assert.deepEqual([code, err], [0, ""]);
  return out;
}

const cases: [what: string, expression: string, is: string][] = [
  ["ranks fill one node after the other", "ranks(3, undef, @nodes)", "a:2 b:1"],
  ["ranks begin again when all are full", "ranks(11, undef, @nodes)", "a:4 b:3 c:4"],
  ["ranks go by --ppn before slots", "ranks(4, 1, @nodes)", "a:2 b:1 c:1"],
  ["a million ranks are counted", "ranks(1_000_000, undef, @nodes)", "a:250000 b:250000 c:500000"],
  ["who waits gets what is free, wherever that is", "free(3, undef, a => 2, c => 2)", "b:2 c:2"],
  ["a node that is used in part has the rest", "free(2, undef, a => 1)", "a:1 b:2 c:4"],
  ["too few free slots are none", "free(3, undef, a => 2, b => 2, c => 2)", ""],
  ["without a number all slots are wanted", "free(undef, undef, a => 1)", ""],
  ["without a number, all free", "free(undef, undef)", "a:2 b:2 c:4"],
  ["more ranks than slots need all nodes for themselves", "free(9, undef, a => 1)", ""],
  ["more ranks than slots, all free", "free(9, undef)", "a:2 b:2 c:4"],
  ["--ppn needs that many on a node", "free(2, 2, a => 1)", "b:2 c:4"],
  ["--ppn beyond its slots needs the whole node", "free(3, 3, a => 1)", "b:2 c:4"],
  [
    "slots are shared where both together are too many",
    `join '|', map { join ',', @$_ } Slots::shared({a => 1, b => 1}, \\@nodes,
      {name => 'x', ranks => {a => 2}}, {name => 'y', ranks => {b => 1}}, {name => 'z', ranks => {c => 9}})`,
    "a|x",
  ],
  ["nothing is shared where nobody else is", "join '|', map { join ',', @$_ } Slots::shared({a => 9}, \\@nodes)", "|"],
];

for (const [what, expression, is] of cases) {
  Deno.test(what, async () => assert.equal(await slots(expression), is));
}

Deno.test("a file is held as long as its process lives", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const program = `use lib shift; use Slots; my $file = shift;
      pipe my $from, my $to;
      my $pid = fork;
      if (!$pid) { close $from; Slots::hold($file, "x"); syswrite $to, "ready"; sleep 60; exit }
      close $to;
      sysread $from, my $ready, 5;
      print Slots::is_held($file) ? 1 : 0;
      kill KILL => $pid;
      waitpid $pid, 0;
      print Slots::is_held($file) ? 1 : 0;
      print Slots::is_held("$file.none") ? 1 : 0;`;
    const { code, out } = await sh("perl", ["-we", program, LIBRARY, `${folder}/file`]);
    assert.deepEqual([code, out], [0, "100"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("records say whose each line is, and which has no end yet", async () => {
  const program = `use lib shift; use Loop; print Loop::records('o3', "a\\n\\nb"), Loop::records('e-', "c\\n"),
    length Loop::records('o0', 'x' x 70_000);`;
  const { out } = await sh("perl", ["-we", program, LIBRARY]);
  assert.equal(out, `o3:a\no3:\no3+b\ne-:c\n${70_000 + 3 * "o0+\n".length}`);
});

Deno.test("halves of a record are put together, however late the second one comes", async () => {
  const program = `use lib shift; use Loop;
    my $loop = Loop->new(out => \\*STDOUT, err => \\*STDERR);
    for (@ARGV) { open my $stream, '-|', 'sh', '-c', $_ or die; $loop->relay($stream, 'out', records => 1) }
    $loop->turn until $loop->idle;`;
  const half = "printf 'o1:fir'; sleep 1; printf 'st\\no1+ques'; sleep 0.7; printf 'tion\\n'";
  const { out } = await sh("perl", ["-we", program, LIBRARY, half, "sleep 0.5; printf 'o2:other\\n'"]);
  assert.deepEqual(out.trimEnd().split("\n").sort(), ["o1+question", "o1:first", "o2:other"]);
});
