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
