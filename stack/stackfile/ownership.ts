import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { LABELS } from "../labels.ts";

/**
 * Marks every service as a part of the cluster, those that the user adds too: what an interrupted command leaves may be
 * one of these alone, and has to be known as ours.
 *
 * What Docker will refuse is left as it is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { markServices } from "./ownership.ts";
 *
 * assert.deepEqual(markServices({ viewer: { image: "viewer", deploy: { replicas: 2 } } }, "hello"), {
 *   viewer: { image: "viewer", deploy: { replicas: 2, labels: { "docker-mpi.cluster": "hello" } } },
 * });
 * ```
 *
 * @param services The services of a stack file.
 * @param name The cluster's name.
 * @returns The services with the label; what was given is left as it is.
 */
export function markServices(services: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(services).map(([key, service]) => [key, marked(service, name)]));
}

function marked(service: Json, name: string): Json {
  if (!isJsonObject(service)) return service;
  const deploy = service["deploy"] ?? {};
  if (!isJsonObject(deploy)) return service;
  return { ...service, deploy: { ...deploy, labels: withLabel(deploy["labels"] ?? {}, name) } };
}

/** Labels are a mapping, or a list of texts. */
function withLabel(labels: Json, name: string): Json {
  if (isJsonObject(labels)) return { ...labels, [LABELS.cluster]: name };
  if (!Array.isArray(labels)) return labels;
  const others = labels.filter((label) => String(label).split("=")[0] !== LABELS.cluster);
  return [...others, `${LABELS.cluster}=${name}`];
}
