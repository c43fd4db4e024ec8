/** What a finished `docker` command left. */
export interface DockerResult {
  /** Its exit status. */
  code: number;
  /** All it printed to standard output; nothing where `onLine` took it. */
  stdout: string;
  /** All it printed to standard error; where `onLine` took it, the last hundred lines. */
  stderr: string;
}

/** How to start a `docker` command. */
export interface DockerRunOptions {
  /** Bytes or text for its standard input; none: end of file at once. */
  stdin?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** Called with each line of its output (both streams) as it comes; the next one waits. What it throws ends the command. */
  onLine?: (line: string) => unknown;
  /** Variables that it gets where the user has not set them. */
  env?: Readonly<Record<string, string>>;
  /** Its working directory, an absolute path; none: ours. */
  cwd?: string | undefined;
  /** Ends the command (SIGTERM) when it fires. */
  signal?: AbortSignal;
}

/**
 * The user's own `docker` command, with the user's own global flags (`--context`, `-H`, TLS …) put before the arguments.
 *
 * What Docker's command line does well (builds, `stack deploy`) is left to it; the port is here so that the domain can be
 * tested without it.
 */
export interface DockerCli {
  /** Runs `docker ARGS…` to its end and gives what it printed. Does not throw for a status other than 0. */
  run(args: readonly string[], options?: DockerRunOptions): Promise<DockerResult>;
  /** Runs `docker ARGS…` on our own stdin, stdout and stderr and gives its exit status. */
  attach(args: readonly string[]): Promise<number>;
}
