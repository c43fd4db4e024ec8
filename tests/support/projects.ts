/** Small projects for tests on a real swarm, and what is left of their stacks. */
import { type Ended, eventually, expectOk, IMAGE, type World } from "./swarm.ts";

/** A directory of its own with an `mpi.yaml`, and other files. */
export async function project(yaml: string, files: Record<string, string> = {}) {
  const path = await Deno.makeTempDir({ prefix: "mpitest-" });
  for (const [name, text] of Object.entries({ "mpi.yaml": yaml, ...files })) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Deploys the project in a directory; shows no progress, so that the answer is the whole of standard error. */
export async function deploy(world: World, cwd: string, ...args: string[]): Promise<Ended> {
  return await world.docker(["mpi", "deploy", "--progress", "quiet", ...args], { cwd, seconds: 90 });
}

/** Takes away what a test made of a stack, at the end of its block. */
export function cleanUp(world: World, name: string): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      const label = `label=com.docker.stack.namespace=${name}`;
      // A network that a container is about to join is refused, and left.
      await eventually(`${name} is gone`, async () => {
        await world.docker(["stack", "rm", name]);
        const lists = [["ps", "-aq"], ["network", "ls", "-q"]];
        const left = await Promise.all(lists.map((list) => expectOk(world.docker([...list, "--filter", label]))));
        return left.every(({ stdout }) => stdout === "");
      });
    },
  };
}

/** All that the swarm has of a stack. */
export async function parts(world: World, name: string): Promise<string[]> {
  const label = `label=com.docker.stack.namespace=${name}`;
  const lists = [["service", "ls"], ["secret", "ls"], ["config", "ls"], ["network", "ls"]];
  const found = await Promise.all(
    lists.map((list) => expectOk(world.docker([...list, "--format", "{{.Name}} {{.ID}}", "--filter", label]))),
  );
  return found.flatMap(({ stdout }) => stdout.trim().split("\n").filter(Boolean)).sort();
}

/** What a deployment leaves that comes up, with so many nodes of one slot each. */
export const up = (nodes: number): Ended => ({
  code: 0,
  stdout: `Cluster "mpitest" answers: ${nodes} nodes, ${nodes} slots\n`,
  stderr: "",
});

/** What a command leaves that refuses. */
export const failure = (stderr: string, code = 1): Ended => ({ code, stdout: "", stderr });

/** An error of a deployment or a removal, as users are to get it. */
export const CLEAR = /^docker mpi (deploy|rm): [^\n]+\nhint: [^\n]+\n$/;

/** The settings of a cluster that comes up. */
export const SIMPLE = `name: mpitest\nimage: ${IMAGE}\nworkers: 1\n`;
