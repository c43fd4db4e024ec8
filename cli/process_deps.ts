import { checkoutAssets, embeddedAssets } from "./assets.ts";
import { embedded } from "./assets_embedded.ts";
import type { Deps } from "./deps.ts";
import { configDir } from "./docker/config_dir.ts";
import { httpHeaders } from "./docker/http_headers.ts";
import { dockerCommand } from "./docker/docker.ts";
import { type Endpoint, resolveEndpoint } from "./docker/endpoint.ts";
import type { Invocation } from "./docker/global_flags.ts";
import type { Tunnels } from "./docker/tunnels.ts";
import { processIo } from "./io.ts";
import { startProgress } from "./output/progress.ts";
import { countInterrupts, type InterruptSource } from "./signals.ts";

/** The real world of one run. */
export interface ProcessDeps {
  /** What commands get. */
  deps: Deps;
  /** Counts an interrupt. */
  interrupt(source: InterruptSource): void;
  /** Resolves with the exit status at the third interrupt, and says so. */
  gaveUp: Promise<number>;
  /** Ends what was opened. */
  close(): Promise<void>;
}

/** Makes the {@linkcode Deps} of this process. */
export function processDeps(invocation: Invocation): ProcessDeps {
  const env = (name: string) => Deno.env.get(name) || undefined;
  const io = processIo(env);
  const { promise: gaveUp, resolve } = Promise.withResolvers<number>();
  const { signal, interrupts, add } = countInterrupts(() => {
    void io.stderr.write("got 3 SIGTERM/SIGINTs, forcefully exiting\n").then(() => resolve(1));
  });
  const command = dockerOf(env("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"));
  const { globals } = invocation;
  const docker = dockerCommand({ command, globals, signal });
  const dial = async () => (await import("./docker/dial_stdio.ts")).dialer({ command, globals });
  let endpoint: Promise<Endpoint> | undefined;
  let tunnels: Tunnels | undefined;
  const open = async (): Promise<Endpoint> => {
    const resolved = await resolveEndpoint(docker, dial, env("DOCKER_API_VERSION"));
    const enter: Endpoint["enter"] = async (container, words) => {
      tunnels ??= (await import("./docker/tunnels.ts")).tunnelsThrough({ command, globals });
      return tunnels.enter(container, words);
    };
    const note = (text: string) => deps.debug ? void io.stderr.write(`debug: ${text}\n`) : undefined;
    const config = await Deno.readTextFile(`${deps.configDir()}/config.json`).catch(() => undefined);
    return { ...resolved, headers: httpHeaders(config, env("DOCKER_CUSTOM_HEADERS")), enter, note };
  };
  const deps: Deps = {
    io,
    signal,
    interrupts,
    docker,
    assets: embedded === undefined ? checkoutAssets(`${import.meta.dirname}/..`) : embeddedAssets(embedded),
    debug: invocation.debug,
    hint: (text) => text,
    status: 0,
    env,
    cwd: () => Deno.cwd(),
    configDir: () => configDir(invocation.config, env),
    endpoint: () => endpoint ??= open(),
    progress: (mode = "auto") => startProgress(io, mode, (text) => deps.hint(text)),
  };
  return {
    deps,
    interrupt: add,
    gaveUp,
    close: async () => {
      await tunnels?.close();
      await (await endpoint?.catch(() => undefined))?.close();
    },
  };
}

/** The docker command that started us. To complete a command line, Docker names the plugin in its place. */
function dockerOf(original = "docker"): string {
  return /(^|[/\\])docker-mpi(\.exe)?$/.test(original) ? "docker" : original;
}
