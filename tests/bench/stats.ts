/** Medians, spreads and alternation. */
import type { Figure, Goal, Result, Sample } from "./figure.ts";

/** The value below which that part of the values lies, between two of them if need be. */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new Error("there are no values");
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Whether a value reaches a goal. */
export function reaches(value: number, goal: Goal): boolean {
  return goal.at === "most" ? value <= goal.value : value >= goal.value;
}

/**
 * What comes of a sample. The ratio is the median of each round's own ratio: what else the machine did changed from round to
 * round, and less within one.
 */
export function judge(figure: Figure, sample: Sample | string | undefined): Result {
  const failed = (error: string): Result => ({ name: figure.name, verdict: "failed", error });
  if (sample === undefined) return failed("was not measured");
  if (typeof sample === "string") return failed(sample);
  const { ours, theirs = [], note } = sample;
  if (ours.length === 0) return failed("has no values");
  if (figure.kind !== "ours" && theirs.length !== ours.length) {
    return failed(`has ${ours.length} values of ours and ${theirs.length} of the other's`);
  }
  const values = ours.map((our, round) => valueOf(figure, our, theirs[round]));
  if (!values.every(Number.isFinite)) return failed(`has values that are no numbers: ${values.join(" ")}`);
  const value = median(values);
  return {
    name: figure.name,
    verdict: figure.goal === undefined ? "shown" : reaches(value, figure.goal) ? "met" : "missed",
    value,
    spread: [quantile(values, 0.25), quantile(values, 0.75)],
    ours: median(ours),
    ...(theirs.length === 0 ? {} : { theirs: median(theirs) }),
    rounds: ours.length,
    ...(note === undefined ? {} : { note }),
  };
}

function valueOf({ kind }: Figure, ours: number, theirs = NaN): number {
  if (kind === "ours") return ours;
  return kind === "ours/theirs" ? ours / theirs : theirs / ours;
}

/**
 * Measures several things in turn, A B A B, after one round that doesn't count.
 *
 * @param warm Whether there is that round: what takes seconds and starts afresh each time needs none.
 */
export async function alternate<Key extends string>(
  rounds: number,
  things: Record<Key, () => Promise<number>>,
  { warm = true } = {},
): Promise<Record<Key, number[]>> {
  const keys = Object.keys(things) as Key[];
  const values = Object.fromEntries(keys.map((key) => [key, []])) as unknown as Record<Key, number[]>;
  for (let round = warm ? -1 : 0; round < rounds; round++) {
    for (const key of keys) {
      const value = await things[key]();
      if (round >= 0) values[key].push(value);
    }
  }
  return values;
}

/** How long something takes, in milliseconds. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}
