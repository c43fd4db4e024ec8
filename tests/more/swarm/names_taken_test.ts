/** What somebody else has under the names of a cluster is left alone, and told. */
import assert from "node:assert/strict";
import { cleanUp, deploy, failure, parts, project, SIMPLE } from "../../support/projects.ts";
import { expectOk, IMAGE, openWorld } from "../../support/swarm.ts";

const WEB = {
  "web.yml": `{ version: "3.8", services: { web: { image: "${IMAGE}", command: [sleep, "600"], init: true } } }`,
};
const DEPLOY_WEB = ["stack", "deploy", "-c", "web.yml", "--resolve-image=never", "mpitest"];

Deno.test("a stack of that name that is not ours must be left alone", async () => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE, WEB);
  await using _end = cleanUp(world, "mpitest");
  await expectOk(world.docker(DEPLOY_WEB, { cwd: dir.path }));
  const before = await parts(world, "mpitest");
  assert.equal(before.length, 2);
  assert.deepEqual(
    await deploy(world, dir.path),
    failure(
      `docker mpi deploy: Stack "mpitest" exists and is not a cluster of docker mpi: it has "mpitest_web"\n` +
        "hint: docker mpi deploy --cluster mpitest-mpi  # takes another name\n",
    ),
  );
  const { code, stdout, stderr } = await world.docker(["mpi", "rm", "mpitest"], { cwd: dir.path });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^docker mpi rm: Cluster "mpitest" is not deployed[^\n]*\nhint: [^\n]+\n$/);
  assert.deepEqual(await parts(world, "mpitest"), before);
});

Deno.test("names that the cluster would need must be told by whom they are taken", async () => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");
  const taken = async (kind: "service" | "network", name: string, ...create: string[]) => {
    await expectOk(world.docker([kind, "create", ...create]));
    try {
      assert.deepEqual(
        await deploy(world, dir.path),
        failure(
          `docker mpi deploy: Cluster "mpitest" would need the name "${name}", which a ${kind} that is not docker mpi's ` +
            "has\nhint: docker mpi deploy --cluster mpitest-mpi  # takes another name\n",
        ),
      );
      assert.deepEqual(await parts(world, "mpitest"), []);
    } finally {
      await expectOk(world.docker([kind, "rm", name]));
    }
  };
  await taken("service", "mpitest_worker", "--detach", "--name=mpitest_worker", "--replicas=0", IMAGE, "true");
  await taken("network", "mpitest_cluster", "--driver=overlay", "mpitest_cluster");
  await taken("network", "mpitest_cluster", "mpitest_cluster");
});

Deno.test("a removal must leave what somebody else has put into the stack", async () => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE, WEB);
  await using _end = cleanUp(world, "mpitest");
  await expectOk(deploy(world, dir.path));
  await expectOk(world.docker(DEPLOY_WEB, { cwd: dir.path }));
  const { stdout, stderr } = await expectOk(world.docker(["mpi", "rm", "mpitest", "--progress=plain"]));
  assert.equal(stdout, "mpitest\n");
  assert.match(stderr, /mpitest_web[^\n]* is not docker mpi's, and stays: docker service rm mpitest_web\n/);
  const left = await expectOk(world.docker(["service", "ls", "--format", "{{.Name}} {{.Replicas}}"]));
  assert.equal(left.stdout, "mpitest_web 1/1\n");
});

Deno.test("a removal must tell at once which service keeps the cluster's network, and can be repeated", async () => {
  await using world = await openWorld();
  await using dir = await project(SIMPLE);
  await using _end = cleanUp(world, "mpitest");
  await expectOk(deploy(world, dir.path));
  const create = ["service", "create", "--detach", "--name=guest", "--network=mpitest_cluster", IMAGE, "sleep", "600"];
  await expectOk(world.docker(create));
  try {
    const { code, stderr } = await world.docker(["mpi", "rm", "mpitest", "--progress=quiet"]);
    assert.deepEqual([code, stderr], [
      1,
      'docker mpi rm: Service "guest", which is not docker mpi\'s, uses the network of "mpitest"\n' +
      "hint: docker service update --network-rm mpitest_cluster guest && docker mpi rm mpitest\n",
    ]);
    const hint = stderr.split("hint: ")[1]!.trim();
    await expectOk(world.docker(hint.split(" && ")[0]!.split(" ").slice(1)));
    await expectOk(world.docker(["mpi", "rm", "mpitest"]));
    assert.deepEqual(await parts(world, "mpitest"), []);
  } finally {
    await expectOk(world.docker(["service", "rm", "guest"]));
  }
});
