/** Loaded before the tests of a group: a test that takes too long is ended and named, and the others go on. */

/** Names the variable that has the limit of each test, in seconds. */
const LIMIT = Number(Deno.env.get("MPI_TEST_SECONDS") || "120");

type Body = (context: Deno.TestContext) => void | Promise<void>;

function limited(body: Body): Body {
  return async (context) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`ended: it took over ${LIMIT} s, the limit of a test`)), LIMIT * 1000);
    });
    try {
      await Promise.race([body(context), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

const original = Deno.test as (...words: unknown[]) => void;
const test = (...words: unknown[]) =>
  original(...words.map((word) => typeof word === "function" ? limited(word as Body) : withLimit(word)));

/** A test may also be described by an object that has its function. */
function withLimit(word: unknown): unknown {
  const { fn } = (word ?? {}) as { fn?: Body };
  return fn === undefined ? word : { ...(word as object), fn: limited(fn) };
}

Object.assign(Deno, { test: Object.assign(test, Deno.test) });
