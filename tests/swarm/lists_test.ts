/** What shows a cluster: `ls`, `ps`, `hosts`, `logs`; and `exec` and `scale`, which they agree with. */
import assert from "node:assert/strict";
import { nodeNames } from "../support/nodes.ts";
import { expectOk, IMAGE, openWorld } from "../support/swarm.ts";
import { KEYS, openTerminal } from "../support/terminal.ts";

/** Words that a careless shell would change, in each of the ways there are. */
const WORDS = [
  "a  b",
  "it's",
  '"q"',
  "$HOME",
  "`id`",
  "*",
  "~",
  "",
  "-n",
  "\\n",
  ";",
  "&",
  "#",
  "a\nb",
  "\ttab",
  "Grüße 🚀",
];

Deno.test("the lists must show a cluster, and exec reach its nodes", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.shared(2);
  const docker = (...args: string[]) => world.docker(["mpi", ...args]);
  /** What a command that succeeds prints; it has nothing to say on standard error. */
  const shown = async (...args: string[]) => {
    const { stdout, stderr } = await expectOk(docker(...args));
    assert.equal(stderr, "");
    return stdout;
  };
  const json = async (...args: string[]) =>
    (await shown(...args, "--format", "json")).trim().split("\n").map((line) => JSON.parse(line));
  const host = (await world.docker(["node", "ls", "--format", "{{.Hostname}}"])).stdout.trim();

  await t.step("ls: a table, JSON lines, names", async () => {
    const header = "NAME      MASTER    WORKERS   SLOTS   PORT   IMAGE\n";
    assert.equal(await shown("ls"), `${header}mpitest   running   2/2       1       2222   ${IMAGE}\n`);
    const [{ CreatedAt, ...rest }, ...others] = await json("ls");
    const expected = { Name: "mpitest", Master: "running", Workers: "2/2", Slots: "1", Port: "2222", Image: IMAGE };
    assert.deepEqual(rest, expected);
    assert.deepEqual(others, []);
    assert.ok(Date.parse(CreatedAt) <= Date.now());
    assert.equal(await shown("ls", "-q"), "mpitest\n");
    assert.equal(await shown("ls", "--filter", "name=other", "-q"), "");
  });

  await t.step("Docker completes clusters, nodes and values", async () => {
    const completed = async (...words: string[]) =>
      (await expectOk(world.docker(["__complete", "mpi", ...words]))).stdout;
    assert.equal(await completed("ps", ""), "mpitest\n:4\n");
    assert.equal(await completed("exec", "--cluster", "mpitest", "--host", "w"), "worker-1\nworker-2\n:4\n");
    assert.equal(await completed("exec", "--cluster", "other", "--host", "w"), ":4\n");
    assert.equal(await completed("deploy", "--network", ""), "overlay\nhost\n:4\n");
  });

  await t.step("ps: the nodes with their state, and the containers that docker has", async () => {
    const [header, ...lines] = (await shown("ps")).trimEnd().split("\n");
    assert.match(header ?? "", /^NAME +STATE +HOST +SINCE +ERROR$/);
    assert.deepEqual(lines.map((line) => line.split(/ +/).slice(0, 3).join(" ")), [
      `master running ${host}`,
      `worker-1 running ${host}`,
      `worker-2 running ${host}`,
    ]);
    const running = await shown("ps", "--filter", "name=worker-2", "-f", "name=master", "--format", "{{.Name}}");
    assert.equal(running, "master\nworker-2\n");
    const label = "label=com.docker.stack.namespace=mpitest";
    const { stdout } = await world.docker(["ps", "--filter", label, "--format", "{{.ID}}"]);
    assert.deepEqual((await shown("ps", "-q")).split("\n").sort(), stdout.split("\n").sort());
    assert.deepEqual((await json("ps")).map(({ Name, State, Error }) => [Name, State, Error]), [
      ["master", "running", ""],
      ["worker-1", "running", ""],
      ["worker-2", "running", ""],
    ]);
  });

  await t.step("hosts: the nodes that answer, with the addresses that they have", async () => {
    assert.equal(await shown("hosts", "-q"), "master\nworker-1\nworker-2\n");
    const hosts = await json("hosts");
    assert.deepEqual(hosts.map(({ Address: _, ...rest }) => rest), [
      { Name: "master", Slots: 1, Host: host },
      { Name: "worker-1", Slots: 1, Host: host },
      { Name: "worker-2", Slots: 1, Host: host },
    ]);
    for (const { Name, Address } of hosts) {
      assert.ok((await shown("exec", "--host", Name, "hostname", "-I")).split(/\s/).includes(Address));
    }
    assert.match(
      await shown("hosts"),
      /^NAME +ADDRESS +SLOTS +HOST\nmaster +10\.\S+ +1 +\S+\nworker-1 .*\nworker-2 .*\n$/,
    );
  });

  await t.step("status: whole, for people, for programs, and by a template", async () => {
    const text = await shown("status");
    assert.match(text, /^Cluster {4}mpitest\nState {6}whole: 3 of 3 nodes answer\nSlots {6}3\n/);
    const [{ Nodes, Problems, Healthy }] = await json("status");
    assert.deepEqual([Healthy, Problems], [true, []]);
    assert.deepEqual(Nodes.map(({ Name, Answers }: { Name: string; Answers: boolean }) => [Name, Answers]), [
      ["master", true],
      ["worker-1", true],
      ["worker-2", true],
    ]);
    assert.equal(await shown("status", "--format", "{{.Answering}}/{{.Wanted}} {{upper .Name}}"), "3/3 MPITEST\n");
  });

  await t.step("doctor: each part is looked at, and all of it works", async () => {
    const found = await json("doctor");
    const checks = ["Engine", "Swarm", "Hosts", "Port", "Image", "Master", "Version", "Nodes", "Traffic"];
    assert.deepEqual(found.map(({ Check }) => Check), [...checks, "MTU", "Slots", "Disk", "Launch"]);
    const bad = found.filter(({ Verdict, Check }) => Verdict !== "ok" && Check !== "Slots" && Check !== "Image");
    assert.deepEqual(bad, []);
    assert.equal(found.find(({ Check }) => Check === "Launch").Finding, "mpirun starts a rank on every slot");
  });

  await t.step("inspect: the services, nodes and networks that Docker has", async () => {
    const [{ Services, Nodes, Networks }] = JSON.parse(await shown("inspect"));
    const ids = (list: { Id: string }[]) => list.map(({ Id }) => Id).sort();
    for (const [kind, list] of [["network", Networks], ["service", Services]]) {
      const ls = world.docker([kind, "ls", "--quiet", "--filter", "label=docker-mpi.cluster=mpitest"]);
      const short = (await expectOk(ls)).stdout.trim().split("\n").map((id) => id.slice(0, 12)).sort();
      assert.deepEqual(ids(list).map((id) => id.slice(0, 12)), short, kind);
    }
    assert.deepEqual(Nodes.map(({ Name }: { Name: string }) => Name), nodeNames(2));
    assert.equal(await shown("inspect", "-f", "{{.Name}} {{.Workers}}", "mpitest"), "mpitest 2\n");
  });

  await t.step("logs: each line with its node, the last ones, and on until interrupted", async () => {
    const logs = await shown("logs");
    assert.match(logs, /^master {3}\| mpi_agent: worker-2 \(10\.\S+\) is up$/m);
    assert.match(logs, /^worker-2 \| Server listening on 10\.\S+ port 2222\.$/m);
    for (const line of logs.trimEnd().split("\n")) assert.match(line, /^(master {2}|worker-[12]) \| /);
    const bare = (await shown("logs", "--no-log-prefix")).split("\n");
    assert.ok(bare.some((line) => /^Server listening on 10\.\S+ port 2222\.$/.test(line)), bare.join("\n"));
    const tail = (await shown("logs", "--tail", "1")).trimEnd().split("\n");
    // One that was replaced has a last line too.
    assert.deepEqual([...new Set(tail.map((line) => line.split(" ")[0]))].sort(), ["master", "worker-1", "worker-2"]);

    const env = { DOCKER_CONFIG: world.config };
    await using session = await openTerminal("exec docker mpi logs --follow --tail 0 mpitest", { env });
    // What was written before docker follows is not shown, so others log in until one is.
    let over = false;
    const logins = (async () => {
      while (!over) await shown("exec", "true");
    })();
    const shows = session.shows(/master {3}\| Accepted publickey for mpi /).finally(() => over = true);
    await Promise.all([shows, logins]);
    await session.type(KEYS.ctrlC);
    assert.equal(await session.end(), 130);
  });

  await t.step("exec: the master, a node, all nodes with their names, the first status that isn't 0", async () => {
    assert.equal(await shown("exec", "hostname"), "master\n");
    assert.equal(await shown("exec", "--host", "worker-2", "hostname"), "worker-2\n");
    const script = "echo out; printf err >&2; case $(hostname) in worker-*) exit 7 ;; esac";
    const { code, stdout, stderr } = await docker("exec", "--all", "sh", "-c", script);
    const prefixes = ["master  ", "worker-1", "worker-2"];
    assert.deepEqual(stdout.split("\n").sort(), ["", ...prefixes.map((prefix) => `${prefix} | out`)]);
    assert.deepEqual(stderr.split("\n").sort(), ["", ...prefixes.map((prefix) => `${prefix} | err`)]);
    assert.equal(code, 7);
  });

  await t.step("exec: every byte of the arguments, standard input, no program", async () => {
    for (const node of ["master", "worker-1"]) {
      assert.equal(
        await shown("exec", "--host", node, "printf", "<%s>", ...WORDS),
        WORDS.map((word) => `<${word}>`).join(""),
      );
      const sum = await world.docker(["mpi", "exec", "--host", node, "wc", "-c"], { stdin: "x".repeat(200_000) });
      assert.deepEqual(sum, { code: 0, stdout: "200000\n", stderr: "" });
      const said = (name: string, what: string) => `docker mpi exec: Program "${name}" ${what}\n`;
      for (
        const [name, code, text] of [
          ["nix", 127, said("nix", `is not in PATH on ${node}`)],
          ["./nix", 127, said("./nix", `does not exist on ${node}`)],
          ["./mpi_hello_world.c", 126, said("./mpi_hello_world.c", `on ${node} is not an executable file`)],
        ] as const
      ) {
        assert.deepEqual(await docker("exec", "--host", node, name), { code, stdout: "", stderr: text });
      }
    }
    assert.deepEqual(await docker("exec", "--host", "worker-3", "true"), {
      code: 125,
      stdout: "",
      stderr: 'docker mpi exec: No node "worker-3": there are master, worker-1, worker-2\nhint: docker mpi hosts\n',
    });
  });

  await t.step("scale: up, down to no worker, and what stays is not restarted", async () => {
    const [master] = (await json("ps")).map(({ Task }) => Task);
    for (
      const [workers, answer] of [[3, "4 nodes, 4 slots"], [0, "1 node, 1 slot"], [1, "2 nodes, 2 slots"]] as const
    ) {
      const { stdout } = await expectOk(docker("scale", `${workers}`));
      assert.equal(stdout, `Cluster "mpitest" answers: ${answer}\n`);
      const names = nodeNames(workers);
      assert.equal(await shown("hosts", "-q"), names.map((name) => `${name}\n`).join(""));
      const run = await shown("run", "./mpi_hello_world");
      assert.deepEqual(
        run.trim().split("\n").sort(),
        names.map((name, rank) => `Hello from rank ${rank} of ${names.length} on ${name}`),
      );
      assert.equal((await json("ls"))[0].Workers, `${workers}/${workers}`);
      assert.equal((await json("ps"))[0].Task, master);
    }
  });
});
