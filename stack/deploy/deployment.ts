import type { DockerCli } from "../engine/docker_cli.ts";
import type { Engine } from "../engine/swarm.ts";
import type { ResolveImage } from "../image/distribution.ts";
import type { Vantage } from "../master/master.ts";
import type { Settings } from "../settings/settings.ts";

/** What a deployment is to come to. */
export interface DeploymentPlan {
  /** The engine. */
  engine: Engine;
  /** Docker's configuration directory, where the user's keys are kept. */
  configDir: string;
  /** What the cluster is to be like. */
  settings: Settings;
  /** Whether all keys are to be new. */
  rotateKeys: boolean;
  /** Public keys that are to open the cluster as well, lines of `.pub` files. */
  addKeys?: readonly string[];
  /** Whether other hosts get the image from its registry, or have it already. */
  resolveImage: ResolveImage;
  /** The version of `docker mpi`. */
  version: string;
}

/** What a deployment works with. */
export interface Deployment extends DeploymentPlan {
  /** Where the engine is. */
  vantage: Vantage;
  /** The project's directory, where relative paths of `stack:` start from; none: the working directory. */
  directory?: string;
  /** The user's `docker`. */
  docker: DockerCli;
  /** Whether the nodes' engines get the user's registry login. */
  registryAuth: boolean;
  /** Whether it is enough that the swarm has been told: nobody waits for nodes, and old keys stay until the next time. */
  detach?: boolean;
}
