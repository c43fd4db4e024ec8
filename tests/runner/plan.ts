/** Which tests run, by the words after `./dev test`. */
import type { SeedMpi } from "../box/seed.ts";
import type { Group } from "./group.ts";

/** What is to run. */
export interface Plan {
  /** Whether the checks that are no tests run too. */
  gates: boolean;
  groups: Group[];
  /** The MPIs that are tried, of which engines need images. */
  mpis: SeedMpi[];
}

/** Unit tests decide from values: they start no program and reach no network. */
const UNIT = ["--allow-read", "--allow-env", "--allow-sys", "--allow-write=/tmp,/var/tmp"];

const ALL = ["--allow-all"];

/** Tests that are here because they take long. */
const PATIENT = { MPI_TEST_SECONDS: "900" };

/** Every group, in the order in which they run. */
const GROUPS = {
  unit: { name: "unit", args: UNIT, paths: ["tests/unit"], minutes: 3, env: { MPI_TEST_RUNS: "0.1" } },
  examples: { name: "examples", args: [...UNIT, "--doc"], paths: ["stack", "cli"], minutes: 3 },
  plugin: { name: "plugin", args: ALL, paths: ["tests/plugin"], minutes: 5 },
  box: { name: "box", args: ALL, paths: ["tests/box"], minutes: 3, engines: "own" },
  swarm: { name: "swarm", args: ALL, paths: ["tests/swarm"], minutes: 10, engines: "one" },
  lab: { name: "lab", args: ALL, paths: ["tests/lab"], minutes: 10, engines: "lab" },
  "more/swarm": {
    name: "more/swarm",
    args: ALL,
    paths: ["tests/more/swarm"],
    minutes: 60,
    engines: "one",
    env: PATIENT,
  },
  "more/lab": { name: "more/lab", args: ALL, paths: ["tests/more/lab"], minutes: 60, engines: "lab", env: PATIENT },
  endurance: {
    name: "endurance",
    args: ALL,
    paths: ["tests/endurance"],
    minutes: 60,
    engines: "lab",
    env: { MPI_TEST_SECONDS: "3600" },
  },
} satisfies Record<string, Group>;

/** The words that have a meaning of their own, with the groups that they stand for. */
const WORDS: Record<string, (keyof typeof GROUPS)[]> = {
  check: [],
  unit: ["unit", "examples"],
  plugin: ["plugin"],
  box: ["box"],
  swarm: ["swarm"],
  lab: ["lab"],
  endurance: ["endurance"],
  all: ["unit", "examples", "plugin", "box", "swarm", "lab", "more/swarm", "more/lab"],
};

/** What runs before each commit: minutes, not more. */
const USUAL = ["check", "unit", "plugin", "box", "swarm", "lab"];

/** The groups that try both MPIs. */
const BOTH = ["more/swarm", "more/lab", "endurance"];

/** A file with tests. */
interface TestFile {
  /** From the root of the checkout. */
  path: string;
  text: string;
}

/**
 * The plan for these words: each is one of {@linkcode WORDS}, or part of the path of a test file or of its text.
 *
 * @param files Lists all files with tests; called only where a word asks for it.
 * @param usual The MPI of tests that don't say one; none: MPICH.
 */
export async function planOf(words: string[], files: () => Promise<TestFile[]>, usual?: string): Promise<Plan> {
  const asked = words.length === 0 ? USUAL : words;
  const named = new Set(asked.flatMap((word) => WORDS[word] ?? []));
  const groups: Group[] = Object.values(GROUPS).filter((group) => named.has(group.name as keyof typeof GROUPS))
    .map((group) => asked.includes("all") && group === GROUPS.unit ? { ...group, env: {} } : group);
  for (const word of asked.filter((each) => WORDS[each] === undefined)) groups.push(...matching(word, await files()));
  return {
    gates: asked.includes("check") || asked.includes("all"),
    groups,
    mpis: usual === "openmpi" || groups.some(({ name }) => BOTH.includes(name)) ? ["mpich", "openmpi"] : ["mpich"],
  };
}

/** The groups, with those of their files alone whose path has the word; or else those whose text has it. */
function matching(word: string, files: TestFile[]): Group[] {
  if (word.startsWith("-")) throw new Error(`./dev test takes no option ${word}\n  hint: ./dev test --help`);
  const byPath = files.filter(({ path }) => path.includes(word));
  const found = byPath.length > 0 ? byPath : files.filter(({ text }) => text.includes(word));
  if (found.length === 0) {
    throw new Error(
      `there are no tests ${JSON.stringify(word)}\n  hint: ./dev test ${
        Object.keys(WORDS).join("|")
      }, or a part of a name`,
    );
  }
  return Object.values(GROUPS).flatMap((group: Group) => {
    const paths = found.map(({ path }) => path).filter((path) =>
      group.paths.some((folder) => path.startsWith(`${folder}/`))
    );
    return paths.length === 0 ? [] : [{ ...group, paths }];
  });
}

/** All files with tests below a folder. */
export async function testFiles(folder = "tests"): Promise<TestFile[]> {
  const found: TestFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await testFiles(path));
    else if (path.endsWith("_test.ts")) found.push({ path, text: await Deno.readTextFile(path) });
  }
  return found.sort((one, other) => one.path < other.path ? -1 : 1);
}
