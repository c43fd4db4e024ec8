/** What is measured: a figure is data, and a family measures the figures that come of one run. */
import type { Arena } from "./arena.ts";

/** What a figure is to reach. */
export interface Goal {
  at: "most" | "least";
  value: number;
}

/** How a figure comes of what was measured. */
export type Kind =
  /** Ours divided by the other's. */
  | "ours/theirs"
  /** The other's divided by ours: how many times faster. */
  | "theirs/ours"
  /** Ours as it is. */
  | "ours";

/** One line of the table. */
export interface Figure {
  /** Names it, for `--only` and in the JSON file. */
  name: string;
  what: string;
  against: string;
  /** None: it is shown, and nothing is asked of it. */
  goal?: Goal;
  kind: Kind;
  /** The unit of what was measured. */
  unit: string;
  /** What bounds it, for where the goal is missed. */
  bound?: string;
}

/** What was measured for a figure, round by round: the two of one round stand at the same place. */
export interface Sample {
  ours: number[];
  theirs?: number[];
  /** Something to know of it. */
  note?: string;
}

/** Figures in a table of their own, such as a curve. */
export interface Table {
  title: string;
  head: string[];
  rows: string[][];
}

/** What a family measured: a sample for each figure, or why there is none. */
export interface Measured {
  samples: Record<string, Sample | string>;
  tables?: Table[];
}

/** Figures that are measured together. */
export interface Family {
  name: string;
  figures: Figure[];
  /** It is ended, and failed, after that. */
  minutes: number;
  measure(arena: Arena): Promise<Measured>;
}

/** What became of a figure. */
export interface Result {
  name: string;
  verdict: "met" | "missed" | "shown" | "failed";
  /** The figure itself: the median over the rounds, and the quartiles. */
  value?: number;
  spread?: [number, number];
  /** Medians of what was measured. */
  ours?: number;
  theirs?: number;
  rounds?: number;
  note?: string;
  /** Why there is none. */
  error?: string;
}
