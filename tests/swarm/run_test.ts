import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { sample } from "../support/property.ts";
import { jobProcesses } from "../support/nodes.ts";
import { type Ended, expectOk, IMPLEMENTATIONS, openWorld, type RunOptions } from "../support/swarm.ts";

const sha1 = (bytes: Uint8Array | string) => createHash("sha1").update(bytes).digest("hex");

/** Bytes that no two places have alike. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0, word = 1; index < words.length; index++) {
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + index;
    words[index] = word;
  }
  return new Uint8Array(words.buffer).subarray(0, length);
}

for (const mpi of IMPLEMENTATIONS) {
  Deno.test(`a program must run as if it were local: ${mpi}`, async (t) => {
    await using world = await openWorld({ mpi });
    await using _cluster = await world.shared(2);
    const run = (...args: string[]): Promise<Ended> => world.docker(["mpi", "run", ...args]);
    const feed = (options: RunOptions, ...args: string[]) => world.docker(["mpi", "run", ...args], options);
    const shell = (script: string, ...flags: string[]) => run(...flags, "sh", "-c", script);

    await t.step("standard output arrives byte for byte, apart from standard error", async () => {
      const script = "cat mpi_probe; head -c 10000000 mpi_probe mpi_probe /dev/zero; printf end; printf 'err\\nor' >&2";
      const args = ["mpi", "run", "-n", "1", "--hosts", "worker-1", "sh", "-c", script];
      const remote = await world.spawn(args).output();
      const local = await world.spawn(["run", "--rm", world.image, "sh", "-c", script]).output();
      assert.equal(remote.code, 0);
      assert.equal(remote.stdout.length, local.stdout.length);
      assert.equal(sha1(remote.stdout), sha1(local.stdout));
      assert.equal(new TextDecoder().decode(remote.stderr), "err\nor");
    });

    await t.step("the lines of a rank keep their order", async () => {
      const { stdout } = await expectOk(shell("for i in $(seq 300); do echo $MPI_RANK $i; done"));
      for (const rank of ["0", "1", "2"]) {
        const lines = stdout.trim().split("\n").map((line) => line.split(" ")).filter(([first]) => first === rank);
        assert.deepEqual(
          lines.map(([, number]) => Number(number)),
          Array.from({ length: 300 }, (_, index) => index + 1),
        );
      }
    });

    await t.step("its status is that of the first rank that failed, and the message names it", async () => {
      const ends = (at: number, what: string) => `[ $MPI_RANK = ${at} ] || exit 0; ${what}`;
      const cases: [string, number, RegExp][] = [
        ["exit 0", 0, /^$/],
        [ends(1, "exit 3"), 3, /^docker mpi run: Rank 1 on worker-1 ended with status 3\n$/],
        [ends(0, "exit 255"), 255, /^docker mpi run: Rank 0 on master ended with status 255\n$/],
        [ends(2, "kill -SEGV $$"), 139, /^docker mpi run: Rank 2 on worker-2 was ended by signal 11 \(SEGV\)\n$/],
        [ends(2, "kill -KILL $$"), 137, /^docker mpi run: Rank 2 on worker-2 was ended by signal 9 \(KILL\)\n$/],
        ["case $MPI_RANK in 1) exit 5;; 2) sleep 1; exit 6;; esac", 5, /Rank 1 on worker-1 ended with status 5\n$/],
      ];
      for (const [script, status, message] of cases) {
        const { code, stdout, stderr } = await shell(script);
        assert.deepEqual([code, stdout], [status, ""], script);
        assert.match(stderr, message, script);
      }
      const aborted = await run("./mpi_probe", "abort", "1", "7");
      assert.equal(aborted.code, 7);
      assert.match(aborted.stderr, /docker mpi run: Rank 1 on worker-1 called MPI_Abort, status 7\n$/);
    });

    await t.step("an old log that it prints says nothing of its end", async () => {
      const text = "Abort(5) on node 1 (rank 1 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 5)";
      assert.deepEqual(await shell(`echo "${text}" >&2`, "-n", "1"), { code: 0, stdout: "", stderr: `${text}\n` });
    });

    await t.step("what it leaves in the background ends with it", async () => {
      const script = "trap '' TERM; sleep 600 & setsid sleep 601 </dev/null >/dev/null 2>&1 & sleep 0.1; echo over";
      assert.deepEqual(await shell(script), { code: 0, stdout: "over\n".repeat(3), stderr: "" });
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step(
      "one that is not there is 127, one that can't be executed 126, and the remedy works as it stands",
      async () => {
        const missing = await run("./mpi_prob");
        assert.equal(missing.code, 127);
        assert.match(
          missing.stderr,
          /^docker mpi run: Program "\.\/mpi_prob" does not exist in \/project on the master\nhint: .*\n$/,
        );
        const unnamed = await run("mpi_hello_world");
        assert.equal(unnamed.code, 127);
        const remedy = /hint: docker (mpi run \S+)/.exec(unnamed.stderr)?.[1]?.split(" ") ?? [];
        await expectOk(world.docker(remedy));
        const plain = await run("./mpi_probe.c");
        assert.equal(plain.code, 126);
        const why = /hint: docker (mpi exec .*?) {2}#/.exec(plain.stderr)?.[1]?.split(" ") ?? [];
        assert.match((await expectOk(world.docker(why))).stdout, /-rw-r--r-- .* \.\/mpi_probe\.c/);
      },
    );

    await t.step("its arguments arrive byte for byte, also those that look like ours", async () => {
      const plain = [
        "a b",
        "it's",
        '"',
        "\n",
        "$HOME",
        "`id`",
        "*",
        "",
        "ü€",
        "\\n\\",
        "-n",
        "7",
        "--name",
        "x",
        "--help",
      ];
      const [word] = sample(fc.string({ unit: fc.constantFrom(..."'\"\\ $\n*`~#!;&|<>(){}[]é€"), minLength: 3 }), 1);
      const long = ["x", "'", '"', "\\", "$(id)", word!].map((text) => text.repeat(100_000 / text.length));
      const generated = sample(fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\0\ufffd]/g, "")), 2000);
      for (const args of [plain, ...long.map((text) => [text]), generated]) {
        const words = ["sh", "-c", 'printf "%s\\0" "$@"', "sh", ...args];
        const { stdout } = await expectOk(run("-n", "1", "--hosts", "worker-2", ...words));
        assert.deepEqual(stdout.split("\0").slice(0, -1), args);
      }
    });

    await t.step("--input's file reaches rank 0, on another node than the master, and no other rank", async () => {
      const bytes = noise(3_000_000);
      await Deno.writeFile(`${world.project}/input`, bytes);
      const sums = shell(
        "sha1sum | cut -c-40",
        "-n",
        "2",
        "--hosts",
        "worker-1,worker-2",
        "--label",
        "--input",
        "input",
      );
      assert.deepEqual((await expectOk(sums)).stdout.trim().split("\n").sort(), [
        `0: ${sha1(bytes)}`,
        `1: ${sha1("")}`,
      ]);
    });

    await t.step("variables, directory, nodes and ranks are as the flags say", async () => {
      const values = { A: "x  \"y\" $HOME 'z' =1", B: "", C: "two\nlines" };
      const flags = Object.entries(values).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
      const seen = await expectOk(shell('printf "%s\\0" "$A" "$B" "$C"', "-n", "1", "--hosts", "worker-1", ...flags));
      assert.deepEqual(seen.stdout.split("\0").slice(0, -1), Object.values(values));
      const where = await expectOk(
        shell("echo $MPI_RANK $(hostname) $(pwd)", "-w", "/usr/bin", "--hosts", "worker-2,master"),
      );
      assert.deepEqual(where.stdout.trim().split("\n").sort(), ["0 worker-2 /usr/bin", "1 master /usr/bin"]);
      const packed = await expectOk(shell("echo $MPI_RANK $(hostname)", "-n", "4", "--ppn", "2"));
      const want = ["0 master", "1 master", "2 worker-1", "3 worker-1"];
      assert.deepEqual(packed.stdout.trim().split("\n").sort(), want);
      const wrong = await run("--hosts", "worker-9", "true");
      assert.equal(wrong.code, 125);
      assert.match(
        wrong.stderr,
        /^docker mpi run: No node "worker-9": there are master, worker-1, worker-2\nhint: docker mpi hosts\n$/,
      );
    });

    await t.step("the value of a variable is in no argument list, which everybody on a host can read", async () => {
      const seen = await expectOk(
        shell("cat /proc/[0-9]*/cmdline 2>/dev/null; true", "-n", "2", "-e", "TOKEN=hush-hush"),
      );
      assert.match(seen.stdout, /mpi_rank/);
      for (const form of ["hush-hush", new TextEncoder().encode("hush-hush").toHex()]) {
        assert.ok(!seen.stdout.includes(form), form);
      }
    });

    await t.step("its hints are about the cluster and the engine that were named", async () => {
      const flags = ["--log-level", "error", "mpi", "run", "--cluster", "mpitest"];
      assert.deepEqual(await world.docker([...flags, "./no such"]), {
        code: 127,
        stdout: "",
        stderr: 'docker mpi run: Program "./no such" does not exist in /project on the master\n' +
          `hint: docker --log-level error mpi exec --cluster mpitest ls -l /project  # shows what is there; ` +
          `docker --log-level error mpi deploy --cluster mpitest --build brings what changed\n`,
      });
    });

    await t.step(
      "what Linux would not start is refused in words, and a variable may be as long as it allows",
      async () => {
        const path = `${world.project}/variables`;
        const withLengths = async (...lengths: number[]) => {
          await Deno.writeTextFile(path, lengths.map((length, i) => `V${i}=${"x".repeat(length - 3)}\n`).join(""));
          return await run("--env-file", path, "-n", "1", "--hosts", "worker-1", "sh", "-c", 'echo "${#V0}"');
        };
        const refused = (text: string) => ({
          code: 125,
          stdout: "",
          stderr: `docker mpi run: ${text} can be passed\nhint: docker mpi cp FILE .  # brings it in a file\n`,
        });
        assert.equal((await expectOk(withLengths(131_071))).stdout, "131068\n");
        assert.deepEqual(await withLengths(131_072), refused("Variable V0 has 131072 bytes, at most 131071"));
        const many = await withLengths(...Array(9).fill(100_000));
        const bytes = 9 * 100_000 + "sh -c ".length + 'echo "${#V0}" '.length + 8;
        assert.deepEqual(many, refused(`The program's arguments and variables have ${bytes} bytes, at most 900000`));
        await Deno.remove(path);
      },
    );

    await t.step("more ranks than slots run, and one line says so", async () => {
      const { stdout, stderr } = await expectOk(run("-n", "5", "./mpi_hello_world"));
      assert.match(stdout, /^(Hello from rank \d of 5 on \S+\n){5}$/);
      assert.equal(stderr, "docker mpi run: master has 1 slot for 2 ranks, which share its CPUs and run slower\n");
      assert.equal((await expectOk(run("--ppn", "2", "hostname"))).stdout.trim().split("\n").length, 6);
    });

    await t.step("the launcher takes its own options, and shows what it says to them", async () => {
      const { stdout } = await expectOk(
        shell("grep -c Cpus_allowed_list:[[:space:]]*[0-9]*$ /proc/self/status", "-n", "1", "--bind-to", "core"),
      );
      assert.equal(stdout, "1\n");
      const map = mpi === "mpich" ? "core" : "node";
      const spread = await expectOk(shell("hostname", "-n", "3", "--map-by", map, "--bind-to", "core"));
      assert.deepEqual(spread.stdout.trim().split("\n").sort(), ["master", "worker-1", "worker-2"]);
      // PRRTE begins with the master wherever it stands; what is read there must not wait elsewhere.
      const read = 'read -r line; [ -z "$line" ] || echo "$MPI_RANK $line"';
      const placed = ["--hosts", "worker-1,master", "--map-by", map, "sh", "-c", read];
      assert.equal((await expectOk(feed({ stdin: "words\n" }, ...placed))).stdout, "0 words\n");
      const [passed, want] = mpi === "mpich" ? ["-env A 'b c'", /^b c\n$/] : ["-x 'A=b c' --display map", /^b c\n$/];
      const shown = await expectOk(shell('echo "$A"', "-n", "1", "--mpi-args", passed));
      assert.match(shown.stdout, want);
      if (mpi === "openmpi") assert.match(shown.stderr, /JOB MAP[^]*Process rank: 0/);
      const wrong = await shell("true", "--mpi-args", "--no-such-option");
      assert.notEqual(wrong.code, 0);
      assert.match(wrong.stderr, /no-such-option[^]*docker mpi run: The launcher failed with status \d+\n$/);
    });

    await t.step(
      "a command over a kept connection has streams and a status; where there is none it is refused",
      async () => {
        const script = `worker=$(tail -n 1 /run/mpi/hosts | cut -d: -f1 | cut -d' ' -f1)
        echo in | mpi_ssh "$worker" "cat; hostname; echo err >&2; exit 7"; echo $?
        mpi_ssh "$worker" "echo \\"it's\\""' two  words'; echo $?
        for command in "mpi_ssh nobody" "mpi_mux /run/mpi/mux/nobody" "mpi_mux -q /run/mpi/mux/nobody" mpi_mux; do
          $command true; echo $?
        done`;
        const { stdout, stderr } = await expectOk(world.docker(["mpi", "exec", "sh", "-c", script]));
        assert.equal(stdout, "in\nworker-2\n7\nit's two words\n0\n255\n255\n255\n255\n");
        assert.equal(
          stderr,
          "err\nmpi_ssh: node nobody is not connected; get_hosts lists those that are\n" +
            "mpi_mux: cannot connect to /run/mpi/mux/nobody: No such file or directory\n" +
            "mpi_mux: usage: mpi_mux [-q] SOCKET COMMAND\n",
        );
      },
    );

    await t.step("mpirun by hand needs nothing, takes get_hosts' list, and adds no word of its own", async () => {
      const option = mpi === "mpich" ? "-f" : "--hostfile";
      for (const words of ["", "get_hosts > hosts; ", "get_hosts | grep -v :99 > hosts; "]) {
        const file = words === "" ? "" : `${option} hosts`;
        const line = `${words}mpirun ${file} ./mpi_probe ring 100000`;
        const { stdout, stderr } = await expectOk(world.docker(["mpi", "exec", "sh", "-c", line]));
        assert.match(stdout, /^(rank \d of 3: 100000 bytes from rank \d\n){3}$/, line);
        assert.equal(stderr, "", line);
      }
      // PRRTE's launch threads now and then lost the end of a short program, Hydra all of it where the input ended then.
      // Its descriptors have two digits where the caller has some open.
      const open = 'for fd in 3 4 5 6 7 8 9; do eval "exec $fd</dev/null"; done';
      const many = `${open}; for i in $(seq 15); do : | timeout 20 mpirun hostname || exit; done`;
      const { stdout, stderr } = await expectOk(world.docker(["mpi", "exec", "sh", "-c", many]));
      assert.deepEqual([stdout.trim().split("\n").length, stderr], [45, ""]);
    });

    await t.step("a time limit ends it on all nodes, with status 124", async () => {
      const { code, stdout, stderr } = await shell("echo here; sleep 600", "--timeout", "4s");
      assert.deepEqual([code, stdout], [124, "here\nhere\nhere\n"]);
      assert.match(stderr, /docker mpi run: The program did not end within 4 s and was ended\n$/);
      assert.deepEqual(await jobProcesses(world), []);
    });

    await t.step("rank 0 reads all of standard input wherever it runs, the others read its end", async () => {
      const stdin = noise(5_000_000);
      for (const hosts of ["master,worker-1,worker-2", "worker-2,master,worker-1"]) {
        const { stdout } = await expectOk(feed({ stdin }, "--hosts", hosts, "sh", "-c", "echo $MPI_RANK $(sha1sum)"));
        const lines = stdout.trim().split("\n").sort();
        assert.deepEqual(lines, [`0 ${sha1(stdin)} -`, `1 ${sha1("")} -`, `2 ${sha1("")} -`]);
      }
      const lines = await expectOk(feed({ stdin: "one\ntwo" }, "--hosts", "worker-1,master", "cat"));
      assert.equal(lines.stdout, "one\ntwo");
    });

    await t.step("input that is not read, or not to its end, holds nothing up", async () => {
      const stdin = noise(5_000_000);
      await expectOk(feed({ stdin }, "true"));
      await expectOk(feed({ stdin }, "--hosts", "worker-1", "true"));
      const half = "[ $MPI_RANK = 0 ] && head -c 2500000 | sha1sum; exit 0";
      const { stdout } = await expectOk(feed({ stdin }, "--hosts", "worker-2,master", "sh", "-c", half));
      assert.equal(stdout, `${sha1(stdin.subarray(0, 2_500_000))}  -\n`);
      assert.equal((await expectOk(run("cat"))).stdout, "");
      const closed = new Deno.Command("sh", {
        args: ["-c", "exec docker mpi run cat <&-"],
        cwd: world.project,
        env: { DOCKER_CONFIG: world.config },
      });
      assert.equal((await closed.output()).code, 0);
    });

    await t.step("two at a time do not disturb each other", async () => {
      const script = "echo $MPI_JOB; sleep 1";
      const [a, b] = await Promise.all([expectOk(shell(script)), expectOk(shell(script))]);
      const jobs = [a, b].map(({ stdout }) => new Set(stdout.trim().split("\n")));
      assert.deepEqual(jobs.map(({ size }) => size), [1, 1]);
      assert.notDeepEqual(jobs[0], jobs[1]);
    });

    await t.step("it runs from a directory that is no project", async () => {
      const cwd = await Deno.makeTempDir();
      try {
        const { stdout } = await expectOk(world.docker(["mpi", "run", "-n", "1", "hostname"], { cwd }));
        assert.equal(stdout, "master\n");
      } finally {
        await Deno.remove(cwd);
      }
    });
  });
}
