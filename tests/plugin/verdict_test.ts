/** What mpi_run says, and ends with, by what happened in a run. Perl is needed. */
import assert from "node:assert/strict";
import { root, sh } from "../support/plugin_cli.ts";

const LIBRARY = `${root}/images/rootfs/usr/local/lib/mpi`;
const HINT = " / docker mpi hosts  # lists the nodes there are";

/** Gives "status: message / hint" for a run of five ranks on three nodes, with one, two and two slots. */
async function verdict(end: string): Promise<string> {
  const program = `use lib shift; use Verdict; no warnings 'redefine'; *Launcher::implementation = sub { 'mpich' };
    my @nodes = map { {name => $_->[0], address => $_->[0], slots => $_->[1]} } ['master', 1], ['worker-1', 2], ['worker-2', 2];
    my $job = {np => 5, timeout => 9, 'mpi-args' => [], nodes => \\@nodes};
    my $is = Verdict::of($job, {status => 0, ending => '', lost => [], killed => [], places => {}, ${end}});
    print "$is->{status}: ", join ' / ', grep { defined } @$is{qw(message hint)};
    print ' (and what the launcher said)' if $is->{launcher};`;
  const { code, out, err } = await sh("perl", ["-we", program, LIBRARY], {});
  assert.deepEqual([code, err], [0, ""]);
  return out;
}

const failed = (rank: number, status: number) => `failed => {rank => ${rank}, status => ${status}}`;
const aborted = (rank: number, status: number) => `aborted => {rank => ${rank}, status => ${status}}`;

const cases: [what: string, end: string, is: string][] = [
  ["all is well", "", "0: "],
  ["an interrupt needs no words", `ending => 'INT', status => 1, ${failed(1, 3)}`, "130: "],
  ["nor does the end of whoever asked", "ending => 'HUP', status => 1", "129: "],
  ["nor does a TERM, though a node went with it", "ending => 'TERM', lost => [$nodes[1]]", "143: "],
  ["the time was up", "ending => 'limit', status => 143", "124: The program did not end within 9 s and was ended"],
  ["a node was lost", "ending => 'lost', lost => [$nodes[1]]", `1: Lost during the run: worker-1 (ranks 1-2)${HINT}`],
  [
    "two were lost, and a rank ended with a status of its own",
    "ending => 'lost', lost => [@nodes[0, 2]], status => 3",
    `3: Lost during the run: master (rank 0), worker-2 (ranks 3-4)${HINT}`,
  ],
  [
    "the signal that we sent is not the program's",
    "ending => 'lost', lost => [$nodes[2]], status => 143",
    `1: Lost during the run: worker-2 (ranks 3-4)${HINT}`,
  ],
  ["input had no way", "ending => 'input'", `1: Standard input could not be brought to rank 0 on master${HINT}`],
  ["a rank failed", `status => 7, ending => 'rank', ${failed(3, 3)}`, "3: Rank 3 on worker-2 ended with status 3"],
  [
    "a rank failed where it says it is",
    `${failed(3, 3)}, places => {3 => 'worker-1'}`,
    "3: Rank 3 on worker-1 ended with status 3",
  ],
  ["a rank was killed", failed(0, 139), "139: Rank 0 on master was ended by signal 11 (SEGV)"],
  ["a status beyond the signals", failed(0, 255), "255: Rank 0 on master ended with status 255"],
  ["a rank aborted", `status => 7, ${aborted(2, 7)}`, "7: Rank 2 on worker-1 called MPI_Abort, status 7"],
  ["and then ended with 1", `${failed(2, 1)}, ${aborted(2, 7)}`, "7: Rank 2 on worker-1 called MPI_Abort, status 7"],
  ["after another had failed", `${failed(1, 4)}, ${aborted(2, 7)}`, "4: Rank 1 on worker-1 ended with status 4"],
  [
    "an abort with 0 is no success",
    `status => 5, ${aborted(2, 0)}`,
    "5: Rank 2 on worker-1 called MPI_Abort, status 5",
  ],
  [
    "an abort with 256 neither",
    `killed => [1], ${aborted(2, 256)}`,
    "1: Rank 2 on worker-1 called MPI_Abort, status 1",
  ],
  ["an abort with -1", `killed => [1], ${aborted(2, -1)}`, "255: Rank 2 on worker-1 called MPI_Abort, status 255"],
  ["an old log speaks of an abort", aborted(2, 7), "0: "],
  [
    "the launcher ended ranks",
    "status => 0, killed => [1]",
    "1: A rank ended without MPI_Finalize, and the launcher ended the others",
  ],
  ["the launcher failed", "status => 213", "213: The launcher failed with status 213 (and what the launcher said)"],
];

for (const [what, end, is] of cases) {
  Deno.test(`the end of a run: ${what}`, async () => assert.equal(await verdict(end), is));
}
