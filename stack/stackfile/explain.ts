import { isJsonObject, type Json } from "../json.ts";
import type { StackFile } from "./stack_file.ts";
import { writeYaml } from "./yaml_write.ts";

/** Why each line is in the stack file; a star stands for any one key. */
const REASONS: Readonly<Record<string, string>> = {
  "version": "the oldest format that clients and engines from 20.10 on all know",
  "services.master": "where programs are started: the MPI master node",
  "services.worker": "the MPI worker nodes; what is as in the master has its reason there",
  "services.*.image": "by its digest in a registry, or by its id where one host has it: no other can take its place",
  "services.*.hostname": "the name in the hostfile; a replaced node keeps it",
  "services.*.user": "no root in the containers, sshd included",
  "services.*.init": "an init as first process reaps what ranks leave behind",
  "services.*.command": "makes the container a node, and becomes its SSH server",
  "services.*.cap_drop": "sshd and MPI need no capability",
  "services.*.environment": "public keys and settings; nothing in here is secret",
  "services.*.environment.MPI_AUTHORIZED_KEYS": "who may log in: to the master its users, to a worker the master",
  "services.*.environment.MPI_KNOWN_HOST_KEY": "the host key that the master asks of every worker",
  "services.*.environment.MPI_FORWARDING": "users reach TCP ports of the nodes by SSH, by forwarding in mpi.yaml",
  "services.*.environment.MPI_NODE": "the Docker host, filled in by the swarm",
  "services.*.labels": "changes with the image, so that a new one of the same name replaces the nodes",
  "services.*.secrets": "the private keys of this role, for its account alone (256 is 0400)",
  "services.*.networks": "ranks talk over this network only",
  "services.*.ports": "SSH to the master, on its own host: the one port that the cluster publishes",
  "services.*.volumes":
    "shared memory for messages between ranks of a node, of which a container has 64 MB by itself; and volumes in mpi.yaml",
  "services.*.healthcheck": "a node is found by the others once it is healthy, hence the short interval",
  "services.*.stop_grace_period": "nothing in a node needs longer to end",
  "services.worker.deploy.replicas": "by --workers, or workers in mpi.yaml; docker mpi scale changes it",
  "services.*.deploy.mode": "one worker on each host that may run it",
  "services.*.deploy.placement":
    "the hosts that may run it, by placement in mpi.yaml; on the hosts' network each node has one of its own",
  "services.*.deploy.endpoint_mode": "names lead to the nodes themselves: a virtual address would hide them",
  "services.*.deploy.labels": "by these docker mpi finds the cluster again, from any machine",
  "services.*.deploy.restart_policy": "a node that ends is replaced, and enters the hostfile again",
  "services.*.deploy.update_config": "all workers at once, and never two masters on one port",
  "services.*.environment.MPI_PORT": "sshd's own port, the same on every host: this network keeps nobody apart",
  "services.*.environment.MPI_HOST_ADDRESSES":
    "the hosts of the swarm, where nodes find each other; the master's first",
  "networks.cluster": "what joins the nodes, across all hosts",
  "networks.cluster.external": "the hosts' own network, by network.type in mpi.yaml",
  "networks.cluster.attachable": "nothing but the cluster gets in",
  "networks.cluster.driver_opts": "by network in mpi.yaml",
  "networks.cluster.ipam": "by network.subnet in mpi.yaml",
  "volumes": "by volumes in mpi.yaml",
  "secrets": "made by deploy before the stack, named by their content: they can't be changed in place",
};

/** A stack file, and what it is without `stack:` of the settings. */
export interface Preview {
  stack: StackFile;
  own: StackFile;
}

/**
 * Writes a stack file for people: YAML, with a comment that says why each line is there, the first time that it comes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { explainStack } from "./explain.ts";
 *
 * const own = { version: "3.8", services: { worker: { user: "mpi" } }, networks: {}, secrets: {} };
 * const stack = { ...own, services: { worker: { user: "mpi", tty: true } } };
 * const lines = explainStack({ stack, own }, "hello", "1.0.0").split("\n").map((line) => line.trim());
 * assert.equal(lines[lines.indexOf("user: mpi") - 1], "# no root in the containers, sshd included");
 * assert.equal(lines[lines.indexOf("tty: true") - 1], "# by stack: in mpi.yaml");
 * ```
 *
 * @param preview The stack file.
 * @param name The cluster.
 * @param version The version of `docker mpi`.
 * @returns The text, ending in a line end.
 */
export function explainStack({ stack, own }: Preview, name: string, version: string): string {
  const said = new Set<string>();
  const once = (reason: string | undefined) => {
    if (reason === undefined || said.has(reason)) return undefined;
    said.add(reason);
    return reason;
  };
  const commentOf = (path: readonly string[]): string | undefined => {
    const from = origin(own, stack, path);
    if (from === undefined || from === "fragment") return from && ADDED;
    const reason = once(reasonOf(path));
    return from === "own" ? reason : [reason, ADDED].filter(Boolean).join("; and ");
  };
  const heading = `The stack file of cluster ${name}, as docker mpi ${version} deploys it`;
  return writeYaml(stack, commentOf, heading);
}

const ADDED = "by stack: in mpi.yaml";

function reasonOf(path: readonly string[]): string | undefined {
  return REASONS[path.join(".")] ?? REASONS[path.map((key, at) => at === 1 ? "*" : key).join(".")];
}

/** Where what stands at a path is from; nothing for what is inside a list, or inside what is the fragment's as a whole. */
function origin(own: Json, stack: Json, path: readonly string[]): "own" | "fragment" | "both" | undefined {
  const [key, ...rest] = path;
  if (key === undefined) {
    if (isJsonObject(own) && isJsonObject(stack)) return "own";
    if (JSON.stringify(own) === JSON.stringify(stack)) return "own";
    return Array.isArray(own) && Array.isArray(stack) ? "both" : "fragment";
  }
  if (!isJsonObject(own) || !isJsonObject(stack)) return undefined;
  if (!Object.hasOwn(own, key)) return rest.length === 0 ? "fragment" : undefined;
  return origin(own[key]!, stack[key]!, rest);
}
