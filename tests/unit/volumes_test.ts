// deno-lint-ignore-file camelcase -- the keys of compose files
import assert from "node:assert/strict";
import { readSettingsFile } from "../../stack/settings/file.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { formatStack, renderStack } from "../../stack/stackfile/stack_file.ts";
import { composeFaults } from "../support/compose.ts";

const keys = {
  userPublic: "ssh-ed25519 AAAA",
  clusterPublic: "ssh-ed25519 BBBB",
  masterHostPublic: "ssh-ed25519 CCCC",
  workerHostPublic: "ssh-ed25519 DDDD",
  clusterSecret: "hello_cluster_key-0123456789ab",
  masterHostSecret: "hello_master_host-0123456789ab",
  workerHostSecret: "hello_worker_host-0123456789ab",
};

/** The parts of the stack file that an `mpi.yaml` leads to. */
async function render(text: string) {
  const settings = await resolveSettings({ directory: "/home/ada/hello", file: { path: "mpi.yaml", text } });
  const stack = renderStack({ settings, workers: 1, keys, version: "1.0.0" });
  assert.deepEqual(composeFaults(formatStack(stack)), []);
  const { master, worker } = stack.services as Record<string, { volumes: unknown[] }>;
  assert.deepEqual(master!.volumes, worker!.volumes);
  return { mounts: master!.volumes.slice(1), volumes: stack["volumes"] };
}

const labels = { "docker-mpi.cluster": "hello" };

Deno.test("volumes are mounted into master and workers, and named ones are defined", async () => {
  const text = `volumes:
  - data:/data
  - /srv/sets:/sets:ro
  - { type: tmpfs, target: /scratch, tmpfs: { size: 2g } }
  - { type: volume, source: data, target: /more, read_only: true, volume: { nocopy: true } }
  - { source: /srv/$x, target: /x, bind: { propagation: rslave } }
`;
  assert.deepEqual(await render(text), {
    mounts: [
      { type: "volume", source: "data", target: "/data" },
      { type: "bind", source: "/srv/sets", target: "/sets", read_only: true },
      { type: "tmpfs", target: "/scratch", tmpfs: { size: 2 * 1024 ** 3 } },
      { type: "volume", source: "data", target: "/more", read_only: true, volume: { nocopy: true } },
      { type: "bind", source: "/srv/$$x", target: "/x", bind: { propagation: "rslave" } },
    ],
    volumes: { data: { labels } },
  });
});

Deno.test("a volume with a driver's options has them as texts, and nothing of the image", async () => {
  const text = `volumes:
  - source: share
    target: /share
    driver_opts: { type: nfs, o: "addr=10.0.0.5,nfsvers=4", device: ":/export", retries: 3 }
  - { source: theirs, target: /theirs, external: true }
  - { source: kept, target: /kept, driver: local, volume: { nocopy: false } }
`;
  const driver_opts = { type: "nfs", o: "addr=10.0.0.5,nfsvers=4", device: ":/export", retries: "3" };
  assert.deepEqual(await render(text), {
    mounts: [
      { type: "volume", source: "share", target: "/share", volume: { nocopy: true } },
      { type: "volume", source: "theirs", target: "/theirs" },
      { type: "volume", source: "kept", target: "/kept", volume: { nocopy: false } },
    ],
    volumes: { share: { driver_opts, labels }, theirs: { external: true }, kept: { driver: "local", labels } },
  });
});

Deno.test("a piece of stack: lies over volumes", async () => {
  const { mounts } = await render(`volumes: ["data:/data"]
stack: { services: { master: { volumes: [{ type: volume, source: data, target: /data, read_only: true }] },
  worker: { volumes: [{ type: volume, source: data, target: /data, read_only: true }] } } }
`);
  assert.deepEqual(mounts, [{ type: "volume", source: "data", target: "/data", read_only: true }]);
});

Deno.test("shared programs may be mounted on /project", async () => {
  await render("volumes: ['/srv/programs:/project']\n");
  await render("volumes: [{ source: p, target: /project, driver_opts: { type: nfs } }]\n");
  await render("volumes: ['data:/project/data']\n");
});

const WANT = '"NAME:/PATH", "/HOST/PATH:/PATH", with ":ro" behind it for reading alone, or a mapping';
const TARGET = "want an absolute path in the containers that a node does not need for itself";
const NOT_KEPT = 'Volume "p" on "/project" would keep the programs of the first image on each host: mount it ' +
  'elsewhere, such as on "/data"';

const wrong: Record<string, [text: string, ...faults: string[]]> = {
  "a single text": [
    "volumes: data:/data\n",
    `1:10: Wrong type for volumes: "data:/data" is a string, want a list of ${WANT}`,
  ],
  "a mapping as compose has it at its top": [
    "volumes:\n  data:\n",
    `2:3: Wrong type for volumes: a mapping, want a list of ${WANT}`,
  ],
  "a number": ["volumes: [5]\n", `1:11: Wrong type for volumes: 5 is a number, want ${WANT}`],
  "a path alone": ["volumes: [/data]\n", `1:11: Invalid value "/data" for volumes: want ${WANT}`],
  "a mode that is none": [
    "volumes: ['data:/data:z']\n",
    `1:11: Invalid value "data:/data:z" for volumes: want ${WANT}`,
  ],
  "a relative directory": [
    "volumes: ['./data:/data']\n",
    '1:11: Invalid value "./data" for volumes.source: want the name of a volume, such as "data", or an absolute path, ' +
    "which has to be there on every host",
  ],
  "a relative target": ["volumes: ['data:data']\n", `1:11: Invalid value "data" for volumes.target: ${TARGET}`],
  "the node's own places": [
    "volumes:\n- a:/run/mpi\n- b:/run/secrets/x\n- c:/dev/shm\n- { source: d, target: /usr }\n- e:/x/../run/mpi\n",
    `2:3: Invalid value "/run/mpi" for volumes.target: ${TARGET}`,
    `3:3: Invalid value "/run/secrets/x" for volumes.target: ${TARGET}`,
    `4:3: Invalid value "/dev/shm" for volumes.target: ${TARGET}`,
    `5:24: Invalid value "/usr" for volumes.target: ${TARGET}`,
    `6:3: Invalid value "/x/../run/mpi" for volumes.target: ${TARGET}`,
  ],
  "a slash at the end": [
    "volumes: [ { source: a, target: /data/ } ]\n",
    `1:33: Invalid value "/data/" for volumes.target: ${TARGET}, for example "/data"`,
  ],
  "a key that is none": [
    "volumes: [{ source: a, target: /a, readonly: true }]\n",
    '1:36: Unknown key "readonly" in volumes, did you mean "read_only"? The keys are type, source, target, read_only, ' +
    "volume, driver, driver_opts, external",
  ],
  "a key of another kind": [
    "volumes: [{ source: /a, target: /a, driver: local }]\n",
    '1:37: Unknown key "driver" in volumes: the keys are type, source, target, read_only, bind',
  ],
  "a type that is none": [
    "volumes: [{ type: nfs, source: a, target: /a }]\n",
    '1:19: Invalid value "nfs" for volumes.type: want "volume", "bind" or "tmpfs"',
  ],
  "a mount without its ends": [
    "volumes: [{ read_only: true }]\n",
    "1:11: No source and no target for a mount of type volume",
  ],
  "an option that is none": [
    "volumes: [{ source: a, target: /a, driver_opts: { type: [nfs], o: } }]\n",
    "1:57: Wrong type for volumes.driver_opts.type: a list, want a text or a number",
    "1:64: No value for volumes.driver_opts.o: want a text or a number, or leave the line out",
  ],
  "a place that is taken": [
    "volumes:\n- a:/data\n- b:/data\n",
    '3:3: Something is mounted on "/data" twice, first in line 2',
  ],
  "two descriptions of one volume": [
    "volumes:\n- { source: a, target: /a, driver: x }\n- { source: a, target: /b, driver: y }\n",
    '3:3: Volume "a" is described twice, and differently',
  ],
  "an external volume that is described": [
    "volumes: [{ source: a, target: /a, external: true, driver: x }]\n",
    "1:11: An external volume is there already: want no driver and no driver_opts",
  ],
  "a volume that hides the programs": ["volumes: ['p:/project']\n", `1:11: ${NOT_KEPT}`],
};

for (const [name, [text, ...expected]] of Object.entries(wrong)) {
  Deno.test(`volumes: ${name} is refused`, () => {
    const { faults } = readSettingsFile(text);
    assert.deepEqual(faults.map(({ at, message }) => `${at.line}:${at.column}: ${message}`), expected);
  });
}
