/** Whatever an `mpi.yaml` holds: settings whose stack file Docker takes, or faults that each name their place. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { MpiError } from "../../stack/errors.ts";
import type { JsonObject } from "../../stack/json.ts";
import { type FieldName, FIELDS } from "../../stack/settings/schema.ts";
import { resolveSettings, type Settings } from "../../stack/settings/settings.ts";
import { parseSize } from "../../stack/settings/size.ts";
import { explainStack } from "../../stack/stackfile/explain.ts";
import { formatStack, renderStack, type StackFile, type StackKeys } from "../../stack/stackfile/stack_file.ts";
import { composeFaults, interpolate, yamlFaults } from "../support/compose.ts";
import { property } from "../support/property.ts";
import { anyText, brokenText, crowdedText, rightText, type Said, wrongText } from "../support/settings_texts.ts";

const directory = "/home/ada/hello";

const KEYS: StackKeys = {
  userPublic: "ssh-ed25519 AAAA ada@home",
  clusterPublic: "ssh-ed25519 BBBB",
  masterHostPublic: "ssh-ed25519 CCCC",
  workerHostPublic: "ssh-ed25519 DDDD",
  clusterSecret: "hello_cluster_key-0123456789ab",
  masterHostSecret: "hello_master_host-0123456789ab",
  workerHostSecret: "hello_worker_host-0123456789ab",
};

function render(settings: Settings, keys: Partial<StackKeys> = {}): string {
  const input = { settings, workers: settings.workers ?? 3, keys: { ...KEYS, ...keys }, version: "1.0.0" };
  return formatStack(renderStack({ ...input, imageId: "sha256:1" }));
}

/** What was said, as the settings have it. */
function settle(settings: Settings): Said {
  const { workers, sources: _, ...others } = settings;
  return { ...others, ...(workers === undefined ? {} : { workers }) } as Said;
}

property(
  "a right mpi.yaml means what it says, and Docker takes its stack file",
  2500,
  rightText,
  async ({ said, text }) => {
    const settings = await resolveSettings({ directory, file: { path: "mpi.yaml", text } });
    const expected = { ...said, ...(said.shm === undefined ? {} : { shm: parseSize(String(said.shm)) }) };
    const settled: Record<string, unknown> = { ...settle(settings) };
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(settled[key], value, key);
    assert.deepEqual(composeFaults(render(settings)), []);
  },
);

property(
  "a stack file that is explained says the same, to readers of YAML 1.1 and 1.2",
  1000,
  rightText,
  async ({ text }) => {
    const settings = await resolveSettings({ directory, file: { path: "mpi.yaml", text } });
    const workers = settings.workers ?? 3;
    const [stack, own] = [settings, { ...settings, stack: {} }].map((settings) =>
      renderStack({ settings, workers, keys: KEYS, version: "1.0.0" })
    ) as [StackFile, StackFile];
    const explained = explainStack({ stack, own }, settings.name, "1.0.0");
    for (const version of ["1.1", "1.2"] as const) assert.deepEqual(parse(explained, { version }), stack);
  },
);

/** Characters that move the cursor, change colours, or turn the direction of text. */
// deno-lint-ignore no-control-regex
const UNFIT = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/u;

/** What shows in a text where a program has printed what is no text. */
function assertSlipless(text: string, input: string): void {
  for (const slip of ["undefined", "[object", "NaN", "   at "]) {
    assert.ok(input.includes(slip) || !text.includes(slip), text);
  }
}

/** Holds an error to what a terminal and a reader can take. */
function assertFit(message: string, input: string): void {
  assert.ok(!UNFIT.test(message), `it has a control character: ${JSON.stringify(message)}`);
  assertSlipless(message, input);
  for (const line of message.split("\n")) assert.ok(line.length <= 400, `${line.length} characters: ${line}`);
  assert.ok(message.split("\n").length <= 21, message);
}

/** The message that a file is refused with. */
async function refusal(text: string): Promise<string> {
  let message = "";
  await assert.rejects(resolveSettings({ directory, file: { path: "mpi.yaml", text } }), (error: MpiError) => {
    message = error.message;
    return error instanceof MpiError && error.code === "settings";
  });
  return message;
}

property("a wrong value gets one fault, with its key and its place", 1500, wrongText, async ({ text, named }) => {
  const message = await refusal(text);
  assert.match(message, /^mpi\.yaml:\d+:\d+: [^\n]*$/);
  assert.ok(message.includes(named), message);
});

property("more workers than the network has addresses are refused, at their place", 500, crowdedText, async (text) => {
  assert.match(await refusal(text), /^mpi\.yaml:\d+:\d+: A master and \d+ workers? do not fit: [^\n]*$/);
});

property("any other mpi.yaml gets faults with their places", 5500, brokenText, async (text) => {
  let settings: Settings;
  try {
    settings = await resolveSettings({ directory, file: { path: "mpi.yaml", text: new TextEncoder().encode(text) } });
  } catch (error) {
    assert.ok(error instanceof MpiError, error instanceof Error ? error.stack : String(error));
    assert.equal(error.code, "settings");
    assertFit(error.message, text);
    const lines = text.replace(/^\uFEFF/, "").split(/\r\n?|\n/);
    for (const line of error.message.split("\n")) {
      const [, row, column] = /^mpi\.yaml:(\d+):(\d+): \S/.exec(line) ?? [];
      if (row === undefined) assert.match(line, /^… and \d+ more$/);
      else {
        assert.ok(Number(row) >= 1 && Number(row) <= lines.length, `no such line: ${line}`);
        assert.ok(
          Number(column) >= 1 && Number(column) <= lines[Number(row) - 1]!.length + 1,
          `no such column: ${line}`,
        );
      }
    }
    return;
  }
  // Inside the services of `stack:` Docker itself is to find what is wrong.
  assert.deepEqual(composeFaults(render({ ...settings, stack: {} })), []);
  assert.deepEqual(yamlFaults(render(settings)), []);
  assertSlipless(render(settings), text);
});

property(
  "any variable or flag is taken, or refused by its name",
  2000,
  fc.tuple(fc.constantFrom("name", "image", "workers", "slots", "port", "shm", "subnet", "mtu", "encrypted"), anyText),
  async ([key, text]) => {
    const { flag, variable } = FIELDS[key as FieldName];
    for (const input of [{ flags: { [key]: text } }, { env: { [variable]: text } }]) {
      try {
        assert.deepEqual(composeFaults(render(await resolveSettings({ directory, ...input }))), []);
      } catch (error) {
        if (!(error instanceof MpiError)) throw error;
        assert.equal(error.code, "flags" in input ? "usage" : "settings");
        assertFit(error.message, text);
        assert.match(error.message, "flags" in input ? new RegExp(`${flag}|do not fit`) : new RegExp(variable));
      }
    }
  },
);

property("a key's comment reaches the container as it is", 500, anyText, async (text) => {
  const comment = text.replace(/[\r\n]/g, "").toWellFormed();
  const settings = await resolveSettings({ directory });
  const userPublic = `ssh-ed25519 AAAA ${comment}`;
  const file = render(settings, { userPublic });
  assert.deepEqual(composeFaults(file), []);
  const { master } = (JSON.parse(file) as { services: { master: { environment: JsonObject } } }).services;
  const filledIn = interpolate(String(master.environment["MPI_AUTHORIZED_KEYS"]));
  // What the swarm makes of a Go template.
  assert.equal(filledIn.replace(/\{\{("?)(.*?)\1\}\}/g, (_, quote, inner) => quote ? inner : ""), userPublic.trim());
});
