import assert from "node:assert/strict";
import { type AssetFile, type Assets, checkoutAssets, embeddedAssets } from "../../cli/assets.ts";
import { tarball } from "../../cli/files/tar.ts";

const root = new URL("../..", import.meta.url).pathname;

async function embeddedCopy(folder: string): Promise<Assets> {
  const files = await checkoutAssets(root).tree(folder);
  return embeddedAssets(
    files.map(({ path, mode, bytes }) => ({ path: `${folder}/${path}`, mode, base64: bytes.toBase64() })),
  );
}

Deno.test("assets are the same from the checkout and from the program", async () => {
  const [disk, program] = [checkoutAssets(root), await embeddedCopy("examples")];
  assert.deepEqual(await program.tree("examples/hello"), await disk.tree("examples/hello"));
  const paths = (await disk.tree("examples/hello")).map(({ path }) => path);
  assert.deepEqual(paths, ["Dockerfile", "README.md", "mpi.yaml", "project/mpi_hello_world.c"]);
  for (const assets of [disk, program]) {
    assert.deepEqual(await assets.tree("examples/none"), []);
    assert.deepEqual(await assets.tree("examples/hel"), []);
  }
});

Deno.test("assets know programs from other files", async () => {
  const images = await checkoutAssets(root).tree("images");
  const modes = new Set(images.map(({ mode }) => mode));
  assert.deepEqual([...modes].sort(), [0o644, 0o755]);
});

Deno.test("tarball() is the same for the same files, with modes, and takes long names", async () => {
  const long = `${"folder/".repeat(50)}file`;
  const files: AssetFile[] = [
    { path: "bin/run", mode: 0o755, bytes: new TextEncoder().encode("#!/bin/sh\n") },
    { path: long, mode: 0o644, bytes: new Uint8Array(1000) },
  ];
  const bytes = await tarball(files);
  assert.deepEqual(await tarball(files), bytes);
  const header = new TextDecoder().decode(bytes.subarray(0, 512));
  assert.match(header, /^bin\/run\0/);
  assert.match(header.slice(100, 108), /^0*755[ \0]/);
  assert.match(header.slice(136, 148), /^0+[ \0]/);
  assert.ok(new TextDecoder().decode(bytes).includes(`path=${long}\n`));
});
