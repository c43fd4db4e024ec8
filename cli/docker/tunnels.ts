import type { Duplex } from "node:stream";
import { ChildSocket } from "./child_socket.ts";
import type { DialOptions } from "./dial_stdio.ts";

/** Ways into containers of the user's engine. */
export interface Tunnels {
  /** Runs a command in a container, and gives its streams as one. */
  enter(container: string, command: readonly string[]): Duplex;
  /** Ends them all, and waits until their processes are gone. */
  close(): Promise<void>;
}

/**
 * Opens ways into containers by the user's own `docker exec`: whatever endpoint that can use, we can, and what the engine
 * allows nobody is not allowed here.
 *
 * A terminal's Ctrl-C is not for them: it would cut the connection over which the program is told of it.
 */
export function tunnelsThrough({ command, globals }: DialOptions): Tunnels {
  const open = new Set<ChildSocket>();
  return {
    enter(container, words) {
      const args = [...globals, "exec", "--interactive", container, ...words];
      const socket = new ChildSocket(command, args, { detached: true });
      open.add(socket);
      void socket.ended.then(() => open.delete(socket));
      return socket;
    },
    async close() {
      const sockets = [...open];
      for (const socket of sockets) socket.destroy();
      await Promise.all(sockets.map(({ ended }) => ended));
    },
  };
}
