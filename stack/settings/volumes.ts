import type { JsonObject } from "../json.ts";
import { quote } from "../text.ts";
import { isNothing, kindOf, type MappingRules, readMapping } from "./read_value.ts";
import { choice, invalidValue, type Rule, sizeOf, textLike, TRUE_OR_FALSE } from "./rules.ts";
import type { Fault, Position, YamlNode } from "./yaml.ts";

/** What is mounted into every node, as a compose file has it. */
export interface Volumes {
  /** For `volumes` of a service, in the long form. */
  mounts: JsonObject[];
  /** For `volumes` of the file: the named ones, by name. */
  definitions: Record<string, JsonObject>;
}

/** No volumes. */
export const NO_VOLUMES: Volumes = { mounts: [], definitions: {} };

const NAME = textLike(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'the name of a volume, such as "data"');
const HOST_PATH = textLike(/^\/[^:\n]*$/, "an absolute path, which has to be there on every host");
/** Not where a node has what it needs to be one. The end may be a colon, that of the short form. */
const TARGET: Rule<string> = {
  ...textLike(
    /^(?!\/(bin|dev|etc|lib[0-9]*|run|sbin|usr|var)(:|$))(?!\/(proc|sys|dev\/shm|etc\/ssh|etc\/ucx|run\/mpi|run\/secrets|usr\/local\/(bin|lib))(\/|:|$))(?!.*\/\.\.?(\/|:|$))(\/[^\/:\n]+)+$/,
    "an absolute path in the containers that a node does not need for itself",
  ),
  suggest: (text) => {
    const path = text.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
    return path !== text && TARGET.parse(path) !== undefined ? path : undefined;
  },
};
const OPTION: Rule<string> = {
  types: ["string", "number"],
  want: "a text or a number",
  parse: (text) => text,
  schema: { type: ["string", "number"] },
};
const DRIVER = textLike(/^[a-zA-Z0-9][a-zA-Z0-9_.:\/-]*$/, 'the name of a volume driver, such as "local"');
// deno-lint-ignore camelcase -- a key of compose files
const COMMON = { target: TARGET, read_only: TRUE_OR_FALSE };

/** A kind of mount: what has to be said of it, and what can be. */
export interface Kind {
  /** What has to be said. */
  required: readonly string[];
  /** All that can be. */
  keys: MappingRules;
}

/** The kinds of mount. */
export const KINDS: Record<"volume" | "bind" | "tmpfs", Kind> = {
  volume: {
    required: ["source", "target"],
    keys: {
      type: choice("volume"),
      source: NAME,
      ...COMMON,
      volume: { inner: { nocopy: TRUE_OR_FALSE } },
      driver: DRIVER,
      driver_opts: { each: OPTION },
      external: TRUE_OR_FALSE,
    },
  },
  bind: {
    required: ["source", "target"],
    keys: {
      type: choice("bind"),
      source: HOST_PATH,
      ...COMMON,
      bind: { inner: { propagation: choice("private", "rprivate", "shared", "rshared", "slave", "rslave") } },
    },
  },
  tmpfs: {
    required: ["type", "target"],
    keys: { type: choice("tmpfs"), target: TARGET, tmpfs: { inner: { size: sizeOf("1m", "1g") } } },
  },
};

const TYPE = choice("volume", "bind", "tmpfs");
const WANT = '"NAME:/PATH", "/HOST/PATH:/PATH", with ":ro" behind it for reading alone, or a mapping';
/** The short form. */
export const SHORT: RegExp = new RegExp(
  `^(?<source>${inside(NAME)}|${inside(HOST_PATH)}):(?<target>${inside(TARGET)})(:(?<mode>ro|rw))?$`,
);

/** The expression of a rule without its ends. */
function inside({ schema }: Rule<string>): string {
  return String(schema["pattern"]).slice(1, -1);
}

/**
 * Reads the `volumes:` list of an `mpi.yaml`, in compose's short form or its long one.
 *
 * A mapping has the keys of a service's mount and, for a named volume, those of its definition: `driver`, `driver_opts`,
 * `external`. `type` may be left out where `source` tells it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readVolumes } from "./volumes.ts";
 * import { type Fault, parseYaml } from "./yaml.ts";
 *
 * const faults: Fault[] = [];
 * const { root } = parseYaml('- data:/data:ro\n- source: share\n  target: /share\n  driver_opts: { type: nfs }\n');
 * const { mounts, definitions } = readVolumes(root!, faults);
 * assert.deepEqual(mounts[0], { type: "volume", source: "data", target: "/data", read_only: true });
 * assert.deepEqual(definitions, { data: {}, share: { driver_opts: { type: "nfs" } } });
 * assert.deepEqual(faults, []);
 * ```
 *
 * @param node The list.
 * @param faults Where to put what is wrong.
 */
export function readVolumes(node: YamlNode, faults: Fault[]): Volumes {
  if (isNothing(node)) return NO_VOLUMES;
  if (node.kind !== "list") {
    faults.push({ at: node.at, message: `Wrong type for volumes: ${kindOf(node)}, want a list of ${WANT}` });
    return NO_VOLUMES;
  }
  const items = node.items.flatMap((item) => {
    const value = item.kind === "mapping" ? readLong(item, faults) : readShort(item, faults);
    return value === undefined ? [] : [{ value, at: item.at }];
  });
  return collect(items, faults);
}

function readShort(node: YamlNode, faults: Fault[]): JsonObject | undefined {
  const text = node.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
  const { source, target, mode } = SHORT.exec(text ?? "")?.groups ?? {};
  if (source !== undefined && target !== undefined) {
    const type = source.startsWith("/") ? "bind" : "volume";
    return { type, source, target, ...(mode === "ro" ? { read_only: true } : {}) };
  }
  faults.push({
    at: node.at,
    message: text === undefined ? `Wrong type for volumes: ${kindOf(node)}, want ${WANT}` : shortFault(text),
  });
  return undefined;
}

/** Says which part of the short form is wrong. */
function shortFault(text: string): string {
  const [source = "", target = "", mode = "rw", ...more] = text.split(":");
  if (target === "" || !["ro", "rw"].includes(mode) || more.length > 0) {
    return invalidValue({ want: WANT }, text, "volumes");
  }
  if (TARGET.parse(target) === undefined) return invalidValue(TARGET, target, "volumes.target");
  const want = `${NAME.want}, or ${HOST_PATH.want}`;
  return invalidValue({ want }, source, "volumes.source");
}

function readLong(node: YamlNode & { kind: "mapping" }, faults: Fault[]): JsonObject | undefined {
  const before = faults.length;
  const given = new Map(node.entries.map(({ key, value }) => [key, value]));
  const kind = kindIn(given);
  const { required, keys } = KINDS[kind];
  const type = given.get("type");
  const isType = type?.kind !== "scalar" || TYPE.parse(String(type.value)) !== undefined;
  const value = readMapping(isType ? keys : { ...keys, type: TYPE }, "volumes", node, faults);
  const missing = required.filter((key) => !given.has(key));
  if (missing.length > 0) {
    faults.push({ at: node.at, message: `No ${missing.join(" and no ")} for a mount of type ${kind}` });
  }
  if (value["external"] === true && (given.has("driver") || given.has("driver_opts"))) {
    faults.push({ at: node.at, message: "An external volume is there already: want no driver and no driver_opts" });
  }
  return faults.length > before ? undefined : { ...value, type: kind };
}

/** The kind that a mapping says or, where it doesn't, that its source shows. */
function kindIn(given: ReadonlyMap<string, YamlNode>): keyof typeof KINDS {
  const text = (key: string) => {
    const node = given.get(key);
    return node?.kind === "scalar" ? String(node.value) : "";
  };
  return TYPE.parse(text("type")) ?? (text("source").startsWith("/") ? "bind" : "volume");
}

/** Puts the mounts together, and the volumes that they name. */
function collect(items: readonly { value: JsonObject; at: Position }[], faults: Fault[]): Volumes {
  const mounts: JsonObject[] = [];
  const definitions = new Map<string, JsonObject>();
  const lines = new Map<string, number>();
  for (const { value, at } of items) {
    const own = pick(value, DEFINITION);
    const mount = pick(value, Object.keys(value).filter((key) => !DEFINITION.includes(key)));
    const target = String(mount["target"]);
    const first = lines.get(target);
    const twice = `Something is mounted on ${quote(target)} twice, first in line ${first}`;
    if (first !== undefined) faults.push({ at, message: twice });
    lines.set(target, at.line);
    mounts.push(mount);
    if (mount["type"] !== "volume") continue;
    const name = String(mount["source"]);
    const other = definitions.get(name) ?? {};
    if (isPlain(own) && isPlain(other) && target === "/project") faults.push({ at, message: projectFault(name) });
    if (!isPlain(own) && !isPlain(other) && JSON.stringify(own) !== JSON.stringify(other)) {
      faults.push({ at, message: `Volume ${quote(name)} is described twice, and differently` });
    }
    definitions.set(name, isPlain(own) ? other : own);
    // Docker would copy what the image has there into storage that is somebody's, and change its owner.
    if (own["external"] !== true && !isPlain(own) && mount["volume"] === undefined) mount["volume"] = { nocopy: true };
  }
  return { mounts, definitions: Object.fromEntries(definitions) };
}

/** What describes a volume, wherever it is mounted. */
const DEFINITION = ["driver", "driver_opts", "external"];

function pick(value: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key, each]) => keys.includes(key) && each !== false));
}

function isPlain(definition: JsonObject): boolean {
  return Object.keys(definition).length === 0;
}

function projectFault(name: string): string {
  return `Volume ${quote(name)} on "/project" would keep the programs of the first image on each host: mount it ` +
    'elsewhere, such as on "/data"';
}
