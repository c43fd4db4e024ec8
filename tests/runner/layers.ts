/** The import directions that ARCHITECTURE.md lays down, as a check. */

/** One file of the product. */
export interface Source {
  /** From the root of the checkout, with slashes. */
  path: string;
  text: string;
}

interface Rule {
  /** What is held. */
  says: string;
  /** The files that it binds. */
  binds: (path: string) => boolean;
  /** Whether a bound file breaks it. */
  breaks: (file: { path: string; imports: string[]; code: string }) => boolean;
}

/** What reads the command line is the terminal's, and so no matter of files. */
const readsArguments = (path: string) => path.startsWith("cli/") && !path.startsWith("cli/files/");

/** Where each library may be imported. */
const SEAMS: Record<string, (path: string) => boolean> = {
  "dockerode": (path) => path === "stack/engine/engine.ts",
  "ssh2": (path) => path.startsWith("stack/ssh/"),
  "modern-tar": (path) => path === "cli/files/tar.ts",
  "yaml": (path) => path === "stack/settings/yaml.ts" || path === "stack/stackfile/yaml_write.ts",
  "commander": readsArguments,
  "@commander-js/extra-typings": readsArguments,
};

/** The rooms of `stack/`, from the ground up: each builds on those before it, and all on the files of `stack/` itself. */
const ROOMS = [
  "engine",
  "ssh",
  "settings",
  "stackfile",
  "image",
  "cluster",
  "keys",
  "master",
  "deploy",
  "inspect",
];

/** How high a file of `stack/` is: -1 is the ground. */
const storey = (path: string) => ROOMS.indexOf(path.split("/")[1] ?? "");

/** What each room of `cli/` may import besides itself, what `CLI_GROUND` has, and the ground of `stack/`. */
const CLI_ROOMS: Record<string, readonly string[]> = {
  output: ["stack/ssh"],
  docker: ["cli/output", "stack/engine"],
  "command_line": ["cli/docker", "cli/output", "stack/settings"],
  files: [
    ...["cli/docker", "cli/output", "cli/cluster_context.ts"],
    ...["stack/engine", "stack/image", "stack/master", "stack/settings", "stack/ssh"],
  ],
  job: ["cli/command_line", "cli/files", "cli/output", "cli/cluster_context.ts", "stack/master", "stack/ssh"],
  plugin: ["cli/docker", "cli/exit.ts"],
};

/** What every room of `cli/` may import. */
const CLI_GROUND = ["cli/assets.ts", "cli/deps.ts", "cli/io.ts", "cli/signals.ts"];

/** Where a file is: `cli/docker`, or itself on the ground. */
const roomOf = (path: string) => path.split("/").slice(0, 2).join("/");

/** Whether a room of `cli/` may import that. */
function mayImport(room: string, path: string): boolean {
  const other = roomOf(path);
  if (!/^(cli|stack)\//.test(path) || other === `cli/${room}`) return true;
  if (other.startsWith("stack/") && other.endsWith(".ts")) return other !== "stack/mod.ts";
  return [...CLI_ROOMS[room]!, ...CLI_GROUND].includes(other);
}

const under = (folder: string) => (path: string) => path.startsWith(folder);
const isCommand = (path: string) => path.startsWith("cli/commands/") && !path.endsWith("/mod.ts");

const RULES: Rule[] = [
  {
    says: "stack/ imports nothing of cli/ or mod.ts",
    binds: under("stack/"),
    breaks: ({ imports }) => imports.some((path) => path.startsWith("cli/") || path === "mod.ts"),
  },
  {
    says: "a room of stack/ imports only those below it",
    binds: (path) => path.startsWith("stack/") && path !== "stack/mod.ts",
    breaks: ({ path, imports }) => imports.some((other) => other.startsWith("stack/") && storey(other) > storey(path)),
  },
  {
    says: "cli/ doesn't import mod.ts",
    binds: under("cli/"),
    breaks: ({ imports }) => imports.includes("mod.ts"),
  },
  {
    says: "mod.ts imports cli/ alone",
    binds: (path) => path === "mod.ts",
    breaks: ({ imports }) => !imports.every(under("cli/")),
  },
  {
    says: "commands don't import each other",
    binds: isCommand,
    breaks: ({ imports }) => imports.some((path) => path.startsWith("cli/commands/")),
  },
  {
    says: "only cli/program.ts imports cli/commands/",
    binds: (path) => path !== "cli/program.ts" && !path.startsWith("cli/commands/"),
    breaks: ({ imports }) => imports.some(under("cli/commands/")),
  },
  ...Object.keys(CLI_ROOMS).map((room): Rule => ({
    says: `cli/${room}/ imports only what is its to know`,
    binds: under(`cli/${room}/`),
    breaks: ({ imports }) => !imports.every((path) => mayImport(room, path)),
  })),
  {
    says: "the product imports nothing of tests/",
    binds: () => true,
    breaks: ({ imports }) => imports.some(under("tests/")),
  },
  {
    says: "only mod.ts ends the process",
    // script.ts is that one place of the developer's own tools, build and install.
    binds: (path) => path !== "mod.ts" && path !== "cli/plugin/script.ts",
    breaks: ({ code }) => /\b(Deno|process)\s*\.\s*exit(Code)?\b/.test(code),
  },
  {
    says: "the process is Deno's: nothing is taken from node:process",
    binds: () => true,
    breaks: ({ imports }) => imports.some((name) => /^(node:)?process$/.test(name)),
  },
  {
    says: "stack/ has no terminal and no environment variables",
    binds: under("stack/"),
    breaks: ({ code }) => /\bconsole\b|\b(Deno|process)\s*\.\s*(env|stdin|stdout|stderr)\b/.test(code),
  },
  ...Object.entries(SEAMS).map(([library, allowed]): Rule => ({
    says: `${library} is behind its seam`,
    binds: (path) => !allowed(path),
    breaks: ({ imports }) => imports.some((name) => packageOf(name) === library),
  })),
];

/** Every breach of a rule, as `path: rule`. */
export function breaches(sources: Source[]): string[] {
  return sources.flatMap(({ path, text }) => {
    const code = withoutComments(text);
    const file = { path, code, imports: importsOf(path, code) };
    return RULES.filter((rule) => rule.binds(path) && rule.breaks(file)).map((rule) => `${path}: ${rule.says}`);
  });
}

/** What a file imports or passes on: paths from the root of the checkout, and names of packages. */
export function importsOf(path: string, code: string): string[] {
  const from = /\b(?:import|export)\b[^;'"`]*?\bfrom\s*["']([^"']+)["']/g;
  const bare = /\bimport\s*\(?\s*["'`]([^"'`]+)["'`]/g;
  return [from, bare].flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ""))
    .map((name) => /^\.{0,2}\//.test(name) ? new URL(name, `file:///${path}`).pathname.slice(1) : name);
}

/** The package in `npm:ssh2@1.17.0/lib/x.js`, `@types/ssh2` or `ssh2`. */
function packageOf(name: string): string {
  const parts = name.replace(/^npm:\/?/, "").replace(/^@types\//, "").split("/");
  const words = parts[0]?.startsWith("@") ? parts.slice(0, 2) : parts.slice(0, 1);
  return words.join("/").replace(/(.)@.*$/, "$1");
}

/** Comments may show imports that nobody makes. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}
