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

/** Where each library may be imported. */
const SEAMS: Record<string, (path: string) => boolean> = {
  "dockerode": (path) => path === "stack/engine/engine.ts",
  "ssh2": (path) => path === "stack/ssh/ssh.ts",
  "modern-tar": (path) => path === "cli/files/tar.ts",
  "yaml": (path) => path === "stack/settings/yaml.ts" || path === "stack/stackfile/yaml_write.ts",
  "commander": (path) => path.startsWith("cli/"),
  "@commander-js/extra-typings": (path) => path.startsWith("cli/"),
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
    says: "stack/ has no console and no environment variables",
    binds: under("stack/"),
    breaks: ({ code }) => /\bconsole\s*\.|\bDeno\s*\.\s*env\b|\bprocess\s*\.\s*env\b/.test(code),
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
