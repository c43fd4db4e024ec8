import type { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { type DockerCli } from "../../stack/engine/docker_cli.ts";
import { MpiError } from "../../stack/errors.ts";

/** How an API client reaches the engine: a socket of this machine, or connections made by the user's `docker` command. */
export type EngineConnection = { socketPath: string } | { agent: Agent };

/** The engine that the user's `docker` command talks to. */
export interface Endpoint {
  /** As Docker resolved it from flags, environment and context: `unix:///var/run/docker.sock`, `ssh://me@head`, … */
  host: string;
  /** Whether it is a socket of this machine. Its published ports are then at 127.0.0.1, also with Docker Desktop. */
  local: boolean;
  /** The name or address in `tcp://` and `ssh://` endpoints. */
  hostname?: string;
  /** `DOCKER_API_VERSION`, where the user pins one: `v1.41`. */
  version?: string;
  /** What every request carries, as the user's `docker` has it. */
  headers?: Readonly<Record<string, string>>;
  /** Runs a command in a container of it. */
  enter?: (container: string, command: readonly string[]) => Promise<Duplex>;
  /** Told what only `--debug` shows. */
  note?: (text: string) => void;
  /** Opens nothing; the client that is given it does. */
  connection: EngineConnection;
  /** Ends connections that are still open. */
  close(): Promise<void>;
}

/** Says what an endpoint's address tells by itself. */
export function readHost(host: string): Pick<Endpoint, "local" | "hostname"> {
  const url = URL.parse(host);
  if (url === null) throw new MpiError("engine", `Docker's endpoint "${host}" is no address`);
  if (url.protocol === "unix:" || url.protocol === "npipe:" || url.protocol === "fd:") return { local: true };
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return hostname === "" ? { local: false } : { local: false, hostname };
}

/**
 * Asks the user's `docker` for the endpoint that it would use itself.
 *
 * Docker resolves flags, environment, contexts and TLS; a second resolver here could only differ from it.
 *
 * @param docker The user's `docker`, with the user's global flags.
 * @param dial How to open a connection where the endpoint is no unix socket.
 * @param version `DOCKER_API_VERSION`.
 */
export async function resolveEndpoint(
  docker: DockerCli,
  dial: () => Promise<Dialer>,
  version?: string,
): Promise<Endpoint> {
  const { code, stdout, stderr } = await docker.run(["context", "inspect", "--format", "{{json .}}"]);
  if (code !== 0) {
    throw new MpiError("engine", `Docker can't say which engine to use: ${stderr.trim()}`, {
      hint: "docker context ls",
    });
  }
  const host = hostOf(stdout);
  const pinned = version ? { version: version.startsWith("v") ? version : `v${version}` } : {};
  const socketPath = /^unix:\/\/(.+)$/s.exec(host)?.[1];
  if (socketPath !== undefined) {
    return { host, ...readHost(host), ...pinned, connection: { socketPath }, close: () => Promise.resolve() };
  }
  const dialer = await dial();
  return { host, ...readHost(host), ...pinned, connection: { agent: dialer.agent }, close: () => dialer.close() };
}

/** Opens engine connections through child processes. */
export interface Dialer {
  /** Makes one connection per socket that HTTP asks for. */
  agent: Agent;
  /** Ends them all, and waits until their processes are gone. */
  close(): Promise<void>;
}

function hostOf(inspected: string): string {
  const context: unknown = JSON.parse(inspected.trim().split("\n")[0] ?? "");
  const host = (context as { Endpoints?: { docker?: { Host?: unknown } } } | null)?.Endpoints?.docker?.Host;
  if (typeof host !== "string" || host === "") {
    throw new MpiError("engine", "The Docker context in use names no Docker endpoint", { hint: "docker context ls" });
  }
  return host;
}
