/** SSH against a server in this process: what it carries, and what it refuses. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { makeKeyPair } from "../../stack/ssh/key_pair.ts";
import { openSsh, type SshConnection, type Streams } from "../../stack/ssh/ssh.ts";
import { end, type FakeMaster, fakeMaster, type Session } from "../support/fake_master.ts";

/** Runs a test on a connection to a master whose commands do that. */
async function connected(
  serve: (session: Session) => void | Promise<void>,
  test: (ssh: SshConnection, master: FakeMaster) => Promise<void>,
): Promise<void> {
  await using master = await fakeMaster(serve);
  const ssh = await openSsh(master.target);
  try {
    await test(ssh, master);
  } finally {
    ssh.close();
  }
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const nothing: Streams = { stdout: () => Promise.resolve(), stderr: () => Promise.resolve() };
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);
const sha = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Reads a stream to its end; `for await` would close its other direction as well. */
async function all(stream: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("end", resolve));
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes();
}

Deno.test("a command's output, errors and status come back, several over one connection", () =>
  connected(
    ({ command, stream }) => end(stream, { out: `ran ${command}\n`, err: "träge\n", status: 7 }),
    async (ssh, master) => {
      const ended = await Promise.all(["a", "b 'c'"].map((command) => ssh.capture(command)));
      assert.deepEqual(ended, [
        { status: 7, stdout: "ran a\n", stderr: "träge\n" },
        { status: 7, stdout: "ran b 'c'\n", stderr: "träge\n" },
      ]);
      assert.equal(master.connections, 1);
    },
  ));

for (const [signal, status] of [["TERM", 143], ["KILL", 137], ["SEGV", 139], ["USR1", 138]] as const) {
  Deno.test(`a command that a signal ends, ${signal}, has the status ${status}`, () =>
    connected(({ stream }) => {
      stream.exit(signal, false, "");
      stream.end();
    }, async (ssh) => assert.deepEqual(await ssh.run("x", nothing), { status })));
}

Deno.test("standard input of 10 MB arrives whole, and is read no faster than it is taken", async () => {
  const data = crypto.getRandomValues(new Uint8Array(65_536));
  const go = Promise.withResolvers<void>();
  await connected(async ({ stream }) => {
    await go.promise;
    end(stream, { out: sha(await all(stream)) });
  }, async (ssh) => {
    let read = 0;
    const stdin = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (read === 160) controller.close();
        else {
          read++;
          controller.enqueue(data);
        }
      },
    }, { highWaterMark: 0 });
    let out = "";
    const streams = { ...nothing, stdin, stdout: (chunk: Uint8Array) => Promise.resolve(void (out += text(chunk))) };
    const run = ssh.run("sum", streams);
    await pause(500);
    const early = read;
    go.resolve();
    await run;
    assert.ok(early > 1 && early < 120, `${early} of 160 pieces were read with nobody taking them`);
    const whole = createHash("sha256");
    for (let piece = 0; piece < 160; piece++) whole.update(data);
    assert.equal(out, whole.digest("hex"));
  });
});

Deno.test("standard input that can't be read to its end is an error, whatever the command makes of its end", async () => {
  const closed = Promise.withResolvers<void>();
  await connected(({ stream }) => {
    stream.once("close", closed.resolve);
    stream.resume();
  }, async (ssh) => {
    let reads = 0;
    const stdin = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (reads++ === 3) throw new Error("Input/output error (os error 5)");
        controller.enqueue(new Uint8Array(1000));
      },
    });
    await assert.rejects(ssh.run("x", { ...nothing, stdin }), {
      code: "usage",
      message: "Cannot read standard input: Input/output error",
    });
    await closed.promise;
  });
});

Deno.test("standard input that is a directory is an error that says so", () =>
  connected(() => {}, async (ssh) => {
    const stdin = ReadableStream.from((async function* () {
      yield await Deno.readFile("/");
    })());
    await assert.rejects(ssh.run("x", { ...nothing, stdin }), {
      message: "Cannot read standard input: it is a directory",
    });
  }));

Deno.test("no standard input is end of file at once", () =>
  connected(async ({ stream }) => end(stream, { out: `${(await all(stream)).length} bytes` }), async (ssh) => {
    assert.equal((await ssh.capture("wc")).stdout, "0 bytes");
  }));

Deno.test("a command that does not want its input ends all the same", () =>
  connected(({ stream }) => end(stream, { status: 3 }), async (ssh) => {
    let cancelled = false;
    const stdin = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    assert.deepEqual(await ssh.run("true", { ...nothing, stdin }), { status: 3 });
    assert.ok(cancelled, "the input is still held");
  }));

Deno.test("who takes output slowly slows the command, and gets all of it", async () => {
  let written = 0;
  await connected(async ({ stream }) => {
    for (; written < 160; written++) {
      if (!stream.write(new Uint8Array(65_536))) await new Promise((resolve) => stream.once("drain", resolve));
    }
    end(stream);
  }, async (ssh) => {
    const go = Promise.withResolvers<void>();
    let taken = 0;
    const run = ssh.run("flood", {
      ...nothing,
      async stdout(chunk) {
        await go.promise;
        taken += chunk.length;
      },
    });
    await pause(500);
    const early = written;
    go.resolve();
    await run;
    assert.ok(early < 120, `${early} of 160 pieces were written with nobody taking them`);
    assert.equal(taken, 160 * 65_536);
  });
});

Deno.test("an error of who takes the output is the run's", () =>
  connected(({ stream }) => end(stream, { out: "x" }), async (ssh) => {
    await assert.rejects(
      ssh.run("x", { ...nothing, stdout: () => Promise.reject(new Error("nobody reads")) }),
      /nobody reads/,
    );
  }));

Deno.test("a connection that is lost is an error, and what came before it is not", () =>
  connected(async ({ stream, drop }) => {
    stream.write("half");
    await pause(100);
    drop();
  }, async (ssh, { target: { port } }) => {
    let out = "";
    const streams = {
      ...nothing,
      stdout: (chunk: Uint8Array) => Promise.resolve(void (out += text(chunk))),
    };
    await assert.rejects(ssh.run("x", streams), {
      code: "ssh",
      message: `The connection to the master at 127.0.0.1:${port} was lost`,
      hint: "docker mpi ps  # shows how the master is; what ran there over this connection is ended",
    });
    assert.equal(out, "half");
    // What begins after the loss is told so too.
    await assert.rejects(ssh.capture("x"), { code: "ssh", message: /was lost$/ });
  }));

Deno.test("close() ends a command that runs", () =>
  connected(() => {}, async (ssh, master) => {
    const run = ssh.run("sleep", nothing);
    await pause(100);
    ssh.close();
    await assert.rejects(run, { code: "ssh" });
    for (let i = 0; i < 50 && master.connections > 0; i++) await pause(20);
    assert.equal(master.connections, 0);
  }));

Deno.test("another host key is refused before anything is said of who we are", async () => {
  await using master = await fakeMaster(({ stream }) => end(stream));
  const { publicKey } = await makeKeyPair("other");
  await assert.rejects(openSsh({ ...master.target, hostKey: publicKey }), {
    code: "ssh",
    message: `The host key at 127.0.0.1:${master.target.port} is not the one of this cluster's master: refused`,
    hint: "docker mpi ps  # shows where the master runs; if that is another address, something else answers here",
  });
  assert.equal(master.attempts, 0);
});

Deno.test("another key than the master knows is refused", async () => {
  await using master = await fakeMaster(({ stream }) => end(stream));
  const { privateKey } = await makeKeyPair("other");
  const refused = {
    code: "ssh",
    message: `The master at 127.0.0.1:${master.target.port} refuses this machine's key`,
    hint: "docker mpi deploy --rotate-keys  # in the project's directory: makes new keys, for this machine",
  };
  await assert.rejects(openSsh({ ...master.target, privateKey }), refused);
  assert.ok(master.attempts > 0);
  await using closed = await fakeMaster(({ stream }) => end(stream), { refuse: true });
  await assert.rejects(openSsh(closed.target), { code: "ssh", message: /refuses this machine's key/ });
});

Deno.test("nobody there is an error at once", async () => {
  const master = await fakeMaster(() => {});
  await master[Symbol.asyncDispose]();
  const begin = Date.now();
  await assert.rejects(openSsh(master.target), {
    code: "ssh",
    message: new RegExp(`^The master does not answer at 127\\.0\\.0\\.1:${master.target.port}: .*ECONNREFUSED|refused`),
    hint: "docker mpi ps  # shows how it is; a firewall may keep this machine from the port",
  });
  assert.ok(Date.now() - begin < 2000);
});

Deno.test("a login that hangs ends within ten seconds, or when the user gives up", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  const taking = (async () => {
    for await (const connection of silent) taken.push(connection);
  })();
  const { publicKey: hostKey, privateKey } = await makeKeyPair("any");
  const target = { host: "127.0.0.1", port: silent.addr.port, user: "mpi", privateKey, hostKey };
  const begin = Date.now();
  const impatient = openSsh(target, { signal: AbortSignal.timeout(200) });
  await assert.rejects(impatient, { name: "TimeoutError" });
  assert.ok(Date.now() - begin < 2000);
  await assert.rejects(openSsh(target), { code: "ssh", message: /^The master does not answer at .*: Timed out/ });
  assert.ok(Date.now() - begin < 15_000);
  silent.close();
  await taking;
  for (const connection of taken) connection.close();
});

Deno.test("a shell has the terminal's kind and size, and hears of a new size", async () => {
  const sizes: string[] = [];
  await connected(({ stream, terminal, onResize }) => {
    sizes.push(terminal);
    onResize((size) => {
      sizes.push(size);
      end(stream, { out: "bye", status: 5 });
    });
  }, async (ssh) => {
    let size = { columns: 80, rows: 24 };
    let listeners = 0;
    const terminal = {
      term: "xterm-256color",
      size: () => size,
      onResize(listener: () => void) {
        listeners++;
        setTimeout(() => {
          size = { columns: 132, rows: 43 };
          listener();
        }, 100);
        return () => void listeners--;
      },
    };
    const keyboard = new ReadableStream<Uint8Array>();
    assert.deepEqual(await ssh.shell(terminal, { ...nothing, stdin: keyboard }), { status: 5 });
    assert.deepEqual(sizes, ["xterm-256color 80x24", "132x43"]);
    assert.equal(listeners, 0, "it still listens to the terminal");
  });
});
