/** What keeps a job on the master, where it can't do so. Perl is needed. */
import assert from "node:assert/strict";
import { root, sh } from "../support/plugin_cli.ts";

const LIBRARY = `${root}/images/rootfs/usr/local/lib/mpi`;

Deno.test("a job that can't be started ends with 125, and its log says why", async () => {
  const folder = await Deno.makeTempDir({ prefix: "docker-mpi-keeper-" });
  try {
    await Deno.mkdir(`${folder}/words`); // where the file should be
    for (const name of ["log", "facts", "reserve"]) await Deno.writeTextFile(`${folder}/${name}`, "");
    const program = `use lib shift; use strict; use warnings; use Keeper; my $folder = shift;
      { no warnings 'redefine'; *Jobs::folder = sub { $folder } }
      Keeper->new('3f9c02ab', limit => 1000, retries => 0, words => ['--', 'true'])->keep;`;
    const { code, err } = await sh("perl", ["-e", program, LIBRARY, folder]);
    assert.deepEqual([code, err], [0, ""]);
    const why = `mpi_job: cannot write ${folder}/words: Is a directory`;
    assert.match(await Deno.readTextFile(`${folder}/log`), new RegExp(`docker mpi run: ${why}\n`));
    const facts = (await Deno.readTextFile(`${folder}/facts`)).split("\n");
    for (const fact of [`reason ${why}`, "status 125"]) assert.ok(facts.includes(fact), fact);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a request that is cut off is told as such", async () => {
  const bin = `${root}/images/rootfs/usr/local/bin`;
  const env = { PERL5LIB: LIBRARY };
  const { code, out, err } = await sh("sh", ["-c", `printf '99\nhalf' | perl ${bin}/mpi_job start`], env);
  assert.deepEqual([code, out, err], [125, "", "docker mpi run: mpi_job: the words are cut off\n"]);
});
