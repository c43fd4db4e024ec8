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

/** Looks up what the swarm has of a stack. */
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

/** Those of a stack that are ours. Where it has services and none is, it is a stack of somebody else, with what we once left in it. */
export function ownParts(parts: Parts, name: string): Parts {
  const isOurs = ({ labels }: Labelled) => labels[LABELS.cluster] === name;
  if (parts.services.length === 0 || parts.services.some(isOurs)) return parts;
  const { networks, secrets, configs } = parts;
  return {
    services: [],
    networks: networks.filter(isOurs),
    secrets: secrets.filter(isOurs),
    configs: configs.filter(isOurs),
  };
}

/** The parts in one list. */
export function allParts({ services, networks, secrets, configs }: Parts): (Service | Network | Labelled)[] {
  return [...services, ...networks, ...secrets, ...configs];
}

/**
 * Finds the names of all stacks that something of ours is in, down to what an interrupted command left.
 *
 * A deployment begins with the secrets, and a removal ends with them, so that nothing is ever left without a trace.
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
