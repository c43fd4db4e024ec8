import type { ComparedEntry } from "../../stack/master/copy.ts";
import type { AssetFile } from "../assets.ts";

/**
 * Packs files into a tar archive, for `docker build -`.
 *
 * The same files give the same bytes: times are 0 and owners root, so that Docker's build cache holds.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { tarball } from "./tar.ts";
 *
 * const bytes = await tarball([{ path: "Dockerfile", mode: 0o644, bytes: new Uint8Array(3) }]);
 * assert.equal(bytes.length % 512, 0);
 * ```
 *
 * @param files What to pack; folders come about by themselves.
 * @returns The archive.
 */
export async function tarball(files: readonly AssetFile[]): Promise<Uint8Array<ArrayBuffer>> {
  const { packTar } = await import("modern-tar");
  const entries = files.map(({ path, mode, bytes }) => ({
    header: { name: path, mode, size: bytes.length, mtime: new Date(0), uid: 0, gid: 0, uname: "root", gname: "root" },
    body: bytes,
  }));
  return await packTar(entries) as Uint8Array<ArrayBuffer>;
}

/** What goes into an archive that is read while it is made. */
export interface ArchiveEntry extends ComparedEntry {
  /** What a file has: as many bytes as its size says. */
  body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const TYPES = { f: "file", d: "directory", l: "symlink" } as const;

/** So much goes on at once: many small files make few packets. */
const BLOCK = 256 * 1024;

/**
 * Packs entries as they come; no more is read ahead than a few megabytes.
 *
 * @param entries Folders before what is in them.
 */
export async function* tarStream(entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  const { createTarPacker } = await import("modern-tar");
  const { readable, controller } = createTarPacker();
  const pack = async () => {
    for await (const { path, type, mode, size, mtime, link, body } of entries) {
      const header = { name: path, type: TYPES[type], mode, size, mtime: new Date(Math.max(0, mtime)), linkname: link };
      const writer = controller.add({ ...header, pax: { mtime: (mtime / 1000).toFixed(3) } }).getWriter();
      for await (const chunk of body ?? []) await writer.write(chunk);
      await writer.close();
    }
    controller.finalize();
  };
  pack().catch((error) => controller.error(error));
  yield* inBlocks(readable);
}

/** Puts small pieces together; large ones go on as they are. */
async function* inBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(BLOCK);
  let length = 0;
  for await (const piece of pieces) {
    if (length + piece.length > BLOCK) {
      if (length > 0) yield block.slice(0, length);
      length = 0;
    }
    if (piece.length > BLOCK / 2) {
      if (length > 0) yield block.slice(0, length);
      length = 0;
      yield piece;
    } else {
      block.set(piece, length);
      length += piece.length;
    }
  }
  if (length > 0) yield block.slice(0, length);
}
