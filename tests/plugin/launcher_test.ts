/** What mpi_run tells each launcher. Perl is needed. */
import assert from "node:assert/strict";
import { root, sh } from "../support/plugin_cli.ts";

const LIBRARY = `${root}/images/rootfs/usr/local/lib/mpi`;

/** Evaluates Perl with `$job`, a job on three nodes with one, two and two slots, under an implementation. */
async function launcher(mpi: string, job: string, expression: string): Promise<string> {
  const program = `use lib shift; use Launcher; no warnings 'redefine';
    my $mpi = shift; *Launcher::implementation = sub { $mpi };
    my @nodes = (['master', 'A', 1], ['worker-1', 'B', 2], ['worker-2', 'C', 2]);
    my $job = {'mpi-args' => [], nodes => [map { {name => $_->[0], address => $_->[1], slots => $_->[2]} } @nodes], ${job}};
    print join ' ', map { s/\\n/;/r } grep { defined } ${expression};`;
  const { code, out, err } = await sh("perl", ["-we", program, LIBRARY, mpi], {});
  assert.deepEqual([code, err], [0, ""]);
  return out;
}

const OWN = "--leave-session-attached -x MPI_JOB -x MPI_JOB_STDIN";

const commands: [job: string, mpich: string, openmpi: string][] = [
  ["np => 5", "mpirun -f F -n 5", `mpirun --hostfile F -n 5 ${OWN} --map-by seq`],
  ["np => 4, ppn => 2", "mpirun -f F -n 4 -ppn 2", `mpirun --hostfile F -n 4 ${OWN} --map-by seq`],
  [
    "np => 2, 'bind-to' => 'core'",
    "mpirun -f F -n 2 -bind-to core",
    `mpirun --hostfile F -n 2 ${OWN} --bind-to core --map-by seq`,
  ],
  [
    "np => 5, 'map-by' => 'node'",
    "mpirun -f F -n 5 -map-by node",
    `mpirun --hostfile F -n 5 ${OWN} --map-by node`,
  ],
  [
    "np => 6, 'map-by' => 'node'",
    "mpirun -f F -n 6 -map-by node",
    `mpirun --hostfile F -n 6 ${OWN} --map-by node:OVERSUBSCRIBE`,
  ],
  [
    "np => 2, 'mpi-args' => ['-x', 'a b']",
    "mpirun -f F -n 2 -x a b",
    `mpirun --hostfile F -n 2 ${OWN} -x a b`,
  ],
];

for (const [job, mpich, openmpi] of commands) {
  Deno.test(`the launchers' words for ${job}`, async () => {
    assert.equal(await launcher("mpich", job, "Launcher::words($job, 'F', [])"), mpich);
    assert.equal(await launcher("openmpi", job, "Launcher::words($job, 'F', [])"), openmpi);
  });
}

const hostfiles: [job: string, openmpi: string][] = [
  ["np => 4", "A; B; B; C;"],
  ["np => 7", "A; B; B; C; C; A; B;"],
  ["np => 3, ppn => 2", "A; A; B;"],
  ["np => 4, 'map-by' => 'node'", "A slots=1; B slots=2; C slots=2;"],
  ["np => 6, ppn => 2, 'map-by' => 'node'", "A slots=2; B slots=2; C slots=2;"],
];

for (const [job, openmpi] of hostfiles) {
  Deno.test(`the launchers' hostfiles for ${job}`, async () => {
    assert.equal(await launcher("mpich", job, "Launcher::hostfile($job)"), "A:1; B:2; C:2;");
    assert.equal(await launcher("openmpi", job, "Launcher::hostfile($job)"), openmpi);
  });
}

Deno.test("a rank's node is the one that its launcher gives it, also where it begins again", async () => {
  const nodes = "map { Launcher::node_of($job, $_) } 0 .. 6";
  const want = "master worker-1 worker-1 worker-2 worker-2 master worker-1";
  for (const mpi of ["mpich", "openmpi"]) assert.equal(await launcher(mpi, "np => 7", nodes), want);
});

Deno.test("ranks that have to share a slot are told of, others are not", async () => {
  const says = (job: string) => launcher("mpich", job, "Launcher::excess($job)");
  assert.equal(await says("np => 5"), "");
  assert.equal(await says("np => 6"), "master has 1 slot for 2 ranks, which share its CPUs and run slower");
  assert.equal(await says("np => 4, ppn => 2"), "master has 1 slot for 2 ranks, which share its CPUs and run slower");
  const last = "worker-1 has 2 slots for 3 ranks, which share its CPUs and run slower";
  assert.equal(await says("np => 3, ppn => 3, nodes => [{name => 'worker-1', address => 'B', slots => 2}]"), last);
});

const aborts: [says: string, rank: string][] = [
  ["Abort(7) on node 12 (rank 12 in comm 0): application called MPI_Abort", "12 7"],
  ["e3:Abort(-1) on node 3 (rank 3 in comm 0)", "3 -1"],
  ["----\\nMPI_ABORT was invoked on rank 4 in communicator MPI_COMM_WORLD\\n  Errorcode: 7", "4 7"],
  ["my Abort(7) on node 1", ""],
];

for (const [says, rank] of aborts) {
  Deno.test(`the rank that aborted by ${JSON.stringify(says)}`, async () => {
    assert.equal(
      await launcher(
        "mpich",
        "np => 1",
        `map { @$_{qw(rank status)} } grep { defined } scalar Launcher::aborted("${says}")`,
      ),
      rank,
    );
  });
}

Deno.test("a hint of the master is typed as a person would, about the cluster that was meant", async () => {
  const hint =
    "Nodes::hint('docker mpi exec ls -ld ' . Nodes::typed(shift) . '  # shows why; docker mpi jobs rm --all')";
  const say = async (word: string, env: Record<string, string> = {}) =>
    (await sh(
      "perl",
      ["-e", `use lib shift; use Nodes; print ${hint}; print $ENV{MPI_HINT} // ''`, LIBRARY, word],
      env,
    )).out;
  assert.equal(await say("/tmp/a-b"), "docker mpi exec ls -ld /tmp/a-b  # shows why; docker mpi jobs rm --all");
  assert.equal(
    await say("my dir;reboot", { MPI_HINT: "docker --context lab mpi run --cluster cfd" }),
    "docker --context lab mpi exec --cluster cfd ls -ld 'my dir;reboot'  # shows why; " +
      "docker --context lab mpi jobs rm --cluster cfd --all",
  );
});

Deno.test("a node that is named twice is one", async () => {
  const program = `use lib shift; use Request; no warnings 'redefine';
    *Nodes::named = sub { return {name => $_[0], address => $_[0] eq 'B' ? 'A' : $_[0]} };
    print join ' ', map { $_->{name} } Request::candidates({hosts => 'A,C,A,B,D'});`;
  assert.equal((await sh("perl", ["-we", program, LIBRARY], {})).out, "A C D");
});

Deno.test("the program's words go by variables, which PRRTE has to be told of", async () => {
  const words = "Launcher::words({%$job, 'mpi-args' => []}, 'F', ['MPI_WORDS_0', 'MPI_WORDS_1'])";
  assert.equal(await launcher("mpich", "np => 1", words), "mpirun -f F -n 1");
  assert.equal(
    await launcher("openmpi", "np => 1", words),
    `mpirun --hostfile F -n 1 ${OWN} -x MPI_WORDS_0 -x MPI_WORDS_1 --map-by seq`,
  );
});
