import type { DockerCli } from "../engine/docker_cli.ts";
import { MpiError } from "../errors.ts";
import type { Report } from "../event.ts";
import type { ResolveImage } from "../image/distribution.ts";
import { type Limit, withinLimit } from "../limit.ts";
import { formatStack, type StackFile } from "../stackfile/stack_file.ts";

/**
 * Somebody else changed the cluster at the same time: another attempt starts from what there is now.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Race } from "./stack_deploy.ts";
 *
 * const race = new Race('Cluster "hello" was deployed from elsewhere at the same time');
 * assert.equal(race.code, "conflict");
 * assert.equal(race.hint, "docker mpi deploy  # again, when the other has ended");
 * ```
 */
export class Race extends MpiError {
  /**
   * Makes the error for the case that it goes on.
   *
   * @param message What happened.
   * @param hint What to do then.
   */
  constructor(message: string, hint = "docker mpi deploy  # again, when the other has ended") {
    super("conflict", message, { hint });
  }
}

/** How to call `docker stack deploy`. */
export interface StackDeployOptions {
  /** The stack's name. */
  name: string;
  /** Whether Docker asks the registry, which also keeps nodes from hosts of another kind of processor. */
  resolveImage: ResolveImage;
  /** Whether the nodes' engines get the user's registry login. */
  registryAuth: boolean;
  /** Where relative paths of `stack:` start from; none: the working directory. */
  directory?: string | undefined;
}

/**
 * Hands a stack file to `docker stack deploy`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Race, stackDeploy } from "./stack_deploy.ts";
 *
 * const said = { code: 1, stdout: "", stderr: "Error response from daemon: network hello_cluster not found" };
 * const docker = { run: () => Promise.resolve(said), attach: () => Promise.resolve(1) };
 * const stack = { version: "3.8", services: {}, networks: {}, secrets: {} };
 * const options = { name: "hello", resolveImage: "never" as const, registryAuth: false };
 * const limit = { timeout: 5000, signal: new AbortController().signal };
 * await assert.rejects(stackDeploy(docker, stack, options, limit, () => {}), Race);
 * ```
 *
 * @param docker The user's `docker`.
 * @param stack The stack file.
 * @param options How to call it.
 * @param limit When to give up.
 * @param report Told that it is at work, and what Docker remarks.
 * @throws {Race} If parts of the stack came or went meanwhile.
 * @throws {MpiError} `engine` with what Docker says against it, `timeout` at the limit.
 */
export async function stackDeploy(
  docker: DockerCli,
  stack: StackFile,
  { name, resolveImage, registryAuth, directory }: StackDeployOptions,
  limit: Limit,
  report: Report,
): Promise<void> {
  report({ resource: "stack", state: "working", text: "docker stack deploy" });
  const run = async (signal: AbortSignal) => {
    const detach = await knowsDetach(docker, signal) ? ["--detach=true"] : [];
    const args = [
      "stack",
      "deploy",
      "--compose-file=-",
      `--resolve-image=${resolveImage}`,
      ...(registryAuth ? ["--with-registry-auth"] : []),
      ...detach,
      name,
    ];
    return await docker.run(args, { stdin: formatStack(stack), signal, cwd: directory });
  };
  const { code, stderr } = await withinLimit(
    limit,
    run,
    () =>
      new MpiError("timeout", `Docker did not deploy stack "${name}" within ${limit.timeout / 1000} s`, {
        hint: "docker node ls  # shows whether the swarm answers",
      }),
  );
  if (code !== 0) throw stackError(name, stderr);
  const remarks = remarksOf(stderr);
  report(
    remarks === ""
      ? { resource: "stack", state: "done", text: "deployed" }
      : { resource: "stack", state: "warning", text: `deployed, and Docker says: ${remarks}` },
  );
}

/** Clients since 26 warn unless told to return at once; older ones don't know the flag. */
async function knowsDetach(docker: DockerCli, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await docker.run(["version", "--format", "{{.Client.Version}}"], { signal });
  return Number.parseInt(stdout) >= 26;
}

/** What a deployment that went well has left out, or can't vouch for: options of `stack:`, images that no registry knows. */
function remarksOf(stderr: string): string {
  const lines = stderr.replace(/:\s*\n\s*/g, ": ").split("\n").map((line) => line.trim());
  return lines.filter((line) => /^Ignoring |^image .* could not/.test(line))
    .map((line) => line.replace(/ to record$/, "")).join("; ");
}

function stackError(name: string, stderr: string): MpiError {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) =>
    line !== "" && !line.startsWith("Ignoring")
  );
  const text = lines.join("; ").replaceAll(":; ", ": ").replace(
    /Error response from daemon: (rpc error: code = \w+ desc = )?/g,
    "",
  );
  if (isRace(name, text)) return new Race(`Something else changes cluster "${name}" at the same time: ${text}`);
  const overlaps = /overlap|pool .* conflict/i.test(text);
  return new MpiError("engine", `Docker could not deploy stack "${name}": ${text}`, {
    hint: overlaps
      ? "docker network ls  # shows the networks; choose another network.subnet in mpi.yaml"
      : "docker mpi config  # shows the stack file",
  });
}

/** Whether Docker stumbled over a part that had just come, changed or gone. */
function isRace(name: string, text: string): boolean {
  if (/already exists|conflicts with an existing object|update out of sequence/.test(text)) return true;
  const parts = ["cluster", "master", "worker", "(cluster_key|master_host|worker_host)-[0-9a-f]{12}"].join("|");
  return new RegExp(`not find|not found|no such`, "i").test(text) && new RegExp(`\\b${name}_(${parts})\\b`).test(text);
}
