/** How a `docker` command gets on with an engine that we started. */
import { must, run } from "./command.ts";

/** Whether an engine answers at this socket. */
export async function pings(socket: string): Promise<boolean> {
  try {
    using connection = await Deno.connect({ transport: "unix", path: socket });
    await connection.write(new TextEncoder().encode("GET /_ping HTTP/1.0\r\n\r\n"));
    const answer = new Uint8Array(64);
    const length = await connection.read(answer) ?? 0;
    return new TextDecoder().decode(answer.subarray(0, length)).includes(" 200 ");
  } catch {
    return false;
  }
}

/** What `docker` needs in its environment to use the engine at this socket, as {@linkcode clientEnv} found out before. */
export function envOf(socket: string, folder: string): Record<string, string> {
  const env = {
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_CONTEXT: "",
    DOCKER_TLS: "",
    DOCKER_TLS_VERIFY: "",
    DOCKER_CERT_PATH: "",
  };
  return hasClient(folder) ? { ...env, PATH: `${folder}/bin:${Deno.env.get("PATH")}` } : env;
}

/**
 * The environment for the user's `docker`, if it gets on with the engine; a client may be too new for Debian's, and then
 * Debian's own client goes first on PATH, from `folder`.
 */
export async function clientEnv(socket: string, folder: string): Promise<Record<string, string>> {
  const env = envOf(socket, folder);
  if ((await run(["docker", "version"], { env })).code === 0) return env;
  await Deno.mkdir(`${folder}/bin`);
  await Deno.symlink("/usr/bin/docker", `${folder}/bin/docker`);
  const withDebian = envOf(socket, folder);
  await must(["docker", "version"], { env: withDebian });
  return withDebian;
}

function hasClient(folder: string): boolean {
  try {
    return Deno.lstatSync(`${folder}/bin/docker`).isSymlink;
  } catch {
    return false;
  }
}
