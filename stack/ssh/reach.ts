import type { Duplex } from "node:stream";
import { MpiError } from "../errors.ts";
import { openSsh, type SshConnection, SshRefusal, type SshTarget } from "./ssh.ts";

/**
 * How long the port may be silent before the way through the engine is tried as well, in milliseconds: longer than a packet
 * takes around the world, shorter than anybody minds.
 */
const HEAD_START = 300;

/** Makes a way to the master that needs no port of its host; nothing if there is none. */
export type OpenTunnel = () => Promise<Duplex | undefined>;

/**
 * Connects to the master: by its port, or, where that is closed or silent, by a tunnel, whichever is there first.
 *
 * Over the tunnel it is the same SSH: it takes the same key, and the same host key is asked for.
 *
 * @example A master whose port is closed, by another way
 * ```ts ignore
 * import assert from "node:assert/strict";
 * import { connect } from "node:net";
 * import { listClusters } from "../cluster/cluster.ts";
 * import { openEngine } from "../engine/engine.ts";
 * import { keyDirectory } from "../keys/key_store.ts";
 * import { findMaster } from "../master/master.ts";
 * import { reach } from "./reach.ts";
 *
 * const socketPath = "/var/run/docker.sock";
 * const engine = openEngine({ host: `unix://${socketPath}`, connection: { socketPath } });
 * const [info, clusters] = await Promise.all([engine.info(), listClusters(engine)]);
 * const cluster = clusters.find(({ name }) => name === "hello")!;
 * const keys = keyDirectory(Deno.env.get("DOCKER_CONFIG")!, info.clusterId, cluster.name);
 * const target = await findMaster({ engine, keys, vantage: { local: true } }, info, cluster);
 * const openTunnel = () => Promise.resolve(connect(target.port, target.host));
 * const master = await reach({ ...target, port: 1 }, openTunnel);
 * assert.deepEqual([master.tunnelled, (await master.capture("hostname")).stdout], [true, "master\n"]);
 * master.close();
 * ```
 *
 * @param target The master.
 * @param openTunnel Opens the other way; called only where it is needed.
 * @param signal Gives the attempt up.
 * @throws {MpiError} `ssh` if there is no way, or the master is not who it should be.
 */
export async function reach(target: SshTarget, openTunnel: OpenTunnel, signal?: AbortSignal): Promise<SshConnection> {
  const over = new AbortController();
  const until = AbortSignal.any([over.signal, ...(signal === undefined ? [] : [signal])]);
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const direct = openSsh(target, { signal: until, connected: resolve });
  if (!await isBarred(direct, connected)) return await direct;
  const attempts = [direct, tunnelled(target, openTunnel, until)];
  try {
    const first = await Promise.any(attempts);
    for (const attempt of attempts) attempt.then((other) => other === first || other.close(), () => {});
    return first;
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(target, (error as AggregateError).errors);
  } finally {
    over.abort(new MpiError("cancelled", "Another way was faster"));
  }
}

/** Whether nobody is at the port, or nobody within the head start: then another way is worth a try. */
async function isBarred(direct: Promise<unknown>, connected: Promise<void>): Promise<boolean> {
  const failed = direct.then(() => false, (error) => !(error instanceof SshRefusal));
  const { promise: late, resolve } = Promise.withResolvers<true>();
  const timer = setTimeout(() => resolve(true), HEAD_START);
  const soon = await Promise.race([late, failed, connected]).finally(() => clearTimeout(timer));
  return soon ?? await failed;
}

async function tunnelled(target: SshTarget, openTunnel: OpenTunnel, signal: AbortSignal): Promise<SshConnection> {
  signal.throwIfAborted();
  const transport = await openTunnel();
  if (transport !== undefined) return await openSsh(target, { signal, transport });
  throw new MpiError("ssh", "the engine runs no node of this cluster to go through");
}

/** What both ways say; a master that refuses has been reached, and says all. */
function unreachable({ host, port }: SshTarget, [direct, tunnel]: Error[]): Error {
  const refusal = [direct, tunnel].find((error) => error instanceof SshRefusal);
  if (refusal !== undefined) return refusal;
  const why = (error: Error | undefined) => error?.message.replace(/^The master does not answer at \S+: /, "");
  return new MpiError(
    "ssh",
    `The master does not answer at ${host}:${port}: ${why(direct)}; through the engine: ${why(tunnel)}`,
    {
      hint: `docker mpi ps  # shows how it is; if it runs, open port ${port}/tcp of ${host} to this machine`,
      cause: direct,
    },
  );
}
