/**
 * The labels by which a cluster is found in a swarm, without any file of the user's.
 *
 * Those without another place are on the services (`image` on the containers, so that another image under the same name
 * replaces them); the network has `cluster`. Docker itself adds {@linkcode STACK_LABEL} to everything.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { LABELS } from "./labels.ts";
 *
 * const filter = { label: [`${LABELS.role}=master`] };
 * assert.deepEqual(filter, { label: ["docker-mpi.role=master"] });
 * ```
 */
export const LABELS = {
  /** `master` or `worker`. */
  role: "docker-mpi.role",
  /** The cluster's name, the same as the stack's. */
  cluster: "docker-mpi.cluster",
  /** The version of `docker mpi` that deployed it. */
  version: "docker-mpi.version",
  /** Ranks a node takes: a number, or `auto`. */
  slots: "docker-mpi.slots",
  /** The fingerprint of the user's key, `SHA256:…`: tells which of the keys on this machine opens it. */
  userKey: "docker-mpi.user-key",
  /** On the master, if more keys than the owner's open it: all of them, public key lines, the owner's first. */
  userKeys: "docker-mpi.user-keys",
  /** On the master: the port of its host where SSH answers. */
  port: "docker-mpi.port",
  /** Whether nodes are on a network of the cluster's own, or on their hosts': `overlay` or `host`. */
  network: "docker-mpi.network",
  /** On the master: its SSH host key, a public key line, which clients pin. */
  hostKey: "docker-mpi.host-key",
  /** The image's name, as the settings have it. */
  imageName: "docker-mpi.image-name",
  /** On the containers: the id of the image, `sha256:…`. */
  image: "docker-mpi.image",
  /** On our own images, and on those built from them: their MPI, see {@linkcode Implementation}. */
  mpi: "docker-mpi.mpi",
  /** On images that `docker mpi` has built from a project: the name in its settings. */
  project: "docker-mpi.project",
  /** On our own images: a digest of the files that they are made from. */
  context: "docker-mpi.context",
} as const;

/** The label that `docker stack` gives to all that belongs to a stack; `docker stack rm` goes by it. */
export const STACK_LABEL = "com.docker.stack.namespace";
