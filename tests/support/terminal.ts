/** A terminal of its own for a command under test: `script`, which every Linux has, makes it. */

/** How to open a terminal. */
export interface TerminalOptions {
  cwd?: string;
  env?: Record<string, string>;
  columns?: number;
  rows?: number;
}

/** A command that runs in a terminal, with a person in front of it. */
export interface Session extends AsyncDisposable {
  /** Types: what is sent here comes from the keyboard. */
  type(keys: string): Promise<void>;
  /** Waits until the screen has shown this since the last time; gives what came up to and with it. */
  shows(what: RegExp, seconds?: number): Promise<string>;
  /** Makes the window another size. */
  resize(columns: number, rows: number): Promise<void>;
  /** Waits for the command's end; gives its status. */
  end(seconds?: number): Promise<number>;
}

/** The keys that have no letter. */
export const KEYS = { ctrlC: "\x03", ctrlD: "\x04", enter: "\r", escape: "\x1b" };

/** Runs a line of shell in a terminal. */
export async function openTerminal(line: string, options: TerminalOptions = {}): Promise<Session> {
  const { columns = 80, rows = 24 } = options;
  const child = new Deno.Command("script", {
    args: [
      "--quiet",
      "--return",
      "--flush",
      "--command",
      `tty; stty cols ${columns} rows ${rows}; ${line}`,
      "/dev/null",
    ],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { TERM: "xterm-256color", SHELL: "/bin/sh", ...options.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  const screen = new Screen(child.stdout);
  const device = (await screen.shows(/(\/dev\/pts\/\d+)\r?\n/, 20)).match(/\/dev\/\S+/)?.[0] ?? "";
  const closed = () => screen.closed.then(() => child.status);
  return {
    type: (keys) => keyboard.write(new TextEncoder().encode(keys)),
    shows: (what, seconds = 20) => screen.shows(what, seconds),
    async resize(columns, rows) {
      const args = ["-F", device, "cols", `${columns}`, "rows", `${rows}`];
      const { success } = await new Deno.Command("stty", { args }).output();
      if (!success) throw new Error(`stty can't set the size of ${device}`);
    },
    async end(seconds = 20) {
      const { code } = await within(seconds, closed(), () => `the end of: ${line}\n${screen.rest}`);
      return code;
    },
    async [Symbol.asyncDispose]() {
      await keyboard.close().catch(() => {});
      const killer = setTimeout(() => child.kill("SIGKILL"), 2000);
      await closed();
      clearTimeout(killer);
    },
  };
}

class Screen {
  rest = "";
  readonly closed: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #over = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.closed = this.#read(stream);
  }

  async shows(what: RegExp, seconds: number): Promise<string> {
    const end = Date.now() + seconds * 1000;
    while (true) {
      const found = what.exec(this.rest);
      if (found !== null) {
        const shown = this.rest.slice(0, found.index + found[0].length);
        this.rest = this.rest.slice(shown.length);
        return shown;
      }
      if (this.#over) throw new Error(`it ended without showing ${what}; the screen has:\n${this.rest}`);
      const left = Math.max(0, (end - Date.now()) / 1000);
      await within(left, this.#changed.promise, () => `${what} on the screen, which has:\n${this.rest}`);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.rest += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
    this.#over = true;
    this.#changed.resolve();
  }
}

async function within<T>(seconds: number, wait: Promise<T>, what: () => string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${seconds} s for ${what()}`)), seconds * 1000);
  try {
    return await Promise.race([wait, promise]);
  } finally {
    clearTimeout(timer);
  }
}
