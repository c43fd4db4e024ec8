import { join } from "node:path";
import { MpiError } from "../../stack/errors.ts";
import { why } from "../../stack/file_error.ts";
import { JobLogReader, type JobPiece } from "../../stack/master/job_log.ts";
import { typed } from "../../stack/shell.ts";
import { quote, quotePath } from "../../stack/text.ts";
import type { Deps } from "../deps.ts";
import { writing } from "../files/read_file.ts";

/** How a job's output is to be shown. */
export interface OutputOptions {
  /** Only this rank's. */
  rank?: number | undefined;
  /** Each line with its rank before it. */
  label?: boolean | undefined;
  /** A directory for standard output, one file a rank. */
  output?: string | undefined;
}

/** Takes a job's output in the form that the master sends, and shows it. */
export interface JobOutput {
  /** Takes what comes next. */
  take(chunk: Uint8Array): Promise<void>;
  /** Ends the last line, where that is needed. */
  end(): Promise<void>;
}

/** Shows a job's output on our own streams, or puts it into files. */
export async function jobOutput({ io, cwd }: Deps, { rank, label = false, output }: OutputOptions): Promise<JobOutput> {
  const files = output === undefined ? undefined : await rankFiles(cwd(), output);
  const reader = new JobLogReader();
  const [out, err] = [new Lines(label), new Lines(label)];
  const show = async (pieces: readonly JobPiece[]) => {
    const parts = pieces[0]?.stream === "out" ? out.show(pieces) : err.show(pieces);
    await (pieces[0]?.stream === "out" ? io.stdout : io.stderr).write(parts);
  };
  return {
    async take(chunk) {
      const pieces = reader.read(chunk).filter((piece) => rank === undefined || piece.rank === rank);
      const isForFile = ({ stream }: JobPiece) => files !== undefined && stream === "out";
      await files?.append(pieces.filter(isForFile));
      for (const run of runs(pieces.filter((piece) => !isForFile(piece)))) await show(run);
    },
    async end() {
      await io.stdout.write(out.end());
      await io.stderr.write(err.end());
    },
  };
}

/** Neighbours of the same stream, which can be written at once. */
function runs(pieces: readonly JobPiece[]): JobPiece[][] {
  const found: JobPiece[][] = [];
  for (const piece of pieces) {
    if (found.at(-1)?.[0]?.stream === piece.stream) found.at(-1)!.push(piece);
    else found.push([piece]);
  }
  return found;
}

const LINE_END = 10;
const encode = (text: string) => new TextEncoder().encode(text);

/**
 * Puts pieces together again, as `srun -l` does it where labels are wanted: `3: text`. A label is true for all of its line:
 * where another rank speaks in the middle of one, that line ends.
 */
export class Lines {
  readonly #label: boolean;
  #speaker: { rank: number | undefined } | undefined;

  /** @param label Whether each line gets its rank. */
  constructor(label: boolean) {
    this.#label = label;
  }

  /** Gives the bytes to write. */
  show(pieces: readonly JobPiece[]): Uint8Array {
    return concat(pieces.flatMap((piece) => this.#show(piece)));
  }

  /** Gives what the last line lacks. */
  end(): Uint8Array {
    return this.#label && this.#speaker ? encode("\n") : new Uint8Array();
  }

  #show({ rank, bytes }: JobPiece): Uint8Array[] {
    if (!this.#label) return [bytes];
    const before = this.#speaker;
    this.#speaker = bytes.at(-1) === LINE_END ? undefined : { rank };
    if (before !== undefined && before.rank === rank) return [bytes];
    const label = rank === undefined ? "" : `${rank}: `;
    return [encode(before === undefined ? label : `\n${label}`), bytes];
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Files `rank-N.out` in a directory that has nothing in it yet. */
async function rankFiles(cwd: string, directory: string) {
  const path = join(directory.startsWith("/") ? "" : cwd, directory);
  const refuse = (fault: string, hint: string, cause?: unknown) =>
    new MpiError("usage", `Cannot write the ranks' output to ${quotePath(directory)}: ${fault}`, { hint, cause });
  try {
    await Deno.mkdir(path, { recursive: true });
    for await (const { name } of Deno.readDir(path)) {
      throw refuse(`it has ${quote(name)} in it`, "name a directory that is new or empty");
    }
  } catch (error) {
    throw error instanceof MpiError ? error : refuse(why(error), typed("ls", "-ld", directory), error);
  }
  return {
    // Opened for each write: there may be more ranks than a process may have files.
    async append(pieces: readonly JobPiece[]): Promise<void> {
      for (const [rank, some] of Map.groupBy(pieces, (piece) => piece.rank ?? 0)) {
        const bytes = concat(some.map(({ bytes }) => bytes));
        await writing(directory, () => Deno.writeFile(join(path, `rank-${rank}.out`), bytes, { append: true }));
      }
    },
  };
}
