import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import { unwritableKeys } from "../keys/key_store.ts";
import { type Limit, poll } from "../limit.ts";
import { typed } from "../shell.ts";

/**
 * Waits for the lock on a cluster's keys: of the commands on this machine that change a cluster, one works after the other.
 *
 * The lock goes with this process, however that ends.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { takeTurn } from "./turn.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const limit = { timeout: 0, signal: new AbortController().signal };
 * const turn = await takeTurn(directory, limit, () => {});
 * await assert.rejects(takeTurn(directory, limit, () => {}), /Another command that changes the cluster did not end/);
 * turn[Symbol.dispose]();
 * (await takeTurn(directory, limit, () => {}))[Symbol.dispose]();
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @param directory The directory with the cluster's keys on this machine; it is made if it is not there.
 * @param limit When to give up.
 * @param report Told that there is somebody to wait for.
 * @returns The turn; disposing of it gives the lock to the next.
 * @throws {MpiError} `timeout` at the limit, `ssh` where the lock's file can't be written.
 */
export async function takeTurn(directory: string, limit: Limit, report: Report): Promise<Disposable> {
  const path = `${directory}/lock`;
  let waited = false;
  const ask = async () => {
    const file = await openLock(directory, path);
    if (file && await isOurs(file, path).catch((error) => unlockable(file, directory, error))) {
      if (waited) report({ resource: "turn", state: "done", text: "the other command has ended" });
      return { [Symbol.dispose]: () => file.close() };
    }
    file?.close();
    waited = true;
    report({ resource: "turn", state: "working", text: "waiting for another command that changes this cluster" });
    return undefined;
  };
  return await poll(
    ask,
    limit,
    () =>
      new MpiError("timeout", `Another command that changes the cluster did not end within ${limit.timeout / 1000} s`, {
        hint: `fuser ${typed(path)}  # shows its process`,
      }),
  );
}

/** Opens the lock's file; a removal can take the directory away in between, then there is none. */
async function openLock(directory: string, path: string): Promise<Deno.FsFile | undefined> {
  try {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    return await Deno.open(path, { create: true, write: true, mode: 0o600 });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw await unwritableKeys(directory, error);
  }
}

/** Some network file systems have no locks. */
async function unlockable(file: Deno.FsFile, directory: string, cause: unknown): Promise<never> {
  file.close();
  throw await unwritableKeys(directory, cause);
}

/** A removal takes the lock away with the keys; who waited for it then has that of nothing. */
async function isOurs(file: Deno.FsFile, path: string): Promise<boolean> {
  if (!await file.tryLock(true)) return false;
  const [ours, there] = await Promise.all([file.stat(), Deno.stat(path).catch(() => undefined)]);
  return there !== undefined && there.ino === ours.ino;
}
