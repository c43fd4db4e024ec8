import assert from "node:assert/strict";
import { httpHeaders } from "../../cli/docker/http_headers.ts";

const cases: [what: string, config: string | undefined, variable: string | undefined, headers: object][] = [
  ["neither", undefined, undefined, {}],
  ["a file without", "{}", undefined, {}],
  ["a file that is none", "{", undefined, {}],
  ["the file's", '{"HttpHeaders":{"A":"b"}}', undefined, { A: "b" }],
  ["the variable in place of the file's", '{"HttpHeaders":{"A":"b"}}', "C=d", { C: "d" }],
  ["several", undefined, 'A=b, C =d=e,"F=g,""h"""', { A: "b", C: "d=e", F: 'g,"h"' }],
];

for (const [what, config, variable, headers] of cases) {
  Deno.test(`httpHeaders(): ${what}`, () => assert.deepEqual(httpHeaders(config, variable), headers));
}

for (const variable of ["A", "=b", "A=b,", ",A=b"]) {
  Deno.test(`httpHeaders() refuses ${variable}`, () => {
    assert.throws(() => httpHeaders(undefined, variable), {
      code: "usage",
      message: /^DOCKER_CUSTOM_HEADERS has "\S*"; want NAME=VALUE, separated by commas$/,
    });
  });
}
