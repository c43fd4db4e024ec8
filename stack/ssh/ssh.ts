import type { Duplex } from "node:stream";
import type { CipherAlgorithm, Client, ClientChannel, ConnectConfig } from "ssh2";
import { MpiError } from "../errors.ts";
import { why } from "../file_error.ts";

/** Who to talk to, and as whom. */
export interface SshTarget {
  /** Name or address. */
  host: string;
  /** Its TCP port. */
  port: number;
  /** The account there. */
  user: string;
  /** Our key, as an OpenSSH key file. */
  privateKey: string;
  /** The only host key that is accepted, as a public key line. */
  hostKey: string;
}

/** How a remote command ended: by a status, or by a signal such as `KILL`. */
export interface RemoteExit {
  /** The status; 128+n for a signal. */
  status: number;
}

/** The near end of a remote command's streams. */
export interface Streams {
  /** What goes to its standard input; none: end of file at once. */
  stdin?: ReadableStream<Uint8Array> | undefined;
  /** Takes its standard output; what it returns is waited for, so a slow reader slows the command. */
  stdout(chunk: Uint8Array): Promise<void>;
  /** Takes its standard error. */
  stderr(chunk: Uint8Array): Promise<void>;
}

/** A terminal to give to a remote shell. */
export interface Terminal {
  /** The kind, as in `TERM`. */
  term: string;
  /** The size now, in characters. */
  size(): { columns: number; rows: number };
  /** Calls back when the size has changed; gives a function that ends that. */
  onResize(listener: () => void): () => void;
}

/** A connection to a node, over which any number of commands can run. */
export interface SshConnection {
  /** Whether it goes through something else than the port of the target. */
  readonly tunnelled: boolean;
  /** Runs a command line of the remote shell. */
  run(command: string, streams: Streams): Promise<RemoteExit>;
  /** Runs it and gives what it printed. */
  capture(command: string): Promise<RemoteExit & { stdout: string; stderr: string }>;
  /** Opens an interactive shell on a terminal. */
  shell(terminal: Terminal, streams: Streams): Promise<RemoteExit>;
  /** Ends it. What runs there sees its streams end. */
  close(): void;
}

/** Signal numbers, for statuses as shells give them. */
const SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  ABRT: 6,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
};

/** How long a login may take, in milliseconds. */
const LOGIN_LIMIT = 10_000;

/** The fastest first: here, without OpenSSL, AES-GCM takes one and a half times as long. */
const CIPHERS: CipherAlgorithm[] = [
  "chacha20-poly1305@openssh.com",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
];

/** How to connect, if not as it is usual. */
export interface Approach {
  /** Gives the attempt up. */
  signal?: AbortSignal | undefined;
  /** What to talk over, in place of a TCP connection to host and port. */
  transport?: Duplex | undefined;
  /** Called when somebody is at the other end; who, is not known yet. */
  connected?: (() => void) | undefined;
}

/**
 * The other end is there, and is not who it should be, or does not want us: another way there makes no difference.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Socket } from "node:net";
 * import { Duplex, PassThrough } from "node:stream";
 * import ssh2 from "ssh2";
 * import { makeKeyPair } from "./key_pair.ts";
 * import { openSsh, SshRefusal } from "./ssh.ts";
 *
 * const [user, host, other] = await Promise.all(["user", "host", "other"].map((comment) => makeKeyPair(comment)));
 * const [there, back] = [new PassThrough(), new PassThrough()];
 * const transport = Duplex.from({ readable: back, writable: there });
 * const far = Duplex.from({ readable: there, writable: back }) as Socket;
 * const server = new ssh2.Server({ hostKeys: [host!.privateKey] }, (client) => {
 *   client.on("error", () => {}).on("authentication", (login) => login.accept());
 * });
 * server.injectSocket(far);
 * const target = { host: "head", port: 2222, user: "mpi", privateKey: user!.privateKey, hostKey: other!.publicKey };
 * await assert.rejects(openSsh(target, { transport }), SshRefusal);
 * ```
 */
export class SshRefusal extends MpiError {}

/**
 * Connects, and checks that the other end is who it should be.
 *
 * A connection that falls silent for nine seconds counts as lost.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Socket } from "node:net";
 * import { Duplex, PassThrough } from "node:stream";
 * import ssh2, { type ServerChannel } from "ssh2";
 * import { makeKeyPair } from "./key_pair.ts";
 * import { openSsh } from "./ssh.ts";
 *
 * const [user, host] = await Promise.all([makeKeyPair("user"), makeKeyPair("host")]);
 * const [there, back] = [new PassThrough(), new PassThrough()];
 * const transport = Duplex.from({ readable: back, writable: there });
 * const far = Duplex.from({ readable: there, writable: back }) as Socket;
 * const end = (channel: ServerChannel) => [channel.exit(7), channel.end()];
 * const server = new ssh2.Server({ hostKeys: [host.privateKey] }, (client) => {
 *   client.on("authentication", (login) => login.accept());
 *   client.on("session", (accept) => accept().on("exec", (accept) => end(accept())));
 * });
 * server.injectSocket(far);
 * const target = { host: "head", port: 2222, user: "mpi", privateKey: user.privateKey, hostKey: host.publicKey };
 * const master = await openSsh(target, { transport });
 * assert.deepEqual(await master.capture("exit 7"), { status: 7, stdout: "", stderr: "" });
 * master.close();
 * ```
 *
 * @param target Who to talk to.
 * @param approach How, and when to give up.
 * @throws {MpiError} `ssh` if nobody answers; {@linkcode SshRefusal} if another host key is shown, or our key is refused.
 */
export async function openSsh(
  target: SshTarget,
  { signal, transport, connected = () => {} }: Approach = {},
): Promise<SshConnection> {
  const { default: ssh2 } = await import("ssh2");
  const client = new ssh2.Client();
  let seenKey: string | undefined;
  const wanted = target.hostKey.split(" ")[1];
  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username: target.user,
    privateKey: target.privateKey,
    authHandler: ["publickey"],
    algorithms: { serverHostKey: ["ssh-ed25519"], cipher: CIPHERS },
    hostVerifier: (key: Uint8Array) => {
      seenKey = key.toBase64();
      return seenKey === wanted;
    },
    ...(transport === undefined ? {} : { sock: transport as ConnectConfig["sock"] & Duplex }),
    readyTimeout: LOGIN_LIMIT,
    keepaliveInterval: 3000,
    keepaliveCountMax: 3,
  };
  await new Promise<void>((resolve, reject) => {
    const abort = () => reject(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", abort, { once: true });
    client.once("connect", connected);
    client.once("ready", resolve);
    // More than one can come: an attempt that is given up fails once more when its socket closes.
    client.on("error", (error) => reject(explain(error, target, seenKey !== undefined && seenKey !== wanted)));
    client.once("close", () => reject(explain(new Error("the connection was closed"), target, false)));
    client.connect(config);
    client.setNoDelay(true); // small packets that wait for company cost 90 ms a command
  }).catch((error) => {
    client.destroy();
    transport?.destroy(); // the client has it only once it tries to connect
    throw error;
  });
  return connection(client, target, transport !== undefined);
}

function connection(client: Client, target: SshTarget, tunnelled: boolean): SshConnection {
  let failure: Error | undefined;
  client.on("error", (error) => failure = error);
  const lost = () =>
    new MpiError("ssh", `The connection to the master at ${target.host}:${target.port} was lost`, {
      hint: "docker mpi ps  # shows how the master is; what ran there over this connection is ended",
      cause: failure,
    });

  const open = (start: (callback: (error: Error | undefined, channel: ClientChannel) => void) => void) =>
    new Promise<OpenChannel>((resolve, reject) => {
      try {
        start((error, channel) => error ? reject(explain(error, target, false)) : resolve(watch(channel)));
      } catch (error) {
        // The library throws where the connection has gone before.
        failure ??= error as Error;
        reject(lost());
      }
    });
  const run = async (command: string, streams: Streams) =>
    await pump(await open((callback) => client.exec(command, callback)), streams, lost);

  return {
    tunnelled,
    run,
    async capture(command) {
      const [stdout, stderr] = [collector(), collector()];
      const { status } = await run(command, { stdout: stdout.take, stderr: stderr.take });
      return { status, stdout: stdout.text(), stderr: stderr.text() };
    },
    async shell(terminal, streams) {
      const { columns: cols, rows } = terminal.size();
      const window = { term: terminal.term, cols, rows, width: 0, height: 0 };
      const opened = await open((callback) => client.shell(window, callback));
      const stop = terminal.onResize(() => {
        const { columns, rows } = terminal.size();
        opened.channel.setWindow(rows, columns, 0, 0);
      });
      return await pump(opened, streams, lost).finally(stop);
    },
    close: () => client.end(),
  };
}

function collector() {
  const chunks: string[] = [];
  const decoder = new TextDecoder();
  return {
    take: (chunk: Uint8Array) => Promise.resolve(void chunks.push(decoder.decode(chunk, { stream: true }))),
    text: () => chunks.join("") + decoder.decode(),
  };
}

/** A channel, and its end. */
interface OpenChannel {
  channel: ClientChannel;
  /** How the command ended, once that is known. */
  exit: RemoteExit | undefined;
  closed: Promise<void>;
}

/** To be called as soon as there is a channel: a short command's end can come in the same packet as its start. */
function watch(channel: ClientChannel): OpenChannel {
  const closed = new Promise<void>((resolve) => channel.once("close", () => resolve()));
  const open: OpenChannel = { channel, exit: undefined, closed };
  channel.on("exit", (code: number | null, signal?: string) => {
    open.exit = { status: code ?? 128 + (SIGNALS[signal?.replace(/^SIG/, "") ?? ""] ?? 0) };
  });
  return open;
}

/** Moves the bytes of all three streams until the command has ended and all it wrote has arrived. */
async function pump(open: OpenChannel, streams: Streams, lost: () => MpiError): Promise<RemoteExit> {
  const { channel, closed } = open;
  const output = Promise.all([drain(channel, streams.stdout), drain(channel.stderr, streams.stderr)]);
  const feeder = feed(channel, streams.stdin);
  try {
    await Promise.race([output.then(() => closed), feeder.failed]);
  } finally {
    feeder.stop();
  }
  if (open.exit === undefined) throw lost();
  return open.exit;
}

async function drain(source: AsyncIterable<Uint8Array>, take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  for await (const chunk of source) await take(chunk);
}

/** What copies standard input. */
interface Feeder {
  /** Fails where that can't be read. */
  failed: Promise<never>;
  /** Ends it. */
  stop(): void;
}

/** Copies standard input as fast as the other end takes it; what it does not want any more is left unread. */
function feed(channel: ClientChannel, stdin: ReadableStream<Uint8Array> | undefined): Feeder {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  if (stdin === undefined) {
    channel.end();
    return { failed, stop: () => {} };
  }
  const reader = stdin.getReader();
  let stopped = false;
  const copy = async () => {
    while (!stopped) {
      const { value, done } = await reader.read();
      if (done || stopped) break;
      if (!channel.write(value)) await new Promise((resolve) => channel.once("drain", resolve));
    }
    channel.end();
  };
  copy().catch((error) => {
    // An end of file would say that this was all, and the command would go on with half of it.
    reject(unreadableInput(error));
    channel.close();
  });
  return {
    failed,
    stop() {
      stopped = true;
      reader.cancel().catch(() => {});
    },
  };
}

function unreadableInput(cause: unknown): MpiError {
  if (cause instanceof MpiError) return cause;
  return new MpiError("usage", `Cannot read standard input: ${why(cause)}`, {
    hint: "</dev/null  # after the command gives it nothing to read",
    cause,
  });
}

function explain(error: Error & { code?: string; level?: string }, target: SshTarget, otherKey: boolean): MpiError {
  const place = `${target.host}:${target.port}`;
  if (otherKey) {
    return new SshRefusal("ssh", `The host key at ${place} is not the one of this cluster's master: refused`, {
      hint: "docker mpi ps  # shows where the master runs; if that is another address, something else answers here",
      cause: error,
    });
  }
  if (error.level === "client-authentication") {
    return new SshRefusal("ssh", `The master at ${place} refuses this machine's key`, {
      hint: "docker mpi deploy --rotate-keys  # in the project's directory: makes new keys, for this machine",
      cause: error,
    });
  }
  return new MpiError("ssh", `The master does not answer at ${place}: ${error.message}`, {
    hint: "docker mpi ps  # shows how it is; a firewall may keep this machine from the port",
    cause: error,
  });
}
