import type { Engine, Labelled, Network, Service } from "../engine/swarm.ts";
import { LABELS } from "../labels.ts";
import { stackLabel } from "./cluster.ts";

/** All that the swarm has of a stack, whole or half. */
export interface Parts {
  /** Its services. */
  services: Service[];
  /** Its networks. */
  networks: Network[];
  /** Its secrets. */
  secrets: Labelled[];
  /** Its configs. */
  configs: Labelled[];
}

/**
 * Looks up what the swarm has of a stack.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { partsOf } from "./parts.ts";
 *
 * const secret = { id: "k1", name: "hello_key", labels: {}, createdAt: "" };
 * const none = () => Promise.resolve([]);
 * const secrets = (label: string) => Promise.resolve(label === "com.docker.stack.namespace=hello" ? [secret] : []);
 * const engine = { services: none, networks: none, secrets, configs: none } as unknown as Engine;
 * assert.deepEqual(await partsOf(engine, "hello"), { services: [], networks: [], secrets: [secret], configs: [] });
 * assert.deepEqual((await partsOf(engine, "cfd")).secrets, []);
 * ```
 */
export async function partsOf(engine: Engine, name: string): Promise<Parts> {
  const label = stackLabel(name);
  const [services, networks, secrets, configs] = await Promise.all([
    engine.services([label]),
    engine.networks(label),
    engine.secrets(label),
    engine.configs(label),
  ]);
  return { services, networks, secrets, configs };
}

/**
 * Those of a stack that are ours. Where it has services of somebody else too, only what bears our label is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ownParts } from "./parts.ts";
 *
 * const rest = { image: "web", secretIds: [], volumes: [], ports: [], constraints: [], maxPerNode: undefined, replicas: 1 };
 * const web = { ...rest, id: "s1", name: "hello_web", labels: {}, update: undefined, createdAt: "" };
 * const key = { id: "k1", name: "hello_key", labels: { "docker-mpi.cluster": "hello" }, createdAt: "" };
 * const parts = { services: [web], networks: [], secrets: [key, { ...key, id: "k2", labels: {} }], configs: [] };
 * assert.deepEqual(ownParts(parts, "hello"), { services: [], networks: [], secrets: [key], configs: [] });
 * assert.deepEqual(ownParts({ ...parts, services: [] }, "hello"), { ...parts, services: [] });
 * ```
 *
 * @param parts All that the swarm has of the stack.
 * @param name The cluster's name, which is the stack's.
 * @returns All of it, if all of its services are ours or it has none; otherwise what has our label.
 */
export function ownParts(parts: Parts, name: string): Parts {
  const isOurs = ({ labels }: Labelled) => labels[LABELS.cluster] === name;
  if (parts.services.every(isOurs)) return parts;
  const { services, networks, secrets, configs } = parts;
  return {
    services: services.filter(isOurs),
    networks: networks.filter(isOurs),
    secrets: secrets.filter(isOurs),
    configs: configs.filter(isOurs),
  };
}

/**
 * The parts in one list.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { allParts } from "./parts.ts";
 *
 * const [secret, config] = ["k1", "c1"].map((id) => ({ id, name: id, labels: {}, createdAt: "" }));
 * assert.ok(secret && config);
 * assert.deepEqual(allParts({ services: [], networks: [], secrets: [secret], configs: [config] }), [secret, config]);
 * ```
 *
 * @returns Services, networks, secrets, then configs.
 */
export function allParts({ services, networks, secrets, configs }: Parts): (Service | Network | Labelled)[] {
  return [...services, ...networks, ...secrets, ...configs];
}

/**
 * Finds the names of all stacks that something of ours is in, down to what an interrupted command left.
 *
 * A deployment begins with the secrets, and a removal ends with them, so that nothing is ever left without a trace.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Engine } from "../engine/swarm.ts";
 * import { stackNames } from "./parts.ts";
 *
 * const of = (...names: string[]) => {
 *   const found = names.map((name) => ({ labels: { "docker-mpi.cluster": name } }));
 *   return () => Promise.resolve(found);
 * };
 * const engine = { services: of("hello", "hello"), networks: of("hello"), secrets: of("cfd") } as unknown as Engine;
 * assert.deepEqual(await stackNames(engine), ["cfd", "hello"]);
 * ```
 */
export async function stackNames(engine: Engine): Promise<string[]> {
  const [services, networks, secrets] = await Promise.all([
    engine.services([LABELS.cluster]),
    engine.networks(LABELS.cluster),
    engine.secrets(LABELS.cluster),
  ]);
  const names = [...services, ...networks, ...secrets].map(({ labels }) => labels[LABELS.cluster] ?? "");
  return [...new Set(names)].filter((name) => name !== "").sort();
}
