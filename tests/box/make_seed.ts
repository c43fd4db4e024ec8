/**
 * `make_seed.ts FOLDER MPI…`, in a box: makes an engine's data folder with the images of these MPIs.
 *
 * The plugin itself builds them, from the hello project, as it does for a user.
 */
import { needBaseImage } from "./base_image.ts";
import { must } from "./command.ts";
import { main } from "./ending.ts";
import { onlyEngine, startEngine } from "./engine.ts";

const BUILD_SECONDS = 600;

async function makeSeed([folder = "", ...mpis]: string[]): Promise<number> {
  const engine = await startEngine({ ...onlyEngine(), data: folder });
  await needBaseImage();
  const env = { DOCKER_CONFIG: "/srv/docker-config" };
  const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  await must([Deno.execPath(), "task", "--quiet", "install"], { cwd: root, env, seconds: 180 });
  await must(["docker", "mpi", "init", "/srv/hello"], { env });
  for (const mpi of mpis) {
    const image = ["--image", `seed:${mpi}`];
    await must(["docker", "mpi", "build", "--mpi", mpi, ...image], { cwd: "/srv/hello", env, seconds: BUILD_SECONDS });
  }
  await engine.stop();
  return 0;
}

if (import.meta.main) await main("seed", () => makeSeed(Deno.args));
