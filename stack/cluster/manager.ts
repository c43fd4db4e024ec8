import type { Engine, EngineInfo } from "../engine/swarm.ts";
import { MpiError } from "../errors.ts";

/**
 * Makes sure that services can be made through this engine.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { requireManager } from "./manager.ts";
 *
 * const engine = (swarm: string, manager: boolean) => {
 *   const info = { swarm, manager, clusterId: "c1", managers: ["10.0.0.1:2377"] };
 *   return { info: () => Promise.resolve(info) } as unknown as Engine;
 * };
 * assert.equal((await requireManager(engine("active", true))).clusterId, "c1");
 * await assert.rejects(requireManager(engine("inactive", false)), { code: "swarm", hint: "docker swarm init" });
 * await assert.rejects(requireManager(engine("active", false)), { hint: "docker -H ssh://10.0.0.1 mpi ls" });
 * ```
 *
 * @throws {MpiError} `swarm` if not, with what to type.
 */
export async function requireManager(engine: Engine): Promise<EngineInfo> {
  const info = await engine.info();
  if (info.swarm === "active" && info.manager) return info;
  if (info.swarm === "active") {
    const managers = info.managers.join(", ");
    throw new MpiError("swarm", `This engine is a worker of its swarm; the managers are: ${managers}`, {
      hint: `docker -H ssh://${info.managers[0]?.replace(/:\d+$/, "") ?? "MANAGER"} mpi ls`,
    });
  }
  if (info.swarm === "locked") {
    throw new MpiError("swarm", "The swarm is locked", { hint: "docker swarm unlock" });
  }
  if (info.swarm === "inactive") {
    throw new MpiError("swarm", "The Docker engine is in no swarm", { hint: "docker swarm init" });
  }
  throw new MpiError("swarm", `The engine's swarm is "${info.swarm}"; it must be active`, {
    hint: "docker info  # shows why",
  });
}
