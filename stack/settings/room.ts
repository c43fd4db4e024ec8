import type { Settings } from "./settings.ts";
import { type Capacity, checkCapacity } from "./subnet.ts";

/** What is known of a cluster's network beside the settings. */
export interface Room extends Pick<Capacity, "workers" | "subnet" | "prefix" | "hosts"> {
  /** Whether the cluster is there: its network can't be changed then. */
  runs: boolean;
}

/**
 * Makes sure that the workers find addresses, and says otherwise at the setting that asks for too much.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkRoom } from "./room.ts";
 * import { resolveSettings } from "./settings.ts";
 *
 * const settings = await resolveSettings({ flags: { workers: 300 }, directory: "/home/ada/hello" });
 * checkRoom(settings, { workers: 300, subnet: "10.20.0.0/16", runs: true });
 * assert.throws(() => checkRoom(settings, { workers: 300, subnet: undefined, runs: false }), { code: "usage" });
 * ```
 *
 * @param settings All settings.
 * @param room What is known of the network.
 * @throws {MpiError} `usage` if a flag says it, otherwise `settings`, with its place.
 */
export function checkRoom(settings: Settings, { runs, ...room }: Room): void {
  const { name, sources: { workers, subnet } } = settings;
  const { from, where } = workers.from === "default" ? subnet : workers;
  checkCapacity({
    ...room,
    code: from === "flag" ? "usage" : "settings",
    place: from === "file" || from === "environment" ? where : undefined,
    hint: runs ? renewHint(name, room.workers) : flagHint(settings),
  });
}

/**
 * How a cluster that is there gets a larger network: anew.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renewHint } from "./room.ts";
 *
 * assert.match(renewHint("cfd", 300), /^docker mpi rm cfd && docker mpi deploy .* --subnet 10.20.0.0\/16 --workers 300 {2}#/);
 * ```
 *
 * @param name The cluster's name.
 * @param workers How many workers it is to have.
 * @returns Commands for a shell, in one line.
 */
export function renewHint(name: string, workers: number): string {
  const words =
    `docker mpi rm ${name} && docker mpi deploy --cluster ${name} --subnet 10.20.0.0/16 --workers ${workers}`;
  return `${words}  # or another subnet that is large enough, and that no host uses already`;
}

/** A flag or a variable would go before what `mpi.yaml` says. */
function flagHint({ workers, sources }: Settings): string | undefined {
  if (!["flag", "environment"].includes(sources.subnet.from)) return undefined;
  const number = sources.workers.from === "flag" ? ` --workers ${workers}` : "";
  return `docker mpi deploy --subnet 10.20.0.0/16${number}  # or another that is larger, and that no host uses already`;
}
