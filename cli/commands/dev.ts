import type { Engine, EngineInfo } from "../../stack/engine/swarm.ts";
import { MpiError } from "../../stack/errors.ts";
import { hasOurName } from "../../stack/image/image_name.ts";
import { baseImages, ensureBase } from "../../stack/image/images.ts";
import { openSwarm, projectSettings } from "../cluster_context.ts";
import { type AnyCommand, Command, takesProgram, withExamples } from "../command_line/command.ts";
import { progressOption } from "../command_line/flags.ts";
import { settingsOf, withSettings } from "../command_line/settings_options.ts";
import type { Deps } from "../deps.ts";
import { VERSION } from "../docker/metadata.ts";
import { imagesContext } from "../files/project_build.ts";
import type { ProgressMode } from "../output/progress.ts";

/** How long an interrupt waits for the container to go: Docker gives it no time. */
const REMOVAL_MS = 10_000;

interface DevOptions {
  image?: string | undefined;
  mpi?: string | undefined;
  progress: ProgressMode;
}

/** `docker mpi dev`: compilers and MPI in a container, on the files of this directory. */
export function devCommand(deps: Deps): AnyCommand {
  const command = takesProgram(new Command("dev"))
    .summary("Open a shell with compilers and MPI on this directory")
    .description(
      "Open a shell, or run a command, in a container with compilers and MPI; this directory is its /project",
    )
    .argument("[command]", "What to run in place of a shell")
    .argument("[args...]", "Its arguments")
    .option("--image <string>", "Another image than our development image")
    .addOption(progressOption());
  withSettings(command, ["mpi"]);
  command
    .action((program, args, options) =>
      run(deps, program === undefined ? [] : [program, ...args], options as DevOptions)
    );
  return withExamples(command, ["docker mpi dev", "docker mpi dev mpicc -o hello hello.c"]);
}

async function run(deps: Deps, words: readonly string[], options: DevOptions): Promise<void> {
  const { endpoint, engine } = await openSwarm(deps);
  if (!endpoint.local) {
    throw new MpiError("usage", `The engine at "${endpoint.host}" can't see the files of this machine`, {
      hint: "env -u DOCKER_HOST docker --context default mpi dev  # uses the engine of this machine",
    });
  }
  const image = options.image ?? await devImage(deps, engine, options);
  const user = Deno.build.os === "linux" ? userArgs((await engine.info()).users) : [];
  const tty = deps.io.stdin.isTerminal && deps.io.stdout.isTerminal ? ["--tty"] : [];
  // Nobody has our names in a registry, so that an image under one of them is on the engine, or nowhere.
  const pull = hasOurName(image) ? ["--pull=never"] : [];
  const name = `docker-mpi-dev-${crypto.randomUUID().slice(0, 8)}`;
  try {
    deps.status = await deps.docker.attach([
      ...["run", "--rm", `--name=${name}`, "--interactive", ...tty, "--init", "--shm-size=1g", ...pull, ...user],
      ...["--mount", `type=bind,"source=${deps.cwd().replaceAll('"', '""')}",target=/project`, "--workdir", "/project"],
      image,
      ...words,
    ]);
  } finally {
    // A program that does not hear signals outlives the command that started it. That it could not be ended is not the news.
    const limit = { signal: AbortSignal.timeout(REMOVAL_MS) };
    if (deps.signal.aborted) await deps.docker.run(["rm", "--force", name], limit).catch(() => {});
  }
}

/** Files that are made in the directory belong to the user, whom engines know in containers by different numbers. */
function userArgs(users: EngineInfo["users"]): string[] {
  const [uid, gid] = users === "root-is-caller" ? [0, 0] : [Deno.uid(), Deno.gid()];
  return [
    ...(users === "remapped" ? ["--userns=host"] : []),
    ...["--user", `${uid}:${gid}`, "--env", "HOME=/tmp"],
    // Else Open MPI refuses.
    ...(uid === 0 ? ["--env", "OMPI_ALLOW_RUN_AS_ROOT=1", "--env", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"] : []),
  ];
}

async function devImage(deps: Deps, engine: Engine, options: DevOptions): Promise<string> {
  const { mpi: wanted = "mpich" } = await projectSettings(deps, settingsOf({ mpi: options.mpi }));
  const base = baseImages(VERSION).find(({ mpi, target }) => mpi === wanted && target === "dev")!;
  const progress = deps.progress(options.progress);
  try {
    await ensureBase(engine, deps.docker, base, () => imagesContext(deps), progress.report, deps.signal);
  } finally {
    await progress.stop();
  }
  return base.reference;
}
