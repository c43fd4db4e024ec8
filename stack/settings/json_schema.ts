import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { OUR_SERVICES, SECTIONS } from "./fragment.ts";
import type { MappingRules } from "./read_value.ts";
import {
  type Field,
  FIELD_NAMES,
  type FieldName,
  FIELDS,
  type FieldValues,
  type Known,
  type PartName,
  PARTS,
} from "./schema.ts";
import { KINDS, SHORT } from "./volumes.ts";

/**
 * Makes the JSON schema of `mpi.yaml`, of draft 7, which the YAML extensions of editors read.
 *
 * What it refuses, `docker mpi` refuses. Some that it takes, `docker mpi` refuses as well, since no schema says it: a
 * size that is too small, a subnet with bits behind its prefix, two mounts in one place, more workers than fit.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isJsonObject } from "../json.ts";
 * import { settingsJsonSchema } from "./json_schema.ts";
 *
 * const { properties } = settingsJsonSchema();
 * assert.ok(isJsonObject(properties) && isJsonObject(properties["port"]));
 * assert.equal(properties["port"]["default"], 2222);
 * ```
 */
export function settingsJsonSchema(): JsonObject {
  const properties: JsonObject = {};
  for (const name of FIELD_NAMES) {
    const [key = "", inner] = FIELDS[name].key.split(".");
    const schema = fieldSchema(FIELDS[name]);
    if (inner === undefined) properties[key] = schema;
    else properties[key] = mapping({ ...innerProperties(properties[key]), [inner]: schema });
  }
  for (const name of Object.keys(PARTS) as PartName[]) {
    properties[name] = { ...described(PARTS[name]), ...PART_SCHEMAS[name] };
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "mpi.yaml",
    description: "A cluster of docker mpi; every key is optional",
    ...mapping(properties),
  };
}

function fieldSchema(field: Field<FieldValues[FieldName]>): JsonObject {
  const fallback = constantOf(field);
  return {
    ...described(field),
    ...field.schema,
    ...(fallback === undefined ? {} : { default: fallback }),
    // Editors show it in place of "does not match the pattern".
    errorMessage: `Want ${field.want}`,
  };
}

/** A default that depends on nothing. */
function constantOf({ fallback }: Field<FieldValues[FieldName]>): Json | undefined {
  const of = (directory: string) => fallback.value?.({ directory, name: directory } as Known);
  return of("a") === of("b") ? of("a") : undefined;
}

function described({ summary, detail }: { summary: string; detail?: string }): JsonObject {
  return { description: detail === undefined ? summary : `${summary}. ${detail}` };
}

function innerProperties(schema: Json | undefined): JsonObject {
  const inner = isJsonObject(schema) ? schema["properties"] : undefined;
  return isJsonObject(inner) ? inner : {};
}

/** A mapping with these keys, or nothing at all. */
function mapping(properties: JsonObject): JsonObject {
  return { type: ["object", "null"], properties, additionalProperties: false };
}

const SOMETHING: JsonObject = { type: ["object", "null"] };

const PART_SCHEMAS: { [K in PartName]: JsonObject } = {
  volumes: {
    type: ["array", "null"],
    items: {
      anyOf: [
        { type: "string", pattern: SHORT.source },
        ...Object.values(KINDS).map(({ required, keys }) => ({ ...rulesSchema(keys), required: [...required] })),
      ],
    },
  },
  stack: {
    ...mapping({
      ...Object.fromEntries(SECTIONS.map((section) => [section, SOMETHING])),
      services: {
        ...SOMETHING,
        properties: Object.fromEntries(OUR_SERVICES.map((service) => [service, { type: "object" }])),
        additionalProperties: { type: "object", required: ["image"] },
      },
    }),
    patternProperties: { "^x-": {} },
  },
};

function rulesSchema(rules: MappingRules): JsonObject {
  const schemaOf = (rule: MappingRules[string]): JsonObject => {
    if ("inner" in rule) return rulesSchema(rule.inner);
    if ("each" in rule) return { type: "object", additionalProperties: rule.each.schema };
    return rule.schema;
  };
  const properties = Object.fromEntries(Object.entries(rules).map(([key, rule]) => [key, schemaOf(rule)]));
  return { type: "object", properties, additionalProperties: false };
}
