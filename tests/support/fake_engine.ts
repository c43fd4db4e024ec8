/** A Docker engine that is a web server on a socket of its own: what it answers is the test's. */
import type { Endpoint } from "../../cli/docker/endpoint.ts";

/** What an engine is asked. */
export interface Request {
  /** `GET /info`: without the API version and the query. */
  line: string;
  /** The filters of a list, or an empty object. */
  filters: Record<string, string[]>;
  /** The query's other parameters. */
  query: URLSearchParams;
  /** The headers. */
  headers: Headers;
  /** The body's JSON. */
  json: unknown;
}

/** What it answers: JSON, or a refusal with a message; none: it never answers. */
export type Reply = { json: unknown } | { status: number; message: string } | undefined;

/** A running engine. */
export interface FakeEngine extends AsyncDisposable {
  /** What it was asked so far, as `GET /info`. */
  requests: string[];
  /** How to reach it. */
  endpoint(): Promise<Endpoint>;
}

/** Starts an engine. */
export async function fakeEngine(answer: (request: Request) => Reply | Promise<Reply>): Promise<FakeEngine> {
  const folder = await Deno.makeTempDir({ prefix: "mpi-fake-engine-" });
  const path = `${folder}/docker.sock`;
  const requests: string[] = [];
  const leaving = new AbortController();
  const serve = async (asked: globalThis.Request): Promise<Response> => {
    const url = new URL(asked.url.replace(/^http\+unix:\/\/[^/]*/, "http://docker"));
    const line = `${asked.method} ${url.pathname.replace(/^\/v\d+\.\d+(?=\/)/, "").replace(/^.*\.sock(?=\/)/, "")}`;
    requests.push(line);
    const text = await asked.text();
    const filters = JSON.parse(url.searchParams.get("filters") ?? "{}");
    const reply = await answer({
      line,
      filters,
      query: url.searchParams,
      headers: asked.headers,
      json: text === "" ? undefined : JSON.parse(text),
    });
    if (reply === undefined) return await new Promise((_, reject) => leaving.signal.addEventListener("abort", reject));
    if ("json" in reply) return Response.json(reply.json);
    return Response.json({ message: reply.message }, { status: reply.status });
  };
  const server = Deno.serve({
    path,
    transport: "unix",
    onListen: () => {},
    onError: () => new Response("", { status: 500 }),
  }, serve);
  return {
    requests,
    endpoint: () =>
      Promise.resolve({
        host: `unix://${path}`,
        local: true,
        connection: { socketPath: path },
        close: () => Promise.resolve(),
      } as Endpoint),
    async [Symbol.asyncDispose]() {
      leaving.abort();
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
