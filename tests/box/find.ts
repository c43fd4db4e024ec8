/** The engine that the user's own `docker` command talks to. */
import { run } from "./command.ts";

/** What the user's `docker` command said. */
type Found =
  | { kind: "ready"; host: string }
  | { kind: "no-manager"; host: string; why: string; hint: string }
  | { kind: "none"; why: string };

/** How long an engine may take to answer. */
const ANSWER_SECONDS = 15;

/** Asks the engine that the user's settings name (DOCKER_HOST, the context) whether it is there and manages a swarm. */
export async function findUserEngine(signal?: AbortSignal): Promise<Found> {
  const options = { seconds: ANSWER_SECONDS, ...(signal === undefined ? {} : { signal }) };
  const version = await run(["docker", "version", "--format", "{{.Server.Version}}"], options);
  if (version.code === 127) return { kind: "none", why: "there is no docker command" };
  if (version.code === 124) return { kind: "none", why: `no engine answers within ${ANSWER_SECONDS} s` };
  if (version.code !== 0) return { kind: "none", why: firstLine(version.stderr) };
  const context = await run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], options);
  const host = Deno.env.get("DOCKER_HOST") || context.stdout.trim() || "the default endpoint";
  const swarm = await run(
    ["docker", "info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}"],
    options,
  );
  return judge(host, swarm.stdout.trim());
}

/** What an engine's own word on its swarm means: `active true` is a manager. */
export function judge(host: string, swarm: string): Found {
  if (swarm === "active true") return { kind: "ready", host };
  if (swarm === "active false") {
    return {
      kind: "no-manager",
      host,
      why: `the engine at ${host} is a worker of its swarm, a manager is needed`,
      hint: "choose a manager with `docker context use` or DOCKER_HOST",
    };
  }
  const state = swarm.split(" ")[0] || "unknown";
  return {
    kind: "no-manager",
    host,
    why: `the engine at ${host} is in no swarm (state: ${state})`,
    hint: "docker swarm init",
  };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] || "docker version failed and said nothing";
}
