/** An MPI master in this process: an SSH server that takes one key, and whose commands are the test's. */
import ssh2, { type Connection, type ServerChannel, type Session as Channels } from "ssh2";
import { type KeyPair, makeKeyPair } from "../../stack/ssh/key_pair.ts";
import { type SshTarget } from "../../stack/ssh/ssh.ts";

/** A command, or a shell, that somebody started on the master. */
export interface Session {
  /** The command line; none for a shell. */
  command: string | undefined;
  /** Its streams: what is read is standard input. */
  stream: ServerChannel;
  /** The terminal, as `xterm 80x24`; empty where there is none. */
  terminal: string;
  /** Ends the connection below it. */
  drop(): void;
  /** Called with the terminal's new size. */
  onResize(listener: (size: string) => void): void;
}

/** A running master. */
export interface FakeMaster extends AsyncDisposable {
  /** How to log in. */
  target: SshTarget;
  /** What was run, in order. */
  commands: string[];
  /** How many tried to log in, as far as the server can tell. */
  attempts: number;
  /** How many connections there are. */
  connections: number;
}

/** What is special about a master. */
export interface FakeMasterOptions {
  /** Whether it takes no key at all. */
  refuse?: boolean;
  /** The private half of its host key; none: one of its own. */
  hostKey?: string;
}

/** Starts a master; `serve` does what each command does, which ends with its promise if it did not by itself. */
export async function fakeMaster(
  serve: (session: Session) => void | Promise<void>,
  { refuse = false, hostKey }: FakeMasterOptions = {},
): Promise<FakeMaster> {
  const [host, user] = await Promise.all(["host", "user"].map((name) => makeKeyPair(name))) as [KeyPair, KeyPair];
  const allowed = ssh2.utils.parseKey(user.publicKey);
  if (allowed instanceof Error) throw allowed;
  const open = new Set<Connection>();
  const commands: string[] = [];
  const state = { attempts: 0 };
  const server = new ssh2.Server({ hostKeys: [hostKey ?? host.privateKey] }, (connection) => {
    open.add(connection);
    connection.on("error", () => {});
    connection.on("close", () => open.delete(connection));
    connection.on("authentication", (context) => {
      state.attempts++;
      if (refuse || context.method !== "publickey" || context.key.data.compare(allowed.getPublicSSH()) !== 0) {
        context.reject(["publickey"]);
      } else if (context.signature === undefined || context.blob === undefined) context.accept();
      else if (allowed.verify(context.blob, context.signature, context.hashAlgo) === true) context.accept();
      else context.reject(["publickey"]);
    });
    connection.on("ready", () => connection.on("session", (accept) => attend(accept(), connection)));
  });
  const attend = (session: Channels, connection: Connection) => {
    let terminal = "";
    let resized = (_size: string) => {};
    session.on("pty", (accept: () => void, _reject: unknown, { term, cols, rows }: PtyInfo) => {
      terminal = `${term} ${cols}x${rows}`;
      accept();
    });
    session.on("window-change", (accept: (() => void) | undefined, _reject: unknown, { cols, rows }: PtyInfo) => {
      resized(`${cols}x${rows}`);
      accept?.();
    });
    const begin = async (stream: ServerChannel, command: string | undefined) => {
      commands.push(command ?? "(shell)");
      stream.on("error", () => {});
      stream.stderr.on("error", () => {});
      const onResize = (listener: typeof resized) => void (resized = listener);
      await serve({ command, stream, terminal, drop: () => connection.end(), onResize });
    };
    session.on("exec", (accept: () => ServerChannel, _reject: unknown, { command }: { command: string }) => {
      void begin(accept(), command);
    });
    session.on("shell", (accept: () => ServerChannel) => void begin(accept(), undefined));
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    target: {
      host: "127.0.0.1",
      port: address.port,
      user: "mpi",
      privateKey: user.privateKey,
      hostKey: host.publicKey,
    },
    commands,
    get attempts() {
      return state.attempts;
    },
    get connections() {
      return open.size;
    },
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface PtyInfo {
  term?: string;
  cols: number;
  rows: number;
}

/** Ends a command as most end: with what it prints and a status. */
export function end(stream: ServerChannel, { out = "", err = "", status = 0 } = {}): void {
  if (err !== "") stream.stderr.write(err);
  if (out !== "") stream.write(out);
  stream.exit(status);
  stream.end();
}
