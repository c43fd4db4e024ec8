/**
 * What the domain tells while it works; the command line decides how to show it.
 *
 * @example
 * ```ts
 * import type { Event } from "./event.ts";
 *
 * const event: Event = { resource: "workers", state: "working", text: "3 of 5 answer" };
 * ```
 */
export interface Event {
  /** What it is about: `image`, `keys`, `network`, `master`, `workers`. A later event replaces an earlier of the same. */
  resource: string;
  /** How it stands. `warning` is shown and stays. */
  state: "working" | "done" | "warning";
  /** A few words, no full stop. */
  text: string;
  /** A command that puts it right, as in an error's hint. */
  hint?: string;
  /** What is still waited for, one by one, where there are several. */
  waiting?: readonly Waiting[];
}

/** One thing that is not ready. */
export interface Waiting {
  /** Its name: `worker-3`. */
  name: string;
  /** How it is, and why, as far as that is known. */
  text: string;
}

/** Where events go. */
export type Report = (event: Event) => void;
