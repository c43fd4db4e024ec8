import { MpiError } from "../../stack/errors.ts";

/**
 * What Docker's clients send along with every request: `HttpHeaders` of `config.json`, or in place of these what
 * `DOCKER_CUSTOM_HEADERS` says, fields of a CSV line, each `NAME=VALUE`. Some proxies before an engine want one.
 *
 * @see https://docs.docker.com/reference/cli/docker/ Docker's own description of the two
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { httpHeaders } from "./http_headers.ts";
 *
 * const config = '{ "HttpHeaders": { "X-Site": "north" } }';
 * assert.deepEqual(httpHeaders(config, undefined), { "X-Site": "north" });
 * assert.deepEqual(httpHeaders(config, '"a=b,c",d='), { a: "b,c", d: "" });
 * ```
 *
 * @param config The text of `config.json`; none: there is no such file.
 * @param variable The variable's value.
 * @throws {MpiError} `usage` if the variable has a field that is not `NAME=VALUE`.
 */
export function httpHeaders(config: string | undefined, variable: string | undefined): Record<string, string> {
  return variable === undefined ? fromConfig(config) : Object.fromEntries(fieldsOf(variable).map(pairOf));
}

/** A file that is not as it should be is Docker's to tell, and it has. */
function fromConfig(text = "{}"): Record<string, string> {
  try {
    const headers = JSON.parse(text)?.HttpHeaders ?? {};
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  } catch {
    return {};
  }
}

/** A field in quotes may have commas, and two quotes for one. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}

function pairOf(field: string): [name: string, value: string] {
  const [, name, value] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(field) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new MpiError("usage", `DOCKER_CUSTOM_HEADERS has "${field}"; want NAME=VALUE, separated by commas`, {
    hint: "unset DOCKER_CUSTOM_HEADERS",
  });
}
