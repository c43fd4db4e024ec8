/** What the image of a cluster holds: no private key, and nothing that gains rights. */
import assert from "node:assert/strict";
import { KEY_START } from "../support/security.ts";
import { expectOk, IMAGE, openWorld } from "../support/swarm.ts";

/** The first line of any private key in a file of its own, for grep. */
const PEM_START = "^-{5}BEGIN (\\w+ )?P\\w+E KEY-{5}$";

Deno.test("the image must hold no private key, and nothing that gains rights", async () => {
  await using world = await openWorld();
  const { stdout: history } = await expectOk(world.docker(["history", "--no-trunc", IMAGE]));
  assert.ok(history.includes("openssh-server"), history);
  assert.ok(!history.includes("PRIVATE KEY") && !history.includes(KEY_START));
  const folder = await Deno.makeTempDir({ prefix: "mpitest-layers-" });
  try {
    // Each layer by itself: what a later one removes is still there to be read.
    const script = `
      docker save ${IMAGE} | tar -x -C "$0"
      find "$0" -type f -size +1k | while read -r layer; do
        tar -tf "$layer" >"$0/list" 2>/dev/null || continue
        echo "layer with $(wc -l <"$0/list") files"
        grep 'etc/ssh/ssh_host_\\|id_ed25519\\|id_rsa\\|run/secrets/.' "$0/list"
        tar -xOf "$layer" | grep -acE '${KEY_START}|${PEM_START}' | sed 's/^/keys: /'
        grep -ac 'SCHILY.xattr.security.capability' "$layer" | sed 's/^/files with capabilities: /'
      done`;
    const env = { ...Deno.env.toObject(), DOCKER_CONFIG: world.config };
    const { stdout } = await new Deno.Command("bash", { args: ["-c", script, folder], env }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.ok(lines.filter((line) => line.startsWith("layer with")).length >= 4, lines.join("\n"));
    assert.deepEqual(lines.filter((line) => !/^layer with|: 0$/.test(line)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const find = ["find", "/", "-xdev", "-type", "f", "-perm", "/6000"];
  const { stdout } = await expectOk(world.docker(["run", "--rm", "--user", "root", IMAGE, ...find]));
  assert.equal(stdout, "");
});
