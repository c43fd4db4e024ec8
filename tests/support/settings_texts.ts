// deno-lint-ignore-file camelcase -- the keys of compose files
/** Generated `mpi.yaml` texts: right ones with what they say, near misses, and noise. */
import fc from "fast-check";
import { isJsonObject, type Json, type JsonObject } from "../../stack/json.ts";

/** Pieces of text that have broken programs before. */
const NASTY: readonly string[] = [
  ...["", " ", "\t", "\n", "\r", "\r\n", "\0", "\x07", "\b", "\x1b[31m", "\x1b]0;x\x07", "\x7f", "\x85", "\x9b2J"],
  ...["\u2028", "\u2029", "\u200b", "\u202e", "\u2066", "\ufeff", "\ufffd", "\uffff", "\ud83e", "\udd95"],
  ...["é", "e\u0301", "漢字", "עברית", "مرحبا", "🦕", "👩‍👩‍👧", "a\u0300\u0301\u0302\u0303".repeat(20)],
  ...["'", '"', "`", "\\", "\\n", "$", "$$", "$HOME", "${HOME}", "${", "${x:-y}", "$(id)", "{{", "{{.Node}}", "%s"],
  ...[
    "&a ",
    "*a",
    "<<: ",
    "<<",
    "!!binary ",
    "!!str ",
    "!!set ",
    "!!int ",
    "!secret ",
    "!",
    "? ",
    ": ",
    ":",
    "- ",
    "-",
  ],
  ...["---\n", "\n---\n", "...\n", "%YAML 1.1\n", "%TAG ! x:\n", "{", "}", "[", "]", ",", "#", " #", "|", ">-", "|9\n"],
  ...["@", "~", "null", "true", "no", "1e999", ".nan", "-.inf", "0x1F", "0o17", "0400", "1_000", "-0", "2001-01-01"],
  ...["__proto__", "constructor", "toString", "[object Object]", "undefined", "NaN", "../../etc/passwd", "--help", "="],
];

/** Long ones. */
const LONG = [
  ...["9", "a", "é", "🦕", "\n", " "].map((piece) => piece.repeat(3000)),
  ...["[", "{a: ", "- ", "? "].map((piece) => piece.repeat(300)),
];

/** Any text at all, often with a nasty piece in it. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 8, arbitrary: fc.string() },
  { weight: 8, arbitrary: fc.string({ unit: "binary" }) },
  { weight: 8, arbitrary: fc.array(fc.constantFrom(...NASTY), { maxLength: 4 }).map((pieces) => pieces.join("")) },
  { weight: 1, arbitrary: fc.constantFrom(...LONG) },
);

/** What a settings file says: keys of `mpi.yaml`, those of `network` among them, and a fragment. */
export interface Said {
  name?: string;
  image?: string;
  mpi?: "mpich" | "openmpi";
  workers?: number;
  slots?: number | "auto";
  port?: number;
  shm?: string | number;
  subnet?: string;
  mtu?: number;
  encrypted?: boolean;
  forwarding?: boolean;
  stack?: JsonObject;
}

const OPTIONAL = { requiredKeys: [] as [], noNullPrototype: true };
const REQUIRED = { noNullPrototype: true };
const letters = fc.stringMatching(/^[a-z]{1,6}$/);

const subnet = fc.tuple(fc.integer({ min: 1, max: 126 }), fc.nat(255), fc.integer({ min: 16, max: 24 })).map(
  ([a, b, prefix]) => `${a}.${b}.0.0/${prefix}`,
);

/** Characters that can stand in a variable of a container, a dollar sign doubled for Docker. */
const value = anyText.filter((text) => text.isWellFormed()).map((text) => text.replaceAll("$", "$$$$"));

/** Names that the pieces of one file share, so that references meet. */
const [NETWORK, VOLUME, SECRET, CONFIG] = ["lan", "data", "token", "motd"] as const;

const variables = fc.oneof(
  fc.dictionary(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,9}$/), fc.oneof(value, fc.integer(), fc.constant(null)), {
    maxKeys: 4,
    noNullPrototype: true,
  }) as fc.Arbitrary<Json>,
  fc.uniqueArray(fc.tuple(fc.stringMatching(/^[A-Z]{1,3}$/), value).map(([key, text]) => `${key}=${text}`), {
    maxLength: 3,
  }),
);

/** What can be laid over a service, or said of one's own. */
const serviceParts = {
  environment: variables,
  labels: variables,
  read_only: fc.boolean(),
  init: fc.boolean(),
  tty: fc.boolean(),
  user: fc.constantFrom("root", "1000:1000"),
  working_dir: fc.constant("/project"),
  stop_grace_period: fc.constantFrom("10s", "1m30s", "500ms"),
  command: fc.oneof(fc.constant("sleep 10"), fc.array(value, { maxLength: 3 })),
  cap_add: fc.uniqueArray(fc.constantFrom("SYS_PTRACE", "NET_ADMIN", "SYS_NICE")),
  cap_drop: fc.uniqueArray(fc.constantFrom("ALL", "MKNOD")),
  dns: fc.constantFrom<Json[]>("10.0.0.1", ["10.0.0.1", "10.0.0.2"]),
  extra_hosts: fc.constantFrom<Json[]>(["lic:10.0.0.7"], { lic: "10.0.0.7" }),
  logging: fc.constantFrom<Json[]>({ driver: "json-file", options: { "max-size": "10m", "max-file": 3 } }),
  sysctls: fc.constantFrom<Json[]>({ "net.core.somaxconn": 1024 }, ["net.core.somaxconn=1024"]),
  ulimits: fc.constantFrom<Json[]>({ memlock: -1 }, { nofile: { soft: 1024, hard: 65536 } }),
  tmpfs: fc.constantFrom<Json[]>("/scratch", ["/scratch", "/var/scratch"]),
  volumes: fc.uniqueArray(
    fc.constantFrom<Json[]>(
      `${VOLUME}:/data`,
      { type: "bind", source: "/srv", target: "/srv", read_only: true },
      { type: "volume", source: VOLUME, target: "/more", volume: { nocopy: true } },
    ),
  ),
  ports: fc.constantFrom<Json[]>([], [{ target: 80, published: 8080, protocol: "tcp", mode: "host" }]),
  networks: fc.constantFrom<Json[]>([NETWORK], { [NETWORK]: null }, { [NETWORK]: { aliases: ["mpi"] } }),
  secrets: fc.constantFrom<Json[]>([SECRET], [{ source: SECRET, target: "/run/secrets/other", mode: 256 }]),
  configs: fc.constantFrom<Json[]>([CONFIG], [{ source: CONFIG, target: "/etc/motd", uid: "0" }]),
  healthcheck: fc.record({
    test: fc.constantFrom<Json[]>(["NONE"], ["CMD", "true"], "true"),
    interval: fc.constant("5s"),
    retries: fc.nat(9),
  }, OPTIONAL) as fc.Arbitrary<Json>,
  deploy: fc.record({
    labels: variables,
    placement: fc.constantFrom<Json[]>(
      { max_replicas_per_node: 1 },
      { constraints: ["node.role == worker"], preferences: [{ spread: "node.labels.rack" }] },
    ),
    resources: fc.constantFrom<Json[]>({ limits: { cpus: "0.5", memory: "1g" } }, { reservations: { memory: "64m" } }),
    restart_policy: fc.constantFrom<Json[]>({ condition: "on-failure", max_attempts: 3 }, { delay: "5s" }),
    update_config: fc.constantFrom<Json[]>({ parallelism: 2, order: "start-first" }),
  }, OPTIONAL) as fc.Arbitrary<Json>,
  "x-note": fc.dictionary(letters, value, { maxKeys: 2, noNullPrototype: true }) as fc.Arbitrary<Json>,
};

/** A few of these parts. */
const someParts = fc.subarray(Object.keys(serviceParts) as (keyof typeof serviceParts)[], { maxLength: 4 }).chain((
  keys,
) => fc.record(Object.fromEntries(keys.map((key) => [key, serviceParts[key] as fc.Arbitrary<Json>])), REQUIRED));

/** Lines that master and worker can do without. */
const REMOVABLE = ["init", "command", "cap_drop", "healthcheck", "stop_grace_period", "volumes"];

const ourService = fc.tuple(
  someParts.map(({ user: _, ...parts }) => parts),
  fc.uniqueArray(fc.constantFrom(...REMOVABLE), { maxLength: 2 }),
).map(([parts, removed]) => ({ ...Object.fromEntries(removed.map((key) => [key, null])), ...parts }) as JsonObject);

const ownService = fc.tuple(someParts, fc.constantFrom("redis", "registry:5000/a/b:1")).map(
  ([parts, image]) => ({ image, ...parts }) as JsonObject,
);

/** A fragment in which every name that a service uses is defined. */
const fragment: fc.Arbitrary<JsonObject> = fc.record({
  services: fc.record({ master: ourService, worker: ourService, "my-db_2.0": ownService }, OPTIONAL),
  networks: fc.constantFrom<Json[]>({ [NETWORK]: null }, { [NETWORK]: { external: true } }, {
    [NETWORK]: { driver: "overlay", internal: true, labels: ["a=b"] },
  }),
  volumes: fc.constantFrom<Json[]>({ [VOLUME]: null }, { [VOLUME]: { driver: "local", driver_opts: { type: "nfs" } } }),
  secrets: fc.constantFrom<Json[]>({ [SECRET]: { external: true } }, { [SECRET]: { file: "./token" } }),
  configs: fc.constantFrom<Json[]>({ [CONFIG]: { external: true, name: "motd-1" } }),
  "x-mine": fc.array(value, { maxLength: 2 }),
}, { requiredKeys: ["networks", "volumes", "secrets", "configs"], noNullPrototype: true }) as fc.Arbitrary<JsonObject>;

/** Right settings, as they are said. */
export const said: fc.Arbitrary<Said> = fc.record({
  name: fc.stringMatching(/^[a-z]([a-z0-9-]{0,37}[a-z0-9])?$/),
  image: fc.stringMatching(
    /^([a-z]{1,8}\.[a-z]{2,3}(:[1-9][0-9]{1,3})?\/)?[a-z0-9]{1,10}(([._]|__|-{1,3})[a-z0-9]{1,5}){0,2}(\/[a-z]{1,5}){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,10})?(@sha256:[0-9a-f]{64})?$/,
  ),
  mpi: fc.constantFrom("mpich" as const, "openmpi" as const),
  workers: fc.nat(251),
  slots: fc.oneof(fc.integer({ min: 1, max: 1024 }), fc.constant("auto" as const)),
  port: fc.integer({ min: 1, max: 65_535 }),
  shm: fc.oneof(fc.constantFrom("64m", "512M", "1.5 GiB", "2g", "1t"), fc.integer({ min: 2 ** 26, max: 2 ** 40 })),
  subnet,
  mtu: fc.integer({ min: 576, max: 65_535 }),
  encrypted: fc.boolean(),
  forwarding: fc.boolean(),
  stack: fragment,
}, OPTIONAL) as fc.Arbitrary<Said>;

/** The tree of an `mpi.yaml` that says so. */
export function treeOf({ subnet, mtu, encrypted, ...top }: Said): JsonObject {
  const network = Object.entries({ subnet, mtu, encrypted }).filter(([, value]) => value !== undefined);
  return { ...top, ...(network.length === 0 ? {} : { network: Object.fromEntries(network) }) } as JsonObject;
}

/** Choices of style, taken one after the other and again from the start. */
const choices = fc.array(fc.nat(59), { minLength: 1, maxLength: 24 });

/** Values that are wrong whatever stands beside them. */
export const WRONG: { [K in keyof Said]: Json[] } = {
  name: ["A", "1a", "-a", "a-", "a_b", "", "a".repeat(40), 5, null, ["a"]],
  image: ["A", "a b", "a:", "a:b:c", "", "http://x/y", "a@sha256:12", 5, null],
  mpi: ["lam", "", "MPICH", 5, null, ["mpich"]],
  workers: [-1, 10_001, 2.5, "per-host", "many", true, null, [3], { a: 3 }],
  slots: [0, -1, 1025, 1.5, "many", "", false, null],
  port: [0, 65_536, -22, 22.5, "ssh", null],
  shm: ["63m", 2 ** 26 - 1, "1x", -1, "lots", true, null],
  subnet: ["10.20.0.5/16", "10.20.0.0", "10.0.0.0/33", "fd00::/64", "300.0.0.0/8", 10, null],
  mtu: [575, 65_536, 1500.5, "jumbo", null],
  encrypted: ["yes", 1, 0, null, "maybe"],
  forwarding: ["yes", 1, 0, null, "local"],
};

/** Texts with one wrong value; how their fault names it. */
export const wrongText: fc.Arbitrary<{ text: string; named: string }> = fc.tuple(
  said,
  fc.oneof(...Object.entries(WRONG).map(([key, values]) => fc.tuple(fc.constant(key), fc.constantFrom(...values)))),
  choices,
).map(([said, [key, value], numbers]) => ({
  text: printYaml(treeOf({ ...said, [key]: value }), numbers),
  named: `for ${["subnet", "mtu", "encrypted"].includes(key) ? `network.${key}` : key}: `,
}));

/** Texts that ask for more workers than the network has addresses. */
export const crowdedText: fc.Arbitrary<string> = fc.tuple(
  said,
  fc.constantFrom<Said[]>({ workers: 252, subnet: "10.0.0.0/24" }, { workers: 10_000, subnet: "10.0.0.0/20" }, {
    workers: 5,
    subnet: "10.0.0.0/29",
  }, {
    subnet: "10.0.0.0/30",
  }),
  choices,
).map(([{ subnet: _, ...said }, more, numbers]) => printYaml(treeOf({ ...said, ...more }), numbers));

/** Right texts, in every style that YAML has for them. */
export const rightText: fc.Arbitrary<{ said: Said; text: string }> = fc.tuple(said, choices).map(([said, numbers]) => ({
  said,
  text: printYaml(treeOf(said), numbers),
}));

/** A printer of YAML whose style follows the numbers; zeros make the plainest. */
export function printYaml(tree: Json, numbers: readonly number[]): string {
  let taken = 0;
  const anchors = new Map<string, string>();
  const choose = (count: number) => numbers[taken++ % numbers.length]! % count;
  const comment = () => choose(9) === 1 ? ` # ${"a note: "}{` : "";

  const scalar = (value: Json): string => {
    if (typeof value !== "string") return value === null && choose(3) === 1 ? "~" : JSON.stringify(value);
    const style = choose(3);
    const isPlain = /^[a-z][a-z0-9./-]*$/.test(value) && !["true", "false", "null"].includes(value);
    if (style === 0 && isPlain) return value;
    if (style === 1 && /^[\x20-\x7e\xa1-\u1fff]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`;
    const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
    return JSON.stringify(value).replace(/[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffd-\uffff]/g, escaped);
  };

  const flow = (value: Json): string => {
    if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
    if (!isJsonObject(value)) return scalar(value);
    return `{ ${Object.entries(value).map(([key, each]) => `${scalar(key)}: ${flow(each)}`).join(", ")} }`;
  };

  const block = (value: Json, pad: string): string => {
    const entries: [string, Json][] = Array.isArray(value)
      ? value.map((each) => [`${pad}-`, each])
      : Object.entries(value as JsonObject).map(([key, each]) => [`${pad}${scalar(key)}:`, each]);
    return entries.map(([head, each]) => `${head}${behind(each, `${pad}${" ".repeat(1 + choose(3))}`)}`).join("");
  };

  /** What stands behind a key's colon or a list's hyphen. */
  const behind = (value: Json, pad: string): string => {
    const known = JSON.stringify(value);
    const anchor = anchors.get(known);
    if (anchor !== undefined && choose(2) === 1) return ` *${anchor}${comment()}\n`;
    const isNew = anchor === undefined && choose(11) === 1;
    if (isNew) anchors.set(known, `a${anchors.size}`);
    const mark = isNew ? ` &${anchors.get(known)}` : "";
    const isEmpty = typeof value !== "object" || value === null || Object.keys(value).length === 0;
    if (isEmpty || choose(4) === 1) return `${mark} ${flow(value)}${comment()}\n`;
    return `${mark}${comment()}\n${block(value, pad)}`;
  };

  const start = ["", "---\n", "# a comment\n\n", "\uFEFF", "%YAML 1.2\n---\n"][choose(5)]!;
  const text = Object.keys(tree ?? {}).length === 0 ? "" : block(tree, "");
  return (start + text + ["", "...\n", "# the end"][choose(3)]).replaceAll("\n", choose(4) === 1 ? "\r\n" : "\n");
}

/** One thing done to a text. */
const damage: fc.Arbitrary<(text: string) => string> = fc.tuple(fc.nat(6), fc.nat(), fc.nat(40), anyText).map(
  ([kind, where, length, piece]) => (text) => {
    const at = text.length === 0 ? 0 : where % (text.length + 1);
    const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
    switch (kind) {
      case 0:
        return before + piece + part + after;
      case 1:
        return before + after;
      case 2:
        return before + part + part + after;
      case 3:
        return before;
      case 4:
        return before + after + part;
      case 5: {
        const lines = text.split("\n");
        const line = lines[where % lines.length]!;
        return lines.with(where % lines.length, line.replace(/: .*$/, `: ${piece}`)).join("\n");
      }
      default: {
        const lines = text.split("\n");
        return lines.with(where % lines.length, `${" ".repeat(length % 5)}${lines[where % lines.length]}`).join("\n");
      }
    }
  },
);

/** Right texts, damaged. */
const damagedText = fc.tuple(rightText, fc.array(damage, { minLength: 1, maxLength: 4 })).map(
  ([{ text }, damages]) => damages.reduce((damaged, each) => each(damaged), text),
);

const KEYS = [
  ...["name", "image", "mpi", "workers", "slots", "port", "shm", "network", "stack", "subnet", "mtu", "encrypted"],
  ...["services", "networks", "volumes", "secrets", "configs", "master", "worker", "environment", "x-a", "wrokers"],
  ...["labels", "deploy", "ports", "target", "command", "healthcheck", "image"],
];

/** Trees of the right keys in wrong places with values of every kind. */
const { tree } = fc.letrec<{ tree: Json; leaf: Json; map: Json; list: Json }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, tie("leaf"), tie("map"), tie("list")),
  leaf: fc.oneof(anyText, fc.double(), fc.integer(), fc.bigInt().map(Number), fc.boolean(), fc.constant(null), letters),
  map: fc.dictionary(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...KEYS) }, anyText), tie("tree"), {
    maxKeys: 5,
  }),
  list: fc.array(tie("tree"), { maxLength: 3 }),
}));

const wrongTree = fc.tuple(tree, choices, fc.boolean()).map(([tree, numbers, isService]) => {
  const entries = isJsonObject(tree) ? tree : { environment: tree };
  return printYaml(isService ? { stack: { services: { worker: entries } } } : entries, numbers);
});

/** Lists of aliases of lists of aliases, nested brackets, and what else grows. */
const bomb = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.nat(5)).map(
  ([width, depth, kind]) => {
    const levels = Array.from({ length: depth }, (_, level) => level);
    switch (kind) {
      case 0:
        return levels.map((level) =>
          `x${level}: &l${level} [${Array(width).fill(level === 0 ? "x" : `*l${level - 1}`).join(", ")}]\n`
        ).join("");
      case 1:
        return `stack: &a\n  x-a: ${"[".repeat(depth)}*a${"]".repeat(depth)}\n`;
      case 2:
        return levels.map((level) => `${" ".repeat(level)}x-${level}:\n`).join("").replace("x-0", "stack");
      case 3:
        return `stack: { services: { ${"worker: {".repeat(depth)}${"}".repeat(width)}\n`;
      case 4:
        return `workers: ${"9".repeat(width * depth)}\n`.repeat(width);
      default:
        return `name: ${"&a ".repeat(width)}${"*a ".repeat(depth)}\n`;
    }
  },
);

/** Text that looks like YAML from afar, and text that does not. */
const noise = fc.oneof(
  anyText,
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.array(fc.constantFrom(...NASTY, ...KEYS, "\n", "\n  ", ": ", "  "), { maxLength: 40 }).map((all) => all.join("")),
);

/** Texts of every kind, hardly one of them right. */
export const brokenText: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: damagedText },
  { weight: 5, arbitrary: wrongTree },
  { weight: 5, arbitrary: noise },
  { weight: 1, arbitrary: bomb },
);
