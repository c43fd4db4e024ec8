/** Files on twelve nodes: what is there after a copy, also one that went wrong; and the loop of editing and compiling. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { measured, stopwatch } from "../../support/measured.ts";
import { containers, onNodes } from "../../support/nodes.ts";
import { cleanUp, deploy, project } from "../../support/projects.ts";
import { type Ended, eventually, expectOk, IMAGE, openWorld, type World } from "../../support/swarm.ts";

const WORKERS = 11;
const NODES = WORKERS + 1;

/** Each node has a small file system of its own, to be full. */
const YAML = `name: mpitest
image: ${IMAGE}
workers: ${WORKERS}
volumes: [{ type: tmpfs, target: /small, tmpfs: { size: 4m } }]
`;

/** Some random bytes, a megabyte at a time. */
async function randomFile(path: string, megabytes: number): Promise<string> {
  using file = await Deno.open(path, { write: true, create: true });
  const hash = createHash("sha256");
  for (let at = 0; at < megabytes; at++) {
    const bytes = new Uint8Array(1_000_000);
    for (let part = 0; part < bytes.length; part += 50_000) crypto.getRandomValues(bytes.subarray(part, part + 50_000));
    hash.update(bytes);
    await file.write(bytes);
  }
  return hash.digest("hex");
}

/** What each different answer of the nodes is; one, if all is the same everywhere. */
async function answers(world: World, line: string): Promise<string[]> {
  const found = Object.values(await onNodes(world, line));
  assert.equal(found.length, NODES);
  return [...new Set(found)];
}

/** What a copy that was not whole must not leave. */
const LEFT = "ls -d /project/.docker-mpi-cp.* /small/.docker-mpi-cp.* 2>/dev/null";

Deno.test("files come to every node, and back", async (t) => {
  await using world = await openWorld();
  await using dir = await project(YAML);
  await using _end = cleanUp(world, "mpitest");
  await expectOk(deploy(world, dir.path));
  const cp = (...args: string[]): Promise<Ended> =>
    world.docker(["mpi", "cp", "--progress", "quiet", ...args], { cwd: dir.path, seconds: 180 });
  const at = (path: string) => `${dir.path}/${path}`;
  const quiet = { code: 0, stdout: "", stderr: "" };

  await t.step("names, permissions, times and links of all kinds", async () => {
    const make = `mkdir -p tree/'sub dir'/ro tree/none && cd tree && echo 1 >-rf && echo 2 >"new
line" && echo 3 >'ü 漢' && ln -s '../no where' link && : >empty && chmod 640 empty && echo 4 >'sub dir/ro/ x ' &&
      touch -d '2001-02-03 04:05:06.789' empty none 'sub dir' && chmod 555 'sub dir/ro'`;
    assert.ok((await new Deno.Command("bash", { args: ["-c", make], cwd: dir.path }).output()).success);
    assert.deepEqual(await cp("tree", "."), quiet);
    // How large a folder is, is the file system's own business.
    const list =
      "find tree -type d -printf '%P d %m %TY-%Tm-%TdT%TT\\0' -o -printf '%P %y %m %s %TY-%Tm-%TdT%TT %l\\0' | sed 's/\\(:[0-9.]\\{6\\}\\)[0-9]*/\\1/g' | sort -z | sha256sum";
    const here = await new Deno.Command("sh", { args: ["-c", list], cwd: dir.path }).output();
    assert.deepEqual(await answers(world, `cd /project && ${list}`), [new TextDecoder().decode(here.stdout).trim()]);
    assert.deepEqual(await cp("worker-3:tree", "back"), quiet);
    const diff = await new Deno.Command("diff", { args: ["-r", "--no-dereference", "tree", "back"], cwd: dir.path })
      .output();
    assert.deepEqual([diff.code, new TextDecoder().decode(diff.stdout)], [0, ""]);
  });

  await t.step("back from all, each into its folder", async () => {
    await expectOk(world.docker(["mpi", "exec", "--all", "sh", "-c", "hostname >log.txt"], { cwd: dir.path }));
    assert.deepEqual(await cp("all:log.txt", "logs"), quiet);
    const names = (await Array.fromAsync(Deno.readDir(at("logs")))).map(({ name }) => name).sort();
    assert.equal(names.length, NODES);
    for (const name of names) assert.equal(await Deno.readTextFile(at(`logs/${name}/log.txt`)), `${name}\n`);
  });

  await t.step("to one node, and not to one that isn't there", async () => {
    assert.deepEqual(await cp("tree/-rf", "worker-2:one"), quiet);
    const found = await onNodes(world, "cat /project/one 2>/dev/null");
    assert.deepEqual(Object.entries(found).filter(([, text]) => text !== ""), [["worker-2", "1"]]);
    const { code, stderr } = await cp("tree/-rf", "worker-99:one");
    assert.deepEqual([code, stderr.split("\n").at(-2)], [1, "hint: docker mpi hosts"]);
    assert.match(stderr, /^docker mpi cp: No node "worker-99": there are master, worker-1, /);
  });

  await t.step("a full file system on one node: the others have it, that one as before", async () => {
    await Deno.writeFile(at("two"), new Uint8Array(2_000_000).fill(1));
    await expectOk(
      world.docker([
        "mpi",
        "exec",
        "--host",
        "worker-4",
        "sh",
        "-c",
        "head -c 3M /dev/zero >/small/full; echo old >/small/two",
      ], { cwd: dir.path }),
    );
    assert.deepEqual(await cp("two", "/small"), {
      code: 1,
      stdout: "",
      stderr: "docker mpi cp: Not copied to worker-4: No space left on device\n" +
        "hint: docker mpi exec --host worker-4 df -h  # shows its space\n",
    });
    const sizes = await onNodes(world, `stat -c %s /small/two; ${LEFT}`);
    assert.deepEqual(Object.entries(sizes).filter(([, size]) => size !== "2000000"), [["worker-4", "4"]]);
  });

  await t.step("a destination that is not the same everywhere: nothing is copied", async () => {
    await expectOk(world.docker(["mpi", "exec", "--host", "worker-5", "mkdir", "there"], { cwd: dir.path }));
    const { code, stderr } = await cp("two", "there");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^docker mpi cp: Not copied to worker-5: the destination is a directory, but not on other nodes\n/,
    );
    assert.deepEqual(await answers(world, `ls /project/there 2>/dev/null; ${LEFT}`), [""]);
  });

  await t.step("another digest on one node is found there, and what was there stays", async () => {
    const liar =
      "printf '#!/bin/sh\\n/usr/bin/sha256sum \"$@\" | tr 0 1\\n' >/usr/local/bin/sha256sum; chmod +x /usr/local/bin/sha256sum";
    const worker = (await containers(world)).get("worker-6")!;
    await expectOk(world.docker(["exec", "--user", "0", worker, "sh", "-c", liar]));
    await Deno.writeTextFile(at("one"), "new");
    const { code, stderr } = await cp("one", "one");
    await expectOk(world.docker(["exec", "--user", "0", worker, "rm", "/usr/local/bin/sha256sum"]));
    assert.equal(code, 1);
    assert.match(stderr, /^docker mpi cp: Not copied to worker-6: another SHA-256 digest than what was sent: "one"\n/);
    const found = await onNodes(world, `cat /project/one 2>/dev/null; ${LEFT}`);
    assert.deepEqual(Object.entries(found).filter(([, text]) => text !== "new"), [["worker-6", ""]]);
  });

  await t.step("200 MB and 2,000 small files, against the disk alone", async () => {
    const sum = await randomFile(at("big"), 200);
    await Deno.mkdir(at("small"));
    for (let file = 0; file < 2000; file++) await Deno.writeTextFile(at(`small/${file}`), `${file}\n`.repeat(500));
    const line = "cat big >copy; cp -r small smallcopy";
    await expectOk(cp("big", "small", "master:"));
    await expectOk(world.docker(["mpi", "exec", "rm", "-r", "big", "small"], { cwd: dir.path }));
    const time = stopwatch();
    await expectOk(cp("big", "small", "."));
    const taken = time();
    measured(`200 MB and 2,000 small files come to ${NODES} nodes`, taken);
    assert.deepEqual(await answers(world, "cd /project && sha256sum <big; cat small/* | sha256sum; ls small | wc -l"), [
      `${sum}  -\n${
        createHash("sha256").update(
          Array.from({ length: 2000 }, (_, n) => `${n}`).sort().map((n) => `${n}\n`.repeat(500)).join(""),
        ).digest("hex")
      }  -\n2000`,
    ]);
    const disk = stopwatch();
    await expectOk(world.docker(["mpi", "exec", "--all", "sh", "-c", line], { cwd: dir.path, seconds: 180 }));
    measured(`… the same nodes copy the same within themselves`, disk());
  });

  await t.step("Ctrl-C in the middle leaves nothing half", async () => {
    const child = world.spawn(["mpi", "cp", "--progress", "plain", "big", "again"], { cwd: dir.path });
    const output = child.output();
    await eventually("it is under way", async () => /docker-mpi-cp/.test((await answers(world, LEFT)).join()));
    child.kill("SIGINT");
    const { code, stderr } = await output;
    assert.deepEqual([code, /docker mpi cp: Cancelled\n$/.test(new TextDecoder().decode(stderr))], [130, true]);
    await eventually(
      "nothing is left",
      async () => (await answers(world, `${LEFT}; ls /project/again 2>/dev/null`)).join() === "",
    );
  });

  await t.step("a worker that is killed in the middle is told; the others have it", async () => {
    const copy = cp("big", "again");
    await eventually("it is under way", async () => /docker-mpi-cp/.test((await answers(world, LEFT)).join()));
    await expectOk(world.docker(["kill", (await containers(world)).get("worker-7")!]));
    const { code, stderr } = await copy;
    assert.equal(code, 1);
    assert.match(stderr, /^docker mpi cp: Not copied to worker-7: lost during the copy\n/);
    const found = await onNodes(world, `stat -c %s /project/again 2>/dev/null; ${LEFT}`);
    delete found["worker-7"]; // another container by now
    assert.deepEqual([...new Set(Object.values(found))], ["200000000"]);
  });
});

Deno.test("edit, compile and run need no image", async (t) => {
  await using world = await openWorld();
  await using cluster = await world.cluster(3);
  const mpi = (...args: string[]) => world.docker(["mpi", ...args], { env: { MPI_CLUSTER: cluster.name } });
  const source = `${world.project}/project/mpi_hello_world.c`;
  const build = ["--sync", "--build", "mpicc -O2 -o mpi_hello_world mpi_hello_world.c"];
  const said = (word: string) => Array.from({ length: 4 }, (_, rank) => `${word} from rank ${rank}`).join("\n");
  const ranks = ({ stdout }: Ended) =>
    stdout.trim().split("\n").map((line) => line.replace(/ of .*/, "")).sort().join("\n");

  await t.step("what was edited runs on every rank", async () => {
    await Deno.writeTextFile(source, (await Deno.readTextFile(source)).replace("Hello", "Servus"));
    assert.equal(ranks(await expectOk(mpi("run", ...build, "./mpi_hello_world"))), said("Servus"));
    assert.equal(ranks(await expectOk(mpi("run", "./mpi_hello_world"))), said("Servus"));
  });

  await t.step("what .dockerignore names stays here; nothing is deleted there", async () => {
    await Deno.writeTextFile(`${world.project}/.dockerignore`, "project/*.dat\n");
    await Deno.writeTextFile(`${world.project}/project/a.dat`, "");
    await Deno.writeTextFile(`${world.project}/project/b.txt`, "");
    assert.deepEqual(await mpi("sync", "--progress", "quiet"), { code: 0, stdout: "", stderr: "" });
    await Deno.remove(`${world.project}/project/b.txt`);
    assert.deepEqual(await mpi("sync", "--progress", "quiet"), { code: 0, stdout: "", stderr: "" });
    const found = await onNodes(world, "cd /project; ls *.dat *.txt 2>/dev/null");
    assert.deepEqual([...new Set(Object.values(found))], ["b.txt"]);
  });

  await t.step("a worker that was replaced gets what was built before", async () => {
    const worker = (await containers(world)).get("worker-2")!;
    await expectOk(world.docker(["kill", worker]));
    await eventually("it is back", async () => {
      const { stdout } = await mpi("hosts", "-q");
      const now = (await containers(world)).get("worker-2");
      return now !== undefined && now !== worker && stdout.split("\n").length === 5;
    }, 60);
    assert.equal(ranks(await expectOk(mpi("run", "--sync", "--build", "true", "./mpi_hello_world"))), said("Servus"));
  });

  await t.step("a build that fails ends the run with its status", async () => {
    assert.deepEqual(await mpi("run", "--sync", "--build", "echo wrong; exit 7", "hostname"), {
      code: 7,
      stdout: "",
      stderr: "wrong\nThe build on the master ended with status 7: echo wrong; exit 7\n",
    });
  });

  await t.step("what a failed build made comes with the next one that goes well", async () => {
    const half = "test -e half || { echo made >half; exit 7; }";
    assert.equal((await mpi("sync", "--progress", "quiet", "--build", half)).code, 7);
    await expectOk(mpi("sync", "--progress", "quiet", "--build", half));
    assert.deepEqual(Object.values(await onNodes(world, "cat /project/half")), Array(4).fill("made"));
  });
});
