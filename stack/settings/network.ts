import { MpiError } from "../errors.ts";
import { type FieldName, FIELDS } from "./schema.ts";
import type { Settings } from "./settings.ts";

/** What can't be said of a network that is the hosts', and why; nothing: it is right. */
const LIMITS: { [K in FieldName]?: (settings: Settings) => string | undefined } = {
  subnet: ({ subnet }) => subnet === undefined ? undefined : "nodes have the addresses of their hosts",
  mtu: ({ mtu }) => mtu === undefined ? undefined : "it is the hosts' own",
  encrypted: ({ encrypted }) => encrypted ? "Docker encrypts overlay networks only" : undefined,
  maxPerNode: ({ maxPerNode = 1 }) => maxPerNode > 1 ? "two on one host would have the same port" : undefined,
  port: ({ port }) => port < 1024 ? "no root opens it: want 1024 to 65535" : undefined,
};

/**
 * Makes sure that nothing is asked of the hosts' network that only one of the cluster's own has.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resolveSettings } from "./settings.ts";
 *
 * const input = { flags: { network: "host", subnet: "10.20.0.0/16" }, directory: "/home/ada/hello" };
 * await assert.rejects(() => resolveSettings(input), /--subnet can't be given with network.type host/);
 * ```
 *
 * @param settings All settings.
 * @throws {MpiError} `usage` if a flag is too much, otherwise `settings`, with its place.
 */
export function checkNetwork(settings: Settings): void {
  if (settings.network !== "host") return;
  for (const name of Object.keys(LIMITS) as FieldName[]) {
    const why = LIMITS[name]?.(settings);
    if (why === undefined) continue;
    const { from, where } = settings.sources[name];
    const what = from === "file" ? `${where}: ${FIELDS[name].key}` : where;
    throw new MpiError(
      from === "flag" ? "usage" : "settings",
      `${what} can't be given with network.type host: ${why}`,
      {
        hint: `leave it out, or take a network of the cluster's own: ${FIELDS.network.flag} overlay`,
      },
    );
  }
}
