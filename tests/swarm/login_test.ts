/** `docker mpi login`, and the plain ssh that `--print` shows. */
import assert from "node:assert/strict";
import { needPrograms } from "../box/packages.ts";
import { expectOk, openWorld } from "../support/swarm.ts";
import { KEYS, openTerminal } from "../support/terminal.ts";

const HELLO = [0, 1, 2].map((rank) => `Hello from rank ${rank} of 3 on ${rank === 0 ? "master" : `worker-${rank}`}`);
const lines = (text: string) => text.trim().split(/\r?\n/).sort();

Deno.test("login must give what a terminal has", async (t) => {
  await using world = await openWorld();
  await using _cluster = await world.shared(2);
  const env = { DOCKER_CONFIG: world.config };
  const open = (line: string) => openTerminal(line, { cwd: world.project, env, columns: 91, rows: 33 });
  const prompt = /mpi@master:\S+\$ /;

  await t.step("a shell that says what the cluster is, its size, its kind, its status", async () => {
    await using session = await open("stty -g; docker mpi login; echo status=$?; stty -g");
    const before = (await session.shows(/\S+:\S+\r\n/)).trim();
    const greeting = await session.shows(prompt);
    assert.match(
      greeting,
      /Cluster mpitest: 3 nodes, 3 slots\. mpirun \.\/program runs on all of them; get_hosts lists them\./,
    );
    await session.type("stty size; echo $TERM; tput colors\r");
    await session.shows(/33 91\r\nxterm-256color\r\n256\r\n/);
    await session.resize(120, 40);
    // The size travels as a message of its own, beside what is typed.
    await session.type("until [ \"$(stty size)\" = '40 120' ]; do sleep 0.1; done; echo res''ized\r");
    await session.shows(/\rresized\r\n/);
    await session.shows(prompt);
    // For a program that draws a screen, a line feed is one step down and no more.
    await session.type("stty -opost; printf 'ste''p\\ndown\\n'; stty opost\r");
    await session.shows(/step\ndown\n/);
    await session.shows(prompt);
    await session.type("mpirun ./mpi_hello_world\r");
    const shown = await session.shows(prompt);
    assert.deepEqual(shown.match(/Hello from rank \d of 3 on [\w-]+/g)?.sort(), HELLO);
    await session.type("exit 42\r");
    await session.shows(/status=42\r\n/);
    assert.equal((await session.shows(/\S+:\S+\r\n/)).trim(), before);
    assert.equal(await session.end(), 0);
  });

  await t.step("Ctrl-C for the program there, not for us", async () => {
    await using session = await open("docker mpi login; echo status=$?");
    await session.shows(prompt);
    await session.type("sh -c 'echo re\"\"ady; exec sleep 100'\r");
    await session.shows(/\rready\r\n/);
    await session.type(KEYS.ctrlC);
    await session.shows(prompt);
    await session.type("(trap 'echo caught; exit 3' INT; echo re''ady; while :; do sleep 0.1; done); echo then=$?\r");
    await session.shows(/\rready\r\n/);
    await session.type(KEYS.ctrlC);
    await session.shows(/caught\r\nthen=3\r\n/);
    // Typed before the prompt is there, Ctrl-D is lost, as in any terminal.
    await session.shows(prompt);
    await session.type(KEYS.ctrlD);
    await session.shows(/status=0\r\n/);
  });

  await t.step("vim: it opens, saves and quits", async () => {
    await using session = await open("docker mpi login");
    await session.shows(prompt);
    await session.type("vim notes.txt\r");
    await session.shows(/notes\.txt.*\[New\]/);
    await session.type(`iHello, wörld!${KEYS.enter}second${KEYS.escape}`);
    await session.type(":wq\r");
    await session.shows(prompt);
    await session.type("cat notes.txt; rm notes.txt; exit\r");
    await session.shows(/\rHello, wörld!\r\nsecond\r\n/);
    assert.equal(await session.end(), 0);
  });

  await t.step("commands from a pipe: no terminal, no greeting, the status of the last one", async () => {
    const stdin =
      "echo to-out; echo to-err >&2\ntest -t 0 || echo no terminal\nmpirun ./mpi_hello_world </dev/null\nfalse";
    const { code, stdout, stderr } = await world.docker(["mpi", "login"], { stdin });
    assert.deepEqual(lines(stdout), [...HELLO, "no terminal", "to-out"]);
    assert.deepEqual({ code, stderr }, { code: 1, stderr: "to-err\n" });
  });
});

Deno.test("login --print must show an ssh command that works without the plugin", async (t) => {
  await using world = await openWorld();
  await using cluster = await world.shared(2);
  await needPrograms({ ssh: "openssh-client" });
  const { stdout, stderr } = await expectOk(world.docker(["mpi", "login", "--print"]));
  const command = stdout.trim();
  const sh = async (line: string) => {
    const process = new Deno.Command("sh", { args: ["-c", line], cwd: world.project, stdin: "null" });
    const { code, stdout, stderr } = await process.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };

  await t.step("one line, for any shell", () => {
    assert.match(stdout, /^ssh -i \S+\/id_ed25519 -p 2222 .*-o StrictHostKeyChecking=yes .* mpi@127\.0\.0\.1\n$/);
    assert.equal(stderr, "");
  });

  await t.step("mpirun on all nodes with no hostfile argument", async () => {
    const { code, stdout, stderr } = await sh(`${command} mpirun ./mpi_hello_world`);
    assert.deepEqual({ code, stderr, lines: lines(stdout) }, { code: 0, stderr: "", lines: HELLO });
  });

  await t.step("the paper's way, with a hostfile of one's own", async () => {
    const { code, stdout } = await sh(`${command} 'get_hosts > hosts; cat hosts; mpirun -f hosts ./mpi_hello_world'`);
    assert.equal(code, 0);
    assert.deepEqual(lines(stdout).filter((line) => line.startsWith("Hello")), HELLO);
    assert.equal(stdout.match(/^10\.\d+\.\d+\.\d+:1$/gm)?.length, 3);
  });

  await t.step("the short form as well, which leaves the host key to the user's own known_hosts", async () => {
    const key = /-i (\S+)/.exec(command)?.[1];
    const trusting = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
    const { code, stdout } = await sh(
      `ssh ${trusting} -i ${key} -p ${cluster.port} mpi@127.0.0.1 mpirun ./mpi_hello_world`,
    );
    assert.deepEqual({ code, lines: lines(stdout) }, { code: 0, lines: HELLO });
  });

  await t.step("no other key, no password, not as root", async () => {
    await sh("ssh-keygen -q -t ed25519 -N '' -f other");
    for (
      const refused of [
        command.replace(/-i \S+/, "-i other"),
        command.replace(/-i \S+/, "-o PubkeyAuthentication=no"),
        command.replace("mpi@", "root@"),
      ]
    ) {
      const { code, stderr } = await sh(`${refused.replace("ssh ", "ssh -o BatchMode=yes ")} true`);
      assert.equal(code, 255, refused);
      assert.match(stderr, /Permission denied \(publickey\)/, refused);
    }
  });
});
