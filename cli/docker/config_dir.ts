/**
 * Docker's configuration directory, in Docker's order: `--config`, `DOCKER_CONFIG`, `~/.docker`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { configDir } from "./config_dir.ts";
 *
 * const env = (name: string) => ({ HOME: "/home/ada" })[name];
 * assert.equal(configDir(undefined, env), "/home/ada/.docker");
 * assert.equal(configDir("/etc/docker", env), "/etc/docker");
 * ```
 *
 * @param flag The value of `--config`, if it was given.
 * @param env Environment variables.
 */
export function configDir(flag: string | undefined, env: (name: string) => string | undefined): string {
  return flag || env("DOCKER_CONFIG") || `${env("HOME") || env("USERPROFILE") || "."}/.docker`;
}
