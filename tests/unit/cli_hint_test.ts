import assert from "node:assert/strict";
import { asMeant } from "../../cli/command_line/hint.ts";
import { createProgram } from "../../cli/program.ts";
import { MpiError } from "../../stack/errors.ts";
import { fakeWorld, run } from "../support/cli.ts";

const { root } = createProgram(fakeWorld().deps, () => {});

for (
  const [hint, meant] of [
    ["docker mpi exec --all mkdir -p 'a b'", "docker mpi exec --cluster cfd --all mkdir -p 'a b'"],
    ["docker mpi jobs cancel 3f9c02ab", "docker mpi jobs cancel --cluster cfd 3f9c02ab"],
    [
      "docker mpi hosts  # lists them; docker mpi ps shows more",
      "docker mpi hosts --cluster cfd  # lists them; docker mpi ps shows more",
    ],
    ["docker mpi hosts", "docker mpi hosts --cluster cfd"],
    ["docker mpi rm cfd && docker mpi deploy", "docker mpi rm cfd && docker mpi deploy --cluster cfd"],
    ["docker mpi scale --cluster cfd 3", "docker mpi scale --cluster cfd 3"],
    ["docker mpi ls", "docker mpi ls"],
    ["docker mpi init hello  # makes one", "docker mpi init hello  # makes one"],
    ["docker mpi --debug …", "docker mpi --debug …"],
    ["ls '/home/ada/docker files'", "ls '/home/ada/docker files'"],
    ["install Docker's command line", "install Docker's command line"],
  ] as const
) {
  Deno.test(`where --cluster was given, a hint is: ${meant}`, () => {
    assert.equal(asMeant(hint, root, { globals: [], cluster: "cfd" }), meant);
    assert.equal(asMeant(hint, root, { globals: [], cluster: undefined }), hint);
  });
}

Deno.test("Docker's own flags come back in hints, but not in paths", () => {
  const hint = "docker build '/home/ada/docker files'";
  assert.equal(
    asMeant(hint, root, { globals: ["-D"], cluster: undefined }),
    "docker -D build '/home/ada/docker files'",
  );
});

Deno.test("Docker's own flags come back in hints, but not on other hosts", () => {
  const globals = ["--context", "my lab"];
  const hint = "docker mpi key export | ssh HOST docker mpi key import; docker swarm init; docker context ls";
  assert.equal(
    asMeant(hint, root, { globals, cluster: undefined }),
    "docker --context 'my lab' mpi key export | ssh HOST docker mpi key import; docker --context 'my lab' swarm init; docker context ls",
  );
});

Deno.test("an error's hint is about the engine and the cluster of the command line", async () => {
  const endpoint = () => Promise.reject(new MpiError("ssh", "No", { hint: "docker mpi ps" }));
  const env = () => undefined;
  for (const named of ["--cluster cfd", "cfd"]) {
    const words = `--context lab mpi logs ${named}`.split(" ");
    assert.deepEqual(await run(words, { endpoint, env, cwd: () => "/tmp" }), {
      code: 1,
      out: "",
      err: "docker mpi logs: No\nhint: docker --context lab mpi ps --cluster cfd\n",
    });
  }
});
