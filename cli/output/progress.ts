import type { Event, Waiting } from "../../stack/event.ts";
import { visible } from "../../stack/text.ts";
import type { Progress } from "../deps.ts";
import type { Io } from "../io.ts";
import { cutTo, displayWidth, padTo } from "./table.ts";

/**
 * How to show progress: `auto` is `tty` on a terminal that may have escape sequences, and `plain` elsewhere; `json` gives each
 * event as an object in a line.
 */
export const PROGRESS_MODES = ["auto", "tty", "plain", "quiet", "json"] as const;

/** A way to show progress. */
export type ProgressMode = typeof PROGRESS_MODES[number];

/** One resource on the display. */
export interface ProgressRow {
  /** What was told last of it. */
  event: Event;
  /** When it began, in milliseconds. */
  since: number;
  /** When it was done, in milliseconds. */
  until?: number;
}

/** What a display of rows needs to know. */
export interface ProgressView {
  /** The time in milliseconds. */
  now: number;
  /** Width of the terminal. */
  columns: number;
  /** Whether to colour. */
  color: boolean;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;

/**
 * Takes one event into the rows: a later event replaces an earlier one of the same resource.
 *
 * @returns New rows; the old ones stay as they are.
 */
export function withEvent(rows: readonly ProgressRow[], event: Event, now: number): ProgressRow[] {
  const old = rows.find((row) => row.event.resource === event.resource);
  const row: ProgressRow = { event, since: old?.since ?? now, ...(event.state === "working" ? {} : { until: now }) };
  return old === undefined ? [...rows, row] : rows.map((other) => other === old ? row : other);
}

/** The most of what is waited for that a terminal shows. */
const MOST_WAITING = 8;

/**
 * Renders the rows for a terminal, no longer than it is wide: a line each, and below it one for each thing that it still waits
 * for.
 */
export function renderRows(rows: readonly ProgressRow[], view: ProgressView): string[] {
  const width = Math.max(0, ...rows.map(({ event }) => displayWidth(visible(event.resource))));
  return rows.flatMap((row) => [renderRow(row, width, view), ...renderWaiting(row.event.waiting ?? [], width, view)]);
}

function renderWaiting(waiting: readonly Waiting[], width: number, { columns }: ProgressView): string[] {
  const shown = waiting.length > MOST_WAITING ? waiting.slice(0, MOST_WAITING - 1) : waiting;
  const lines = shown.map(({ name, text }) => visible(`${name}  ${text}`));
  if (shown.length < waiting.length) lines.push(`… and ${waiting.length - shown.length} more`);
  const indent = " ".repeat(3 + width + 2);
  return lines.map((line) => cutTo(indent + line, Math.max(columns - 1, 0)));
}

function renderRow({ event, since, until }: ProgressRow, width: number, view: ProgressView): string {
  const time = `${(((until ?? view.now) - since) / 1000).toFixed(1)}s`;
  const room = view.columns - 1 - 3 - width - 2 - time.length - 2;
  const text = padTo(cutTo(visible(event.text), room), room);
  return ` ${mark(event.state, view)} ${padTo(visible(event.resource), width)}  ${text}  ${time}`;
}

/** Renders one event as a line of a log. */
export function renderPlain(event: Event): string {
  const sign = { working: "", done: "", warning: "warning: " }[event.state];
  return visible(`${event.resource}: ${sign}${event.text}`);
}

/**
 * Starts a display on standard error.
 *
 * @param io Where to show it.
 * @param mode How.
 * @param asMeant Makes of a hint what is to be typed here.
 */
export function startProgress(io: Io, mode: ProgressMode, asMeant: (hint: string) => string): Progress {
  const chosen = mode === "auto" ? (io.color ? "tty" : "plain") : mode;
  if (chosen === "quiet") return { report: () => {}, stop: () => Promise.resolve() };
  const { report, stop } = chosen === "json" ? startJson(io) : chosen === "tty" ? startTerminal(io) : startPlain(io);
  const withHint = (event: Event, hint: string) =>
    chosen === "json" ? { ...event, hint } : { ...event, text: `${event.text}: ${hint}` };
  return {
    report: (event) => report(event.hint === undefined ? event : withHint(event, asMeant(event.hint))),
    stop,
  };
}

function startJson({ stderr }: Io): Progress {
  return {
    report: (event) => void stderr.write(`${JSON.stringify(event)}\n`),
    stop: () => stderr.flushed(),
  };
}

/** What takes no longer than that, in milliseconds, needs no line of its own in a log. */
const SOON = 5000;

/** Picks out of what is waited for what has taken long, and has not been said yet. */
export function pickLate(): (waiting: readonly Waiting[], now: number) => Waiting[] {
  let known = new Map<string, { since: number; said: string }>();
  return (waiting, now) => {
    known = new Map(waiting.map(({ name }) => [name, known.get(name) ?? { since: now, said: "" }]));
    return waiting.filter(({ name, text }) => {
      const one = known.get(name)!;
      if (now - one.since < SOON || one.said === text) return false;
      one.said = text;
      return true;
    });
  };
}

function startPlain({ stderr }: Io): Progress {
  let last = "";
  const late = pickLate();
  return {
    report(event) {
      const line = renderPlain(event);
      if (line !== last) void stderr.write(`${line}\n`);
      last = line;
      for (const { name, text } of late(event.waiting ?? [], Date.now())) {
        void stderr.write(`${visible(`${event.resource}: ${name}: ${text}`)}\n`);
      }
    },
    stop: () => stderr.flushed(),
  };
}

function startTerminal({ stderr, color }: Io): Progress {
  let rows: ProgressRow[] = [];
  let drawn = 0;
  const draw = () => {
    const lines = renderRows(rows, { now: Date.now(), columns: stderr.columns(), color });
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    // What is waited for gets less: lines below are wiped, and the cursor ends below the last one.
    const wiped = Math.max(0, drawn - lines.length);
    const back = wiped > 0 ? `\x1b[${wiped}A` : "";
    drawn = lines.length;
    void stderr.write(up + [...lines, ...Array(wiped).fill("")].map((line) => `\r\x1b[2K${line}\n`).join("") + back);
  };
  const timer = setInterval(draw, FRAME_MS);
  let stopped = false;
  return {
    report(event) {
      rows = withEvent(rows, event, Date.now());
      draw();
    },
    stop() {
      clearInterval(timer);
      // What was written since would be drawn over.
      if (!stopped) draw();
      stopped = true;
      return stderr.flushed();
    },
  };
}

function mark(state: Event["state"], { now, color }: ProgressView): string {
  const [sign, code] = {
    working: [FRAMES[Math.floor(now / FRAME_MS) % FRAMES.length], 36],
    done: ["✔", 32],
    warning: ["!", 33],
  }[state];
  return color ? `\x1b[${code}m${sign}\x1b[0m` : `${sign}`;
}
