/** All that is measured, in the order of the table; what shares a cluster stands together. */
import { AGENT } from "./agent.ts";
import { CLI } from "./cli.ts";
import { COPY } from "./copy.ts";
import { DEPLOY } from "./deploy.ts";
import type { Family } from "./figure.ts";
import { IMAGES } from "./images.ts";
import { LAUNCH } from "./launch.ts";
import { MEMORY } from "./memory.ts";
import { NETWORK } from "./network.ts";
import { RUN } from "./run.ts";
import { SCALE } from "./scale.ts";
import { SHM } from "./shm.ts";
import { SIMULATION } from "./simulation.ts";

export const FAMILIES: Family[] = [
  CLI,
  IMAGES,
  DEPLOY,
  SCALE,
  AGENT,
  ...LAUNCH,
  COPY,
  RUN,
  MEMORY,
  ...SHM,
  NETWORK,
  SIMULATION,
];
