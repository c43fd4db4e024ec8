/**
 * Properties: what has to hold for thousands of generated inputs.
 *
 * The seed is fixed, so that a run says the same as the last one. `MPI_TEST_SEED` sets another, `MPI_TEST_SEED=random`
 * a new one, and `MPI_TEST_RUNS=10` makes ten times as many inputs. A failure shows its seed and the smallest input.
 */
import assert from "node:assert/strict";
import process from "node:process";
import fc from "fast-check";
import { visible } from "../../stack/text.ts";

/** A single input that computes for longer counts as a hang, however busy the machine is otherwise. */
const LIMIT_MS = 5000;

/** And one that waits for longer. */
const WAIT_MS = 60_000;

/** Making a failing input smaller ends then. */
const SHRINK_MS = 60_000;

const SEED = seedOf(Deno.env.get("MPI_TEST_SEED") || "20261123");
const FACTOR = Number(Deno.env.get("MPI_TEST_RUNS") || "1");

function seedOf(text: string): number {
  const seed = text === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(text);
  assert.ok(Number.isInteger(seed), `MPI_TEST_SEED=${text}: want a whole number, or "random"`);
  return seed;
}

/** Adds a test that checks so many generated inputs, each within a time limit. */
export function property<T>(
  name: string,
  runs: number,
  input: fc.Arbitrary<T>,
  check: (input: T) => void | Promise<void>,
): void {
  Deno.test(`${name} (${Math.ceil(runs * FACTOR)} inputs)`, () => checkAll(runs, input, check));
}

/** So many generated inputs, for what takes them all at once. */
export function sample<T>(input: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(input, { seed: SEED, numRuns: count });
}

/** Checks so many generated inputs. */
export async function checkAll<T>(
  runs: number,
  input: fc.Arbitrary<T>,
  check: (input: T) => void | Promise<void>,
): Promise<void> {
  let failedAt: number | undefined;
  const limited = async (input: T) => {
    // What was found before is shown as it is, if this takes too long.
    fc.pre(failedAt === undefined || performance.now() - failedAt < SHRINK_MS);
    const begin = process.cpuUsage();
    try {
      await check(input);
      const took = process.cpuUsage(begin).user / 1000;
      assert.ok(took < LIMIT_MS, `it took ${Math.round(took)} ms`);
    } catch (error) {
      failedAt ??= performance.now();
      throw error;
    }
  };
  const details = await fc.check(fc.asyncProperty(input, limited), {
    seed: SEED,
    numRuns: Math.ceil(runs * FACTOR),
    timeout: WAIT_MS,
    includeErrorInReport: true,
  });
  // The inputs are what a terminal should not get as they are.
  if (details.failed) throw new Error(visible(fc.defaultReportMessage(details) ?? "It failed", "\n"));
}
