/** A Docker engine's socket with somebody in between, who sees each request and can hold it. */
import { createServer, request as ask, type Server } from "node:http";

/** The endpoint of the engine that tests on a swarm use. */
export const ENGINE = Deno.env.get("DOCKER_HOST") || "unix:///var/run/docker.sock";

/** A request on its way. */
export interface Passing {
  /** `POST /secrets/create`, without the API version and what is asked for. */
  line: string;
  /** Which one it is, from 1. */
  number: number;
}

/** What comes between, at two moments of a request; what it returns is waited for. */
export interface Between {
  /** Before the engine gets it; `drop`: it never does, and nobody is answered. */
  before?: (passing: Passing) => Promise<"drop" | void> | "drop" | void;
  /** When the engine has done it, and before whoever asked knows. */
  after?: (passing: Passing) => Promise<void> | void;
}

/** A proxy at work. */
export interface EngineProxy extends AsyncDisposable {
  /** Its endpoint, for DOCKER_HOST. */
  host: string;
}

/** Opens one in front of the engine at a local socket, `unix:///…`. */
export async function engineProxy(engine: string, { before, after }: Between): Promise<EngineProxy> {
  const folder = await Deno.makeTempDir({ prefix: "mpitest-proxy-" });
  const socketPath = `${folder}/docker.sock`;
  let count = 0;
  const server: Server = createServer(async (incoming, outgoing) => {
    const { method = "", url = "", headers } = incoming;
    const passing = { line: `${method} ${url.replace(/^\/v[\d.]+/, "").replace(/\?.*/, "")}`, number: ++count };
    // Whoever asked may be gone by then.
    for (const stream of [incoming, outgoing]) stream.on("error", () => {});
    if (await before?.(passing) === "drop") return void incoming.destroy();
    const forwarded = ask({ socketPath: engine.replace("unix://", ""), method, path: url, headers }, async (answer) => {
      await after?.(passing);
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    host: `unix://${socketPath}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Deno.remove(folder, { recursive: true });
    },
  };
}
