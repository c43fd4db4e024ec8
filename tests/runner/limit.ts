/**
 * Loaded before the tests of a group: a test that takes too long is given up and named.
 *
 * It can't be ended by itself, only with its file. The tests after it there would run beside it, so they are not started
 * and fail.
 */

/** Names the variable that has the limit of each test, in seconds. */
const LIMIT = Number(Deno.env.get("MPI_TEST_SECONDS") || "120");

type Body = (context: Deno.TestContext) => void | Promise<void>;

/** Gives tests a limit; once one has exceeded it, no other is started. */
export function limiter(seconds: number): (body: Body) => (context: Deno.TestContext) => Promise<void> {
  let unended: string | undefined;
  return (body) => async (context) => {
    if (unended !== undefined) throw new Error(`not started: the test ${JSON.stringify(unended)} did not end`);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        unended = context.name;
        reject(new Error(`given up: it took over ${seconds} s, the limit of a test`));
      }, seconds * 1000);
    });
    try {
      await Promise.race([body(context), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

const limited = limiter(LIMIT);
const original = Deno.test as (...words: unknown[]) => void;
const test = (...words: unknown[]) =>
  original(...words.map((word) => typeof word === "function" ? limited(word as Body) : withLimit(word)));

/** A test may also be described by an object that has its function. */
function withLimit(word: unknown): unknown {
  const { fn } = (word ?? {}) as { fn?: Body };
  return fn === undefined ? word : { ...(word as object), fn: limited(fn) };
}

Object.assign(Deno, { test: Object.assign(test, Deno.test) });
