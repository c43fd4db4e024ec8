import { resolve } from "node:path";
import * as esbuild from "esbuild";
import { MpiError } from "../../stack/errors.ts";
import { checkoutAssets, type EmbeddedAsset } from "../assets.ts";

/** The checkout. */
export const root: string = resolve(import.meta.dirname!, "../..");

/** A download that does not come is no reason to wait for ever. */
const INSTALL_LIMIT_MS = 180_000;

/** What the installed program carries with it. */
const ASSET_FOLDERS = ["images", "examples"];

/**
 * What CommonJS libraries take for granted: they ask for built-in modules, each when it is first needed, and for nothing
 * else; ssh2's cryptography wants to know its folder, and then finds that it carries all with it.
 */
const COMMONJS = 'const __dirname = "/", require = (id) => process.getBuiltinModule(id);';

/**
 * Libraries of libraries that nothing of ours reaches, each with its reason. Loading them would take half of the time
 * that a command needs to start.
 */
const UNUSED: readonly { of: string; filter: RegExp; why: string }[] = [
  { of: "dockerode", filter: /^@grpc\/|^protobufjs$/, why: "builds with BuildKit; we leave builds to `docker build`" },
  { of: "dockerode", filter: /^tar-fs$|^@balena\/dockerignore$/, why: "builds from a folder; the same" },
  { of: "docker-modem", filter: /^\.\/ssh$/, why: "knows no user's configuration; `docker system dial-stdio` does" },
  { of: "docker-modem", filter: /^https$/, why: "the same for TLS" },
  { of: "ssh2", filter: /^cpu-features$|\.node$/, why: "machine code, optional; Deno's own cryptography does it" },
  { of: "ssh2", filter: /^\.\/http-agents\.js$/, why: "requests by HTTP over a connection" },
  { of: "commander", filter: /^node:(child_process|fs)$/, why: "subcommands that are programs of their own" },
];

/**
 * Bundles the program with its libraries, images and templates into one JavaScript module.
 *
 * @param banner What to put before it.
 * @param entry Where the program begins; tests have their own.
 * @returns Its text.
 */
export async function bundle(banner: string, entry = `${root}/mod.ts`): Promise<string> {
  const modules = await Deno.makeTempDir({ prefix: "docker-mpi-build-" });
  try {
    await installModules(modules);
    const result = await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "esnext",
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: "eof",
      logLevel: "error",
      absWorkingDir: root,
      nodePaths: [`${modules}/node_modules`],
      banner: { js: banner + COMMONJS },
      plugins: [unused, lazyBuiltins, await embeddedAssets()],
    });
    return result.outputFiles[0]?.text ?? "";
  } finally {
    await esbuild.stop();
    await Deno.remove(modules, { recursive: true });
  }
}

/** esbuild looks for libraries in a `node_modules` folder: this makes one, of the locked versions, from Deno's cache. */
async function installModules(folder: string): Promise<void> {
  const { imports } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports, nodeModulesDir: "auto" }));
  await Deno.copyFile(`${root}/deno.lock`, `${folder}/deno.lock`).catch(() => {});
  const signal = AbortSignal.timeout(INSTALL_LIMIT_MS);
  const options = { args: ["install", "--quiet"], cwd: folder, env: { NO_COLOR: "1" }, signal };
  const { success, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  if (success) return;
  const reason = signal.aborted
    ? `it did not end within ${INSTALL_LIMIT_MS / 1000} s`
    : new TextDecoder().decode(stderr).trim();
  throw new MpiError("build", `Cannot install the libraries with \`deno install\`: ${reason}`);
}

const unused: esbuild.Plugin = {
  name: "unused",
  setup(build) {
    for (const { of, filter } of UNUSED) {
      build.onResolve(
        { filter },
        ({ path, importer }) =>
          importer.includes(`/${of}/`) ? { path, namespace: "unused", pluginData: of } : undefined,
      );
    }
    build.onLoad({ filter: /.*/, namespace: "unused" }, ({ path, pluginData: of }) => ({
      // ssh2 finds out by the error that there is no machine code; the others are never called.
      contents: of === "ssh2" && !path.startsWith("./http")
        ? `throw new Error(${JSON.stringify(`${path} is left out`)});`
        : "",
    }));
  },
};

/**
 * An `import` of a built-in module would load it at the start, some twenty milliseconds; here it waits for the first use of
 * what is in it. commander's classes are made of one at the start, and take that from a library of the same words.
 */
const lazyBuiltins: esbuild.Plugin = {
  name: "lazy-builtins",
  setup(build) {
    build.onResolve(
      { filter: /^node:events$/ },
      ({ importer, resolveDir }) =>
        importer.includes("commander") ? build.resolve("events/", { kind: "import-statement", resolveDir }) : undefined,
    );
    build.onResolve(
      { filter: /^node:/ },
      ({ path, kind }) => kind === "import-statement" ? { path, namespace: "builtin" } : { path, external: true },
    );
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      // esbuild gives an import the prototype of what it imports, and so this for its own.
      contents: `let it;
        const get = (_, name) => name === "__esModule" ? false : (it ??= require(${JSON.stringify(path)}))[name];
        module.exports = Object.create(new Proxy({}, { get }));`,
    }));
  },
};

/** Replaces the empty `cli/assets_embedded.ts` by the files themselves. */
async function embeddedAssets(): Promise<esbuild.Plugin> {
  const assets = checkoutAssets(root);
  const embedded: EmbeddedAsset[] = [];
  for (const folder of ASSET_FOLDERS) {
    for (const { path, mode, bytes } of await assets.tree(folder)) {
      embedded.push({ path: `${folder}/${path}`, mode, base64: bytes.toBase64() });
    }
  }
  return {
    name: "embedded-assets",
    setup(build) {
      build.onLoad({ filter: /\/cli\/assets_embedded\.ts$/ }, () => ({
        contents: `export const embedded = JSON.parse(${JSON.stringify(JSON.stringify(embedded))});`,
      }));
    },
  };
}
