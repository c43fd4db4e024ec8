/**
 * The file system of an image without Docker: the same binaries as processes of the bare machine.
 *
 * What runs in it has a mount namespace and a root directory of its own, and nothing else: no cgroup, no network
 * namespace, no filter of system calls. The mounts end with it.
 */
import type { Arena } from "./arena.ts";
import type { Mpi, Site } from "./site.ts";

/** Mounts what a program needs below a root, and starts it there as the images' user. */
const BARE = `set -eu
root=$1 user=$2
shift 2
for folder in proc dev sys; do mount --rbind "/$folder" "$root/$folder"; done
exec chroot --userspec="$user" "$root" env -i HOME=/tmp PATH=/usr/local/bin:/usr/bin:/bin TERM=dumb "$@"`;

/** The images' user. */
const USER = "1000:1000";

/** Unpacks a project's image; returns its folder, which is removed at the end. */
export function rootfs(arena: Arena, site: Site, mpi: Mpi): Promise<string> {
  return arena.once(`rootfs ${mpi}`, async () => {
    await site.project(mpi);
    const folder = `${arena.scratch}/rootfs-${mpi}`;
    await Deno.mkdir(folder);
    const id = (await site.docker(["create", site.image(mpi)])).trim();
    try {
      const unpack = 'set -o pipefail; docker export "$0" | tar -x -C "$1" --exclude=dev/*';
      await arena.must(["bash", "-c", unpack, id, folder], { env: site.place.env, seconds: 180 });
    } finally {
      await site.docker(["rm", "--force", id]);
    }
    await Deno.writeTextFile(`${folder}/etc/hosts`, `127.0.0.1 localhost ${Deno.hostname()}\n`);
    return folder;
  });
}

/** Runs a program in it; it must succeed. */
export async function bare(arena: Arena, root: string, words: string[]): Promise<string> {
  return await arena.must(["unshare", "--mount", "sh", "-c", BARE, "sh", root, USER, ...words]);
}
