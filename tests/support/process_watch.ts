/** What the machine's process table shows while something happens. */

/** A watch that goes on to the end of its block. */
export interface ProcessWatch extends AsyncDisposable {
  /** Every argument list and environment that was seen so far, their words apart by line ends. */
  seen: Set<string>;
}

/** Reads the arguments and the environment of every process there is, again and again. */
export function watchProcesses(): ProcessWatch {
  const seen = new Set<string>();
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      lookAround(seen);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    seen,
    async [Symbol.asyncDispose]() {
      stopped = true;
      await watching;
    },
  };
}

/** One look, as short as can be: processes come and go. */
function lookAround(seen: Set<string>): void {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    for (const file of ["cmdline", "environ"]) note(seen, `/proc/${name}/${file}`);
  }
}

/** Processes end, and those of others may not be read. */
function note(seen: Set<string>, path: string): void {
  try {
    seen.add(Deno.readTextFileSync(path).replaceAll("\0", "\n"));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
