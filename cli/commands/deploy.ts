import { join } from "node:path";
import { checkDeployment, deploy } from "../../stack/deploy/deploy.ts";
import type { Deployment } from "../../stack/deploy/deployment.ts";
import type { LocalImage } from "../../stack/engine/swarm.ts";
import type { Report } from "../../stack/event.ts";
import type { ResolveImage } from "../../stack/image/distribution.ts";
import { findImage, requireMpi } from "../../stack/image/images.ts";
import { pullImage, pushImage, requireRegistry } from "../../stack/image/registry.ts";
import { readPublicKey } from "../../stack/keys/public_key.ts";
import { LABELS } from "../../stack/labels.ts";
import { answerText, openSwarm, projectDirectory, projectSettings } from "../cluster_context.ts";
import { type AnyCommand, Command, Option, withExamples } from "../command_line/command.ts";
import { collect, duration, progressOption, quietOption } from "../command_line/flags.ts";
import { settingsOf, withSettings } from "../command_line/settings_options.ts";
import type { Deps } from "../deps.ts";
import { VERSION } from "../docker/metadata.ts";
import { buildImage, hasDockerfile } from "../files/project_build.ts";
import { readText } from "../files/read_file.ts";
import type { ProgressMode } from "../output/progress.ts";
import { stackPreview } from "../stack_preview.ts";

interface DeployOptions {
  build?: true | undefined;
  pull?: true | undefined;
  push?: true | undefined;
  dryRun?: true | undefined;
  rotateKeys?: true | undefined;
  addKey?: string[] | undefined;
  withRegistryAuth?: true | undefined;
  resolveImage: ResolveImage;
  detach?: true | undefined;
  waitTimeout: number;
  progress: ProgressMode;
  quiet?: true | undefined;
}

/** `docker mpi deploy`: a cluster from the project in the working directory. */
export function deployCommand(deps: Deps): AnyCommand {
  const command = new Command("deploy")
    .alias("up")
    .summary("Deploy a cluster, or update one that runs")
    .description("Deploy the cluster of the project in this directory, or bring one that runs to what is asked for")
    .option("--build", "Build the image first, also one that image: names and that exists")
    .option("--push", "Push the image to its registry, where the other hosts get it")
    .addOption(
      new Option("--pull", "Take what the registry has under the image's name now").conflicts(["build", "push"]),
    )
    .option("--dry-run", "Show the stack file, and why each line is there, and change nothing")
    .option("--rotate-keys", "Make new keys; this machine gets the only one that opens the cluster")
    .addOption(
      new Option("--add-key <files>", "Let a further key in, a .pub file; restarts the master. Can be repeated")
        .argParser(collect).conflicts("rotateKeys"),
    )
    .option("--with-registry-auth", "Send your registry login to the hosts, which then can pull the image")
    .addOption(
      new Option("--resolve-image <when>", "Whether other hosts get the image from its registry, or have it already")
        .choices(["always", "never"] as const).default("always" as const),
    )
    .option("-d, --detach", "Only tell the swarm, and do not wait for nodes")
    .addOption(
      new Option("--wait-timeout <duration>", "How long to wait until the cluster answers").argParser(duration)
        .default(300_000, "5m"),
    )
    .addOption(progressOption())
    .addOption(quietOption("Only print the cluster's name, and no progress"));
  withSettings(command);
  command.action((options) => run(deps, options as DeployOptions));
  return withExamples(command, [
    "docker mpi deploy --workers 5",
    "docker mpi deploy --build --slots auto",
    "docker mpi deploy --image registry.example.org/hello --build --push",
  ]);
}

async function run(deps: Deps, options: DeployOptions): Promise<void> {
  const settings = await projectSettings(deps, settingsOf(options));
  const { engine, endpoint } = await openSwarm(deps);
  const deployment: Deployment = {
    engine,
    vantage: endpoint,
    directory: await projectDirectory(deps),
    docker: deps.docker,
    configDir: deps.configDir(),
    settings,
    rotateKeys: options.rotateKeys ?? false,
    addKeys: await readKeys(options.addKey ?? []),
    registryAuth: options.withRegistryAuth ?? false,
    resolveImage: options.resolveImage,
    detach: options.detach ?? false,
    version: VERSION,
  };
  if (options.dryRun) await deps.io.stdout.write(await stackPreview(deployment));
  else await carryOut(deps, deployment, options);
}

async function readKeys(files: readonly string[]): Promise<string[]> {
  return await Promise.all(files.map(async (file) => readPublicKey(await readText(file), file)));
}

async function carryOut(deps: Deps, deployment: Deployment, options: DeployOptions): Promise<void> {
  const { engine, settings } = deployment;
  const { name, image } = settings;
  if (options.push) requireRegistry(image, "docker mpi deploy");
  const progress = deps.progress(options.quiet ? "quiet" : options.progress);
  try {
    const local = await engine.image(image);
    const builds = await isToBuild(deps, deployment, local, options);
    // What is wrong with swarm, name or keys shows before anything is built; so does an image that could not be shared out.
    const known = !options.push && !options.pull && (builds || local !== undefined);
    await checkDeployment(deployment, known ? { local } : undefined);
    const directory = await projectDirectory(deps);
    if (builds) await buildImage(deps, engine, { directory, settings }, progress.report);
    const settled = await settleImage(deps, deployment, options, progress.report);
    requireMpi(settings, image, settled.labels[LABELS.mpi], "docker mpi deploy --build  # builds it anew");
    const limit = { timeout: options.waitTimeout, signal: deps.signal };
    const hosts = await deploy(deployment, settled, limit, progress.report);
    await progress.stop();
    await deps.io.stdout.write(options.quiet || options.detach ? `${name}\n` : answerText(name, hosts));
  } finally {
    await progress.stop();
  }
}

/**
 * A project's own image is built each time, so that what was edited is what runs; Docker's cache makes that a moment where
 * nothing was. An image that the settings name is built where it is missing, or when asked for.
 */
async function isToBuild(
  deps: Deps,
  { settings: { sources } }: Deployment,
  local: LocalImage | undefined,
  { build, pull }: DeployOptions,
): Promise<boolean> {
  if (build || pull) return build ?? false;
  const wanted = sources.image.from === "default" || local === undefined;
  return wanted && await hasDockerfile(join(await projectDirectory(deps), "Dockerfile"));
}

async function settleImage(
  { docker, signal }: Deps,
  { engine, settings: { image } }: Deployment,
  { pull, push }: DeployOptions,
  report: Report,
): Promise<LocalImage> {
  if (pull) await pullImage(docker, image, report, signal);
  const found = await findImage(engine, docker, image, report, signal);
  if (!push) return found;
  await pushImage(docker, image, report, signal);
  // Now it has the registry's digest.
  return await findImage(engine, docker, image, report, signal);
}
