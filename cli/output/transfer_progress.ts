import type { Deps, Progress } from "../deps.ts";
import type { ProgressMode } from "./progress.ts";

/** What takes no longer shows nothing, in milliseconds. */
const QUIET = 1000;
/** How often a log gets a line. */
const LOG_INTERVAL = 5000;

/** A display of bytes that go by. */
export interface TransferProgress {
  /** Some more have. */
  add(bytes: number): void;
  /** What goes on besides: "checking". */
  phase(text: string): void;
  /** It is done. */
  done(text: string): void;
  /** Ends the display. */
  stop(): Promise<void>;
}

/**
 * Starts a display that shows itself when a transfer takes longer than a second.
 *
 * @param resource What the line is about.
 * @param total Bytes in all, where that is known.
 */
export function transferProgress(
  deps: Deps,
  mode: ProgressMode,
  resource: string,
  total?: number,
): TransferProgress {
  const begin = performance.now();
  let [bytes, text] = [0, ""];
  let display: Progress | undefined;
  const show = () => {
    display ??= deps.progress(mode);
    const speed = bytes / ((performance.now() - begin) / 1000);
    display.report({ resource, state: "working", text: text || transferText(bytes, total, speed) });
  };
  let timer = setTimeout(() => {
    show();
    timer = setInterval(show, deps.io.color ? QUIET / 4 : LOG_INTERVAL);
  }, QUIET);
  return {
    add: (more) => void (bytes += more),
    phase(next) {
      if (text === next) return;
      text = next;
      if (display !== undefined) show();
    },
    done(result) {
      const taken = (performance.now() - begin) / 1000;
      display?.report({ resource, state: "done", text: `${result} in ${taken.toFixed(1)} s` });
    },
    async stop() {
      clearTimeout(timer);
      await display?.stop();
    },
  };
}

/**
 * Says how far a transfer is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { transferText } from "./transfer_progress.ts";
 *
 * assert.equal(transferText(50e6, 200e6, 25e6), "50 MB of 200 MB, 25 MB/s");
 * assert.equal(transferText(1200, undefined, 600), "1.2 kB, 600 B/s");
 * ```
 */
export function transferText(bytes: number, total: number | undefined, speed: number): string {
  return `${bytesText(bytes)}${total === undefined ? "" : ` of ${bytesText(total)}`}, ${bytesText(speed)}/s`;
}

/** Bytes for people, in powers of 1000 as Docker's own commands have them. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value >= 10 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}
