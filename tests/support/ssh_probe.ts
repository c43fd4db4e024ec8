/**
 * Talks SSH with itself: whether the library works where it is bundled, and has the permissions of the installed plugin.
 *
 * @module
 */
import ssh2, { type Connection, type Session } from "ssh2";
import { makeKeyPair } from "../../stack/ssh/key_pair.ts";

const { privateKey: key } = await makeKeyPair("probe");

function answer(session: Session): void {
  session.on("exec", (accept, _reject, { command }) => {
    const stream = accept();
    stream.write(`ran ${command}\n`);
    stream.exit(7);
    stream.end();
  });
}

function serve(client: Connection): void {
  client.on("authentication", (context) => context.accept());
  client.on("ready", () => client.on("session", (accept) => answer(accept())));
  client.on("error", () => {});
}

const server = new ssh2.Server({ hostKeys: [key] }, serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = new ssh2.Client();
  client.on("ready", () =>
    client.exec("hello", (error, stream) => {
      if (error) throw error;
      stream.on("data", (data: Uint8Array) => Deno.stdout.writeSync(data));
      stream.on("close", (code: number) => Deno.exit(code));
    }));
  client.connect({ host: "127.0.0.1", port: address.port, username: "mpi", privateKey: key });
});
