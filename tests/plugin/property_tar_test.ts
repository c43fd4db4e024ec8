/** What `tarball()` packs, unpacked by the real `tar`. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { AssetFile } from "../../cli/assets.ts";
import { tarball } from "../../cli/files/tar.ts";
import { checkAll } from "../support/property.ts";

const folder = fc.oneof(fc.stringMatching(/^[a-z0-9_.-]{0,9}[a-zé漢🦕]$/u), fc.stringMatching(/^[a-z0-9]{40,60}$/));
const path = fc.array(folder, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));

/** Files of different folders, so that no path is a folder of another. */
const files: fc.Arbitrary<AssetFile[]> = fc.array(
  fc.record({
    path,
    mode: fc.constantFrom(0o644, 0o755),
    bytes: fc.uint8Array({ maxLength: 2000 }).map((bytes) => new Uint8Array(bytes)),
  }),
  { minLength: 1, maxLength: 6 },
).map((all) => all.map((file, index) => ({ ...file, path: `${index}/${file.path}` })));

Deno.test("tar unpacks any files as they were packed, with one time for all of them", async () => {
  await checkAll(60, files, async (files) => {
    const bytes = await tarball(files);
    const directory = await Deno.makeTempDir({ prefix: "mpi-tar-" });
    try {
      const archive = `${directory}/archive.tar`;
      await Deno.writeFile(archive, bytes);
      const args = ["--extract", "--no-same-owner", "--same-permissions", "--file", archive, "--directory", directory];
      const { code, stderr } = await new Deno.Command("tar", { args }).output();
      assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
      for (const file of files) {
        assert.deepEqual(await Deno.readFile(`${directory}/${file.path}`), file.bytes);
        const { mode, mtime } = await Deno.stat(`${directory}/${file.path}`);
        assert.deepEqual([mode! & 0o777, mtime?.getTime()], [file.mode, 0]);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
});
