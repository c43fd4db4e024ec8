/** The projects of examples/, as `docker mpi init --template` makes them: on three hosts, with both MPIs, by their numbers. */
import assert from "node:assert/strict";
import { TEMPLATES } from "../../../cli/commands/init.ts";
import { IMPLEMENTATIONS } from "../../../stack/settings/schema.ts";
import { labTest } from "../../lab/mod.ts";
import { openLabWorld } from "../../lab/world.ts";
import { measured, stopwatch } from "../../support/measured.ts";
import { expectOk } from "../../support/swarm.ts";

const HOSTS = 3;

/** Where the nodes run; where they may choose, an update moves them. */
const ONE_PER_HOST = `stack:
  services:
    master: { deploy: { placement: { constraints: [node.hostname == host1] } } }
    worker: { deploy: { placement: { constraints: [node.hostname != host1], max_replicas_per_node: 1 } } }
`;

/** Runs a program of the project on its cluster and gives the lines that it prints, in the order of the alphabet. */
type Run = (...words: string[]) => Promise<string[]>;

/** Numbers of a line, by a pattern that the line must have. */
function numbers(lines: string[], pattern: RegExp): number[] {
  const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
  assert.ok(found, `no line is like ${pattern}:\n${lines.join("\n")}`);
  return found.slice(1).map(Number);
}

/** What each program has to say. With more ranks than nodes, or than work, it says the same. */
const CHECKS: Record<string, (run: Run, file: (name: string) => Promise<Uint8Array>) => Promise<void>> = {
  async hello(run) {
    const lines = await run("./mpi_hello_world");
    const nodes = ["master", "worker-1", "worker-2"];
    const all = nodes.flatMap((node) => [0, 1, 2].map((rank) => `Hello from rank ${rank} of ${HOSTS} on ${node}`));
    assert.deepEqual(lines.filter((line) => !all.includes(line)), []);
    assert.equal(new Set(lines.map((line) => line.split(" ")[3])).size, HOSTS);
    assert.equal(new Set(lines.map((line) => line.split(" ").at(-1))).size, HOSTS);
  },

  async pi(run) {
    const insideOf = async (...words: string[]) => {
      const lines = await run(...words);
      const [pi, off] = numbers(lines, /^pi is about (\d\.\d{8}), off by (\S+)$/);
      assert.ok(Math.abs(pi! - Math.PI) < 5e-3, `${pi}`);
      assert.ok(Math.abs(Math.abs(pi! - Math.PI) - off!) < 0.1 * off! + 1e-8, `${pi} is not off by ${off}`);
      return numbers(lines, /^(\d+) of 1000000 points inside, (\d+) ranks,/);
    };
    const [inside, ranks] = await insideOf("./pi", "1000000");
    assert.equal(ranks, HOSTS);
    assert.deepEqual(await insideOf("-n", "1", "./pi", "1000000"), [inside, 1]);
    const [other] = await insideOf("./pi", "1000000", "2");
    assert.notEqual(other, inside, "another seed draws other points");
  },

  async heat(run, file) {
    const picture = async (...words: string[]) => {
      const lines = await run(...words);
      const [middle] = numbers(lines, /^in the middle (\S+) degrees; 25.0000 are right$/);
      assert.ok(Math.abs(middle! - 25) < 0.01, `${middle} degrees`);
      return await file("heat.ppm");
    };
    const bytes = await picture("./heat", "41", "120");
    checkPlate(bytes, 43);
    assert.deepEqual(await picture("-n", "1", "./heat", "41", "120"), bytes, "the same on one rank");
    assert.deepEqual(await picture("./heat", "1", "20"), await picture("-n", "1", "./heat", "1", "20"), "ranks idle");
  },

  async solver(run) {
    for (const [ranks, size, grid] of [[1, 200, "1 x 1"], [HOSTS, 200, "1 x 3"], [HOSTS, 10, "1 x 3"]] as const) {
      const lines = await run("-n", `${ranks}`, "./solver", `${size}`);
      assert.ok(lines.includes(`Solved ${size} equations on a grid of ${grid} ranks`), lines.join("\n"));
      const [residual] = numbers(lines, /^largest residual \|b - A x\|: +(\S+)$/);
      assert.ok(residual! > 0 && residual! < 1e-10, `${residual}`);
    }
  },

  async python(run) {
    for (const [ranks, size] of [[1, 300], [HOSTS, 300], [HOSTS, 2]] as const) {
      const lines = await run("-n", `${ranks}`, "python3", "power.py", `${size}`);
      const [eigenvalue, error] = numbers(lines, /^largest eigenvalue (\S+), relative error (\S+)$/);
      const exact = 1 / (4 * Math.sin(Math.PI / (4 * size + 2)) ** 2);
      // It is printed with six digits behind the point, beside the error of all of it.
      assert.ok(Math.abs(eigenvalue! - exact) < 1e-6 && error! < 1e-9, `${eigenvalue}, not ${exact}`);
      assert.deepEqual(numbers(lines, /^(\d+) x \d+ matrix, \d+ steps, (\d+) ranks/), [size, ranks]);
    }
  },

  async farm(run) {
    const result = async (columns: number, ...words: string[]) => {
      const lines = await run(...words, "./farm", `${columns}`);
      const shares = lines.map((line) => /^rank \d+ did (\d+) columns, (\S+) % of the work$/.exec(line))
        .filter((match) => match !== null);
      assert.equal(shares.reduce((sum, [, done]) => sum + Number(done), 0), columns, "every column once");
      const [largest, blocks] = numbers(lines, /^largest share (\S+) %, in equal blocks of columns (\S+) %$/);
      assert.equal(largest, Math.max(...shares.map(([, , share]) => Number(share))));
      const points = numbers(lines, /^\d+ columns, (\d+) points inside: area (\S+)$/);
      return { workers: shares.length, largest: largest!, blocks: blocks!, points };
    };
    const farm = await result(200);
    assert.equal(farm.workers, HOSTS - 1);
    assert.ok(farm.largest < farm.blocks, `${farm.largest} % is not better than ${farm.blocks} %`);
    assert.ok(Math.abs(farm.points[1]! - 1.5066) < 0.01, `area ${farm.points[1]}`);
    assert.deepEqual((await result(200, "-n", "1")).points, farm.points);
    assert.deepEqual((await result(1)).points, (await result(1, "-n", "1")).points, "more workers than columns");
  },

  async hybrid(run) {
    for (const threads of [1, 2]) {
      const lines = await run("--ppn", "1", "--env", `OMP_NUM_THREADS=${threads}`, "./hybrid", "100000");
      assert.deepEqual(numbers(lines, /^(\d+) primes below 100000, by (\d+) ranks with (\d+) threads,/), [
        9592,
        HOSTS,
        HOSTS * threads,
      ]);
      const ranks = lines.map((line) => /^rank (\d) on (\S+): (\d) threads found \d+ primes$/.exec(line))
        .filter((match) => match !== null);
      assert.deepEqual(ranks.map(([, rank]) => rank), ["0", "1", "2"]);
      assert.deepEqual(ranks.map(([, , node]) => node).toSorted(), ["master", "worker-1", "worker-2"]);
      assert.deepEqual(ranks.map(([, , , each]) => each), [threads, threads, threads].map(String));
    }
    const lines = await run("--env", "OMP_NUM_THREADS=1", "./hybrid", "1000");
    assert.deepEqual(numbers(lines, /^(\d+) primes below 1000, by (\d+) ranks/), [168, 2 * HOSTS], "slots: 2");
  },
};

/** A picture of the plate: red above, blue at the other edges, alike on the left and on the right, ever colder downwards. */
function checkPlate(bytes: Uint8Array, width: number): void {
  const head = `P6 ${width} ${width} 255\n`;
  assert.equal(new TextDecoder().decode(bytes.subarray(0, head.length)), head);
  assert.equal(bytes.length, head.length + 3 * width * width);
  const at = (x: number, y: number) => [...bytes.subarray(head.length + 3 * (y * width + x)).subarray(0, 3)];
  const middle = (width - 1) / 2;
  assert.deepEqual(at(middle, 0), [255, 0, 0]);
  for (const [x, y] of [[middle, width - 1], [0, middle], [width - 1, middle]]) {
    assert.deepEqual(at(x!, y!), [0, 0, 255]);
  }
  assert.deepEqual(at(middle, middle), [64, 105, 191]);
  for (let y = 1; y < width; y++) {
    assert.ok(at(middle, y)[0]! <= at(middle, y - 1)[0]!, `row ${y} is warmer than the one above it`);
    for (let x = 0; x < middle; x++) {
      assert.ok(
        Math.abs(at(x, y)[0]! - at(width - 1 - x, y)[0]!) <= 1,
        `column ${x} of row ${y} is not as its mirror image`,
      );
    }
  }
}

for (const mpi of IMPLEMENTATIONS) {
  labTest(`every template runs on three hosts with ${mpi}, and its numbers are right`, async (lab, t) => {
    await using world = await openLabWorld(lab);
    const folder = await Deno.makeTempDir({ prefix: "mpitest-" });
    const docker = (cwd: string, ...words: string[]) => world.docker(words, { cwd, seconds: 300 });
    assert.deepEqual(Object.keys(CHECKS), Object.keys(TEMPLATES));
    try {
      for (const [template, check] of Object.entries(CHECKS)) {
        await t.step(template, async () => {
          const flags = ["--template", template, "--mpi", mpi, "--cluster", "mpitest"];
          await expectOk(docker(folder, "mpi", "init", ...flags, template));
          const cwd = `${folder}/${template}`;
          await Deno.writeTextFile(`${cwd}/mpi.yaml`, ONE_PER_HOST, { append: true });
          const image = `${lab.registry.address}/mpitest-${template}:${mpi}`;
          const deploy = ["mpi", "deploy", "--image", image, "--push", "--build", "--workers", `${HOSTS - 1}`];
          if (template === "python" && mpi === "mpich") {
            const { code, stderr } = await docker(cwd, ...deploy);
            assert.equal(code, 1);
            assert.match(stderr, /Debian's mpi4py is for Open MPI/);
            return;
          }
          const time = stopwatch();
          await expectOk(docker(cwd, ...deploy));
          measured(`template ${template} is built for ${mpi}, on three hosts, and answers`, time());
          const hosts = (await expectOk(docker(cwd, "mpi", "ps", "--format", "json"))).stdout.trim().split("\n")
            .map((line) => JSON.parse(line).Host);
          assert.deepEqual(hosts.sort(), lab.hosts.map(({ name }) => name));
          const run: Run = async (...words) => {
            const { stdout, stderr } = await expectOk(docker(cwd, "mpi", "run", ...words));
            assert.equal(stderr, "", "a program that ends well says nothing on standard error");
            return stdout.trim().split("\n").sort();
          };
          const file = async (name: string) => {
            const child = world.spawn(["mpi", "exec", "cat", name], { cwd });
            const [bytes] = await Promise.all([new Response(child.stdout).bytes(), new Response(child.stderr).text()]);
            assert.equal((await child.status).code, 0);
            return bytes;
          };
          const runs = stopwatch();
          await check(run, file);
          measured(`template ${template} has run with ${mpi}`, runs());
        });
      }
    } finally {
      await docker(folder, "mpi", "rm", "mpitest");
      await Deno.remove(folder, { recursive: true });
    }
  });
}
