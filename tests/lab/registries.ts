/** The image registries on the lab's network: a plain one, and one that wants a password. */
import { must } from "../box/command.ts";
import { boxData } from "../box/words.ts";
import { GATEWAY } from "./network.ts";

/** A registry, as hosts reach it. */
export interface Registry {
  /** What stands before the names of its images. */
  address: string;
}

/** A registry that lets in who knows this. */
export interface PrivateRegistry extends Registry {
  user: string;
  password: string;
}

const PORT = 5000;
const PRIVATE_PORT = 5001;

/** Where both listen. */
export const REGISTRY_PORTS = [PORT, PRIVATE_PORT];

/** Open to all hosts. */
export const REGISTRY: Registry = { address: `${GATEWAY}:${PORT}` };

/** Closed. */
export const PRIVATE_REGISTRY: PrivateRegistry = {
  address: `${GATEWAY}:${PRIVATE_PORT}`,
  user: "lab",
  password: "open sesame",
};

/** The password's hash by bcrypt, the only one that the registry takes; made by `htpasswd -nbB lab 'open sesame'`. */
const HTPASSWD = "lab:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n";

/** Starts both, with their settings in a folder; their images are in the box's. */
export async function startRegistries(folder: string): Promise<void> {
  const settings = (data: string, port: number, auth: Record<string, unknown> = {}) => ({
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: `${boxData()}/${data}` } },
    http: { addr: `${GATEWAY}:${port}` },
    ...auth,
  });
  const auth = { htpasswd: { realm: "lab", path: `${folder}/htpasswd` } };
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/htpasswd`, HTPASSWD);
  // JSON is YAML too.
  await Deno.writeTextFile(`${folder}/open.yml`, JSON.stringify(settings("open", PORT)));
  await Deno.writeTextFile(`${folder}/closed.yml`, JSON.stringify(settings("closed", PRIVATE_PORT, { auth })));
  for (const name of ["open", "closed"]) {
    const script = 'exec docker-registry serve "$0.yml" >"$0.log" 2>&1 </dev/null';
    await must(["setsid", "--fork", "sh", "-c", script, `${folder}/${name}`]);
  }
}
