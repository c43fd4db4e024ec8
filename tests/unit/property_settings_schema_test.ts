/** The JSON schema that editors use, against the reader of `mpi.yaml`. */
import assert from "node:assert/strict";
import { Ajv } from "ajv";
import fc from "fast-check";
import { isJsonObject, type Json, type JsonObject } from "../../stack/json.ts";
import { readSettingsFile } from "../../stack/settings/file.ts";
import { settingsJsonSchema } from "../../stack/settings/json_schema.ts";
import { FIELD_NAMES, FIELDS, PARTS } from "../../stack/settings/schema.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { property } from "../support/property.ts";
import { printYaml, said, treeOf, WRONG } from "../support/settings_texts.ts";

// `errorMessage` is a word of editors' alone.
const accepts = new Ajv({ allErrors: true, allowUnionTypes: true, keywords: ["errorMessage"] }).compile(
  settingsJsonSchema(),
);

/** What the reader has against a document. */
const faultsOf = (document: Json) => readSettingsFile(printYaml(document, [0])).faults.map(({ message }) => message);

/** What no schema can say; all else has to be the same to both. */
const BEYOND = [
  /^Invalid value .* for (shm|volumes\.tmpfs\.size): want a size of at least /,
  /^Invalid value .* for network\.subnet: want an IPv4 network /,
  /^Something is mounted on .* twice/,
  /^Volume .* is described twice, and differently/,
  /^Volume .* on "\/project" would keep/,
  /^An external volume is there already/,
  /^stack\.\S+ can.t be (changed|removed)/,
];

function assertSame(document: Json): boolean {
  const faults = faultsOf(document);
  const isRight = accepts(document);
  const text = JSON.stringify(document);
  const words = accepts.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`).join("; ");
  if (!isRight) assert.ok(faults.length > 0, `an editor refuses ${text}: ${words}`);
  const worse = faults.filter((fault) => !BEYOND.some((pattern) => pattern.test(fault)));
  if (isRight) assert.deepEqual(worse, [], `an editor takes ${text}`);
  return isRight;
}

property("an editor takes every right mpi.yaml", 1000, said, (said) => {
  assert.deepEqual(faultsOf(treeOf(said)), []);
  assert.ok(assertSame(treeOf(said)));
});

const anyValue: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    true,
    false,
    0,
    1,
    -1,
    5,
    1.5,
    1024,
    1025,
    65_536,
    2 ** 26,
    1e21,
    "",
    "5",
    "auto",
    "yes",
  ),
  fc.constantFrom<Json[]>("1g", "63m", " 512 MiB ", "1.5x", "10.20.0.0/16", "10.20.0.5/16", "a", "A", "a:b", "a/b:c@d"),
  fc.constantFrom<Json[]>([], {}, ["a"], { a: 1 }, { subnet: 1 }, { services: 1 }),
  fc.constantFrom(...Object.values(WRONG).flat()),
) as fc.Arbitrary<Json>;

const KEYS = [...Object.values(FIELDS), ...Object.values(PARTS)].map(({ key }) => key.split("."));

property(
  "an editor and docker mpi say the same of any value for any key",
  3000,
  fc.tuple(fc.constantFrom(...KEYS, ["network"], ["worker"], ["x-a"], ["network", "name"]), anyValue),
  ([[key = "", inner], value]) => void assertSame({ [key]: inner === undefined ? value : { [inner]: value } }),
);

const path = fc.constantFrom(
  "/data",
  "/project",
  "/project/a",
  "/data/",
  "/run/mpi",
  "/run/x",
  "/",
  "/dev/shm",
  "/usr",
  "/usr/local/x",
  "/a/../b",
  "data",
  "a:b",
  "",
);
const source = fc.oneof(path, fc.constantFrom("data", "more", "Data_1.x", "-a", "./here", "~/x", "a b"));
const switches = fc.constantFrom<Json[]>(true, false, "true", null);
const mount = fc.oneof(
  fc.tuple(source, path, fc.constantFrom("", ":ro", ":rw", ":z", ":")).map(([from, to, mode]) =>
    `${from}:${to}${mode}` as Json
  ),
  fc.record({
    type: fc.constantFrom<Json[]>("volume", "bind", "tmpfs", "npipe", 1),
    source,
    target: path,
    read_only: switches,
    volume: fc.constantFrom<Json[]>({ nocopy: true }, { nocopy: "yes" }, { size: 1 }, null),
    bind: fc.constantFrom<Json[]>({ propagation: "rslave" }, { propagation: "other" }, {}),
    tmpfs: fc.constantFrom<Json[]>({ size: "1g" }, { size: 1 }, { size: 2 ** 20 }, { size: "1x" }, { mode: 1 }),
    driver: fc.constantFrom<Json[]>("local", "", 5),
    driver_opts: fc.constantFrom<Json[]>({ type: "nfs", o: "addr=10.0.0.5", port: 5 }, { type: true }, []),
    external: switches,
  }, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Json>,
  // Near misses of what is right are rare among the above.
  fc.record({
    source: fc.constantFrom("data", "/srv"),
    target: fc.constantFrom("/data", "/srv"),
    read_only: fc.boolean(),
  }) as fc.Arbitrary<Json>,
  fc.constantFrom<Json[]>({ type: "tmpfs", target: "/scratch", tmpfs: { size: "1g" } }, {
    source: "nfs",
    target: "/nfs",
    driver_opts: { type: "nfs" },
  }),
);

let [taken, refused] = [0, 0];
property("an editor and docker mpi say the same of any mount", 4000, fc.array(mount, { maxLength: 2 }), (volumes) => {
  if (assertSame({ volumes } as JsonObject)) taken++;
  else refused++;
});

Deno.test("the mounts that were tried were right and wrong", () => {
  assert.ok(Math.min(taken, refused) > (taken + refused) / 10, `${taken} taken, ${refused} refused`);
});

Deno.test("the schema has every key, with what it is, and the defaults that a cluster has", async () => {
  const settings = await resolveSettings({ directory: "/home/ada/hello" });
  const at = (key: string) =>
    key.split(".").reduce<Json>((schema, part) => {
      const properties = isJsonObject(schema) ? schema["properties"] : undefined;
      return isJsonObject(properties) ? properties[part] ?? null : null;
    }, settingsJsonSchema());
  for (const { key, summary } of [...Object.values(FIELDS), ...Object.values(PARTS)]) {
    const schema = at(key);
    assert.ok(isJsonObject(schema) && String(schema["description"]).startsWith(summary), key);
  }
  for (const name of FIELD_NAMES) {
    const schema = at(FIELDS[name].key) as JsonObject;
    if (!Object.hasOwn(schema, "default")) continue;
    assert.equal(schema["default"], settings[name]);
    assert.ok(
      accepts(
        FIELDS[name].key.split(".").reduceRight<Json>((value, part) => ({ [part]: value }), settings[name] as Json),
      ),
    );
  }
});
