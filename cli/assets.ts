/** A file that travels inside the program. */
export interface AssetFile {
  /** Relative to the folder that was asked for, with `/`. */
  path: string;
  /** 0o755 for programs, 0o644 for the rest, whatever the umask of the checkout was. */
  mode: number;
  /** Its content. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** As it stands in the bundled program: `path` from the root of the project, content in base64. */
export interface EmbeddedAsset {
  /** `images/Dockerfile`. */
  path: string;
  /** As in {@linkcode AssetFile}. */
  mode: number;
  /** The content. */
  base64: string;
}

/** The images and templates of this version of the program. */
export interface Assets {
  /** Every file below a folder such as `examples/hello`, sorted by path; none if there is no such folder. */
  tree(folder: string): Promise<AssetFile[]>;
}

/** Assets of a bundled program. */
export function embeddedAssets(files: readonly EmbeddedAsset[]): Assets {
  const below = (folder: string) =>
    files.filter(({ path }) => path.startsWith(`${folder}/`))
      .map((file) => ({ ...file, path: file.path.slice(folder.length + 1) }))
      .sort(byPath);
  return {
    tree: (folder) =>
      Promise.resolve(
        below(folder).map(({ path, mode, base64 }) => ({ path, mode, bytes: Uint8Array.fromBase64(base64) })),
      ),
  };
}

/** Assets of a checkout, read from disk. */
export function checkoutAssets(root: string): Assets {
  return {
    tree: async (folder) => (await readTree(`${root}/${folder}`, "")).sort(byPath),
  };
}

async function readTree(root: string, prefix: string): Promise<AssetFile[]> {
  const files: AssetFile[] = [];
  for (const entry of await list(`${root}/${prefix}`)) {
    const path = prefix + entry.name;
    if (entry.isDirectory) files.push(...await readTree(root, `${path}/`));
    else files.push({ path, mode: await modeOf(`${root}/${path}`), bytes: await Deno.readFile(`${root}/${path}`) });
  }
  return files;
}

async function list(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o100 ? 0o755 : 0o644;
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1;
}
