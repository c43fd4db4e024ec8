/** What a program may do that somebody hostile runs on a node. */
import assert from "node:assert/strict";
import { bothNodes, inside } from "../../support/security.ts";
import { expectOk, openWorld } from "../../support/swarm.ts";

/** A permission that there is not, or a thing that is not there at all. */
const DENIED = ["EPERM", "EACCES", "EROFS", "ENOENT"];

Deno.test("a program on a node must have no rights but over its own node", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.cluster(1);
  const { master, worker } = await bothNodes(world);
  const nodes = [["master", master], ["worker-1", worker]] as const;
  const run = async (host: string, ...words: string[]) =>
    (await expectOk(world.docker(["mpi", "run", "--hosts", host, ...words]))).stdout;

  await t.step("no process has root's id, another group or any capability: nor has a rank, nor a session", async () => {
    const status = (path: string) => `awk '/^(Uid|Gid|Groups|Cap...):/ { $1 = $1; print }' ${path} 2>/dev/null`;
    const want = [
      ...["Amb", "Bnd", "Eff", "Inh", "Prm"].map((set) => `Cap${set}: 0000000000000000`),
      "Gid: 1000 1000 1000 1000",
      "Groups: 1000",
      "Uid: 1000 1000 1000 1000",
    ];
    const lines = (text: string) => [...new Set(text.trim().split("\n"))].sort();
    for (const [host, id] of nodes) {
      const processes = `cd /proc; for p in [0-9]*; do ${status("$p/status")}; done`;
      assert.deepEqual(lines(await inside(world, id, processes)), want, `${host}, all processes`);
      assert.deepEqual(lines(await run(host, "sh", "-c", status("/proc/self/status"))), want, `${host}, a rank`);
      const session = ["mpi", "exec", "--host", host, "sh", "-c", status("/proc/self/status")];
      assert.deepEqual(lines((await expectOk(world.docker(session))).stdout), want, `${host}, a session`);
    }
  });

  await t.step(
    "nothing gains rights: all that the first process starts, and with it every rank and session",
    async () => {
      const list = `grep -s NoNewPrivs /proc/[0-9]*/status | while IFS=: read -r file _ set; do
      echo $set $(cat "\${file%status}comm"); done 2>/dev/null | sort -u`;
      for (const [host] of nodes) {
        const found = (await run(host, "sh", "-c", list)).trim().split("\n");
        assert.ok(found.includes(host === "master" ? "1 mpi_agent" : "1 sshd"), `${host}: ${found}`);
        // The engine starts these two by itself, and stack files have no setting for it that the swarm takes.
        const free = found.filter((line) => line.startsWith("0 "));
        assert.deepEqual(free.filter((line) => !["0 docker-init", "0 mpi_health"].includes(line)), [], host);
      }
      const session = await expectOk(world.docker(["mpi", "login"], { stdin: "grep NoNewPrivs /proc/self/status\n" }));
      assert.equal(session.stdout, "NoNewPrivs:\t1\n");
    },
  );

  await t.step("system calls are filtered, where the engine does so by default", async () => {
    const { stdout } = await expectOk(world.docker(["info", "--format", "{{json .SecurityOptions}}"]));
    const mode = stdout.includes("name=seccomp") ? "2" : "0";
    for (const [host] of nodes) {
      assert.equal(await run(host, "grep", "^Seccomp:", "/proc/self/status"), `Seccomp:\t${mode}\n`);
    }
  });

  await t.step("each node has namespaces of its own, and sees its own processes alone", async () => {
    const kinds = ["ipc", "mnt", "net", "pid", "uts"];
    const own = (id: string) => inside(world, id, `cd /proc/1/ns; readlink ${kinds.join(" ")}`);
    const all = [await own(master), await own(worker)].flatMap((text) => text.trim().split("\n"));
    assert.equal(new Set(all).size, 2 * kinds.length, `${all}`);
    for (const [host, id] of nodes) {
      const names = await run(
        host,
        "sh",
        "-c",
        "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep ^MPI_ROLE=",
      );
      assert.deepEqual([...new Set(names.trim().split("\n"))], [`MPI_ROLE=${host.replace("-1", "")}`], id);
    }
  });

  await t.step("Docker gave it nothing of the host: no folder, no device, no namespace, no capability", async () => {
    for (const [host, id] of nodes) {
      const [{ HostConfig, Mounts }] = JSON.parse((await expectOk(world.docker(["inspect", id]))).stdout);
      assert.deepEqual(Mounts.map(({ Type, Destination }: Record<string, string>) => `${Type} ${Destination}`), [
        "tmpfs /dev/shm",
      ], host);
      const { Privileged, CapAdd, CapDrop, Binds, Devices, PidMode, UTSMode, UsernsMode, SecurityOpt } = HostConfig;
      const empty = [CapAdd, Binds, Devices, SecurityOpt].map((list) => list ?? []);
      assert.deepEqual({ Privileged, CapDrop, empty, modes: [PidMode, UTSMode, UsernsMode] }, {
        Privileged: false,
        CapDrop: ["ALL"],
        empty: [[], [], [], []],
        modes: ["", "", ""],
      }, host);
    }
  });

  await t.step("what it tries is denied, on either node", async () => {
    for (const [host] of nodes) {
      const attempts = (await run(host, "./mpi_probe_rights")).trim().split("\n").map((line) => line.split(": "));
      const succeeded = attempts.filter(([, result = ""]) => !DENIED.includes(result)).map((words) => words.join(": "));
      assert.deepEqual(succeeded, ["make a file in /tmp: done"], host);
      assert.ok(attempts.length > 30, `${attempts.length} attempts`);
    }
  });

  await t.step("it writes to its own places alone", async () => {
    for (const [host] of nodes) {
      const find =
        "find / -xdev \\( -type d -o -type f \\) -writable 2>/dev/null | grep -v '^/project/\\|^/run/mpi/' | sort";
      const places = (await run(host, "sh", "-c", find)).trim().split("\n");
      assert.deepEqual(places, ["/project", "/run/lock", "/run/mpi", "/tmp", "/var/lib/mpi/jobs", "/var/tmp"], host);
    }
  });

  await t.step("it does not reach the engine: no socket, no port", async () => {
    const addresses = hostAddresses();
    assert.ok(addresses.length >= 2, `${addresses}`);
    const targets = addresses.flatMap((address) => [2375, 2376].map((port) => `${address}/${port}`));
    // What is mounted is, to find, what it is mounted on.
    const script = `while read -r _ _ _ _ place _; do [[ -S $place ]] && echo "$place"; done </proc/self/mountinfo
      find / -type s 2>/dev/null | grep -v '^/run/mpi/mux/'
      for target in /dev/tcp/${addresses[0]}/2222 ${targets.map((target) => `/dev/tcp/${target}`).join(" ")}; do
        (exec 3<>$target) 2>/dev/null && echo "$target answers"
      done`;
    for (const [host] of nodes) {
      // The first is the control: the master's own port on the same address.
      assert.equal(
        await run(host, "timeout", "60", "bash", "-c", `${script}; :`),
        `/dev/tcp/${addresses[0]}/2222 answers\n`,
      );
    }
  });
});

/** The addresses of the engine's host, as far as this machine has them: those of bridges among them. */
function hostAddresses(): string[] {
  return Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv4" && !address.startsWith("127."))
    .map(({ address }) => address);
}
