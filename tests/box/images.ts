/** Images that a run makes on an engine which stays. */
import { must, run } from "./command.ts";
import type { Ending } from "./ending.ts";

/** Removes at the end what the run has added: our own base images, and images whose name begins with `prefix`. */
export async function removeNewImages(prefix: string, env: Record<string, string>, ending: Ending): Promise<void> {
  const list = async () => {
    const all = await must(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], { env });
    return all.split("\n").filter((name) => name.startsWith(prefix) || name.startsWith("docker-mpi/"));
  };
  const before = await list();
  ending.defer("remove the images that were made", async () => {
    const made = (await list()).filter((image) => !before.includes(image));
    if (made.length > 0) await run(["docker", "image", "rm", ...made], { env, seconds: 120 });
  });
}
