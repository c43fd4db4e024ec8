/** Medians, spreads and alternation. */

/** What was measured of one thing, and of the raw one beside it: a value of each for each round. */
export interface Sample {
  /** What a user does. */
  what: string;
  /** The raw thing. */
  against: string;
  /** Of bandwidth, more is better; of all else, less is. */
  unit: "s" | "µs" | "MB/s";
  ours: number[];
  theirs: number[];
}

/** The middle of some values, and how far they spread. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** A line of the result. */
export interface Row extends Pick<Sample, "what" | "against" | "unit"> {
  family: string;
  rounds: number;
  ours: Spread;
  theirs: Spread;
  /** Ours divided by the raw thing. */
  ratio: number;
}

/** The middle value, between two of them if need be. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("there are no values");
  const sorted = values.toSorted((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2;
}

/** The middle and the ends. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * What comes of a sample. The ratio is the median of each round's own ratio: what else the machine did changed from round to
 * round, and less within one.
 */
export function rowOf(family: string, { ours, theirs, ...sample }: Sample): Row {
  if (ours.length !== theirs.length) {
    throw new Error(`${sample.what} has ${ours.length} values of ours and ${theirs.length} of the other's`);
  }
  const wrong = [...ours, ...theirs].filter((value) => !(Number.isFinite(value) && value > 0));
  if (wrong.length > 0) throw new Error(`${sample.what} has values that can't be: ${wrong.join(" ")}`);
  const ratio = median(ours.map((value, round) => value / theirs[round]!));
  return { family, ...sample, rounds: ours.length, ours: spreadOf(ours), theirs: spreadOf(theirs), ratio };
}

/** Measures several things in turn, A B A B, after one round that doesn't count. */
export async function alternate<Key extends string, Value>(
  rounds: number,
  things: Record<Key, () => Promise<Value>>,
): Promise<Record<Key, Value[]>> {
  const keys = Object.keys(things) as Key[];
  const values = Object.fromEntries(keys.map((key) => [key, []])) as unknown as Record<Key, Value[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const key of keys) {
      const value = await things[key]();
      if (round > 0) values[key].push(value);
    }
  }
  return values;
}

/** How many seconds something takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await action();
  return (performance.now() - begin) / 1000;
}
