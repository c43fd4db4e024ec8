/** A part of what a job printed: a line with its end, or a part of one. */
export interface JobPiece {
  /** Where it was printed. */
  stream: "out" | "err";
  /** By which rank; none: said by us. */
  rank?: number;
  /** What was printed, byte for byte. */
  bytes: Uint8Array;
}

const LINE_END = 10;
const HEADER = /^([oe])(\d{1,9}|-)([:+])/;

/**
 * Reads the form in which the master keeps what a job prints: a line for each line, `o3:text` of standard output or `e3:text`
 * of standard error of rank 3, and `o3+text` for a part whose line end had not come.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { JobLogReader } from "./job_log.ts";
 *
 * const pieces = new JobLogReader().read(new TextEncoder().encode("o3:a line\ne0+half"));
 * assert.deepEqual(pieces, [{ stream: "out", rank: 3, bytes: new TextEncoder().encode("a line\n") }]);
 * ```
 */
export class JobLogReader {
  #held: Uint8Array = new Uint8Array();

  /**
   * Takes what comes next.
   *
   * @returns The pieces that are whole now.
   */
  read(chunk: Uint8Array): JobPiece[] {
    const bytes = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    const pieces: JobPiece[] = [];
    let begin = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, begin)) {
      const piece = pieceOf(bytes.subarray(begin, end + 1));
      if (piece !== undefined) pieces.push(piece);
      begin = end + 1;
    }
    this.#held = bytes.slice(begin);
    return pieces;
  }
}

/** What isn't a record, as where a full disk took half of one, is left out. */
function pieceOf(record: Uint8Array): JobPiece | undefined {
  const header = HEADER.exec(String.fromCharCode(...record.subarray(0, 12)));
  if (header === null) return undefined;
  const [{ length }, stream, rank, end] = header;
  return {
    stream: stream === "o" ? "out" : "err",
    ...(rank === "-" ? {} : { rank: Number(rank) }),
    bytes: record.subarray(length, end === ":" ? record.length : -1),
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
