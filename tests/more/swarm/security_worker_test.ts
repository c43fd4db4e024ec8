/** A worker in hostile hands: what it says of itself ends in lists on the master, in logs and on the user's terminal. */
import assert from "node:assert/strict";
import { containers, hostNames } from "../../support/nodes.ts";
import { inside } from "../../support/security.ts";
import { eventually, expectOk, openWorld } from "../../support/swarm.ts";

/** What becomes of the line by which a worker tells the master its name and slots: scripts for `sed`. */
const LIES: [what: string, lie: string][] = [
  ["colours and a title for the terminal", "1s/$/\\x1b[31m\\x1b]0;title\\x07/"],
  ["a name that is a script", "1s|worker-1|x/;1etouch${IFS}/tmp/pwned;#|"],
  ["the master's name", "1s/worker-1/master/"],
  ["no slots at all", "1s/worker-1 1/worker-1 0/"],
  ["slots that are a command", "1s/worker-1 1/worker-1 1+x[$(touch\\t\\/tmp\\/pwned)]/"],
  ["more slots than any machine has", "1s/worker-1 1/worker-1 1000000/"],
  ["a word too many", "1s/$/ more/"],
  ["a word that is very long", `1s/$/${"a".repeat(100_000)}/`],
  ["nothing", "1s/.*//"],
];

Deno.test("a hostile worker must not bring in what it likes by what it says of itself", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(2);
  const nodes = await containers(world);
  const [master, worker] = [nodes.get("master") ?? "", nodes.get("worker-1") ?? ""];
  const address = (await inside(world, worker, "cat /run/mpi/address")).trim();
  const key = await inside(world, worker, "cat /run/mpi/authorized_keys");
  const reconnect = "pkill -x sshd-session; :";
  const answerBy = async (lie: string) => {
    const command = `command="mpi_node | sed -u -f /run/mpi/lie" ${key}`;
    await inside(world, worker, "cat >/run/mpi/authorized_keys", command);
    await inside(world, worker, `cat >/run/mpi/lie; ${reconnect}`, lie);
  };
  const logs = async () => (await expectOk(world.docker(["mpi", "logs"]))).stdout;
  const refusals = async () => (await logs()).split(`mpi_agent: ${address} does not answer`).length - 1;

  for (const [what, lie] of LIES) {
    await t.step(`${what}: it is left out`, async () => {
      const before = await refusals();
      await answerBy(lie);
      await eventually("a refusal in the log", async () => await refusals() > before);
      assert.equal(`${await hostNames(world)}`, "master,worker-2");
      assert.deepEqual(await expectOk(world.docker(["mpi", "exec", "--all", "ls", "/tmp"])), {
        code: 0,
        stdout: "",
        stderr: "",
      });
    });
  }

  await t.step("the name of another: that keeps its name and its place", async () => {
    const ofOther = () => inside(world, master, "awk '$1 == \"worker-2\" { print $2 }' /run/mpi/nodes");
    const [other, before] = [await ofOther(), await refusals()];
    // Whatever goes by the time of a node's start, this one is the newest.
    await answerBy("1{s/worker-1/worker-2/;s/ [0-9]\\{9,\\}/ 999999999999/}");
    await eventually("a refusal in the log", async () => await refusals() > before);
    assert.equal(await ofOther(), other);
  });

  await t.step("the log shows none of it as it came, nor what a program writes there", async () => {
    await inside(world, worker, "printf '\\033[31mred\\n' >/proc/1/fd/2");
    await eventually("its line", async () => /^worker-1 \| .u001b\[31mred$/m.test(await logs()));
    // deno-lint-ignore no-control-regex -- what a terminal obeys
    assert.doesNotMatch(await logs(), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    assert.equal(await inside(world, master, "ls /tmp"), "");
  });

  await t.step("when it is honest again it is taken again", async () => {
    await inside(world, worker, `cat >/run/mpi/authorized_keys; ${reconnect}`, key);
    await eventually("both workers", async () => `${await hostNames(world)}` === "master,worker-1,worker-2");
  });
});
