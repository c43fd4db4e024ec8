import { shellQuote } from "../../stack/shell.ts";
import type { Streams, Terminal } from "../../stack/ssh/ssh.ts";
import type { Deps } from "../deps.ts";

/** Our own three streams as the near end of a remote command. */
export function ownStreams({ io }: Deps): Streams {
  return {
    stdin: io.stdin.readable,
    stdout: (chunk) => io.stdout.write(chunk),
    stderr: (chunk) => io.stderr.write(chunk),
  };
}

/**
 * The line that starts a program of ours on the master. Its hints are for the user as well, and so it is told how to write
 * commands that mean this engine and cluster, if that takes more words than usual.
 */
export function onTheMaster(deps: Deps, line: string): string {
  const hint = deps.hint("docker mpi run");
  return hint === "docker mpi run" ? `exec ${line}` : `exec env ${shellQuote([`MPI_HINT=${hint}`])} ${line}`;
}

/** The terminal that we run in, as one to give to a remote shell. */
export function ownTerminal({ env }: Deps): Terminal {
  return {
    term: env("TERM") ?? "xterm",
    size: () => Deno.consoleSize(),
    onResize(listener) {
      if (Deno.build.os === "windows") return () => {}; // Windows has no such signal
      Deno.addSignalListener("SIGWINCH", listener);
      return () => Deno.removeSignalListener("SIGWINCH", listener);
    },
  };
}
