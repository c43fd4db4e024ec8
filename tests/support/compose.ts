/**
 * A reader of compose files that knows nothing of how ours are made: what `docker stack config` and `docker stack deploy`
 * want of a file of version 3.8, as far as our files and what users lay over them go.
 */
import { isJsonObject, type Json, type JsonObject } from "../../stack/json.ts";

/** Says what is wrong with a value, each fault with its path. */
type Rule = (value: Json, path: string) => string[];

/**
 * Finds what Docker would refuse in a stack file.
 *
 * @param text The file, as JSON.
 */
export function composeFaults(text: string): string[] {
  const file = JSON.parse(text) as JsonObject;
  const faults = [...yamlFaults(text), ...dollarFaults(file, "")];
  if (faults.length > 0) return faults;
  const filledIn = fillIn(file) as JsonObject;
  const wrong = FILE(filledIn, "");
  return wrong.length > 0 ? wrong : [...referenceFaults(filledIn), ...swarmFaults(filledIn)];
}

/** Finds what the form of a text has against it: Docker reads the file as YAML 1.1, which takes more for a line end than JSON, and fewer characters and keys. */
export function yamlFaults(text: string): string[] {
  const odd =
    (/[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]|[\u2028\u2029]|\\u[dD][89a-fA-F]/u)
      .exec(text.replaceAll("\\\\", ""));
  const faults = odd === null ? [] : [`a character that YAML can't have: ${JSON.stringify(odd[0])}`];
  const long = [...text.matchAll(/^\s*("(?:[^"\\]|\\.)*"): /gm)].find(([, key = ""]) => key.length > 1024);
  return long === undefined ? faults : [...faults, `a key of ${long[1]!.length} characters`];
}

const VARIABLE = /\$(?:(\$)|([a-z_][a-z0-9_]*)|\{([a-z_][a-z0-9_]*)(:?[-?][^}]*)?\}|())/gi;

/** What Docker makes of a text: `$$` is a dollar sign, and `$NAME` the variable of the client, here always empty. */
export function interpolate(text: string): string {
  return text.replace(VARIABLE, (_, dollar = "", _name, _braced, rule = "") => dollar || rule.replace(/^:?[-?]/, ""));
}

function dollarFaults(value: Json, path: string): string[] {
  if (typeof value !== "string") return inner(value).flatMap(([key, each]) => dollarFaults(each, `${path}.${key}`));
  const wrong = [...value.matchAll(VARIABLE)].some(([, , , , , nothing]) => nothing !== undefined);
  return wrong ? [`${path}: a dollar sign that stands for nothing`] : [];
}

function fillIn(value: Json): Json {
  if (typeof value === "string") return interpolate(value);
  if (Array.isArray(value)) return value.map(fillIn);
  return isJsonObject(value) ? Object.fromEntries(inner(value).map(([key, each]) => [key, fillIn(each)])) : value;
}

function inner(value: Json): [string, Json][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

const is = (what: string, test: (value: Json) => boolean): Rule => (value, path) =>
  test(value) ? [] : [`${path}: want ${what}, is ${JSON.stringify(value)}`];

const matching = (what: string, pattern: RegExp) =>
  is(what, (value) => typeof value === "string" && pattern.test(value));

const text = is("a text", (value) => typeof value === "string");
const number = is("a number", (value) => typeof value === "number");
const whole = is("a whole number", (value) => Number.isInteger(value));
const flag = is("true or false", (value) => typeof value === "boolean");
const nothing = is("nothing", (value) => value === null);
const duration = matching("a duration", /^([-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+|0)$/);
const size = matching("a size", /^\d+(\.\d+)? ?([kmgtp]i?b?|b)?$/i);

const either = (...rules: Rule[]): Rule => (value, path) => {
  const faults = rules.map((rule) => rule(value, path));
  return faults.some((each) => each.length === 0) ? [] : faults.flat();
};

const list = (item: Rule): Rule => (value, path) =>
  Array.isArray(value)
    ? value.flatMap((each, index) => item(each, `${path}[${index}]`))
    : [`${path}: want a list, is ${JSON.stringify(value)}`];

const set = (item: Rule): Rule => (value, path) => {
  const faults = list(item)(value, path);
  const texts = Array.isArray(value) ? value.map((each) => JSON.stringify(each)) : [];
  return new Set(texts).size === texts.length ? faults : [...faults, `${path}: an item twice`];
};

/** A mapping whose keys are the user's choice. */
const map = (key: RegExp, rule: Rule): Rule => (value, path) =>
  isJsonObject(value)
    ? inner(value).flatMap(([name, each]) =>
      key.test(name) ? rule(each, `${path}.${name}`) : [`${path}: no key ${JSON.stringify(name)}`]
    )
    : [`${path}: want a mapping, is ${JSON.stringify(value)}`];

/** A mapping with these keys; with `x-`, also with such that start so. */
const record = (fields: Record<string, Rule>, required: string[] = []): Rule => (value, path) => {
  if (!isJsonObject(value)) return [`${path}: want a mapping, is ${JSON.stringify(value)}`];
  const missing = required.filter((key) => !Object.hasOwn(value, key)).map((key) => `${path}: no ${key}`);
  const rules = new Map(Object.entries(fields));
  const faults = inner(value).flatMap(([key, each]) => {
    const rule = rules.get(key) ?? (rules.has("x-") && key.startsWith("x-") ? rules.get("x-") : undefined);
    return rule === undefined ? [`${path}: no key ${JSON.stringify(key)}`] : rule(each, `${path}.${key}`);
  });
  return [...missing, ...faults];
};

const anything: Rule = () => [];
const line = matching("a line without quotes", /^[^'"\\]*$/);
const wordSet = either(text, set(text));
const dictionary = either(map(/^.+$/su, either(text, number, nothing)), set(text));
const options = map(/^.+$/su, either(text, number));
const NAME = /^[a-zA-Z0-9._-]+$/;
const objectName = matching(
  "a name of at most 64 characters",
  /^(?=.{1,64}$)[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/,
);
const external = either(flag, record({ name: text }));
const port = /(\d{1,5})(-\d{1,5})?/.source;
const published = matching(
  "a port",
  new RegExp(`^((\\d+\\.\\d+\\.\\d+\\.\\d+:)?(${port})?:)?${port}(/(tcp|udp|sctp))?$`),
);
const file = record({ source: text, target: text, uid: text, gid: text, mode: number }, ["source"]);
const limits = { cpus: matching("a number in quotes", /^\d+(\.\d+)?$/), memory: size };

const change = record({
  parallelism: whole,
  delay: duration,
  failure_action: matching("an action", /^(continue|pause|rollback)$/),
  monitor: duration,
  max_failure_ratio: number,
  order: matching("an order", /^(start|stop)-first$/),
});

const DEPLOY = record({
  mode: matching("a mode", /^(replicated|global)$/),
  endpoint_mode: matching("an endpoint mode", /^(vip|dnsrr)$/),
  replicas: is("a number of replicas", (value) => Number.isInteger(value) && value as number >= 0),
  labels: dictionary,
  rollback_config: change,
  update_config: change,
  resources: record({
    limits: record(limits),
    reservations: record({
      ...limits,
      generic_resources: list(record({ discrete_resource_spec: record({ kind: text, value: number }) })),
    }),
  }),
  restart_policy: record({
    condition: matching("a condition", /^(none|on-failure|any)$/),
    delay: duration,
    max_attempts: whole,
    window: duration,
  }),
  placement: record({
    constraints: list(matching("a constraint", /^\s*\S+\s*[!=]=\s*\S.*$/)),
    preferences: list(record({ spread: text })),
    max_replicas_per_node: whole,
  }),
});

const MOUNT = record({
  type: matching("a type", /^(volume|bind|tmpfs|npipe|cluster)$/),
  source: text,
  target: matching("a path", /^\//),
  read_only: flag,
  bind: record({ propagation: text }),
  volume: record({ nocopy: flag }),
  tmpfs: record({ size: is("a size", (value) => Number.isInteger(value) && value as number >= 0) }),
}, ["type"]);

const mount: Rule = (value, path) => {
  const isNowhere = isJsonObject(value) && value["type"] === "bind" && !value["source"];
  return isNowhere ? [`${path}: no source`] : MOUNT(value, path);
};

const SERVICE = record({
  cap_add: set(text),
  cap_drop: set(text),
  command: either(line, list(text)),
  configs: list(either(text, file)),
  deploy: DEPLOY,
  dns: wordSet,
  dns_search: wordSet,
  entrypoint: either(line, list(text)),
  environment: dictionary,
  extra_hosts: dictionary,
  healthcheck: record({
    disable: flag,
    interval: duration,
    retries: number,
    start_period: duration,
    test: either(text, list(text)),
    timeout: duration,
  }),
  hostname: text,
  image: matching("an image", /^[\w./:@[\]-]+$/),
  init: flag,
  labels: dictionary,
  logging: record({ driver: text, options: map(/^.+$/su, either(text, number, nothing)) }),
  networks: either(
    set(text),
    map(NAME, either(nothing, record({ aliases: set(text), ipv4_address: text, ipv6_address: text }))),
  ),
  ports: set(either(number, published, record({ target: whole, published: whole, protocol: text, mode: text }))),
  read_only: flag,
  secrets: list(either(text, file)),
  stdin_open: flag,
  stop_grace_period: duration,
  stop_signal: text,
  sysctls: dictionary,
  tmpfs: wordSet,
  tty: flag,
  ulimits: map(/^[a-z]+$/, either(whole, record({ hard: whole, soft: whole }, ["hard", "soft"]))),
  user: text,
  volumes: set(either(
    matching("a mount", /^[^:]+(:[^:]+){0,2}$/),
    mount,
  )),
  working_dir: text,
  "x-": anything,
}, ["image"]);

const SECRET = record({
  name: objectName,
  file: text,
  external,
  labels: dictionary,
  template_driver: text,
  "x-": anything,
});

const FILE = record({
  version: matching("3.8", /^3\.8$/),
  services: map(NAME, SERVICE),
  networks: map(
    NAME,
    either(
      nothing,
      record({
        name: text,
        driver: text,
        driver_opts: options,
        ipam: record({ driver: text, config: list(record({ subnet: matching("a subnet", /^[\d.]+\/\d+$/) })) }),
        external,
        internal: flag,
        attachable: flag,
        labels: dictionary,
        "x-": anything,
      }),
    ),
  ),
  volumes: map(
    NAME,
    either(
      nothing,
      record({ name: text, driver: text, driver_opts: options, external, labels: dictionary, "x-": anything }),
    ),
  ),
  secrets: map(NAME, SECRET),
  configs: map(NAME, SECRET),
  "x-": anything,
}, ["version", "services"]);

/** What a service names has to be in the file. */
function referenceFaults(stack: JsonObject): string[] {
  return services(stack).flatMap(([name, service]) => {
    const uses: Record<string, string[]> = {
      networks: Array.isArray(service["networks"])
        ? service["networks"].map(String)
        : inner(service["networks"] ?? {}).map(([network]) => network).filter((network) => network !== "default"),
      secrets: items(service["secrets"]).map((item) => isJsonObject(item) ? String(item["source"]) : String(item)),
      configs: items(service["configs"]).map((item) => isJsonObject(item) ? String(item["source"]) : String(item)),
      volumes: items(service["volumes"]).flatMap(volumeSource),
    };
    return Object.entries(uses).flatMap(([section, names]) =>
      names.filter((used) => !Object.hasOwn(stack[section] as JsonObject ?? {}, used))
        .map((used) => `${name} uses "${used}", which is not in ${section}`)
    );
  });
}

/** The named volume of a mount, if it has one. */
function volumeSource(mount: Json): string[] {
  if (isJsonObject(mount)) return mount["type"] === "volume" && mount["source"] ? [String(mount["source"])] : [];
  const [source = "", target] = String(mount).split(":");
  return target !== undefined && !/^[./~]/.test(source) ? [source] : [];
}

/** What only the swarm itself refuses. */
function swarmFaults(stack: JsonObject): string[] {
  const of = (section: string) => inner(stack[section] ?? {});
  const clashes = ["networks", "volumes", "secrets", "configs"].flatMap((section) =>
    of(section).filter(([, each]) => isJsonObject(each) && each["external"] === true)
      .flatMap(([name, each]) =>
        inner(each).map(([key]) => key).filter((key) => !["external", "name"].includes(key))
          .filter((key) => !key.startsWith("x-")).map((key) => `${section}.${name}: external, and has ${key}`)
      )
  );
  return [
    ...clashes,
    ...services(stack).flatMap(([name, service]) => {
      const targets = [...items(service["volumes"]), ...items(service["tmpfs"])].map((mount) =>
        isJsonObject(mount) ? mount["target"] : String(mount).split(":").at(String(mount).includes(":") ? 1 : 0)
      );
      const twice = targets.filter((target, index) => targets.indexOf(target) !== index);
      const endpoint = isJsonObject(service["deploy"]) ? service["deploy"]["endpoint_mode"] : undefined;
      const ports = items(service["ports"]);
      const isBehindMesh = ports.some((each) => !isJsonObject(each) || each["mode"] !== "host");
      return [
        ...twice.map((target) => `${name} mounts ${target} twice`),
        ...(endpoint === "dnsrr" && isBehindMesh
          ? [`${name} has no virtual address for a port of the routing mesh`]
          : []),
      ];
    }),
  ];
}

function services(stack: JsonObject): [string, JsonObject][] {
  return inner(stack["services"] ?? {}) as [string, JsonObject][];
}

function items(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}
