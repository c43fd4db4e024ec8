/** What the paper and its scripts do, typed with `docker mpi`: the lines of `docs/paper.md`. */
import assert from "node:assert/strict";
import { nodeNames } from "../support/nodes.ts";
import { type Ended, expectOk, openWorld, rows } from "../support/swarm.ts";

const hello = (workers: number) =>
  nodeNames(workers).map((node, rank) => `Hello from rank ${rank} of ${workers + 1} on ${node}`);
const lines = ({ stdout }: Ended) => stdout.trim().split("\n").sort();

Deno.test("what the paper does in a cluster must have its line here", async (t) => {
  await using world = await openWorld({ mpi: "mpich" });
  await using _cluster = await world.shared(2);
  const mpi = (...args: string[]) => expectOk(world.docker(["mpi", ...args]));
  const inspect = async (role: string, what: string) =>
    (await expectOk(world.docker(["service", "inspect", "--format", what, `mpitest_${role}`]))).stdout.trim();

  await t.step("V.B: one image, two roles, no root", async () => {
    const spec = ".Spec.TaskTemplate.ContainerSpec";
    for (const role of ["master", "worker"]) {
      assert.equal(await inspect(role, `{{${spec}.User}} {{json ${spec}.Args}}`), `mpi ["mpi_bootstrap","${role}"]`);
    }
    assert.equal(await inspect("master", `{{${spec}.Image}}`), await inspect("worker", `{{${spec}.Image}}`));
  });

  await t.step("mpi_bootstrap: the original's role=master is no role, and says so by its status", async () => {
    const { code, stderr } = await world.docker(["run", "--rm", world.image, "mpi_bootstrap", "role=master"]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^mpi_bootstrap: the role is "role=master", want master or worker$/m);
  });

  await t.step("get_hosts: the master first, a line for each node; a worker has none", async () => {
    const { stdout } = await mpi("exec", "get_hosts");
    assert.match(stdout, /^(10\.\d+\.\d+\.\d+:1\n){3}$/);
    const { stdout: address } = await mpi("exec", "cat", "/run/mpi/address");
    assert.ok(stdout.startsWith(`${address.trim()}:`), stdout);
    const worker = await world.docker(["mpi", "exec", "--host", "worker-1", "get_hosts"]);
    assert.deepEqual(worker, {
      code: 1,
      stdout: "",
      stderr: "get_hosts: no hostfile on worker-1: the master has it\n",
    });
  });

  await t.step("the default hostfile, and one of one's own", async () => {
    await mpi("exec", "sh", "-c", 'get_hosts | cmp - "$HYDRA_HOST_FILE"');
    assert.deepEqual(lines(await mpi("exec", "mpirun", "./mpi_hello_world")), hello(2));
    const own = "get_hosts >/tmp/paper-hosts && mpirun -f /tmp/paper-hosts ./mpi_hello_world; rm /tmp/paper-hosts";
    assert.deepEqual(lines(await mpi("exec", "sh", "-c", own)), hello(2));
  });

  await t.step("V.F: one port, the master's", async () => {
    const ports = "{{json .Endpoint.Ports}}";
    assert.deepEqual(JSON.parse(await inspect("master", ports)), [
      { Protocol: "tcp", TargetPort: 2222, PublishedPort: 2222, PublishMode: "host" },
    ]);
    assert.equal(await inspect("worker", ports), "null");
  });

  await t.step("swarm.sh login: mpirun needs no hostfile there; --print shows the ssh command", async () => {
    const stdin = "mpirun ./mpi_hello_world </dev/null\n";
    assert.deepEqual(lines(await expectOk(world.docker(["mpi", "login"], { stdin }))), hello(2));
    const { stdout } = await mpi("login", "--print");
    assert.match(stdout, /^ssh -i \S+ -p 2222 .*-o StrictHostKeyChecking=yes .*mpi@\S+\n$/);
  });

  await t.step("swarm.sh exec: arguments stay whole", async () => {
    const words = ["a  b", "$HOME", "it's", "*"];
    const { stdout } = await mpi("exec", "printf", "<%s>", ...words);
    assert.equal(stdout, words.map((word) => `<${word}>`).join(""));
  });

  await t.step("swarm.sh list: clusters, nodes, and nodes that answer", async () => {
    for (const list of ["ls", "list"]) assert.ok(lines(await mpi(list, "-q")).includes("mpitest"));
    const shown = rows(await mpi("ps", "--format", "json"));
    assert.deepEqual(shown.map(({ Name, State }) => `${Name} ${State}`), nodeNames(2).map((name) => `${name} running`));
    assert.equal((await mpi("hosts", "-q")).stdout, nodeNames(2).map((name) => `${name}\n`).join(""));
  });

  await t.step("swarm.sh help", async () => {
    const { stdout } = await mpi("--help");
    assert.match(stdout, /^Usage: +docker mpi /);
    for (const name of ["deploy", "scale", "login", "exec", "rm", "ls", "config"]) {
      assert.match(stdout, new RegExp(`^  ${name} `, "m"));
    }
    assert.match((await mpi("run", "--help")).stdout, /^Usage: +docker mpi run .*\n\n.*under the MPI launcher/s);
  });
});
