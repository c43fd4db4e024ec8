import type { DockerCli } from "../stack/engine/docker_cli.ts";
import type { Report } from "../stack/event.ts";
import type { Assets } from "./assets.ts";
import type { Endpoint } from "./docker/endpoint.ts";
import type { Io } from "./io.ts";
import type { ProgressMode } from "./output/progress.ts";
import type { Interrupts } from "./signals.ts";

/**
 * All that a command has of the world.
 *
 * What costs something is a function and called late, so that help, metadata and completion open nothing. Tests hand in
 * their own (`tests/support/cli.ts`).
 */
export interface Deps {
  /** The three standard streams. */
  readonly io: Io;
  /** Fires when the user wants to stop: Ctrl-C, SIGTERM, or Docker's word. */
  readonly signal: AbortSignal;
  /** The same, counted: for commands that do more than stop at once. */
  readonly interrupts: Interrupts;
  /** The user's `docker`, with the user's global flags. */
  readonly docker: DockerCli;
  /** The images and templates that travel inside the program. */
  readonly assets: Assets;
  /** Whether `-D` was given, before or after the word `mpi`. */
  debug: boolean;
  /** Makes a hint's commands mean the engine and the cluster that the command line means. */
  hint(text: string): string;
  /** The exit status: a command whose program ended with its own status sets it. */
  status: number;
  /** An environment variable; empty counts as unset. */
  env(name: string): string | undefined;
  /** The working directory. */
  cwd(): string;
  /** Docker's configuration directory, as Docker resolves it. */
  configDir(): string;
  /** The engine that the user's `docker` talks to; asked for once. */
  endpoint(): Promise<Endpoint>;
  /** Shows what the domain reports, on standard error. */
  progress(mode?: ProgressMode): Progress;
}

/** A running display. */
export interface Progress {
  /** Takes one event. */
  report: Report;
  /** Ends the display and leaves its last state on the screen. To be called in a `finally`. */
  stop(): Promise<void>;
}
