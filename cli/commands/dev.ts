import type { Engine } from "../../stack/engine/swarm.ts";
import { MpiError } from "../../stack/errors.ts";
import { baseImages, ensureBase } from "../../stack/image/images.ts";
import { openSwarm, projectSettings } from "../cluster_context.ts";
import { type AnyCommand, Command, takesProgram, withExamples } from "../command_line/command.ts";
import { progressOption } from "../command_line/flags.ts";
import { settingsOf, withSettings } from "../command_line/settings_options.ts";
import type { Deps } from "../deps.ts";
import { VERSION } from "../docker/metadata.ts";
import { imagesContext } from "../files/project_build.ts";
import type { ProgressMode } from "../output/progress.ts";

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
      hint: "docker --context default mpi dev  # uses the engine of this machine",
    });
  }
  const image = options.image ?? await devImage(deps, engine, options);
  const user = Deno.build.os === "linux" ? ["--user", `${Deno.uid()}:${Deno.gid()}`, "--env", "HOME=/tmp"] : [];
  const tty = deps.io.stdin.isTerminal && deps.io.stdout.isTerminal ? ["--tty"] : [];
  deps.status = await deps.docker.attach([
    ...["run", "--rm", "--interactive", ...tty, "--init", "--shm-size=1g", ...user],
    ...["--mount", `type=bind,"source=${deps.cwd().replaceAll('"', '""')}",target=/project`, "--workdir", "/project"],
    image,
    ...words,
  ]);
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
