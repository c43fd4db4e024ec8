/**
 * The domain: what `docker mpi` knows of clusters, without terminals, command lines and environment variables.
 *
 * It throws {@linkcode MpiError}, tells each `Event` to a `Report`, and reaches the world through the ports `Engine`,
 * `DockerCli` and `SshConnection`. The command line imports the files themselves, so that each command loads no more than
 * it needs; this module is the whole, for reading and for other programs.
 *
 * @example What a cluster's stack file asks for
 * ```ts
 * import assert from "node:assert/strict";
 * import { previewKeys, renderStack, resolveSettings } from "./mod.ts";
 *
 * const settings = await resolveSettings({ flags: { workers: 5 }, directory: "/home/ada/hello" });
 * const situation = { name: settings.name, secrets: [], used: [], deployed: undefined, local: undefined, rotate: false };
 * const keys = previewKeys(situation, { keep: {}, make: ["cluster_key", "master_host", "worker_host"], makeUserKey: true });
 * const stack = renderStack({ settings, workers: settings.workers ?? 3, keys, version: "1.0.0" });
 * assert.deepEqual(Object.keys(stack.services), ["master", "worker"]);
 * ```
 *
 * @module
 */
export * from "./errors.ts";
export * from "./event.ts";
export * from "./file_error.ts";
export * from "./json.ts";
export * from "./labels.ts";
export * from "./limit.ts";
export * from "./names.ts";
export * from "./shell.ts";
export * from "./text.ts";

export * from "./engine/docker_cli.ts";
export * from "./engine/engine.ts";
export * from "./engine/swarm.ts";

export * from "./ssh/key_pair.ts";
export * from "./ssh/reach.ts";
export * from "./ssh/ssh.ts";

export * from "./settings/constraint.ts";
export { SECTIONS } from "./settings/fragment.ts";
export * from "./settings/json_schema.ts";
export { mergeStack } from "./settings/merge.ts";
export * from "./settings/network.ts";
export * from "./settings/origin.ts";
export * from "./settings/room.ts";
export * from "./settings/rules.ts";
export * from "./settings/schema.ts";
export * from "./settings/settings.ts";
export * from "./settings/size.ts";
export * from "./settings/subnet.ts";
export type { Volumes } from "./settings/volumes.ts";

export * from "./stackfile/host_network.ts";
export * from "./stackfile/ownership.ts";
export * from "./stackfile/placement.ts";
export * from "./stackfile/stack_file.ts";

export * from "./image/distribution.ts";
export * from "./image/dockerfile.ts";
export * from "./image/image_name.ts";
export * from "./image/images.ts";
export * from "./image/registry.ts";

export * from "./cluster/cluster.ts";
export * from "./cluster/diagnose.ts";
export * from "./cluster/manager.ts";
export * from "./cluster/parts.ts";
export * from "./cluster/picture.ts";

export * from "./keys/key_store.ts";
export * from "./keys/keys.ts";
export * from "./keys/public_key.ts";
export * from "./keys/user_key.ts";

export * from "./master/copy.ts";
export * from "./master/get_files.ts";
export * from "./master/hosts.ts";
export * from "./master/job_log.ts";
export * from "./master/jobs.ts";
export * from "./master/master.ts";
export * from "./master/words.ts";

export * from "./deploy/deploy.ts";
export * from "./deploy/deployment.ts";
export * from "./deploy/remove.ts";
export * from "./deploy/scale.ts";
export * from "./deploy/stack_deploy.ts";
export * from "./deploy/surroundings.ts";
export * from "./deploy/turn.ts";
export * from "./deploy/wait.ts";

export * from "./inspect/checks.ts";
export * from "./inspect/doctor.ts";
export * from "./inspect/facts.ts";
export * from "./inspect/inspect.ts";
export * from "./inspect/status.ts";
