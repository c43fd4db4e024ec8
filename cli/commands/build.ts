import { pushImage, requireRegistry } from "../../stack/image/registry.ts";
import { openSwarm, projectDirectory, projectSettings } from "../cluster_context.ts";
import { type AnyCommand, Command, Option, withExamples } from "../command_line/command.ts";
import { buildVariable, progressOption } from "../command_line/flags.ts";
import { settingsOf, withSettings } from "../command_line/settings_options.ts";
import type { Deps } from "../deps.ts";
import { buildImage } from "../files/project_build.ts";
import type { ProgressMode } from "../output/progress.ts";

interface BuildOptions {
  push?: true | undefined;
  cache: boolean;
  pull?: true | undefined;
  buildArg?: string[] | undefined;
  progress: ProgressMode;
}

/** `docker mpi build`: the image of the project in the working directory. */
export function buildCommand(deps: Deps): AnyCommand {
  const command = new Command("build")
    .summary("Build the image of a cluster")
    .description(
      "Build the image of the project in this directory, and our own image that it starts from if it is missing",
    )
    .option("--push", "Push the image to its registry")
    .option("--no-cache", "Do not use the build cache")
    .option("--pull", "Look for a newer version of what the images start from")
    .addOption(new Option("--build-arg <list>", "Set a build-time variable, KEY=VALUE").argParser(buildVariable))
    .addOption(progressOption());
  withSettings(command, ["name", "image", "mpi"]);
  command.action((options) => run(deps, options as unknown as BuildOptions));
  return withExamples(command, ["docker mpi build", "docker mpi build --image registry.example.org/hello:1 --push"]);
}

async function run(deps: Deps, options: BuildOptions): Promise<void> {
  const settings = await projectSettings(deps, settingsOf(options));
  const { image } = settings;
  if (options.push) requireRegistry(image, "docker mpi build");
  const { engine } = await openSwarm(deps);
  const { pull, buildArg: buildArgs = [] } = options;
  const progress = deps.progress(options.progress);
  try {
    await buildImage(
      deps,
      engine,
      { directory: await projectDirectory(deps), settings, buildArgs, pull, args: options.cache ? [] : ["--no-cache"] },
      progress.report,
    );
    if (options.push) await pushImage(deps.docker, image, progress.report, deps.signal);
  } finally {
    await progress.stop();
  }
  await deps.io.stdout.write(`${image}\n`);
}
