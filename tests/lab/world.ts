/** The installed plugin on the lab: its client is a machine of its own, and its image comes from the lab's registry. */
import { openWorld, type Place, type World } from "../support/swarm.ts";
import type { Lab } from "./mod.ts";

/** Opens the world of a lab; the first of a run builds the image and pushes it. */
export async function openLabWorld(lab: Lab, mpi: Place["mpi"] = "mpich"): Promise<World> {
  return await openWorld({
    mpi,
    enter: lab.enter,
    env: lab.client.env,
    engines: lab.hosts.map(({ env }) => env),
    image: `${lab.registry.address}/mpitest:latest`,
  });
}

/** The same without a registry: clusters run the image of the hello project, which every host of the lab starts with. */
export async function openSeededWorld(lab: Lab): Promise<World> {
  return await openWorld({
    mpi: "mpich",
    enter: lab.enter,
    env: lab.client.env,
    engines: lab.hosts.map(({ env }) => env),
    image: "seed:mpich",
    everywhere: true,
  });
}
