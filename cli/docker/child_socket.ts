import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { start } from "./docker.ts";

/** A child that was told to end has this long before it is killed. */
const PATIENCE_MS = 2000;

/** The standard streams of a child as one socket. */
export class ChildSocket extends Duplex {
  /** Resolves when the child is gone. */
  readonly ended: Promise<void>;
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #errors: Promise<string>;

  /**
   * Starts the child.
   *
   * @param command The user's `docker` command.
   * @param args Its arguments.
   * @param detached Whether it is out of reach for Ctrl-C on the terminal, which would end it.
   */
  constructor(command: string, args: string[], { detached = false }: { detached?: boolean } = {}) {
    super();
    this.#name = `docker ${args.join(" ")}`;
    this.#child = start(command, { args, detached, stdin: "piped", stdout: "piped", stderr: "piped" });
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.getReader();
    this.#errors = new Response(this.#child.stderr).text().catch(() => "");
    this.ended = this.#child.status.then(() => {});
  }

  override _read(): void {
    this.#reader.read().then(async ({ done, value }) => {
      if (!done) return void this.push(Buffer.from(value));
      const [status, errors] = await Promise.all([this.#child.status, this.#errors]);
      if (status.success || this.destroyed) return void this.push(null);
      this.destroy(new Error(errors.trim() || `${this.#name} ended with status ${status.code}`));
    }).catch((error) => this.destroy(error));
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    // A child that reads no more has a reason, which comes with its end.
    this.#writer.write(new Uint8Array(chunk)).then(() => done(), () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#writer.close().then(() => done(), () => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const killer = setTimeout(() => this.#kill("SIGKILL"), PATIENCE_MS);
    void this.ended.then(() => clearTimeout(killer));
    this.#writer.close().catch(() => {});
    this.#reader.cancel().catch(() => {});
    this.#kill("SIGTERM");
    done(error);
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  }

  // What HTTP asks of a network socket and a pipe has no use for.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
