/** Commands against an engine and a master in this process: exactly what they print, and their status. */
import assert from "node:assert/strict";
import type { Deps } from "../../cli/deps.ts";
import { splitGlobalFlags } from "../../cli/global_flags.ts";
import { runCli } from "../../cli/main.ts";
import { keyDirectory, writeUserKeys } from "../../stack/keys.ts";
import { fakeWorld, type Outcome } from "../support/cli.ts";
import { end, type FakeMaster, fakeMaster, type Session } from "../support/fake_master.ts";
import {
  aNetwork,
  anImage,
  aNode,
  type Answer,
  aService,
  aTask,
  fakeDocker,
  FakeSwarm,
  MANAGER,
} from "../support/fakes.ts";
import { fakeSwarmApi } from "../support/fake_swarm_api.ts";

interface World extends AsyncDisposable {
  /** The working directory, and Docker's configuration directory. */
  folder: string;
  swarm: FakeSwarm;
  master: FakeMaster;
  /** Runs a command line; `during` may interrupt it. */
  mpi(line: string, options?: Options): Promise<Outcome>;
}

interface Options {
  stdin?: string;
  docker?: (args: string) => Answer | undefined;
  /** The status of a docker command that has our streams. */
  attach?: (args: string) => number;
  /** Whether the engine is on this machine. Default true. */
  local?: boolean;
  env?: Record<string, string>;
  during?: (interrupt: ReturnType<typeof fakeWorld>["interrupt"]) => void;
}

/** A swarm with the running cluster "hello" of two workers, whose master does that. */
async function openWorld(serve: (session: Session) => void | Promise<void> = () => {}): Promise<World> {
  const swarm = new FakeSwarm();
  const master = await fakeMaster(serve);
  const api = await fakeSwarmApi(swarm);
  const folder = await Deno.makeTempDir();
  swarm.addCluster("hello", 2, { master: { "docker-mpi.port": String(master.target.port) } });
  const { privateKey, hostKey } = master.target;
  const keys = { privateKey, publicKey: "ssh-ed25519 AAAA", masterHostKey: hostKey };
  await writeUserKeys(keyDirectory(folder, MANAGER.clusterId, "hello"), "hello", keys);
  return {
    folder,
    swarm,
    master,
    async mpi(line, { stdin = "", docker, attach, local = true, env = {}, during } = {}) {
      const parts: Partial<Deps> = {
        endpoint: async () => ({ ...await api.endpoint(), local }),
        configDir: () => folder,
        cwd: () => folder,
        docker: {
          ...fakeDocker(docker),
          ...(attach === undefined ? {} : { attach: (args) => Promise.resolve(attach(args.join(" "))) }),
        },
        env: (name) => env[name],
      };
      const world = fakeWorld(parts);
      const io = { ...world.deps.io, stdin: { isTerminal: false, readable: new Blob([stdin]).stream(), setRaw() {} } };
      during?.(world.interrupt);
      const code = await runCli(
        splitGlobalFlags([...(line.startsWith("__complete ") ? [] : ["mpi"]), ...line.split(" ")]),
        {
          ...world.deps,
          io,
          get status() {
            return world.deps.status;
          },
          set status(status) {
            world.deps.status = status;
          },
        },
      );
      return { code, out: world.out(), err: world.err() };
    },
    async [Symbol.asyncDispose]() {
      await master[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("ls shows the clusters, as a table, as JSON, by name", async () => {
  await using world = await openWorld();
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
  await using world = await openWorld();
  world.swarm.services = [];
  assert.deepEqual(await world.mpi("ls"), {
    code: 0,
    out: "NAME   MASTER   WORKERS   SLOTS   PORT   IMAGE\n",
    err: "",
  });
  assert.deepEqual(await world.mpi("ls -q"), { code: 0, out: "", err: "" });
});

Deno.test("ps shows every node, and cuts errors unless told not to", async () => {
  await using world = await openWorld();
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

Deno.test("commands that need a cluster say which there are", async () => {
  await using world = await openWorld();
  assert.deepEqual(await world.mpi("ps helo"), {
    code: 1,
    out: "",
    err: 'docker mpi ps: Cluster "helo" is not deployed; there are: hello\nhint: did you mean "hello"?\n',
  });
  assert.deepEqual(await world.mpi("run --name other ./x"), {
    code: 125,
    out: "",
    err:
      'docker mpi run: Cluster "other" is not deployed; there are: hello\nhint: docker mpi ls  # shows the clusters there are\n',
  });
  world.swarm.addCluster("cfd", 1);
  const several = "Several clusters run, and it is not said which is meant: cfd, hello\n" +
    "hint: export MPI_NAME=cfd  # says it, and so does a project's directory\n";
  assert.deepEqual(await world.mpi("hosts"), { code: 125, out: "", err: `docker mpi hosts: ${several}` });
  assert.deepEqual(await world.mpi("run ./x"), { code: 125, out: "", err: `docker mpi run: ${several}` });
  assert.equal((await world.mpi("ps -q", { env: { MPI_NAME: "cfd" } })).code, 0);
  world.swarm.info = { ...MANAGER, swarm: "inactive", manager: false };
  assert.deepEqual(await world.mpi("ls"), {
    code: 1,
    out: "",
    err: "docker mpi ls: The Docker engine is in no swarm\nhint: docker swarm init\n",
  });
});

Deno.test("hosts shows who answers, once or at every change", async () => {
  const list = "master 10.0.1.2 1 rack-1\nworker-1 10.0.1.3 2 rack-2\n";
  await using world = await openWorld(({ command, stream }) =>
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
});

/** What `mpi_run --read` reads: its words, and the program's input. */
function readRequest(text: string): { words: string[]; input: string } {
  const [length = ""] = text.split("\n", 1);
  const rest = text.slice(length.length + 1);
  return { words: rest.slice(0, Number(length)).split("\0").slice(0, -1), input: rest.slice(Number(length)) };
}

Deno.test("run carries stdin, stdout, stderr and the program's own status", async () => {
  let words: string[] = [];
  await using world = await openWorld(({ stream }) => {
    let text = "";
    stream.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
    stream.on("end", () => {
      const request = readRequest(text);
      words = request.words;
      end(stream, { out: `got ${request.input}`, err: "warned\n", status: 42 });
    });
  });
  const ended = await world.mpi("run -n 4 ./solver --steps 3", { stdin: "data\n" });
  assert.deepEqual(ended, { code: 42, out: "got data\n", err: "warned\n" });
  assert.deepEqual(world.master.commands, ["exec mpi_run --read"]);
  const [, job = "", ...others] = words;
  assert.match(job, /^run-[0-9a-f]{8}$/);
  assert.deepEqual(others, ["--stdin", "--np", "4", "--", "./solver", "--steps", "3"]);
});

Deno.test("run passes the first interrupt on, and the second more firmly", async () => {
  const started = Promise.withResolvers<void>();
  let program: Session["stream"] | undefined;
  let job: string | undefined;
  await using world = await openWorld(({ command, stream }) => {
    if (command?.includes("mpi_cancel")) {
      end(stream);
      if (command.endsWith("TERM")) end(program!, { status: 143 });
      return;
    }
    program = stream;
    stream.on("data", (chunk: Uint8Array) => {
      job ??= /run-[0-9a-f]+/.exec(new TextDecoder().decode(chunk))?.[0];
      started.resolve();
    });
  });
  const ended = await world.mpi("run ./solver", {
    during: (interrupt) =>
      void started.promise.then(async () => {
        interrupt("SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 300));
        interrupt("SIGINT");
      }),
  });
  assert.deepEqual(ended, { code: 143, out: "", err: "" });
  assert.deepEqual(world.master.commands.slice(1), [`exec mpi_cancel ${job} INT`, `exec mpi_cancel ${job} TERM`]);
});

Deno.test("run says that the connection was lost, with a status that no program has", async () => {
  await using world = await openWorld(({ drop }) => drop());
  const { code, err } = await world.mpi("run ./solver");
  assert.equal(code, 125);
  assert.match(err, /^docker mpi run: The connection to the master at 127\.0\.0\.1:\d+ was lost\nhint: /);
});

Deno.test("exec runs on the master, a node or all, and ends when interrupted", async () => {
  const started = Promise.withResolvers<void>();
  await using world = await openWorld(({ command, stream }) => {
    if (command?.includes("sleep")) started.resolve();
    else end(stream, { out: "ok\n", status: 3 });
  });
  for (const line of ["exec ls -l", "exec --all ls -l", "exec --host worker-1 ls -l"]) {
    assert.deepEqual(await world.mpi(line), { code: 3, out: "ok\n", err: "" });
  }
  assert.deepEqual(
    world.master.commands,
    ["master", "all", "worker-1"].map((where) => `exec 'mpi_exec' '${where}' '--' 'ls' '-l'`),
  );
  assert.deepEqual(await world.mpi("exec --all --host worker-1 ls"), {
    code: 125,
    out: "",
    err: "docker mpi exec: --all and --host worker-1 contradict each other\nhint: leave one of them out\n",
  });
  const interrupted = await world.mpi("exec sleep 60", {
    during: (interrupt) => void started.promise.then(() => interrupt("SIGINT")),
  });
  assert.deepEqual(interrupted, { code: 130, out: "", err: "docker mpi exec: Cancelled\n" });
});

Deno.test("login without a terminal is a shell on the master, which ends with whoever started it", async () => {
  const started = Promise.withResolvers<void>();
  await using world = await openWorld(() => started.resolve());
  const ended = await world.mpi("login", {
    during: (interrupt) => void started.promise.then(() => interrupt("SIGHUP")),
  });
  assert.deepEqual(ended, { code: 130, out: "", err: "docker mpi login: Cancelled\n" });
  assert.deepEqual(world.master.commands, ["exec bash -l"]);
});

Deno.test("login --print shows an ssh command that pins the host key, and logs in nowhere", async () => {
  await using world = await openWorld();
  const { code, out } = await world.mpi("login --print");
  assert.equal(code, 0);
  assert.match(
    out,
    /^ssh -i \S+\/id_ed25519 -p \d+ -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=\S+\/known_hosts -o HostKeyAlias=hello mpi@127\.0\.0\.1\n$/,
  );
  assert.equal(world.master.attempts, 0);
});

Deno.test("logs names the nodes, the master first", async () => {
  await using world = await openWorld();
  const docker = (args: string) => {
    const service = args.split(" ").at(-1);
    return { lines: [`${service}.1.abc@rack-1    | says ${args.split(" ").slice(0, -1).join(" ")}`] };
  };
  assert.deepEqual(await world.mpi("logs --tail 3 -t", { docker }), {
    code: 0,
    out: "master   | says service logs --timestamps --no-trunc --tail 3\n" +
      "worker-1 | says service logs --timestamps --no-trunc --tail 3\n",
    err: "",
  });
  assert.deepEqual(await world.mpi("logs", { docker: () => ({ code: 1, stderr: "no logs\n" }) }), {
    code: 1,
    out: "",
    err:
      'docker mpi logs: Docker could not show the logs of "hello_master": no logs\nhint: docker service logs hello_master\n',
  });
  assert.equal((await world.mpi("logs --tail few")).code, 125);
});

Deno.test("config and deploy --dry-run show the same stack file, and change nothing", async () => {
  await using world = await openWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  world.swarm.tasks = [];
  await Deno.writeTextFile(`${world.folder}/mpi.yaml`, "name: hello\nworkers: 2\n");
  const config = await world.mpi("config --slots 4");
  assert.deepEqual([config.code, config.err], [0, ""]);
  const { services } = JSON.parse(config.out);
  assert.equal(services.worker.deploy.replicas, 2);
  assert.equal(services.worker.environment.MPI_SLOTS, "4");
  assert.equal(services.master.labels, undefined, "an image that isn't there has no id");
  assert.equal(services.master.image, "hello:latest");
  assert.deepEqual(await world.mpi("deploy --dry-run --slots 4"), config);
  world.swarm.images["hello:latest"] = anImage();
  assert.equal(JSON.parse((await world.mpi("config")).out).services.master.labels["docker-mpi.image"], "sha256:1");
  assert.equal(JSON.parse((await world.mpi("config")).out).services.master.image, "sha256:1");
  assert.deepEqual(world.swarm.changes, []);
});

Deno.test("deploy with no image and no Dockerfile says that neither engine nor registry gives it", async () => {
  await using world = await openWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  const docker = (args: string) => args.startsWith("pull") ? { code: 1, stderr: "no such host\n" } : undefined;
  const { code, out, err } = await world.mpi("deploy --name hello --progress quiet", { docker });
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /^docker mpi deploy: Image "hello:latest" is not on this engine, and its registry can't be reached: no such host\nhint: .*\n$/,
  );
  assert.deepEqual(world.swarm.changes, []);
});

Deno.test("deploy builds a project's own image each time, and one that has a name of its own only if it is missing", async () => {
  await using world = await openWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  await Deno.writeTextFile(`${world.folder}/Dockerfile`, "FROM scratch\n");
  world.swarm.images = { "hello:latest": anImage(), "other:1": anImage() };
  const builds = async (line: string) => {
    const asked: string[] = [];
    const docker = (args: string) => {
      asked.push(args);
      return { code: 1 }; // what comes after the build is of no interest here
    };
    await world.mpi(`deploy --name hello --progress quiet ${line}`.trim(), { docker });
    return asked.filter((args) => args.startsWith("build")).map((args) => args.split(" ").slice(0, 3).join(" "));
  };
  assert.deepEqual(await builds(""), ["build -t hello:latest"]);
  assert.deepEqual(await builds("--image other:1"), []);
  assert.deepEqual(await builds("--image other:1 --build"), ["build -t other:1"]);
  assert.deepEqual(await builds("--image other:2"), ["build -t other:2"]);
});

Deno.test("deploy builds, pushes or pulls as it is told to, and asks before it builds what hosts could not have", async () => {
  await using world = await openWorld();
  world.swarm.services = [];
  world.swarm.networks = [];
  await Deno.writeTextFile(`${world.folder}/Dockerfile`, "FROM scratch\n");
  const [image, digest] = ["example.org/hello:1", "example.org/hello@sha256:2"];
  world.swarm.images = {
    "hello:latest": anImage(),
    [image]: anImage(),
    "example.org/old": anImage({ digests: [digest] }),
  };
  world.swarm.nodes = [aNode(1), aNode(2)];
  const asked = async (line: string) => {
    const calls: string[] = [];
    const docker = (args: string) => {
      calls.push(args.replace(` ${world.folder}`, ""));
      if (args.startsWith("push")) world.swarm.images[image] = anImage({ digests: [digest] });
      return args.startsWith("stack") ? { code: 1 } : {}; // what comes after the image is of no interest here
    };
    const { err } = await world.mpi(`deploy --name hello --progress quiet ${line}`, { docker });
    return { calls: calls.filter((args) => !/^(version|stack)/.test(args)), err: err.split("\n")[0] };
  };
  const only = (name: string) =>
    `docker mpi deploy: Image "${name}" is on this engine only, and nodes may start on 2 hosts: rack-1, rack-2`;
  assert.deepEqual(await asked("--workers 2"), { calls: [], err: only("hello:latest") });
  assert.deepEqual(await asked(`--image ${image}`), { calls: [], err: only(image) });
  assert.deepEqual(await asked("--image example.org/new"), { calls: [], err: only("example.org/new") });
  assert.deepEqual(await asked(`--image ${image} --build`), { calls: [], err: only(image) });
  assert.deepEqual((await asked("--image example.org/old")).calls, []);
  assert.deepEqual((await asked(`--image ${image} --push`)).calls, [`push ${image}`, `pull --quiet ${digest}`]);
  world.swarm.images[image] = anImage();
  assert.deepEqual((await asked(`--image ${image} --build --push`)).calls, [
    `build -t ${image}`,
    `push ${image}`,
    `pull --quiet ${digest}`,
  ]);
  assert.deepEqual((await asked(`--image ${image} --pull`)).calls, [`pull --quiet ${image}`, `pull --quiet ${digest}`]);
  assert.deepEqual((await asked("--resolve-image never")).calls, ["build -t hello:latest"]);
  assert.deepEqual(await asked("--push"), {
    calls: [],
    err: 'docker mpi deploy: Image "hello:latest" names no registry to push it to',
  });
  assert.match((await asked("--pull --push")).err ?? "", /--pull/);
  assert.match((await asked("--resolve-image sometimes")).err ?? "", /--resolve-image/);
});

Deno.test("rm takes the cluster and its keys away, and prints its name", async () => {
  await using world = await openWorld();
  const keys = keyDirectory(world.folder, MANAGER.clusterId, "hello");
  assert.deepEqual(await world.mpi("rm --progress quiet"), { code: 0, out: "hello\n", err: "" });
  assert.deepEqual(world.swarm.changes.toSorted(), [
    "remove network hello-net",
    "remove service hello-master",
    "remove service hello-worker",
  ]);
  await assert.rejects(Deno.stat(keys), Deno.errors.NotFound);
});

Deno.test("rm takes away what an interrupted command left, by the name that it knows", async () => {
  await using world = await openWorld();
  world.swarm.services = [];
  const labels = { "com.docker.stack.namespace": "half", "docker-mpi.cluster": "half" };
  world.swarm.networks = [aNetwork("half")];
  world.swarm.secrets = [{ id: "key", name: "half_key", labels, createdAt: "" }];
  assert.deepEqual(await world.mpi("rm hall --progress quiet"), {
    code: 1,
    out: "",
    err: 'docker mpi rm: Cluster "hall" is not deployed; there are: half\nhint: did you mean "half"?\n',
  });
  assert.deepEqual(await world.mpi("rm half --progress quiet"), { code: 0, out: "half\n", err: "" });
  assert.deepEqual(world.swarm.changes, ["remove network half-net", "remove secret key"]);
  const again = await world.mpi("rm half --progress quiet");
  assert.deepEqual([again.code, again.out], [1, ""]);
  assert.match(again.err, /^docker mpi rm: Cluster "half" is not deployed, and no other runs in this swarm\n/);
});

Deno.test("dev runs a command on this directory, as this user, with its own status", async () => {
  await using world = await openWorld();
  let asked = "";
  const attach = (args: string) => {
    asked = args;
    return 42;
  };
  const { code, out } = await world.mpi("dev --image hello:latest mpicc -o x x.c", { attach });
  assert.deepEqual([code, out], [42, ""]);
  assert.equal(
    asked,
    `run --rm --interactive --init --shm-size=1g --user ${Deno.uid()}:${Deno.gid()} --env HOME=/tmp ` +
      `--mount type=bind,"source=${world.folder}",target=/project --workdir /project hello:latest mpicc -o x x.c`,
  );
  const far = await world.mpi("dev", { local: false });
  assert.equal(far.code, 125);
  assert.match(far.err, /^docker mpi dev: The engine at "unix:\S+" can't see the files of this machine\nhint: /);
});

const words = (...words: string[]) => new TextEncoder().encode(words.map((word) => `${word}\0`).join("")).toHex();
const RUNNING = { id: "3f9c02ab", state: "running", created: "900", started: "940", np: "4", nodes: "master,worker-1" };
const ENDED = { id: "aa000000", state: "failed", created: "800", started: "800", ended: "830", status: "3" };

/** A master that keeps these jobs, and answers other commands as told. */
const keeping =
  (jobs: Record<string, string>[], other: (session: Session) => void | Promise<void> = () => {}) =>
  (session: Session) => {
    if (session.command !== "exec mpi_job ls") return other(session);
    const facts = (job: Record<string, string>) =>
      Object.entries(job).map(([key, value]) => `${key}\0${value}\0`).join("");
    end(session.stream, { out: `now\x001000\0\0${jobs.map((job) => `${facts(job)}\0`).join("")}` });
  };

const JOBS = [{ ...RUNNING, program: words("./solver", "a b") }, { ...ENDED, program: words("sh") }];

Deno.test("jobs lists what the master keeps, as a table, as JSON, by id; the shell completes ids", async () => {
  await using world = await openWorld(keeping(JOBS));
  const table = [
    "ID         STATE     RANKS   NODES   STARTED                DURATION   STATUS   COMMAND",
    "3f9c02ab   running   4       2       1970-01-01T00:15:40Z   1m0s                ./solver 'a b'",
    "aa000000   failed                    1970-01-01T00:13:20Z   30s        3        sh",
    "",
  ];
  for (const line of ["jobs", "jobs ls", "jobs --name hello list"]) {
    assert.deepEqual(await world.mpi(line), { code: 0, out: table.join("\n"), err: "" });
  }
  assert.deepEqual(await world.mpi("jobs -q"), { code: 0, out: "3f9c02ab\naa000000\n", err: "" });
  const [job] = (await world.mpi("jobs ls --format json")).out.split("\n").map((line) => JSON.parse(line || "{}"));
  assert.deepEqual([job.Id, job.Command, job.Seconds], ["3f9c02ab", ["./solver", "a b"], 60]);
  assert.deepEqual((await world.mpi("__complete mpi jobs logs 3")).out, "3f9c02ab\trunning, ./solver a b\n:4\n");
  assert.match((await world.mpi("__complete mpi jobs w")).out, /^wait\t/);
});

Deno.test("jobs that are named wrongly, or are not in the state for it, are told with a way out", async () => {
  await using world = await openWorld(keeping(JOBS));
  assert.deepEqual(await world.mpi("jobs logs 3f9c02ba"), {
    code: 1,
    out: "",
    err: 'docker mpi jobs logs: No job "3f9c02ba" on this cluster; there are: 3f9c02ab, aa000000\n' +
      'hint: did you mean "3f9c02ab"?\n',
  });
  assert.equal((await world.mpi("jobs wait none")).code, 125); // 1 could be the job's
  assert.deepEqual(await world.mpi("jobs cancel aa"), {
    code: 1,
    out: "",
    err: "docker mpi jobs cancel: Job aa000000 does not run: it is failed\nhint: docker mpi jobs inspect aa000000\n",
  });
  assert.deepEqual(await world.mpi("jobs rm aa 3f"), {
    code: 1,
    out: "",
    err: "docker mpi jobs rm: Job 3f9c02ab is running: only what has ended can be removed\n" +
      "hint: docker mpi jobs cancel 3f9c02ab\n",
  });
  assert.equal((await world.mpi("jobs rm")).code, 125);
  assert.deepEqual(world.master.commands.filter((command) => command !== "exec mpi_job ls"), []);
  assert.match(
    (await world.mpi("jobs lgos")).err,
    /^docker: unknown command: docker mpi jobs lgos\nDid you mean "logs"\?\n/,
  );
});

Deno.test("run --detach sends all before it prints an id, and nothing where that can't be", async () => {
  let received = "";
  await using world = await openWorld(async ({ stream, command }) => {
    assert.equal(command, "exec mpi_job start");
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) received += chunk;
    end(stream, received.includes("./missing") ? { err: "no such program\n", status: 127 } : {});
  });
  const { code, out, err } = await world.mpi("run -d --retries 2 --log-limit 1m -n 3 --input - ./x y", {
    stdin: "input",
  });
  assert.deepEqual([code, err], [0, ""]);
  const asked = `--id\0${out.trim()}\0--retries\x002\0--limit\x001048576\0--input\0--\0--np\x003\0--\0./x\0y\0`;
  assert.equal(received, `${asked.length}\n${asked}5\ninput0\n`);
  assert.deepEqual(await world.mpi("run --detach ./missing"), { code: 127, out: "", err: "no such program\n" });
  for (const flags of ["-d --output out", "-d --label", "--log-limit 1g"]) {
    const refused = await world.mpi(`run ${flags} ./x`);
    assert.deepEqual([refused.code, refused.out], [125, ""]);
    assert.match(refused.err, /^docker mpi run: .* contradict each other.*\nhint: /);
  }
});

Deno.test("who is attached is told that a job goes on when the connection is lost, and how to go on", async () => {
  await using world = await openWorld(keeping(JOBS, async ({ command, stream, drop }) => {
    assert.equal(command, "exec mpi_job log 3f9c02ab --follow");
    stream.write("o0:a line\ne0:an error\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
    drop();
  }));
  const { port } = world.master.target;
  assert.deepEqual(await world.mpi("jobs attach --label 3f"), {
    code: 125,
    out: "0: a line\n",
    err: `0: an error\ndocker mpi jobs attach: The connection to the master at 127.0.0.1:${port} was lost; ` +
      "job 3f9c02ab goes on\nhint: docker mpi jobs attach 3f9c02ab\n",
  });
});

Deno.test("Ctrl-C where a job is attached cancels it, and its status is ours; a lost terminal does not", async () => {
  for (const [source, status] of [["SIGINT", 130], ["SIGHUP", 125]] as const) {
    const log = Promise.withResolvers<void>();
    let over = false;
    await using world = await openWorld((session) =>
      keeping(
        [{ ...(over ? { ...ENDED, status: "130" } : RUNNING), id: "3f9c02ab", program: "" }],
        async ({ command, stream }) => {
          if (command === "exec mpi_job signal 3f9c02ab INT") {
            end(stream);
            over = true;
            log.resolve();
          } else {
            attached.resolve();
            await log.promise;
            end(stream);
          }
        },
      )(session)
    );
    const attached = Promise.withResolvers<void>();
    const { code } = await world.mpi("jobs attach 3f", {
      during: (interrupt) => void attached.promise.then(() => interrupt(source)),
    });
    assert.equal(code, status);
    assert.equal(world.master.commands.includes("exec mpi_job signal 3f9c02ab INT"), source === "SIGINT");
    log.resolve();
  }
});
