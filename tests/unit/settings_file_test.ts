import assert from "node:assert/strict";
import { readSettingsFile } from "../../stack/settings/file.ts";

/** The faults of a file as lines `LINE:COLUMN: MESSAGE`. */
function faults(content: string | Uint8Array): string[] {
  return readSettingsFile(content).faults.map(({ at, message }) => `${at.line}:${at.column}: ${message}`);
}

const KEYS = "keys are name, image, mpi, workers, slots, port, forwarding, shm, placement, network, volumes, stack";
const NOT_A_LINE =
  'Not a "key: value" line: put a blank after the colon, quote a value that has ": " in it, and give ' +
  "keys of one mapping the same indentation";

const right: Record<string, string> = {
  "nothing": "",
  "blanks and comments": "\n  # workers: 5\n\n",
  "null": "~\n",
  "a document marker": "---\nworkers: 5\n...\n",
  "mappings with nothing in them": "network:\n  # mtu: 9000\nstack:\n",
  "sections with nothing in them": "stack:\n  services:\n  volumes:\n",
  "a byte order mark": "\uFEFFworkers: 5\n",
  "CRLF": "workers: 5\r\nslots: 2\r\n",
  "carriage returns alone": "workers: 5\rslots: 2\r",
  "a tab after a value": "workers: 5\t# five\n",
  "quoted strings": "name: 'cfd'\nimage: \"cfd:1\"\n",
  "a size in bytes": "shm: 134217728\n",
  "aliases": "stack:\n  services:\n    master: &both { read_only: true }\n    worker: *both\n",
  "keys of the user's own": "stack:\n  x-mine: &m [1]\n",
};

for (const [name, text] of Object.entries(right)) {
  Deno.test(`readSettingsFile() takes ${name}`, () => assert.deepEqual(faults(text), []));
}

const wrong: Record<string, [text: string, ...faults: string[]]> = {
  "an unknown key": ["colour: red\n", `1:1: Unknown key "colour": the ${KEYS}`],
  "a typo": ["\nwrokers: 5\n", `2:1: Unknown key "wrokers", did you mean "workers"? The ${KEYS}`],
  "a key in capitals": ["Workers: 5\n", `1:1: Unknown key "Workers", did you mean "workers"? The ${KEYS}`],
  "a key one level too high": ["mtu: 9000\n", `1:1: Unknown key "mtu", did you mean "network.mtu"? The ${KEYS}`],
  "a compose section at the top": [
    "services: {}\n",
    `1:1: Unknown key "services", did you mean "stack.services"? The ${KEYS}`,
  ],
  "a typo under network": [
    "network:\n  subnets: 10.20.0.0/16\n",
    '2:3: Unknown key "subnets" in network, did you mean "subnet"? The keys are type, subnet, mtu, encrypted',
  ],
  "a key with a dot": ["network.mtu: 9000\n", `1:1: Unknown key "network.mtu": the ${KEYS}`],
  "a key named like a method": ["__proto__: 1\n", `1:1: Unknown key "__proto__": the ${KEYS}`],
  "a duplicate key": ["workers: 5\nport: 1\nworkers: 6\n", '3:1: Key "workers" is given twice, first in line 1'],
  "a word for a number": [
    "workers: abc\n",
    '1:10: Invalid value "abc" for workers: want a whole number from 0 to 10000, or "per-node"',
  ],
  "a quoted number": [
    'port: "22"\n',
    '1:7: Wrong type for port: "22" is a string, want a whole number from 1 to 65535',
  ],
  "a host for a constraint": [
    "placement: { master-constraint: head }\n",
    '1:33: Invalid value "head" for placement.master-constraint: want constraints such as ' +
    '"node.role == worker, node.labels.rack == 7", for example "node.hostname == head"',
  ],
  "a key of compose": [
    "placement: { constraints: node.role == worker }\n",
    '1:14: Unknown key "constraints" in placement: the keys are master-constraint, worker-constraint, max-per-node',
  ],
  "a fraction": [
    "workers: 2.5\n",
    '1:10: Invalid value "2.5" for workers: want a whole number from 0 to 10000, or "per-node"',
  ],
  "too many workers": [
    "workers: 1e9\n",
    '1:10: Invalid value "1e9" for workers: want a whole number from 0 to 10000, or "per-node"',
  ],
  "less than no workers": [
    "workers: -1\n",
    '1:10: Invalid value "-1" for workers: want a whole number from 0 to 10000, or "per-node"',
  ],
  "no value": [
    "workers:\n",
    '1:1: No value for workers: want a whole number from 0 to 10000, or "per-node", or leave the line out',
  ],
  "a list": [
    "workers: [1, 2]\n",
    '1:10: Wrong type for workers: a list, want a whole number from 0 to 10000, or "per-node"',
  ],
  "a mapping": ["port:\n  ssh: 1\n", "2:3: Wrong type for port: a mapping, want a whole number from 1 to 65535"],
  "a number for a name": [
    "name: 12\n",
    "1:7: Wrong type for name: 12 is a number, want lower case letters, digits and hyphens, first a letter, last no " +
    "hyphen, at most 39 characters",
  ],
  "yes for true": [
    "network:\n  encrypted: yes\n",
    '2:14: Wrong type for network.encrypted: "yes" is a string, want true or false',
  ],
  "true for a number": [
    "slots: true\n",
    '1:8: Wrong type for slots: true is a true-or-false value, want a whole number from 1 to 1024, or "auto"',
  ],
  "a wrong size": [
    "shm: 1 apple\n",
    '1:6: Invalid value "1 apple" for shm: want a size of at least 64m, such as 512m or 1g',
  ],
  "a network that is a word": [
    "network: host\n",
    '1:10: Wrong type for network: "host" is a string, want a mapping with the keys type, subnet, mtu, encrypted',
  ],
  "a tab as indentation": ["network:\n\tmtu: 9000\n", "2:1: Tab used for indentation: use spaces"],
  "a tab at the start": ["\tname: cfd\n", "1:1: Tab used for indentation: use spaces"],
  "a list at the top": [
    "- workers: 5\n",
    '1:1: Wrong type for the file: a list, want lines such as "workers: 5" with a blank after the colon',
  ],
  "no blank after the colon": [
    "workers:5\n",
    '1:1: Wrong type for the file: "workers:5" is a string, want lines such as "workers: 5" with a blank after the colon',
  ],
  "no blank after a colon further down": ["name: x\nworkers:3\nslots: 2\n", `2:1: ${NOT_A_LINE}`],
  "wrong indentation": ["name: x\n  workers: 3\n", `1:7: ${NOT_A_LINE}`],
  "two documents": [
    "workers: 5\n---\nworkers: 6\n",
    '2:1: A second document starts here: want one, without "---" after it',
  ],
  "an open quote": ['name: "x\nworkers: 3\n', '3:1: Missing closing "quote'],
  "an alias of nothing": ["name: *nobody\n", '1:7: Alias "*nobody" has no anchor before it'],
  "a merge key": [
    "stack:\n  x-a: &a {}\n  services:\n    worker:\n      <<: *a\n",
    '5:7: Merge key "<<" is not supported: write the keys out',
  ],
  "a tag": ["name: !secret x\n", "1:7: Unresolved tag: !secret"],
  "a key that is a list": ["? [a]\n: 1\n", "1:3: Not a key: want a word before the colon"],
  "a key that Docker can't read": [
    `stack:\n  x-a: { ${"k".repeat(161)}: 1 }\n`,
    `2:10: Key "${"k".repeat(57)}..." is too long: want at most 160 characters`,
  ],
  "a variable that would become such a key": [
    `stack:\n  services: { worker: { environment: ["A=${"x".repeat(5000)}", ${"k".repeat(161)}=1] } }\n`,
    `2:5045: Key "${"k".repeat(57)}..." is too long: want at most 160 characters`,
  ],
  "no key at all": [": 1\n", "1:1: Not a key: want a word before the colon"],
  "a control character": ["name: x\nimage: a\0b\n", '2:9: Control character "\\u0000"'],
  "half a character": ['name: x\nimage: "\\uD83E"\n', '2:8: Half a character in "\\ud83e"'],
  "what a terminal would act on": [
    '"\\e[31m": 1\nname: "a\\u202eb"\n',
    `1:1: Unknown key "\\u001b[31m": the ${KEYS}`,
    '2:7: Invalid value "a\\u202eb" for name: want lower case letters, digits and hyphens, first a letter, last no ' +
    'hyphen, at most 39 characters, for example "a-b"',
  ],
  "several faults at once": [
    "imagee: x\nnetwork:\n  mtu: 1\nport: 0\n",
    `1:1: Unknown key "imagee", did you mean "image"? The ${KEYS}`,
    '3:8: Invalid value "1" for network.mtu: want a whole number from 576 to 65535',
    '4:7: Invalid value "0" for port: want a whole number from 1 to 65535',
  ],
  "a stack that is a list": ["stack: [a]\n", "1:8: Wrong type for stack: want a mapping"],
  "an unknown section": [
    "stack:\n  service: {}\n",
    '2:3: Unknown key "service" in stack, did you mean "services"? The keys are services, networks, volumes, ' +
    "secrets, configs",
  ],
  "a service without services": [
    "stack:\n  worker: {}\n",
    '2:3: Unknown key "worker" in stack, did you mean "services.worker"? The keys are services, networks, volumes, ' +
    "secrets, configs",
  ],
  "a section that is a list": ["stack:\n  volumes: [data]\n", "2:12: Wrong type for stack.volumes: want a mapping"],
  "a misspelt service": [
    "stack:\n  services:\n    workers: { read_only: true }\n",
    '3:5: Service "workers" has no image: did you mean "worker"?',
  ],
  "a service of one's own without an image": [
    "stack:\n  services:\n    database: {}\n",
    '3:5: Service "database" has no image: want one, or the service master or worker',
  ],
  "removing a service of ours": [
    "stack:\n  services:\n    worker: null\n",
    "3:5: Wrong type for stack.services.worker: want a mapping",
  ],
  "numbers that JSON can't hold": [
    "stack:\n  x-a: [.inf, 12345678901234567890, 1.5]\n",
    "2:9: Number .inf can't be kept exactly: quote it",
    "2:15: Number 12345678901234567890 can't be kept exactly: quote it",
  ],
};

for (const [name, [text, ...expected]] of Object.entries(wrong)) {
  Deno.test(`readSettingsFile() refuses ${name}`, () => {
    assert.deepEqual(faults(text), expected);
    assert.deepEqual(faults(text.replaceAll("\n", "\r\n")), expected, "with CRLF");
  });
}

Deno.test("readSettingsFile() refuses bytes that are not UTF-8, at their place", () => {
  const latin1 = Uint8Array.from("name: x\n# Café\n", (letter) => letter.charCodeAt(0));
  assert.deepEqual(faults(latin1), ["2:6: Not UTF-8 text: save the file as UTF-8"]);
  assert.deepEqual(faults(Uint8Array.of(0xff, 0xfe, 0x6e, 0)), ["1:1: Not UTF-8 text: save the file as UTF-8"]);
  assert.deepEqual(faults(new TextEncoder().encode("\uFEFF# Café\n")), []);
});

Deno.test("readSettingsFile() refuses more than 128 kB unread", () => {
  assert.deepEqual(faults(new Uint8Array(131_073)), ["1:1: Too large, 131073 bytes: want at most 128 kB"]);
});

Deno.test("readSettingsFile() counts lines and columns also behind a fault", () => {
  const places = (text: string) => faults(text).map((fault) => fault.split(":", 2).join(":"));
  assert.deepEqual(places("name: 'a' b\nport: 'c' d\r\nslots: 'e' f"), ["1:11", "2:11", "3:12"]);
  assert.equal(faults("]".repeat(131_000)).length, 131_000);
});

Deno.test("readSettingsFile() does not expand what multiplies or never ends", () => {
  const lines = ["a: &l0 [x]"];
  for (let i = 1; i < 12; i++) lines.push(`b${i}: &l${i} [${Array(9).fill(`*l${i - 1}`).join(", ")}]`);
  const texts: [text: string, fault: string][] = [
    [lines.join("\n"), "Too many aliases: want at most 200"],
    ["stack: &a { x-a: *a }\n", "Nested too deeply: want at most 64 levels"],
    [`a: ${"[".repeat(100_000)}`, "Nested too deeply: want at most 64 levels"],
    [`a: 1\n${"? ".repeat(20_000)}a: 1\n b: 2\n`, "Nested too deeply: want at most 64 levels"],
    [
      `a: &a [${Array(1000).fill("x").join(",")}]\nb: [${Array(100).fill("*a").join(",")}]\n`,
      "Too large: want at most 20000 values",
    ],
  ];
  for (const [text, fault] of texts) {
    assert.deepEqual(faults(text).map((line) => line.replace(/^\d+:\d+: /, "")), [fault]);
  }
});
