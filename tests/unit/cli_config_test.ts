import assert from "node:assert/strict";
import { FIELD_NAMES, FIELDS, PARTS } from "../../stack/settings/schema.ts";
import { run } from "../support/cli.ts";

const YAML = `name: cfd
network:
  mtu: 9000
volumes: ["data:/data", "/srv:/srv:ro"]
stack: { services: { viewer: { image: viewer } } }
`;

/** Runs `docker mpi config` in a project with these settings, without an engine. */
async function config(args: string, yaml = YAML, env: Record<string, string> = {}) {
  const cwd = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${cwd}/mpi.yaml`, yaml);
    return await run(["mpi", "config", ...args.split(" ")], { cwd: () => cwd, env: (name) => env[name] });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/** The line of a setting. */
const line = (out: string, key: string) => out.split("\n").find((line) => line.startsWith(`${key} `))?.split(/ {3,}/);

Deno.test("config --resolve shows each setting, and where it comes from", async () => {
  const { code, out, err } = await config("--resolve --workers 5", YAML, { MPI_SLOTS: "2", MPI_WORKERS: "9" });
  assert.deepEqual([code, err], [0, ""]);
  const keys = [...Object.values(FIELDS), ...Object.values(PARTS)].map(({ key }) => key);
  assert.deepEqual(out.trim().split("\n").map((line) => line.split(/ {3,}/)[0]), ["KEY", ...keys]);
  assert.deepEqual(line(out, "name"), ["name", "cfd", "mpi.yaml:1:7"]);
  assert.deepEqual(line(out, "image"), ["image", "cfd:latest", "default: NAME:latest"]);
  assert.deepEqual(line(out, "workers"), ["workers", "5", "--workers"]);
  assert.deepEqual(line(out, "slots"), ["slots", "2", "MPI_SLOTS"]);
  assert.deepEqual(line(out, "shm"), ["shm", "1g", "default"]);
  assert.deepEqual(line(out, "network.subnet"), ["network.subnet", "automatic", "default: Docker chooses"]);
  assert.deepEqual(line(out, "network.mtu"), ["network.mtu", "9000", "mpi.yaml:3:8"]);
  assert.deepEqual(line(out, "volumes"), ["volumes", "/data, /srv", "mpi.yaml:4:1"]);
  assert.deepEqual(line(out, "stack"), ["stack", "services", "mpi.yaml:5:1"]);
});

Deno.test("config --resolve says which defaults are settled later, and how", async () => {
  const { out } = await config("--resolve", "");
  assert.deepEqual(line(out, "workers"), ["workers", "automatic", "default: as many as run, or 3"]);
  assert.deepEqual(line(out, "volumes"), ["volumes", "-", "default: none"]);
});

Deno.test("config --resolve --format json is for programs", async () => {
  const { out } = await config("--resolve --format json --port 22", YAML);
  const rows = new Map(out.trim().split("\n").map((line) => JSON.parse(line)).map((row) => [row.Key, row]));
  assert.equal(rows.size, FIELD_NAMES.length + Object.keys(PARTS).length);
  assert.deepEqual(rows.get("port"), { Key: "port", Value: 22, From: "flag", Where: "--port" });
  assert.deepEqual(rows.get("shm"), { Key: "shm", Value: 1_073_741_824, From: "default", Where: "1g" });
  assert.deepEqual(rows.get("workers"), {
    Key: "workers",
    Value: null,
    From: "default",
    Where: "as many as run, or 3",
  });
  assert.deepEqual(rows.get("volumes").Value[0], { type: "volume", source: "data", target: "/data" });
});

Deno.test("config --resolve tells what is wrong as deploy does", async () => {
  assert.deepEqual(await config("--resolve", "volumes: [data]\n"), {
    code: 125,
    out: "",
    err: 'docker mpi config: mpi.yaml:1:11: Invalid value "data" for volumes: want "NAME:/PATH", "/HOST/PATH:/PATH", ' +
      'with ":ro" behind it for reading alone, or a mapping\n',
  });
});
