/** `--format`: what it accepts, what it says to the rest, and what comes of it. */
import assert from "node:assert/strict";
import { readFormat, renderList } from "../../cli/output/format.ts";
import { headingOf, readTemplate } from "../../cli/output/template.ts";

const item = {
  Name: "Hello",
  Image: "sha256:0123456789abcdef",
  Workers: 5,
  Healthy: true,
  Nodes: ["master", "worker-1"],
  Master: { Port: 2222 },
  Nothing: null,
};
const columns = { NAME: ({ Name }: typeof item) => Name };
const shown = (format: string) => renderList([item], columns, readFormat(format));

const filled: [format: string, line: string][] = [
  ["{{.Name}}", "Hello"],
  ["{{ .Name }}", "Hello"],
  ["{{.Name}} has {{.Workers}}, {{.Healthy}}", "Hello has 5, true"],
  ["{{.Name}}\\t{{.Workers}}\\nend", "Hello\t5\nend"],
  ["{{.Nodes}}", "[master worker-1]"],
  ["{{.Master}}", '{"Port":2222}'],
  ["<{{.Nothing}}>", "<>"],
  ["{{json .}}", JSON.stringify(item)],
  ["{{.}}", JSON.stringify(item)],
  ["{{json .Name}}", '"Hello"'],
  ["{{json .Nothing}}", "null"],
  ["{{lower .Name}} {{upper .Name}}", "hello HELLO"],
  ["{{truncate .Image 10}}", "sha256:012"],
  ["{{.Image | truncate 10}}", "sha256:012"],
  ["{{truncate .Name 10}}", "Hello"],
  ["{{.Name|lower|json}}", '"hello"'],
  ["{{upper .Name | truncate 2 | lower}}", "he"],
  ["{{json .Nodes | upper}}", '["MASTER","WORKER-1"]'],
];

for (const [format, line] of filled) {
  Deno.test(`--format '${format}' gives ${line.slice(0, 40).replaceAll("\n", " / ")}`, () => {
    assert.equal(shown(format), `${line}\n`);
  });
}

Deno.test("what inspect calls .Id is .ID too, as Docker's lists call it", () => {
  assert.equal(renderList([{ Id: "3f9c02ab" }], {}, readFormat("{{.ID}} {{.Id}}")), "3f9c02ab 3f9c02ab\n");
});

Deno.test("a field of a field is shown; one of a value that has none is refused", () => {
  const item = { Master: { Port: 2222 }, Nodes: [{ Name: "master" }] };
  assert.equal(renderList([item], {}, readFormat("{{.Master.Port}} {{json .Master}}")), '2222 {"Port":2222}\n');
  assert.throws(() => renderList([item], {}, readFormat("{{.Nodes.Name}}")), /There is no field "\.Name"/);
});

Deno.test("what can't be seen is shown, so that no value moves the cursor", () => {
  assert.equal(renderList([{ Error: "\x1b[2Jgone" }], {}, readFormat("{{.Error}}")), "\\u001b[2Jgone\n");
});

Deno.test("truncate does not cut a character in two", () => {
  assert.equal(renderList([{ Name: "😀😀😀" }], {}, readFormat("{{truncate .Name 2}}")), "😀😀\n");
});

const known = "is not known in a template; there are fields, as in {{.Name}}, and json, lower, upper, truncate";
const wrong: [format: string, message: string][] = [
  ["", "must be table, json, or a template such as '{{.Name}}'"],
  ["yaml", "must be table, json, or a template such as '{{.Name}}'"],
  ["JSON", "must be table, json, or a template such as '{{.Name}}'"],
  ["table Name", "must be table, json, or a template such as '{{.Name}}'"],
  ["{Name}", "must be table, json, or a template such as '{{.Name}}'"],
  ["{{.Name", "its braces do not match"],
  ["{{.Name}} }}", "its braces do not match"],
  ["{{.Name}} {{", "its braces do not match"],
  ["{{}}", `"" ${known}`],
  ["{{Name}}", `"Name" ${known}`],
  ["{{len .Nodes}}", `"len" ${known}`],
  ["{{.Name | title}}", `"title" ${known}`],
  ["{{constructor .Name}}", `"constructor" ${known}`],
  ["{{.Name | upper .Image}}", `".Name | upper .Image" ${known}`],
  ["{{.Name |}}", `".Name |" ${known}`],
  ["{{.Name lower}}", `".Name lower" ${known}`],
  ["{{.Master.}}", `".Master." ${known}`],
  ["{{truncate .Name}}", "truncate wants a length, and nothing else does: {{truncate .Name 12}}"],
  ["{{upper .Name 3}}", "truncate wants a length, and nothing else does: {{truncate .Name 12}}"],
  ["{{range .Nodes}}{{.}}{{end}}", `"range" ${known}`],
];

for (const [format, message] of wrong) {
  Deno.test(`--format '${format}' is refused`, () => {
    assert.throws(() => readFormat(format), { code: "commander.invalidArgument", message });
  });
}

const unknown: [field: string, message: string][] = [
  ["Nam", 'There is no field ".Nam", did you mean ".Name"?'],
  ["name", 'There is no field ".name", did you mean ".Name"?'],
  ["Xylophone", 'There is no field ".Xylophone"'],
  ["toString", 'There is no field ".toString"'],
];

for (const [field, message] of unknown) {
  Deno.test(`a template with the field .${field} names the fields that there are`, () => {
    assert.throws(() => shown(`{{.${field}}}`), {
      code: "usage",
      message,
      hint: "fields are .Name, .Image, .Workers, .Healthy, .Nodes, .Master, .Nothing",
    });
  });
}

Deno.test("a table of the user's own has headings, and columns as wide as what stands in them", () => {
  const rows = [{ Name: "hello", CreatedAt: "today" }, { Name: "a", CreatedAt: "yesterday" }];
  const own = (format: string, items = rows) => renderList(items, {}, readFormat(format));
  assert.equal(own("table {{.Name}}\\t{{.CreatedAt}}"), "NAME    CREATED AT\nhello   today\na       yesterday\n");
  assert.equal(own("table {{upper .Name}}"), "NAME\nHELLO\nA\n");
  assert.equal(own("table {{.Name}} at {{.CreatedAt}}", [rows[1]!]), "NAME at CREATED AT\na at yesterday\n");
  assert.equal(own("table {{.Name}}\\t{{.CreatedAt}}", []), "NAME   CREATED AT\n");
  assert.equal(own("{{.Name}}\\t{{.CreatedAt}}", []), "", "no table has no heading");
});

Deno.test("headingOf() parts words where a capital follows a small letter", () => {
  assert.equal(headingOf(readTemplate("{{.MasterHost}} {{json .ID}}")), "MASTER HOST ID");
});

Deno.test("table and json are what they were: a table for people, an object a line for programs", () => {
  assert.equal(shown("table"), "NAME\nHello\n");
  assert.equal(renderList([item, item], columns, readFormat("json")), `${JSON.stringify(item)}\n`.repeat(2));
});
