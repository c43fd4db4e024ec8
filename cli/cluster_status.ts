import { takePicture } from "../stack/cluster/picture.ts";
import { MpiError } from "../stack/errors.ts";
import { type Answers, type ClusterStatus, clusterStatus } from "../stack/inspect/status.ts";
import { listHosts } from "../stack/master/hosts.ts";
import { type ClusterContext, onMaster } from "./cluster_context.ts";
import type { Deps } from "./deps.ts";

/** Asks the swarm and the master how a cluster is; that the master can't be asked is part of the answer. */
export async function askStatus(deps: Deps, context: ClusterContext): Promise<ClusterStatus> {
  const [answers, picture] = await Promise.all([
    askMaster(deps, context),
    takePicture(context.engine, context.cluster.name),
  ]);
  const status = clusterStatus(picture, answers);
  const problems = status.problems.map((problem) => ({ ...problem, remedy: deps.hint(problem.remedy) }));
  return { ...status, problems };
}

async function askMaster(deps: Deps, context: ClusterContext): Promise<Answers> {
  try {
    return { hosts: await onMaster(deps, context, (master) => listHosts(master, context.cluster.name)) };
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!(error instanceof MpiError)) throw error;
    return { error: error.message, remedy: error.hint ?? `docker mpi logs ${context.cluster.name}` };
  }
}
