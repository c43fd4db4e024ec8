/** What the master keeps of jobs, and what becomes of that where there are many, or no room. */
import assert from "node:assert/strict";
import { POLITE, SLEEP, STUBBORN } from "../../support/job.ts";
import { containerOf, containers, jobProcesses, onNodes } from "../../support/nodes.ts";
import { eventually, expectOk, openWorld, type RunOptions, type World } from "../../support/swarm.ts";

const STORE = "/var/lib/mpi/jobs";

/** The master's jobs have 4 MB, and its runs 1 MB. */
const LITTLE_ROOM = `stack:
  services:
    master: { volumes: ["little-jobs:${STORE}", "little-run:/run/mpi"] }
  volumes:
    little-jobs: { driver_opts: { type: tmpfs, device: tmpfs, o: "size=4m,uid=1000,gid=1000,mode=755" } }
    little-run: { driver_opts: { type: tmpfs, device: tmpfs, o: "size=1m,uid=1000,gid=1000,mode=755" } }
`;

function speak(world: World) {
  const mpi = (...args: string[]) => world.docker(["mpi", ...args]);
  const start = async (args: string[], options: RunOptions = {}) =>
    (await expectOk(world.docker(["mpi", "run", "--detach", ...args], options))).stdout.trim();
  const ids = async () => (await expectOk(mpi("jobs", "-q"))).stdout.trim().split("\n").filter(Boolean);
  const shows = (id: string, text: string) =>
    eventually(`"${text}" in the log`, async () => (await expectOk(mpi("jobs", "logs", id))).stdout.includes(text));
  return { mpi, start, ids, shows, onMaster: (script: string) => expectOk(mpi("exec", "sh", "-c", script)) };
}

Deno.test("jobs are followed, ended and kept as the documents say", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(1);
  const { mpi, start, ids, shows, onMaster } = speak(world);

  await t.step("logs -f goes on until the job ends, and Ctrl-C only stops the looking", async () => {
    const id = await start([
      "-n",
      "1",
      "sh",
      "-c",
      "echo one; until [ -e /project/go ]; do sleep 0.1; done; echo two; exit 3",
    ]);
    await shows(id, "one");
    const left = world.spawn(["mpi", "jobs", "logs", "-f", id], { stdin: "piped" });
    const seen = left.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await seen.read()).value, "one\n");
    left.kill("SIGINT");
    assert.equal((await left.status).code, 130);
    await Promise.all([seen.cancel(), left.stderr.cancel(), left.stdin.close()]);
    const followed = mpi("jobs", "logs", "-f", id);
    await onNodes(world, "touch /project/go");
    const { code, stdout } = await followed;
    assert.deepEqual([code, stdout], [0, "one\ntwo\n"]);
  });

  await t.step("cancel --force gives the programs no time", async () => {
    const [polite, stubborn] = [await start(POLITE), await start(STUBBORN)];
    for (const id of [polite, stubborn]) await shows(id, "here\nhere\n");
    await expectOk(mpi("jobs", "cancel", "--force", polite, stubborn));
    assert.equal((await expectOk(mpi("jobs", "logs", polite))).stdout, "here\nhere\n");
    assert.equal((await mpi("jobs", "wait", polite)).code, 143);
    assert.deepEqual(await jobProcesses(world), []);
  });

  await t.step("a job has no input but --input's, and one whose input did not come whole is none", async () => {
    const id = await start(["-n", "1", "wc", "-c"], { stdin: "not for it\n" });
    await mpi("jobs", "wait", id);
    assert.equal((await expectOk(mpi("jobs", "logs", id))).stdout, "0\n");
    const before = await ids();
    const cutOff = world.spawn(["mpi", "run", "--detach", "--input", "-", "wc", "-c"], { stdin: "piped" });
    const writer = cutOff.stdin.getWriter();
    await writer.write(new Uint8Array(3_000_000));
    const arriving = async () => (await onMaster(`stat -c %s ${STORE}/.*/input 2>/dev/null || :`)).stdout.trim() !== "";
    await eventually("input on the master", arriving);
    cutOff.kill("SIGKILL");
    await eventually("nothing of it", async () => !await arriving());
    // Before that it would be the end of the input.
    await Promise.all([cutOff.status, cutOff.stdout.cancel(), cutOff.stderr.cancel(), writer.close().catch(() => {})]);
    assert.deepEqual(await ids(), before);
  });

  await t.step("of more than a hundred that have ended, and of more than 10 GiB, the oldest go", async () => {
    await expectOk(mpi("jobs", "rm", "--all"));
    const make = 'mkdir $id && : >$id/lock && echo "status 0" >$id/facts && : >$id/program';
    await onMaster(
      `cd ${STORE} && for i in $(seq 10 129); do id=00000$i; [ $i -lt 100 ] && id=0$id; ${make}; touch -d @1000000$i $id; done`,
    );
    const last = await start(["-n", "1", "true"]);
    await mpi("jobs", "wait", last);
    const names = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => String(from + index).padStart(8, "0"));
    assert.deepEqual((await ids()).sort(), [...names(30, 129), last].sort());
    // Files without blocks count as what they seem.
    await onMaster(
      `cd ${STORE} && for id in ${
        names(128, 129).join(" ")
      }; do truncate -s 6G $id/log; touch -d @1000000\${id#00000} $id; done`,
    );
    const next = await start(["-n", "1", "true"]);
    await mpi("jobs", "wait", next);
    assert.deepEqual((await ids()).sort(), [names(129, 129)[0]!, last, next].sort());
  });
});

Deno.test("a master without room must say so, and lose no job's end", async (t) => {
  await using world = await openWorld();
  await Deno.writeTextFile(`${world.project}/mpi.yaml`, LITTLE_ROOM, { append: true });
  await using _cluster = await world.cluster(1);
  const { mpi, start, ids, shows, onMaster } = speak(world);
  const refusal = (path: string, store: string) =>
    new RegExp(
      `^docker mpi run: Cannot (write|make) ${path}[^:\n]*: No space left on device\n` +
        `hint: docker mpi exec df -h ${store}  # shows how full it is; docker mpi jobs rm --all makes room\n$`,
    );

  await t.step("a job that prints more than fits goes on, and its end is known", async () => {
    const id = await start(["-n", "1", "sh", "-c", "seq 1000000; exit 5"]);
    assert.equal((await mpi("jobs", "wait", id)).code, 5);
    const { stdout, stderr } = await expectOk(mpi("jobs", "logs", id));
    assert.match(stdout, /^1\n2\n3\n/);
    assert.match(
      stderr,
      /^docker mpi run: The job's log cannot be written: No space left on device: what the program prints from now on is dropped\n(.*\n)*docker mpi run: Rank 0 on master ended with status 5\n/,
    );
  });

  await t.step("another one is refused with the remedy, and starts when that was done", async () => {
    await onMaster(`head -c 5m /dev/zero >${STORE}/fill || :`);
    const before = await ids();
    const { code, stdout, stderr } = await mpi("run", "--detach", "true");
    assert.deepEqual([code, stdout], [125, ""]);
    assert.match(stderr, refusal(STORE, STORE));
    assert.deepEqual(await ids(), before);
    await onMaster(`rm ${STORE}/fill`);
    await expectOk(mpi("jobs", "rm", "--all"));
    await start(["true"]);
  });

  await t.step("one whose program fills the disk keeps its end, too", async () => {
    const id = await start(["-n", "1", "sh", "-c", `echo here; head -c 9m /dev/zero >${STORE}/fill; exit 7`]);
    assert.equal((await mpi("jobs", "wait", id)).code, 7);
    await onMaster(`rm ${STORE}/fill`);
  });

  await t.step("so does a run without a job", async () => {
    await onMaster("head -c 2m /dev/zero >/run/mpi/jobs/fill || :");
    const { code, stdout, stderr } = await mpi("run", "true");
    assert.deepEqual([code, stdout], [125, ""]);
    assert.match(stderr, refusal("/run/mpi", "/run/mpi"));
    await onMaster("rm /run/mpi/jobs/fill");
    await expectOk(mpi("run", "true"));
    const id = await start(SLEEP);
    await shows(id, "here");
    await expectOk(mpi("jobs", "cancel", "--force", id));
  });

  await t.step("a worker that goes meanwhile costs no node but itself its place in the list", async () => {
    const listed = async () => (await expectOk(mpi("hosts", "-q"))).stdout;
    const [master, worker] = [await containerOf(world, "master"), await containerOf(world, "worker-1")];
    await onMaster("head -c 2m /dev/zero >/run/mpi/jobs/fill || :");
    await expectOk(world.docker(["kill", worker]));
    await eventually("the worker is replaced", async () => (await containers(world)).get("worker-1") !== worker, 60);
    for (let i = 0; i < 10; i++) {
      assert.match(await listed(), /^master\n/);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await onMaster("rm /run/mpi/jobs/fill");
    // Until it is written anew, the list is that of before.
    await eventually("both run", async () => (await mpi("run", "true")).code === 0, 30);
    assert.equal(await listed(), "master\nworker-1\n");
    assert.equal(await containerOf(world, "master"), master);
  });
});
