/** How long engines and labs may run: nothing runs for ever. */

/** At most. */
export const MAX_HOURS = 3;

/** Where nothing is said. */
export const DEFAULT_HOURS = 2;

/** Hours in `90m` or `2h`. */
export function hoursOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([mh])$/.exec(text);
  const hours = match === null ? NaN : Number(match[1]) / (match[2] === "m" ? 60 : 1);
  if (!(hours > 0 && hours <= MAX_HOURS)) {
    throw new Error(`--for ${JSON.stringify(text)}: a time up to ${MAX_HOURS}h is needed, such as 90m or 2h`);
  }
  return hours;
}
