import { SSH_PORT } from "../names.ts";
import { some } from "../text.ts";
import type { NodeStatus } from "./cluster.ts";

/** A reason why a node does not come up, and what to do about it. */
export interface Problem {
  /** The nodes that it keeps down. */
  nodes: string[];
  /** The swarm's own words. */
  error: string;
  /** The Docker hosts where it happened. */
  hosts: string[];
  /** What to do. */
  remedy: string;
  /** Whether waiting can't help, as far as one can tell. */
  final: boolean;
}

/** What the remedies name. */
export interface Subject {
  /** The cluster. */
  name: string;
  /** The port where its master is published. */
  port: number;
  /** The subnet of its network; empty if the swarm has given it none. */
  subnet?: string | undefined;
  /** How many Docker hosts take tasks: a swarm leaves a host alone where tasks fail, and tries others. */
  hosts?: number;
}

/** What to do where no host fits. */
const NO_PLACE =
  "docker node ls  # shows the hosts; ask for fewer workers, or loosen what placement: and stack: in mpi.yaml demand";

/** What to do where a network has no address left. */
const LARGER_NETWORK =
  "docker mpi rm NAME && docker mpi deploy --cluster NAME --subnet 10.20.0.0/16  # gives it a larger network of its own";

/** What we say of a node that stays in the first state of all: the swarm gives it an address there, and says nothing itself. */
const NO_ADDRESS = /no address in/;

/** What we say of a host that has joined since a deployment on the hosts' network, or that has another address. */
const NOT_TOLD = "has none of the addresses that the nodes were told";

/** What `mpi_bootstrap` means by its status, on the hosts' network. */
const STATUSES: Readonly<Record<string, string>> = {
  98: "address already in use: the port of its SSH server",
  68: NOT_TOLD,
};

/** So many tasks in one place that failed make a problem final, unless there are other hosts to go to. */
const ENOUGH_FAILURES = 3;

/**
 * What the swarm says, what it means for a user, and whether it may pass by itself. NAME, --cluster, PORT, HOST and IMAGE
 * are filled in.
 */
const REMEDIES: readonly { pattern: RegExp; remedy: string; final: boolean }[] = [
  {
    pattern: /no such image: (\S+@sha256:\S+)/i,
    remedy: "docker -H ssh://HOST pull IMAGE  # says why: no way to the registry, no space, or no login, " +
      "which docker mpi deploy --with-registry-auth sends",
    final: true,
  },
  {
    pattern: /no such image|pull access denied|manifest unknown|not found: manifest|No such image/i,
    remedy: "docker mpi build  # makes the image here; other hosts need it from a registry: docker mpi build --push",
    final: true,
  },
  {
    pattern: /port is already allocated|address already in use|host-mode port already in use/i,
    remedy:
      "docker mpi deploy --cluster NAME --port PORT  # takes another port; docker mpi ls shows the clusters there are",
    final: true,
  },
  {
    pattern: new RegExp(NOT_TOLD),
    remedy:
      "docker mpi deploy --cluster NAME  # tells the nodes of a host that has joined since; docker node inspect HOST shows " +
      "by which address the swarm knows it",
    final: true,
  },
  {
    pattern:
      /unable to find user|mpi_bootstrap.*(not found|no such file)|executable file not found|non-zero exit \(127\)/i,
    remedy:
      "The image must be built from one of ours: FROM docker-mpi/mpich:… or docker-mpi/openmpi:… in its Dockerfile",
    final: true,
  },
  {
    pattern: /addresses may be exhausted|missing network attachments/i,
    remedy: LARGER_NETWORK,
    final: true,
  },
  {
    pattern: /insufficient resources/i,
    remedy: NO_PLACE,
    final: false,
  },
  {
    pattern: /no suitable node/i,
    remedy: NO_PLACE,
    final: true,
  },
  {
    pattern: NO_ADDRESS,
    remedy: LARGER_NETWORK,
    final: false,
  },
  {
    pattern: /pool overlaps|overlaps with/i,
    remedy: "docker network ls  # shows the networks there; choose another network.subnet in mpi.yaml, then: " +
      "docker mpi rm NAME && docker mpi deploy --cluster NAME",
    final: true,
  },
  {
    pattern: /no space left on device/i,
    remedy: "docker system df  # on that host shows what fills it",
    final: false,
  },
  {
    pattern: /unhealthy container/i,
    remedy: "docker mpi logs NAME  # shows what the node said",
    final: false,
  },
  {
    pattern: /non-zero exit/i,
    remedy: "docker mpi logs NAME  # shows what the node said; docker mpi config shows what it is told to run",
    final: false,
  },
  {
    pattern: /invalid mount config|bind source path does not exist|mount.* failed/i,
    remedy: "docker mpi config  # shows the volumes; what they name must be on every host",
    final: false,
  },
];

/**
 * Tells in words why nodes do not come up.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { diagnose } from "./diagnose.ts";
 *
 * const task = { name: "master", state: "pending", host: "", since: "", task: "", container: "" };
 * const past = { failures: 0, lastError: "", failedHosts: [] };
 * const error = "no suitable node (host-mode port already in use on 1 node)";
 * const [problem] = diagnose([{ ...task, ...past, error }]);
 * assert.deepEqual(problem?.nodes, ["master"]);
 * assert.match(problem?.remedy ?? "", /--port/);
 * ```
 *
 * @param nodes How the nodes stand.
 * @param subject What the remedies are to name; none: they name the cluster of the project that one is in.
 * @returns One problem for each reason; none for nodes that run or are on their way.
 */
export function diagnose(nodes: readonly NodeStatus[], subject?: Subject): Problem[] {
  const faulty = nodes.filter(({ state }) => state !== "running").flatMap((node) => problemOf(node, subject));
  return [...Map.groupBy(faulty, ({ error }) => error)].map(([error, group]) => {
    const known = REMEDIES.find(({ pattern }) => pattern.test(error));
    const hosts = [...new Set(group.map(({ host }) => host).filter(Boolean))];
    const failedHosts = new Set(group.flatMap(({ node }) => node.failedHosts));
    const failsEverywhere = group.some(({ node }) => node.failures >= ENOUGH_FAILURES) &&
      failedHosts.size >= (subject?.hosts ?? 1);
    return {
      nodes: group.map(({ node }) => node.name),
      error,
      hosts,
      remedy: fillIn(
        known?.remedy ?? "docker mpi ps --no-trunc NAME  # shows all of it; docker mpi logs shows more",
        { subject, host: hosts[0], image: known?.pattern.exec(error)?.[1] },
      ),
      final: known?.final === true || failsEverywhere,
    };
  });
}

/** What is wrong with a node now, and where; else what was wrong with the last one in its place. */
function problemOf(
  node: NodeStatus,
  subject: Subject | undefined,
): { node: NodeStatus; error: string; host: string }[] {
  const now = shorten(node.error);
  if (now !== "") return [{ node, error: now, host: node.host }];
  const before = shorten(node.lastError);
  if (before !== "") return [{ node, error: before, host: node.failedHosts[0] ?? "" }];
  const address = addressProblem(node, subject);
  return address === "" ? [] : [{ node, error: address, host: "" }];
}

function addressProblem({ state }: NodeStatus, subject: Subject | undefined): string {
  if (state !== "new" || subject?.subnet === undefined) return "";
  return subject.subnet === ""
    ? "no address in the cluster's network: the swarm's address pool seems used up"
    : `no address in the cluster's network: its subnet ${subject.subnet} seems used up`;
}

/**
 * Takes out the ids and the layers that a message came through, which tell a user nothing and differ from node to node, and
 * puts words for a status of ours.
 */
function shorten(error: string): string {
  return error.replace(/endpoint join on GW Network failed: /g, "")
    .replace(/driver failed programming external connectivity on endpoint \S+( \([0-9a-f]{64}\))?: /g, "")
    .replace(/\bcontainer [0-9a-f]{64}: /g, "")
    .replace(/^task: non-zero exit \((\d+)\)$/, (said, status: string) => STATUSES[status] ?? said)
    .trim();
}

/** What a remedy is filled in with. */
interface Facts {
  subject: Subject | undefined;
  host: string | undefined;
  image: string | undefined;
}

function fillIn(remedy: string, { subject, host = "HOST", image = "" }: Facts): string {
  const named = subject === undefined
    ? remedy.replace(/( --cluster)? NAME\b/g, "")
    : remedy.replaceAll("NAME", subject.name);
  return named.replace("PORT", String((subject?.port ?? SSH_PORT) + 1)).replace("HOST", host).replace("IMAGE", image);
}

/**
 * A problem as one line: who, why, where.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeProblem } from "./diagnose.ts";
 *
 * const problem = { nodes: ["worker-1", "worker-2"], error: "no such image.", hosts: ["rack-1"], remedy: "", final: true };
 * assert.equal(describeProblem(problem), "worker-1, worker-2: no such image (on rack-1)");
 * assert.equal(describeProblem({ ...problem, hosts: [] }), "worker-1, worker-2: no such image");
 * ```
 *
 * @returns The line, without a full stop and without the remedy; of many nodes it names some.
 */
export function describeProblem({ nodes, error, hosts }: Problem): string {
  const who = some(nodes);
  return `${who}: ${error.trim().replace(/\.$/, "")}${hosts.length === 0 ? "" : ` (on ${hosts.join(", ")})`}`;
}
