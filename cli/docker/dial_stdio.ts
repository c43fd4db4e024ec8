import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { ChildSocket } from "./child_socket.ts";
import type { Dialer } from "./endpoint.ts";

/** What {@linkcode dialer} needs to know. */
export interface DialOptions {
  /** The user's `docker` command. */
  command: string;
  /** The user's global flags. */
  globals: readonly string[];
}

/**
 * Opens engine connections through the user's own `docker system dial-stdio`, one child process each.
 *
 * So every kind of endpoint that Docker knows works as Docker makes it work: TLS with the context's certificates, `ssh`
 * with the user's configuration and agent. An idle connection is kept for the next request, since with `ssh` a new one is
 * a new login.
 */
export function dialer({ command, globals }: DialOptions): Dialer {
  const open = new Set<ChildSocket>();
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 2 });
  const createConnection = (): Duplex => {
    const socket = new ChildSocket(command, [...globals, "system", "dial-stdio"]);
    open.add(socket);
    void socket.ended.then(() => open.delete(socket));
    return socket;
  };
  Object.assign(agent, { createConnection });
  return {
    agent,
    async close() {
      agent.destroy();
      const sockets = [...open];
      for (const socket of sockets) socket.destroy();
      await Promise.all(sockets.map((socket) => socket.ended));
    },
  };
}
