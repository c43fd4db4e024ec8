/** What `docker mpi run` asks the master for. */
import { MpiError } from "../../stack/errors.ts";
import { quote } from "../../stack/text.ts";

/** The options of a run that the master knows. */
export interface RequestOptions {
  np?: number | undefined;
  ppn?: number | undefined;
  env?: Record<string, string> | undefined;
  workdir?: string | undefined;
  hosts?: string | undefined;
  /** In milliseconds. */
  timeout?: number | undefined;
  queue?: boolean | undefined;
  bindTo?: string | undefined;
  mapBy?: string | undefined;
  /** What else the launcher is told, a word each. */
  mpiArgs?: readonly string[] | undefined;
}

/** What stands for bytes that are no UTF-8, in what a program of JavaScript is given. */
const LOST = "\ufffd";

/**
 * Makes sure that words arrive as they were typed.
 *
 * @throws {MpiError} `usage` if one has bytes that are no UTF-8, which we never get to see.
 */
export function requireText(words: readonly string[]): void {
  const word = words.find((each) => each.includes(LOST));
  if (word === undefined) return;
  throw new MpiError(
    "usage",
    `${quote(word)} can't be passed on: it has bytes that are not UTF-8, or the character U+FFFD`,
    {
      hint: "docker mpi cp FILE .  # brings it in a file",
    },
  );
}

/** The words of `mpi_run` for a program, without those that say whose run it is. */
export function requestWords(
  program: readonly string[],
  { np, ppn, env = {}, workdir, hosts, timeout, queue, bindTo, mapBy, mpiArgs = [] }: RequestOptions,
): string[] {
  requireText([...program, ...Object.entries(env).flat()]);
  return [
    ...(np === undefined ? [] : ["--np", String(np)]),
    ...(ppn === undefined ? [] : ["--ppn", String(ppn)]),
    ...(hosts === undefined ? [] : ["--hosts", hosts]),
    ...(workdir === undefined ? [] : ["--dir", workdir]),
    ...(timeout === undefined ? [] : ["--timeout", String(timeout / 1000)]),
    ...(queue ? ["--queue"] : []),
    ...(bindTo === undefined ? [] : ["--bind-to", bindTo]),
    ...(mapBy === undefined ? [] : ["--map-by", mapBy]),
    ...mpiArgs.flatMap((word) => ["--mpi-arg", word]),
    ...Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    "--",
    ...program,
  ];
}

type Bytes = ReadableStream<Uint8Array>;

/** A stream that begins with some bytes and goes on with another, which is read no sooner than asked for. */
export function startingWith(first: Uint8Array, rest: Bytes | undefined): Bytes {
  const reader = rest?.getReader();
  return new ReadableStream({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { value, done } = await reader?.read() ?? { done: true };
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader?.cancel(reason),
  }, { highWaterMark: 0 });
}

/** A stream in pieces that each say how long they are; the last one is empty. So its end is no loss of the connection. */
export function inPieces(stream: Bytes): Bytes {
  const head = (length: number) => new TextEncoder().encode(`${length}\n`);
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (chunk.length === 0) return;
        controller.enqueue(head(chunk.length));
        controller.enqueue(chunk);
      },
      flush: (controller) => controller.enqueue(head(0)),
    }),
  );
}
