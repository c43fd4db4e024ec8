/** Commands that show clusters and their nodes: exactly what they print, and their status; the world is in this process. */
import assert from "node:assert/strict";
import { commandWorld } from "../support/command_world.ts";
import { takeTimers } from "../support/fake_clock.ts";
import { end } from "../support/fake_master.ts";
import { aNode, aService, aTask, MANAGER } from "../support/fakes.ts";

Deno.test("ls shows the clusters, as a table, as JSON, by name", async () => {
  await using world = await commandWorld();
  const { port } = world.master.target;
  assert.deepEqual(await world.mpi("ls"), {
    code: 0,
    out:
      `NAME    MASTER    WORKERS   SLOTS   PORT    IMAGE\nhello   running   2/2       1       ${port}   hello:latest\n`,
    err: "",
  });
  world.swarm.addCluster("cfd", 2);
  world.swarm.tasks.at(-1)!.state = "starting";
  world.swarm.tasks = world.swarm.tasks.filter(({ serviceId }) => serviceId !== "cfd-master");
  world.swarm.services.push(aService("half", "master"));
  assert.deepEqual(await world.mpi("ls -q"), { code: 0, out: "cfd\nhello\n", err: "" });
  const json = (await world.mpi("ls --format json")).out.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(json[0], {
    Name: "cfd",
    Master: "down",
    Workers: "1/2",
    Slots: "1",
    Port: "2222",
    Image: "cfd:latest",
    CreatedAt: "2026-01-01T00:00:00Z",
  });
});

Deno.test("ls of a swarm without clusters shows the heading alone", async () => {
  await using world = await commandWorld();
  world.swarm.services = [];
  assert.deepEqual(await world.mpi("ls"), {
    code: 0,
    out: "NAME   MASTER   WORKERS   SLOTS   PORT   IMAGE\n",
    err: "",
  });
  assert.deepEqual(await world.mpi("ls -q"), { code: 0, out: "", err: "" });
});

Deno.test("ps shows every node, and cuts errors unless told not to", async () => {
  await using world = await commandWorld();
  const error = "no suitable node (host-mode port already in use on 1 node; insufficient resources on 2 nodes)";
  world.swarm.nodes = [aNode(1), aNode(2)];
  world.swarm.tasks = [
    aTask("hello-master", 1, { since: "2026-01-01T00:00:01.123456789Z" }),
    aTask("hello-worker", 1, { nodeId: "node-2" }),
    aTask("hello-worker", 2, { state: "pending", nodeId: "", containerId: "", error }),
  ];
  const table = (text: string) =>
    [
      "NAME       STATE     HOST     SINCE                  ERROR",
      "master     running   rack-1   2026-01-01T00:00:01Z",
      "worker-1   running   rack-2   2026-01-01T00:00:01Z",
      `worker-2   pending            2026-01-01T00:00:01Z   ${text}`,
      "",
    ].join("\n");
  const lines = (text: string) => text.split("\n").map((line) => line.trimEnd()).join("\n");
  const cut = await world.mpi("ps hello");
  assert.deepEqual({ ...cut, out: lines(cut.out) }, { code: 0, out: table(`${error.slice(0, 59)}…`), err: "" });
  assert.equal(lines((await world.mpi("ps --no-trunc")).out), table(error));
  assert.equal((await world.mpi("ps -q")).out, "container-he\ncontainer-he\n");
});

Deno.test("ps --watch shows the nodes again when one changes, and only then", async () => {
  await using world = await commandWorld();
  const running = world.swarm.tasks;
  world.swarm.tasks = running.map((task, index) => index === 2 ? { ...task, state: "starting" } : task);
  let [interrupt, looks] = [() => {}, 0];
  using _timers = takeTimers(2000, (look) => {
    looks++;
    if (looks === 2) world.swarm.tasks = running;
    if (looks === 4) interrupt();
    else look();
  });
  const watched = await world.mpi("ps --watch", { during: (add) => void (interrupt = () => add("SIGINT")) });
  const tables = watched.out.split("\n\n").map((table) =>
    [...table.matchAll(/^(\S+) +(running|starting) /gm)].map(([, name, state]) => `${name} ${state}`)
  );
  assert.deepEqual(tables, [
    ["master running", "worker-1 running", "worker-2 starting"],
    ["master running", "worker-1 running", "worker-2 running"],
  ]);
  assert.equal(watched.code, 130);
});

Deno.test("commands that need a cluster say which there are", async () => {
  await using world = await commandWorld();
  assert.deepEqual(await world.mpi("ps helo"), {
    code: 1,
    out: "",
    err: 'docker mpi ps: Cluster "helo" is not deployed; there are: hello\nhint: did you mean "hello"?\n',
  });
  assert.deepEqual(await world.mpi("run --cluster other ./x"), {
    code: 125,
    out: "",
    err:
      'docker mpi run: Cluster "other" is not deployed; there are: hello\nhint: docker mpi ls  # shows the clusters there are\n',
  });
  world.swarm.addCluster("cfd", 1);
  const several = "Several clusters run, and it is not said which is meant: cfd, hello\n" +
    "hint: export MPI_CLUSTER=cfd  # says it, and so does a project's directory\n";
  assert.deepEqual(await world.mpi("hosts"), { code: 125, out: "", err: `docker mpi hosts: ${several}` });
  assert.deepEqual(await world.mpi("run ./x"), { code: 125, out: "", err: `docker mpi run: ${several}` });
  assert.equal((await world.mpi("ps -q", { env: { MPI_CLUSTER: "cfd" } })).code, 0);
  world.swarm.info = { ...MANAGER, swarm: "inactive", manager: false };
  assert.deepEqual(await world.mpi("ls"), {
    code: 1,
    out: "",
    err: "docker mpi ls: The Docker engine is in no swarm\nhint: docker swarm init\n",
  });
});

Deno.test("hosts shows who answers, once or at every change", async () => {
  const list = "master 10.0.1.2 1 rack-1\nworker-1 10.0.1.3 2 rack-2\n";
  await using world = await commandWorld(({ command, stream }) =>
    end(stream, { out: command === "exec mpi_hosts" ? list : `${list.split("\n")[0]}\n.\n${list}.\n` })
  );
  const table = "NAME       ADDRESS    SLOTS   HOST\n" +
    "master     10.0.1.2   1       rack-1\nworker-1   10.0.1.3   2       rack-2\n";
  assert.deepEqual(await world.mpi("hosts"), { code: 0, out: table, err: "" });
  assert.deepEqual(await world.mpi("hosts -q"), { code: 0, out: "master\nworker-1\n", err: "" });
  const [, worker] = (await world.mpi("hosts --format json")).out.split("\n");
  assert.deepEqual(JSON.parse(worker ?? ""), { Name: "worker-1", Address: "10.0.1.3", Slots: 2, Host: "rack-2" });
  const watched = await world.mpi("hosts --watch");
  assert.equal(watched.out.split("\n\n").length, 2, watched.out);
  assert.ok(watched.out.endsWith(table));
  assert.equal((await world.mpi("hosts --watch -q --filter name=master")).out, "master\n", "nothing new is shown once");
});

Deno.test("hosts fails where the master can't list its nodes", async () => {
  await using world = await commandWorld(({ stream }) => end(stream, { err: "no \x1b disk\n", status: 1 }));
  const err = "docker mpi hosts: The master can't list its nodes: no \\u001b disk\n" +
    "hint: docker mpi logs hello  # shows what the master says\n";
  assert.deepEqual(await world.mpi("hosts"), { code: 1, out: "", err });
  assert.deepEqual(await world.mpi("hosts --watch"), { code: 1, out: "", err });
});

Deno.test("logs names the nodes, the master first", async () => {
  await using world = await commandWorld();
  const docker = (args: string) => {
    const service = args.split(" ").at(-1);
    return { lines: [`${service}.1.abc@rack-1    | says ${args.split(" ").slice(0, -1).join(" ")}`] };
  };
  assert.deepEqual(await world.mpi("logs --tail 3 -t --since 42m", { docker }), {
    code: 0,
    out: "master   | says service logs --timestamps --since 42m --no-trunc --tail 3\n" +
      "worker-1 | says service logs --timestamps --since 42m --no-trunc --tail 3\n",
    err: "",
  });
  const failing = (args: string) => {
    const lines = [`${args.split(" ").at(-1)}.1.abc@rack-1    | up`, "no logs"];
    return { code: 1, stderr: lines.join("\n"), lines };
  };
  assert.deepEqual(await world.mpi("logs", { docker: failing }), {
    code: 1,
    out: "master   | up\nworker-1 | up\n",
    err:
      'docker mpi logs: Docker could not show the logs of "hello_master": no logs\nhint: docker service logs hello_master\n',
  });
  assert.equal((await world.mpi("logs --tail few")).code, 125);
});

Deno.test("the shell completes the names of nodes, wherever a command takes one", async () => {
  await using world = await commandWorld();
  const offered = async (line: string) => (await world.mpi(`__complete mpi ${line}`)).out;
  const lines: Record<string, string> = {
    "run --hosts worker-1,w": "worker-1,worker-2\n:4\n",
    "run --hosts=m": "master\n:4\n",
    "exec --host w": "worker-1\nworker-2\n:4\n",
    "cp w": "worker-1:\nworker-2:\n:6\n",
    "cp a w": "worker-1:\nworker-2:\n:6\n",
    "cp a b a": "all:\n:6\n",
    "cp ": ":0\n",
  };
  for (const [line, candidates] of Object.entries(lines)) assert.equal(await offered(line), candidates, line);
  world.swarm.addCluster("cfd", 1);
  assert.equal(await offered("run --cluster cfd --hosts w"), "worker-1\n:4\n");
  assert.equal(await offered("cp --cluster cfd w"), "worker-1:\n:6\n");
});
