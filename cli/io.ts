import { MpiError } from "../stack/errors.ts";
import { isFull, why } from "../stack/file_error.ts";

/** Thrown by a write when nobody reads any more (`docker mpi logs | head`): ends the command without a word. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** One of our two output streams. */
export interface Output {
  /** Whether it is a terminal. */
  readonly isTerminal: boolean;
  /** Width of the terminal; 80 where there is none. */
  columns(): number;
  /**
   * Writes all of it, after what was written before; awaiting it respects backpressure.
   *
   * @throws {OutputClosed} On standard output, if the reader has gone.
   */
  write(data: string | Uint8Array): Promise<void>;
  /** Resolves when everything written so far has reached the kernel. */
  flushed(): Promise<void>;
}

/** Our standard input. */
export interface Input {
  /** Whether it is a terminal. */
  readonly isTerminal: boolean;
  /** What comes in, as it comes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Switches the terminal to raw mode and back. */
  setRaw(raw: boolean): void;
}

/** The three standard streams, and whether colour is welcome. */
export interface Io {
  /** Standard input. */
  readonly stdin: Input;
  /** Standard output: results. */
  readonly stdout: Output;
  /** Standard error: progress, warnings, errors. */
  readonly stderr: Output;
  /** Whether to colour what goes to standard error: it is a terminal and `NO_COLOR` is empty. */
  readonly color: boolean;
}

/** The part of `Deno.stdout` that an {@linkcode Output} is made from. */
export interface Sink {
  /** Writes some of it and says how much. */
  write(data: Uint8Array): Promise<number>;
  /** Whether it is a terminal. */
  isTerminal(): boolean;
}

/** The real streams of this process. */
export function processIo(env: (name: string) => string | undefined): Io {
  return {
    stdin: {
      isTerminal: Deno.stdin.isTerminal(),
      get readable() {
        return Deno.stdin.readable;
      },
      setRaw(raw) {
        Deno.stdin.setRaw(raw);
        if (raw) leaveOutputAlone();
      },
    },
    stdout: output(Deno.stdout, "throw"),
    stderr: output(Deno.stderr, "ignore"),
    color: Deno.stderr.isTerminal() && !env("NO_COLOR") && env("TERM") !== "dumb",
  };
}

/**
 * Deno's raw mode still puts a carriage return before each line feed, which tears the screens of editors: for them a line
 * feed is one step down. Leaving raw mode undoes this as well.
 */
function leaveOutputAlone(): void {
  if (Deno.build.os === "windows") return;
  try {
    new Deno.Command("stty", { args: ["-opost"], stdin: "inherit", stdout: "null", stderr: "null" }).outputSync();
  } catch {
    // A machine without stty; most programs are no worse for it.
  }
}

/**
 * Makes an {@linkcode Output} of a sink: whole writes, in order, one at a time.
 *
 * @param sink Where it goes.
 * @param closed What a reader that has gone means. Lost progress is no reason to stop; a lost result is.
 */
export function output(sink: Sink, closed: "throw" | "ignore"): Output {
  let last: Promise<void> = Promise.resolve();
  const isTerminal = sink.isTerminal();
  return {
    isTerminal,
    columns: () => isTerminal ? terminalColumns() : 80,
    write(data) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      const written = last.then(() => writeAll(sink, bytes, closed));
      // The caller hears of a failure; the next write finds out by itself.
      last = written.catch(() => {});
      return written;
    },
    flushed: () => last,
  };
}

async function writeAll(sink: Sink, bytes: Uint8Array, closed: "throw" | "ignore"): Promise<void> {
  let sent = 0;
  while (sent < bytes.length) {
    try {
      sent += await sink.write(bytes.subarray(sent));
    } catch (error) {
      // A neighbour that shares the pipe (ssh does so) can have made it non-blocking: it is full, so wait.
      if (error instanceof Deno.errors.WouldBlock) await new Promise((resolve) => setTimeout(resolve, 5));
      else if (closed === "ignore") return;
      else if (error instanceof Deno.errors.BrokenPipe) throw new OutputClosed("Nobody reads", { cause: error });
      else {
        throw new MpiError("usage", `Cannot write standard output: ${why(error)}`, {
          ...(isFull(error) ? { hint: "df -h .  # shows whether there is space" } : {}),
          cause: error,
        });
      }
    }
  }
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
