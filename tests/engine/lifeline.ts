/**
 * What keeps boxes alive: a lock on a file, which several processes may hold together.
 *
 * The kernel lets go of it when the last holder ends, in whatever way; `inside.sh` waits for that.
 */

/** A lifeline that is held. */
export class Lifeline implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(readonly path: string, file: Deno.FsFile) {
    this.#file = file;
  }

  /** Holds the lifeline of a folder, which is made where there is none. */
  static async hold(folder: string): Promise<Lifeline> {
    const path = `${folder}/lifeline`;
    const file = await Deno.open(path, { write: true, create: true });
    await file.lock(false);
    return new Lifeline(path, file);
  }

  /** Lets go of it. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
