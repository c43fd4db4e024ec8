import assert from "node:assert/strict";
import { expectOk, openWorld } from "../../support/swarm.ts";
import { openTerminal } from "../../support/terminal.ts";

Deno.test("the container of dev must not outlive an interrupt that its program does not hear", async () => {
  await using world = await openWorld();
  const env = { DOCKER_CONFIG: world.config };
  const cwd = `${world.project}/project`;
  const inspect = ["ps", "--quiet", "--filter", "name=docker-mpi-dev-"];
  const deaf = "trap '' INT TERM; echo ready; while :; do sleep 1; done";
  await using session = await openTerminal(`docker mpi dev sh -c ${JSON.stringify(deaf)} </dev/null`, { cwd, env });
  await session.shows(/ready/);
  assert.notEqual((await expectOk(world.docker(inspect))).stdout, "");
  await session.type("\x03");
  assert.equal(await session.end(), 130);
  assert.equal((await expectOk(world.docker(inspect))).stdout, "");
});
