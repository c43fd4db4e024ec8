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
export * from "./checks.ts";
export * from "./cluster.ts";
export * from "./constraint.ts";
export * from "./copy.ts";
export * from "./deploy.ts";
export * from "./deployment.ts";
export * from "./diagnose.ts";
export * from "./distribution.ts";
export * from "./docker_cli.ts";
export * from "./doctor.ts";
export * from "./engine.ts";
export * from "./errors.ts";
export * from "./event.ts";
export * from "./image_name.ts";
export * from "./images.ts";
export * from "./inspect.ts";
export * from "./job_log.ts";
export * from "./jobs.ts";
export * from "./json.ts";
export * from "./keys.ts";
export * from "./labels.ts";
export * from "./limit.ts";
export * from "./manager.ts";
export * from "./master.ts";
export * from "./names.ts";
export * from "./parts.ts";
export * from "./picture.ts";
export * from "./placement.ts";
export * from "./public_key.ts";
export * from "./reach.ts";
export * from "./registry.ts";
export * from "./remove.ts";
export * from "./rules.ts";
export * from "./scale.ts";
export * from "./settings.ts";
export * from "./settings_json_schema.ts";
export * from "./settings_origin.ts";
export * from "./settings_schema.ts";
export * from "./shell.ts";
export * from "./size.ts";
export * from "./ssh.ts";
export * from "./stack_deploy.ts";
export * from "./stack_file.ts";
export { SECTIONS } from "./stack_fragment.ts";
export { mergeStack } from "./stack_merge.ts";
export * from "./status.ts";
export * from "./subnet.ts";
export * from "./swarm.ts";
export * from "./surroundings.ts";
export * from "./turn.ts";
export * from "./text.ts";
export * from "./user_key.ts";
export type { Volumes } from "./volumes.ts";
export * from "./wait.ts";
export * from "./words.ts";
