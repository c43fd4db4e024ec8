/** A Docker engine of a few canned answers, behind a unix socket. */
import { createServer, type Server } from "node:http";
import { type Endpoint, readHost } from "../../cli/docker/endpoint.ts";

/** What the engine says to a request: a body, or an error as engines word it; nothing: it never answers. */
export type Answer = { body: unknown } | { status: number; message: string } | undefined;

/** A running fake. */
export interface EngineSocket extends AsyncDisposable {
  /** Its endpoint, `unix:///tmp/…`. */
  host: string;
  /** The same for commands that run in-process. */
  endpoint: () => Promise<Endpoint>;
  /** `METHOD /path` of every request so far, without the API version. */
  requests: string[];
}

/** The swarm's part of `docker info` on engines of each kind, as engines give it. */
export const SWARM = {
  inactive: { NodeID: "", NodeAddr: "", LocalNodeState: "inactive", ControlAvailable: false, RemoteManagers: null },
  worker: {
    NodeID: "w1",
    NodeAddr: "10.9.0.2",
    LocalNodeState: "active",
    ControlAvailable: false,
    RemoteManagers: [{ NodeID: "m1", Addr: "10.9.0.1:2377" }, { NodeID: "m2", Addr: "10.9.0.3:2377" }],
  },
  locked: { NodeID: "", NodeAddr: "", LocalNodeState: "locked", ControlAvailable: false, RemoteManagers: null },
  pending: { NodeID: "", NodeAddr: "", LocalNodeState: "pending", ControlAvailable: false, RemoteManagers: null },
  error: {
    NodeID: "m1",
    NodeAddr: "10.9.0.1",
    LocalNodeState: "error",
    ControlAvailable: false,
    Error: "manager stopped: can't initialize raft node: WAL error cannot be repaired",
    RemoteManagers: null,
  },
  manager: {
    NodeID: "m1",
    NodeAddr: "10.9.0.1",
    LocalNodeState: "active",
    ControlAvailable: true,
    RemoteManagers: [{ NodeID: "m1", Addr: "10.9.0.1:2377" }],
    Cluster: { ID: "0123456789abcdef" },
  },
} as const;

/** Starts an engine that answers requests such as `GET /info`. */
export async function engineSocket(answer: (request: string) => Answer): Promise<EngineSocket> {
  const folder = await Deno.makeTempDir({ prefix: "mpi-socket-" });
  const socketPath = `${folder}/docker.sock`;
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/^\/v[\d.]+/, "").replace(/\?.*/, "");
    requests.push(`${request.method} ${path}`);
    const said = answer(`${request.method} ${path}`);
    if (said === undefined) return;
    const status = "status" in said ? said.status : 200;
    response.writeHead(status, { "Content-Type": "application/json", "Api-Version": "1.41" });
    response.end(JSON.stringify("status" in said ? { message: said.message } : said.body));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const host = `unix://${socketPath}`;
  const close = () => Promise.resolve();
  return {
    host,
    requests,
    endpoint: () => Promise.resolve({ host, ...readHost(host), connection: { socketPath }, close }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Starts an engine whose swarm is like that, and with nothing in it. */
export function engineWithSwarm(swarm: unknown): Promise<EngineSocket> {
  return engineSocket((request) => {
    if (request === "GET /_ping") return { body: "OK" };
    return request === "GET /info" ? { body: { ServerVersion: "20.10.24", Swarm: swarm } } : { body: [] };
  });
}
