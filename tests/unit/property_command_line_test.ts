/** Whatever a command line holds: a documented status, and words that a terminal and a reader can take. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type AnyCommand, hasProgramStatus, type Option } from "../../cli/command_line/command.ts";
import { splitGlobalFlags } from "../../cli/docker/global_flags.ts";
import { metadata } from "../../cli/docker/metadata.ts";
import { runCli } from "../../cli/main.ts";
import { createProgram } from "../../cli/program.ts";
import { MpiError } from "../../stack/errors.ts";
import { fakeWorld, type Outcome } from "../support/cli.ts";
import { property } from "../support/property.ts";
import { anyText } from "../support/settings_texts.ts";

const cwd = await Deno.makeTempDir({ prefix: "mpi-property-" });
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f bob@desk";
globalThis.addEventListener("unload", () => {
  Deno.removeSync(cwd, { recursive: true });
  Deno.removeSync(keyFile);
});
const keyFile = await Deno.makeTempFile({ suffix: ".pub" });
await Deno.writeTextFile(keyFile, KEY);
const { root } = createProgram(fakeWorld().deps, () => {});

/** Every command that can be typed, those below others too: `jobs`, `jobs logs`, `key create`, … */
function allBelow(command: AnyCommand): AnyCommand[] {
  return command.commands.flatMap((each) => [each, ...allBelow(each)]);
}
const commands = allBelow(root);

/** The words for a command: `["jobs", "logs"]`. */
function wordsOf(command: AnyCommand): string[] {
  return command === root ? [] : [...wordsOf(command.parent ?? root), command.name()];
}

/** Runs a command line where there is no engine, and templates have no files. */
async function run(argv: string[]): Promise<Outcome & { debug: boolean }> {
  // What an earlier `init` wrote is in the way of the next.
  for await (const { name } of Deno.readDir(cwd)) await Deno.remove(`${cwd}/${name}`, { recursive: true });
  const world = fakeWorld({
    cwd: () => cwd,
    configDir: () => "/nonexistent",
    endpoint: () => Promise.reject(new MpiError("engine", "No engine", { hint: "start one" })),
    assets: { tree: () => Promise.resolve([]) },
  });
  const invocation = splitGlobalFlags(argv);
  world.deps.debug = invocation.debug;
  const code = await runCli(invocation, world.deps);
  return { code, out: world.out(), err: world.err(), debug: world.deps.debug };
}

/** A value that is right for a flag. */
function rightValue(option: Option): fc.Arbitrary<string> {
  // With `--progress json` errors have a form of their own.
  if (option.argChoices) return fc.constantFrom(...option.argChoices.filter((choice) => choice !== "json"));
  const byName: Record<string, string[]> = {
    cluster: ["cfd"],
    filter: ["name=cfd", "name="],
    format: ["json", "{{json .}}", ...(option.short === "-f" ? [] : ["table", "table {{json .}}"])],
    "add-key": [keyFile],
    image: ["cfd:1", "registry.example.org:5000/a/b"],
    subnet: ["10.20.0.0/16"],
    env: ["A=b", "A=", "A=$x=y"],
    "env-file": ["/dev/null"],
    input: ["/dev/null"],
    "build-arg": ["A=b"],
    template: ["hello"],
    network: ["overlay"],
    mtu: ["1500", "9000"],
    mpi: ["mpich", "openmpi"],
    workers: ["3", "per-node"],
    "master-constraint": ["node.role == manager"],
    "worker-constraint": ["node.labels.rack != 7"],
  };
  const type = /<(.*)>/.exec(option.flags)?.[1] ?? "";
  const byType: Record<string, string[]> = {
    duration: ["5m", "1h30m"],
    bytes: ["1g"],
    "int|auto": ["auto", "2"],
    "int|all": ["all", "9"],
  };
  return fc.constantFrom(...byName[option.name()] ?? byType[type] ?? (type === "int" ? ["1", "3"] : ["worker-1"]));
}

/** A flag as people write it, with its value. */
function flagOf(option: Option, value: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  const names = [option.long, option.short].filter((name) => name !== undefined && name !== null);
  const name = fc.constantFrom(...names);
  if (option.optional) {
    // A value needs the equals sign; the next word is an argument.
    const ends = fc.oneof(fc.constant(""), fc.stringMatching(/^=[g-s]{0,8}$/));
    return ends.map((end) => [`${option.long}${end}`]);
  }
  if (!option.required) {
    const state = fc.constantFrom("true", "false", "1", "0", "T", "F");
    return fc.oneof(name.map((name) => [name]), fc.tuple(name, state).map(([name, state]) => [`${name}=${state}`]));
  }
  return fc.tuple(name, value, fc.boolean()).map(([name, value, isApart]) => {
    if (isApart || (name === option.short && value === "")) return [name, value];
    return [`${name}=${value}`];
  });
}

/** A right command line: what runs it, and its words. */
interface Line {
  /** The words that name the command. */
  path: string[];
  /** The same, the last perhaps by one of its aliases. */
  as: string[];
  flags: string[];
  args: string[];
}

/** Right command lines of a command. */
function rightLineOf(command: AnyCommand): fc.Arbitrary<Line> {
  const flags = command.options.filter(({ long }) => long !== "--debug").map((option) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: flagOf(option, rightValue(option)) },
    )
  );
  const args = command.registeredArguments.map((argument) => {
    const word = argument.name() === "workers" ? fc.constant("3") : fc.constantFrom("cfd", "./solver");
    return fc.array(word, { minLength: argument.required ? 1 : 0, maxLength: argument.variadic ? 3 : 1 });
  });
  return fc.record({
    path: fc.constant(wordsOf(command)),
    as: fc.constantFrom(command.name(), ...command.aliases()).map((name) => [...wordsOf(command).slice(0, -1), name]),
    flags: fc.tuple(...flags).map((all) => all.flat()),
    args: fc.tuple(...args).map((all) => all.flat()),
  });
}

const rightLine = fc.oneof(...commands.map(rightLineOf));

const oddWords = ["-", "--", "---", "--=", "-=", "-h", "--help", "-x", "-Dq", "-n5", "help", "__complete", "mpi", "-v"];

/** Words of every kind: flags of a command with any value, typing errors in them, and noise. */
function anyWordsOf(command: AnyCommand): fc.Arbitrary<string[]> {
  const flags = command.options.map((option) => flagOf(option, fc.oneof(anyText, rightValue(option))));
  const longs = fc.constantFrom(...command.options.map(({ long }) => long!));
  const words = fc.oneof(
    { weight: 4, arbitrary: fc.oneof(...flags) },
    { weight: 3, arbitrary: anyText.map((text) => [text]) },
    { weight: 1, arbitrary: anyText.map((text) => [`-${text}`]) },
    { weight: 1, arbitrary: anyText.map((text) => [`--${text}`]) },
    { weight: 2, arbitrary: fc.tuple(longs, anyText).map(([long, text]) => [`${long}${text}`]) },
    { weight: 2, arbitrary: fc.constantFrom(...oddWords).map((word) => [word]) },
  );
  return fc.array(words, { maxLength: 6 }).map((words) => [...wordsOf(command), ...words.flat()]);
}

const globalFlags = fc.constantFrom<string[][]>([], [], ["--context", "mpi"], ["-lx"], ["--tls=0"], ["--host="], [
  "-c",
]);
const asked = fc.constantFrom<string[][]>(
  ...[["mpi"], ["mpi"], ["mpi"], [], ["help", "mpi"], ["--help", "mpi"], ["__complete", "mpi"], ["-D", "mpi"], ["--"]],
);

const anyLine: fc.Arbitrary<string[]> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(globalFlags, asked, fc.oneof(...commands.map(anyWordsOf))).map((parts) => parts.flat()),
  },
  { weight: 1, arbitrary: fc.tuple(asked, fc.array(anyText, { maxLength: 4 })).map((parts) => parts.flat()) },
  { weight: 1, arbitrary: fc.array(anyText, { maxLength: 4 }) },
);

/** Characters that move the cursor, change colours, or turn the direction of text. */
// deno-lint-ignore no-control-regex
const UNFIT = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/u;

const HINT =
  /\nhint: \S|\nRun 'docker mpi.* --help' for more information\n$|: want \S|"(hint":"|message":".*: want )\S/;

property("any command line ends with a documented status, and says what to do", 10_000, anyLine, async (argv) => {
  const { code, out, err, debug } = await run(argv);
  const input = argv.join(" ");
  // A JSON schema has its own words.
  const said = err + (out.startsWith("{") ? "" : out);
  assert.ok(!UNFIT.test(out + err), "it has a control character");
  assert.ok(err.length < (debug ? 20_000 : 2000) && out.length < 20_000, `${err.length}, ${out.length} characters`);
  for (const slip of ["undefined", "[object", "NaN", "null", ...(debug ? [] : ["   at "])]) {
    assert.ok(input.includes(slip) || !said.includes(slip), said);
  }
  assert.ok([0, 1, 125].includes(code), `status ${code}: ${err}`);
  if (code === 0) assert.equal(err, "");
  else assert.match(err, HINT);
  if (code !== 0) assert.equal(out, "");
});

/** Flags and arguments that are right by themselves, and not together or not without another. */
const MISMATCH =
  / contradict | can't be used with | names no registry to push it to\n|: Want (the id of a job, or --all|ids or --all, not both)\n/;

/** Whether the command asks no engine. */
function isLocal({ path, flags }: Line): boolean {
  const name = path.join(" ");
  return ["init", "key", "version"].includes(name) ||
    (name === "config" && flags.some((flag) => /^--(resolve|schema)/.test(flag)));
}

property("a right command line gets as far as the engine", 2000, rightLine, async (line) => {
  const { path, as, flags, args } = line;
  const { code, out, err } = await run(["mpi", ...as, ...flags, ...args]);
  if (MISMATCH.test(err)) assert.equal(code, 125);
  else if (isLocal(line) && err === "") assert.equal(code, 0);
  else {
    const ends = hasProgramStatus(commands.find((each) => `${wordsOf(each)}` === `${path}`)!) ? 125 : 1;
    assert.deepEqual({ code, out, err }, {
      code: ends,
      out: "",
      err: `docker mpi ${path.join(" ")}: No engine\nhint: start one\n`,
    });
  }
});

property("help is shown wherever it is asked for", 500, rightLine, async ({ path, as, flags, args }) => {
  const asked = await run(["mpi", ...path, "--help"]);
  assert.deepEqual([asked.code, asked.err], [0, ""]);
  assert.match(asked.out, /^Usage: /);
  for (
    const argv of [
      ["mpi", ...as, ...flags, "--help", ...args],
      ["mpi", ...as, "-h", ...flags, ...args],
      ["help", "mpi", ...as, ...flags, ...args],
      ["--help", "mpi", ...as, ...args],
    ]
  ) assert.deepEqual(await run(argv), asked, argv.join(" "));
});

/** A right command line of a command with one wrong word, and how that is to be named. */
function wrongLineOf(command: AnyCommand): fc.Arbitrary<Line & { wrong: string; named: string }> {
  const word = fc.stringMatching(/^[g-s]{2,8}$/);
  const text = fc.stringMatching(/^[g-s' \n]{1,8}$/);
  const valued = (option: Option) =>
    text.map((text) => ({ wrong: `${option.long}=${text}`, named: `invalid argument ${JSON.stringify(text)} for "` }));
  const switches = command.options.filter(({ required, optional }) => !required && !optional);
  const checked = command.options.filter(({ required, parseArg, long }) =>
    required && parseArg && !["--add-key", "--build-arg", "--env-file", "--mpi-args"].includes(long!)
  );
  return fc.tuple(
    rightLineOf(command),
    fc.oneof(
      word.map((word) => ({ wrong: `--x${word}`, named: `unknown flag: --x${word}\n` })),
      word.map((word) => ({ wrong: `--x${word}=1`, named: `unknown flag: --x${word}\n` })),
      fc.constantFrom("-X", "-Z=1", "-é", "-🦕").map((word) => ({ wrong: word, named: `in ${word}\n` })),
      ...[...switches, ...checked].map(valued),
    ),
  ).map(([line, wrong]) => ({ ...line, ...wrong }));
}

const wrongLine = fc.oneof(...commands.map(wrongLineOf));

property("a wrong flag is named", 2000, wrongLine, async ({ as, flags, args, wrong, named }) => {
  const { code, out, err } = await run(["mpi", ...as, ...flags, wrong, ...args, "--help"]);
  assert.deepEqual([code, out], [125, ""]);
  assert.ok(err.includes(named) || MISMATCH.test(err), err);
  assert.match(err, HINT);
});

Deno.test("a word of 100 KB is cut wherever an error names it", async () => {
  const long = "x".repeat(100_000);
  for (const command of commands) {
    const name = wordsOf(command);
    const options = command.options.filter(({ long }) => long !== "--debug");
    const words = options.flatMap((option) => [[`${option.long}=${long}`], [option.long!, long]]);
    for (const argv of [[long], [`--${long}`], [`-${long}`], ...words]) {
      const { err, out } = await run(["mpi", ...name, ...argv]);
      assert.ok(err.length + out.length < 2000, `${name.join(" ")} ${argv[0]!.slice(0, 20)}: ${err.length} characters`);
    }
  }
});

const names = new Set(root.commands.flatMap((command) => [command.name(), ...command.aliases()]));

property("an unknown command is named", 500, fc.stringMatching(/^[0-9A-Z_!-,.-~]{1,20}$/), async (word) => {
  if (names.has(word)) return;
  const { code, out, err } = await run(["mpi", word]);
  assert.deepEqual([code, out], [1, ""]);
  assert.ok(err.startsWith(`docker: unknown command: docker mpi ${word}\n`), err);
});

property("no word is lost between Docker's flags and ours", 2000, anyLine, (argv) => {
  const { globals, args } = splitGlobalFlags(argv);
  const before = argv.slice(0, argv.length - args.length);
  assert.deepEqual([...before, ...args], argv);
  const ours = /^(--|help|__complete|mpi|--(help|version)(=.*)?|-\w*[hv]\w*(=.*)?)$/s;
  const left = globals.toReversed().reduce((left, word) => left.toSpliced(left.lastIndexOf(word), 1), before);
  assert.equal(left.length, before.length - globals.length);
  for (const word of left) assert.match(word, ours);
});

Deno.test("nothing of this has changed Docker's metadata", () => {
  assert.deepEqual(metadata, { ...metadata, SchemaVersion: "0.1.0", Vendor: "docker-mpi" });
  assert.equal(Object.keys(metadata).length, 4);
});
