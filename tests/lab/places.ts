/** Which host of the lab each node of a test cluster is on. */
import { nodes } from "../support/nodes.ts";
import type { World } from "../support/swarm.ts";
import type { Host, Lab } from "./mod.ts";

/** Asks each engine where each node is. */
export async function places(lab: Lab, world: World): Promise<Map<string, Host>> {
  const names = new Map([...await nodes(world)].map(([name, { id }]) => [id, name]));
  const found = await Promise.all(lab.hosts.map(async (host) => {
    const { stdout } = await world.docker(["ps", "-q", "--no-trunc"], { env: host.env });
    return stdout.split("\n").flatMap((id) => names.has(id) ? [[names.get(id)!, host] as const] : []);
  }));
  return new Map(found.flat());
}
