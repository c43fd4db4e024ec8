/** The version of `docker mpi`: of the program, its images and its templates. */
export const VERSION = "0.1.0";

/**
 * What Docker asks a plugin for. `SchemaVersion` stays at 0.1.0: clients before 29 accept no other.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { metadata } from "./metadata.ts";
 *
 * assert.equal(metadata.SchemaVersion, "0.1.0");
 * ```
 */
export const metadata = {
  SchemaVersion: "0.1.0",
  Vendor: "docker-mpi",
  Version: VERSION,
  ShortDescription: "MPI clusters on Docker Swarm",
} as const;
