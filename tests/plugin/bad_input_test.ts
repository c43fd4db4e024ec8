/** Wrong flags, variables and settings files end with 125 and a text that says what would be right; no engine is asked. */
import assert from "node:assert/strict";
import { type Outcome, run } from "../support/cli.ts";

const WORKERS = 'want a whole number from 0 to 10000, or "per-node"';
const KEYS = "keys are name, image, mpi, workers, slots, port, forwarding, shm, placement, network, volumes, stack";

/** Runs a command line in a directory with this `mpi.yaml`. Whoever asks for the engine fails the test. */
async function mpi(line: string, file?: string, env: Record<string, string> = {}): Promise<Outcome> {
  const cwd = await Deno.makeTempDir({ prefix: "mpi-input-" });
  try {
    if (file !== undefined) await Deno.writeTextFile(`${cwd}/mpi.yaml`, file);
    const words = line.split(" ").map((word) => word === "''" ? "" : word);
    return await run(["mpi", ...words], { cwd: () => cwd, env: (name) => env[name] || undefined });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const flags: [flags: string, message: string][] = [
  ["--workers -1", `Invalid value "-1" for --workers: ${WORKERS}`],
  ["--workers=-1", `Invalid value "-1" for --workers: ${WORKERS}`],
  ["--workers 1e9", `Invalid value "1e9" for --workers: ${WORKERS}`],
  ["--workers 1000000000", `Invalid value "1000000000" for --workers: ${WORKERS}`],
  ["--workers abc", `Invalid value "abc" for --workers: ${WORKERS}`],
  ["--workers ''", `Invalid value "" for --workers: ${WORKERS}`],
  ["--port 99999", 'Invalid value "99999" for --port: want a whole number from 1 to 65535'],
  [
    "--subnet 10.20.0.5/16",
    'Invalid value "10.20.0.5/16" for --subnet: want an IPv4 network such as 10.20.0.0/16, for example "10.20.0.0/16"',
  ],
  [
    "--workers 300 --subnet 10.20.0.0/24",
    'A master and 300 workers do not fit: the subnet "10.20.0.0/24" has addresses for 252 nodes\n' +
    "hint: docker mpi deploy --subnet 10.20.0.0/16 --workers 300  # or another that is larger, and that no host uses already",
  ],
];

for (const [words, message] of flags) {
  Deno.test(`deploy ${words} must be refused`, async () => {
    assert.deepEqual(await mpi(`deploy ${words}`), { code: 125, out: "", err: `docker mpi deploy: ${message}\n` });
  });
}

for (const value of ["-1", "1e9", "abc", "10001"]) {
  Deno.test(`MPI_WORKERS=${value} and workers: ${value} must be refused`, async () => {
    const message = `Invalid value "${value}" for MPI_WORKERS: ${WORKERS}`;
    const err = `docker mpi deploy: ${message}\n`;
    assert.deepEqual(await mpi("deploy", undefined, { MPI_WORKERS: value }), { code: 125, out: "", err });
    const { code, out, err: text } = await mpi("deploy", `workers: ${value}\n`);
    assert.deepEqual([code, out], [125, ""]);
    assert.match(text, new RegExp(`^docker mpi deploy: mpi\\.yaml:1:10: [^\\n]*${value}[^\\n]*${WORKERS}\\n$`));
  });
}

const files: [what: string, file: string, message: string][] = [
  ["a wrong type", "port: ssh\n", '1:7: Wrong type for port: "ssh" is a string, want a whole number from 1 to 65535'],
  ["an unknown key", "colour: red\n", `1:1: Unknown key "colour": the ${KEYS}`],
  ["a typo", "name: x\nwrokers: 5\n", `2:1: Unknown key "wrokers", did you mean "workers"? The ${KEYS}`],
  ["a duplicate key", "workers: 5\nworkers: 6\n", '2:1: Key "workers" is given twice, first in line 1'],
  ["tabs", "network:\n\tmtu: 9000\n", "2:1: Tab used for indentation: use spaces"],
];

for (const [what, file, message] of files) {
  Deno.test(`an mpi.yaml with ${what} must be refused by every command that reads it`, async () => {
    for (const name of ["deploy", "build", "config", "hosts", "ps"]) {
      const err = `docker mpi ${name}: mpi.yaml:${message}\n`;
      assert.deepEqual(await mpi(name, file), { code: 125, out: "", err });
    }
  });
}

Deno.test("an mpi.yaml that can't be read must be told from one that isn't there", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "mpi-input-" });
  try {
    await Deno.mkdir(`${cwd}/mpi.yaml`);
    const err = `docker mpi deploy: Cannot read "mpi.yaml" in "${cwd.split("/").at(-1)}": it is a directory\n` +
      "hint: ls -ld mpi.yaml\n";
    assert.deepEqual(await run(["mpi", "deploy"], { cwd: () => cwd }), { code: 125, out: "", err });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("init must leave a directory alone that is not empty", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "mpi-input-" });
  try {
    await Deno.writeTextFile(`${cwd}/mpi.yaml`, "mine\n");
    await Deno.writeTextFile(`${cwd}/notes`, "mine too\n");
    assert.deepEqual(await run(["mpi", "init"], { cwd: () => cwd }), {
      code: 1,
      out: "",
      err: 'docker mpi init: "." has "mpi.yaml" already, which would be overwritten\n' +
        "hint: choose another directory, or overwrite them with --force\n",
    });
    assert.equal(await Deno.readTextFile(`${cwd}/mpi.yaml`), "mine\n");
    assert.deepEqual((await Array.fromAsync(Deno.readDir(cwd))).map(({ name }) => name).sort(), ["mpi.yaml", "notes"]);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
