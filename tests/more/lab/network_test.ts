/** Nodes on their hosts' network: each has a host of its own, with its address, and SSH on one port. */
import assert from "node:assert/strict";
import { END_SECONDS, SLEEP, startJob } from "../../support/job.ts";
import { failure, parts } from "../../support/projects.ts";
import { eventually, expectOk, IMPLEMENTATIONS, rows } from "../../support/swarm.ts";
import type { Host } from "../../lab/host.ts";
import { labTest } from "../../lab/mod.ts";
import { places } from "../../lab/places.ts";
import { openLabWorld } from "../../lab/world.ts";

/** Has a program of a host listen on a port, until the end of the block. */
async function occupy(host: Host, port: number): Promise<AsyncDisposable> {
  const listen =
    "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => shift, Listen => 1, ReuseAddr => 1) " +
    "or die qq($!\\n); syswrite STDOUT, qq(listens\\n); <STDIN>";
  const [command = "", ...args] = [...await host.inside(), "perl", "-e", listen, `${port}`];
  const child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "listens\n");
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([child.stdin.close(), reader.cancel(), child.status]);
    },
  };
}

for (const mpi of IMPLEMENTATIONS) {
  labTest(`a cluster on its hosts' network runs programs, and loses and finds nodes: ${mpi}`, async (lab, t) => {
    await using world = await openLabWorld(lab, mpi);
    const flags = ["--cluster", "mpitest", "--image", world.image, "--mpi", mpi, "--progress", "quiet"];
    const deploy = (...more: string[]) => world.docker(["mpi", "deploy", ...flags, ...more], { seconds: 120 });
    const onHosts = (...more: string[]) => deploy("--network", "host", ...more);
    await using _end = { [Symbol.asyncDispose]: async () => void await world.docker(["mpi", "rm", "mpitest"]) };
    const others = lab.hosts.filter((host) => host !== lab.manager);

    await t.step("a port that a program of a host has is named, with the host", async () => {
      await using _program = await occupy(others[0]!, 2222);
      assert.deepEqual(
        await onHosts("--per-node", "--wait-timeout", "60s"),
        failure(
          `docker mpi deploy: Cluster "mpitest" does not come up: worker-${others[0]!.name}: address already in use: ` +
            `the port of its SSH server (on ${others[0]!.name})\n` +
            "hint: docker mpi deploy --cluster mpitest --port 2223  # takes another port; docker mpi ls shows the clusters " +
            "there are\n",
        ),
      );
    });

    await t.step("each host has one node, with its address, and the master is on the manager", async () => {
      await expectOk(onHosts("--per-node"));
      const hosts = rows(await expectOk(world.docker(["mpi", "hosts", "--format", "json"])));
      assert.deepEqual(
        hosts.map(({ Name, Address, Host }) => [Name, Address, Host]),
        [lab.manager, ...others].map((host) => [
          host === lab.manager ? "master" : `worker-${host.name}`,
          host.address,
          host.name,
        ]),
      );
    });

    await t.step("ranks of all hosts talk to each other, started by the client and in a session", async () => {
      const hello = (stdout: string) => stdout.trim().split("\n").map((line) => line.replace(/.* on /, "")).sort();
      const names = ["master", ...others.map(({ name }) => `worker-${name}`)];
      for (const words of [["run", "./mpi_hello_world"], ["exec", "mpirun", "./mpi_hello_world"]]) {
        const { stdout } = await expectOk(world.docker(["mpi", ...words]));
        assert.deepEqual(hello(stdout), names, words.join(" "));
      }
      const { stdout } = await expectOk(world.docker(["mpi", "run", "-n", "6", "./mpi_probe", "ring", "1000000"]));
      assert.equal(stdout.match(/^rank \d of 6: 1000000 bytes from rank \d$/gm)?.length, 6, stdout);
    });

    await t.step("the master moves to a host that had a worker, and back, and the port with it", async () => {
      for (const { name } of [others[0]!, lab.manager]) {
        await expectOk(deploy("--master-constraint", `node.hostname == ${name}`));
        assert.equal((await places(lab, world)).get("master")?.name, name);
        const { stdout } = await expectOk(world.docker(["mpi", "run", "hostname"]));
        assert.equal(stdout.trim().split("\n").length, 3);
      }
    });

    await t.step("there is no network of its own, no port that Docker publishes, and no root", async () => {
      const own = (await parts(world, "mpitest")).map((part) => part.split(" ")[0]);
      assert.deepEqual(own.filter((name) => !/_(master|worker|cluster_key|master_host|worker_host)/.test(name!)), []);
      const ports = await expectOk(
        world.docker(["service", "inspect", "mpitest_master", "--format", "{{json .Endpoint.Ports}}"]),
      );
      assert.equal(ports.stdout, "null\n");
      assert.equal(
        (await expectOk(world.docker(["mpi", "exec", "--all", "id", "-u"]))).stdout.match(/\| 1000$/gm)?.length,
        3,
      );
    });

    await t.step("a host that is cut off ends the run, leaves the hostfile, and comes back", async () => {
      const lost = `worker-${others[1]!.name}`;
      const job = await startJob(world, SLEEP, 3);
      await others[1]!.cut();
      try {
        const { code, stderr } = await job.ended(END_SECONDS);
        assert.notEqual(code, 0);
        assert.match(stderr, new RegExp(`^docker mpi run: Lost during the run: ${lost} \\(rank [12]\\)$`, "m"));
      } finally {
        await others[1]!.heal();
      }
      const all = async () => rows(await expectOk(world.docker(["mpi", "hosts", "--format", "json"]))).length === 3;
      await eventually(`${lost} is back`, all, 60);
      await expectOk(world.docker(["mpi", "run", "./mpi_hello_world"]));
    });

    await t.step("more workers than hosts, another network, and what only an overlay has: refused", async () => {
      assert.deepEqual(
        await deploy("--network", "overlay"),
        failure(
          'docker mpi deploy: Cluster "mpitest" has the network "host", and can\'t get "overlay" while it runs\n' +
            "hint: docker mpi rm mpitest && docker mpi deploy --cluster mpitest --network overlay\n",
        ),
      );
      await expectOk(world.docker(["mpi", "rm", "mpitest"]));
      assert.deepEqual(
        await onHosts("--workers", "5"),
        failure(
          "docker mpi deploy: On the hosts' network each node needs a host of its own; beside the master's, 2 are there " +
            "for 5 workers\n" +
            "hint: docker mpi deploy --cluster mpitest --network host --workers 2  # as many as there are; " +
            "with --network overlay several nodes can be on one host\n",
        ),
      );
      assert.deepEqual(await parts(world, "mpitest"), []);
    });

    await t.step(
      "the master on a host that was asked for, one worker, and a second by scale; and nothing is left",
      async () => {
        const [first] = others;
        await expectOk(
          onHosts("--workers", "1", "--port", "2300", "--master-constraint", `node.hostname == ${first!.name}`),
        );
        await expectOk(world.docker(["mpi", "scale", "2"]));
        const { stdout } = await expectOk(world.docker(["mpi", "run", "-n", "3", "hostname"]));
        assert.deepEqual(stdout.trim().split("\n").sort(), ["master", "worker-1", "worker-2"]);
        assert.equal((await places(lab, world)).get("master"), first);
        const { code, stderr } = await world.docker(["mpi", "scale", "3"]);
        assert.deepEqual([code, stderr.split("\n")[0]], [
          1,
          "docker mpi scale: On the hosts' network each node needs a host of its own; beside the master's, 2 are there for 3 workers",
        ]);
        await expectOk(world.docker(["mpi", "rm", "mpitest"]));
        assert.deepEqual(await parts(world, "mpitest"), []);
      },
    );
  });
}
