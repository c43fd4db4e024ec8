import type { Json, JsonObject } from "../json.ts";
import { closest } from "../suggest.ts";
import { brief, quote } from "../text.ts";
import { LISTS_OF_ENTRIES } from "./merge.ts";
import { isNothing } from "./read_value.ts";
import { type Fault, keyFault, type YamlEntry, type YamlNode } from "./yaml.ts";

/** The sections of a stack file that a fragment can add to; those that start with `x-` are allowed as well. */
export const SECTIONS: readonly string[] = ["services", "networks", "volumes", "secrets", "configs"];

/** The services that every cluster has. */
export const OUR_SERVICES: readonly string[] = ["master", "worker"];

const OURS = "services\\.(master|worker)";

/** What a fragment can't change, and why. */
const FIXED: readonly [path: RegExp, reason: string][] = [
  [new RegExp(`^${OURS}\\.deploy\\.(replicas|mode)$`), "workers: says how many there are"],
  [new RegExp(`^${OURS}\\.environment\\.MPI_SLOTS$`), "slots: says how many there are"],
  [new RegExp(`^${OURS}\\.environment\\.MPI_FORWARDING$`), "forwarding: says whether there is any"],
  [/^networks\.cluster\.(driver|external|name)$/, "the nodes need the cluster's own network; others can be added"],
  [/^secrets\.(cluster_key|master_host|worker_host)$/, "these are the cluster's keys"],
  [new RegExp(`^${OURS}\\.secrets\\.(cluster_key|host_key|master_host|worker_host)$`), "these are the cluster's keys"],
  [new RegExp(`^${OURS}\\.user$`), "only the image's user mpi can read its keys"],
  [new RegExp(`^${OURS}\\.hostname$`), "nodes find each other by it"],
  [new RegExp(`^${OURS}\\.deploy\\.endpoint_mode$`), "nodes find each other by it"],
  [
    new RegExp(`^${OURS}\\.environment\\.MPI_(ROLE|CLUSTER|AUTHORIZED_KEYS|KNOWN_HOST_KEY|NODE|PORT|HOST_ADDRESSES)$`),
    "nodes need ours",
  ],
  [
    new RegExp(`^(${OURS}(\\.deploy)?|networks\\.cluster|volumes\\..+)\\.labels\\.docker-mpi\\.`),
    "the cluster is found by it",
  ],
  // Docker silently keeps a network as it is, so a deployment compares it with the settings.
  [
    /^networks\.cluster\.driver_opts\.(com\.docker\.network\.driver\.mtu|encrypted)$/,
    "network.mtu and network.encrypted in mpi.yaml say it",
  ],
  [/^networks\.cluster\.ipam$/, "network.subnet in mpi.yaml says it"],
];

/** What a fragment can add to, but neither remove nor replace as a whole. */
const KEPT = new RegExp(
  `^(services|networks|secrets|networks\\.cluster(\\.(labels|driver_opts))?|volumes\\..+\\.labels)$|^${OURS}(\\.(image|environment|secrets|labels|networks(\\.cluster)?|deploy(\\.labels)?))?$`,
);

/**
 * Reads the `stack:` mapping of an `mpi.yaml`: a piece of a compose file that `mergeStack()` lays over ours.
 *
 * Only its outline is checked here (sections, services); what is inside a service, Docker itself checks.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readFragment } from "./fragment.ts";
 * import { type Fault, parseYaml } from "./yaml.ts";
 *
 * const faults: Fault[] = [];
 * const { root } = parseYaml("services:\n  worker:\n    read_only: true\n");
 * assert.ok(root);
 * assert.deepEqual(readFragment(root, faults), { services: { worker: { read_only: true } } });
 * assert.deepEqual(faults, []);
 * ```
 *
 * @param node The mapping.
 * @param faults Where to put what is wrong.
 * @returns The fragment without empty sections.
 */
export function readFragment(node: YamlNode, faults: Fault[]): JsonObject {
  const sections = mappingEntries(node, "stack", faults);
  if (node.kind === "mapping") refuseChanges(node, "", faults);
  for (const { key, at, value } of sections) {
    if (key.startsWith("x-")) continue;
    if (!SECTIONS.includes(key)) faults.push({ at, message: unknownSection(key) });
    else for (const entry of mappingEntries(value, `stack.${key}`, faults)) checkEntry(key, entry, faults);
  }
  const filled = sections.filter(({ value }) => !isNothing(value));
  return Object.fromEntries(filled.map(({ key, value }) => [key, toJson(value, faults)]));
}

function mappingEntries(node: YamlNode, key: string, faults: Fault[]): YamlEntry[] {
  if (node.kind === "mapping") return node.entries;
  if (!isNothing(node)) faults.push({ at: node.at, message: `Wrong type for ${key}: want a mapping` });
  return [];
}

function unknownSection(key: string): string {
  const service = closest(key, OUR_SERVICES);
  const meant = service === undefined ? closest(key, SECTIONS) : `services.${service}`;
  const hint = meant === undefined ? ": the" : `, did you mean "${meant}"? The`;
  return `Unknown key ${quote(key)} in stack${hint} keys are ${SECTIONS.join(", ")}`;
}

/** Ours are there anyway; any other service has to say what it runs, which also finds most misspelt names. */
function checkEntry(section: string, { key, at, value }: YamlEntry, faults: Fault[]): void {
  if (section !== "services") return;
  if (value.kind !== "mapping") {
    faults.push({ at, message: `Wrong type for stack.services.${brief(key)}: want a mapping` });
  } else if (!OUR_SERVICES.includes(key) && !value.entries.some((entry) => entry.key === "image")) {
    const meant = closest(key, OUR_SERVICES);
    const hint = meant === undefined ? "want one, or the service master or worker" : `did you mean "${meant}"?`;
    faults.push({ at, message: `Service ${quote(key)} has no image: ${hint}` });
  }
}

/** Refuses what a cluster would not work with, or not be found by. */
function refuseChanges(node: YamlNode, path: string, faults: Fault[]): void {
  for (const { key, at, value } of namedParts(node, path)) {
    const here = path === "" ? key : `${path}.${key}`;
    const reason = FIXED.find(([pattern]) => pattern.test(here))?.[1];
    const isGone = value.tag !== undefined || (isNothing(value) && !["", "services"].includes(path));
    if (reason !== undefined) faults.push({ at, message: `stack.${here} can't be changed: ${reason}` });
    else if (isGone && KEPT.test(here)) {
      faults.push({ at, message: `stack.${here} can't be removed: what it has is needed` });
    } else if (/^(services|networks|volumes|secrets)\b/.test(here)) refuseChanges(value, here, faults);
  }
}

/** The entries of a mapping, or the items of a list that stand for entries. */
function namedParts(node: YamlNode, path: string): YamlEntry[] {
  if (node.kind === "mapping") return node.entries;
  if (node.kind !== "list") return [];
  return node.items.flatMap((item): YamlEntry[] => {
    const entry = (key: string) => ({ key, at: item.at, value: item });
    if (item.kind === "scalar") return [entry(String(item.value).split("=")[0]!)];
    if (item.kind !== "mapping" || !path.endsWith(".secrets")) return [];
    const said = item.entries.filter(({ key }) => ["source", "target"].includes(key));
    return said.map(({ value }) => entry(value.kind === "scalar" ? String(value.value).replace(/^.*\//, "") : ""));
  });
}

function toJson(node: YamlNode, faults: Fault[]): Json {
  if (node.tag === "!reset") return { "!reset": null };
  if (node.tag !== "!override") return plainJson(node, faults);
  if (node.kind === "scalar") {
    faults.push({ at: node.at, message: "Tag !override on a single value: want a mapping or a list behind it" });
  }
  return { "!override": plainJson(node, faults) };
}

function plainJson(node: YamlNode, faults: Fault[]): Json {
  if (node.kind === "list") return node.items.map((item) => toJson(item, faults));
  if (node.kind === "mapping") {
    for (const { key, value } of node.entries) if (LISTS_OF_ENTRIES.includes(key)) checkNames(value, faults);
    return Object.fromEntries(node.entries.map(({ key, value }) => [key, toJson(value, faults)]));
  }
  const { source, at } = node;
  // What Docker reads is YAML 1.1, where `mode: 0440` is octal.
  const isOctal = typeof node.value === "number" && /^0[0-7]+$/.test(source);
  const value = isOctal ? parseInt(source, 8) : node.value;
  const isExact = typeof value !== "number" || Number.isSafeInteger(value) ||
    (Number.isFinite(value) && !Number.isInteger(value));
  if (!isExact) faults.push({ at, message: `Number ${brief(source)} can't be kept exactly: quote it` });
  return value;
}

/** The items of a list of variables become keys. */
function checkNames(node: YamlNode, faults: Fault[]): void {
  for (const item of node.kind === "list" ? node.items : []) {
    const fault = item.kind === "scalar" ? keyFault(String(item.value).split("=")[0]!) : undefined;
    if (fault !== undefined) faults.push({ at: item.at, message: fault });
  }
}
