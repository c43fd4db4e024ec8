import { MpiError } from "../errors.ts";
import type { SshConnection } from "../ssh/ssh.ts";
import { brief } from "../text.ts";

/** A node that answers, as the master lists it. */
export interface Host {
  /** `master` or `worker-3`: its host name. */
  name: string;
  /** Its address in the cluster's network. */
  address: string;
  /** How many ranks it takes. */
  slots: number;
  /** The Docker host. */
  host: string;
}

/**
 * Reads the list that `mpi_hosts` prints.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseHosts } from "./hosts.ts";
 *
 * assert.deepEqual(parseHosts("master 10.0.1.2 4 rack-1\n"), [
 *   { name: "master", address: "10.0.1.2", slots: 4, host: "rack-1" },
 * ]);
 * ```
 */
export function parseHosts(text: string): Host[] {
  return text.split("\n").filter((line) => line !== "" && line !== ".").map((line) => {
    const [name = "", address = "", slots = "1", host = ""] = line.split(" ");
    return { name, address, slots: Number(slots), host };
  });
}

/**
 * Asks the master for the nodes that answer.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { listHosts } from "./hosts.ts";
 *
 * const said = { status: 0, stdout: "master 10.0.1.2 4 rack-1\n", stderr: "" };
 * const hosts = await listHosts({ capture: () => Promise.resolve(said) }, "hello");
 * assert.deepEqual(hosts, [{ name: "master", address: "10.0.1.2", slots: 4, host: "rack-1" }]);
 * const broken = { capture: () => Promise.resolve({ status: 1, stdout: "", stderr: "no hostfile" }) };
 * await assert.rejects(listHosts(broken, "hello"), /no hostfile/);
 * ```
 *
 * @param master A connection to it.
 * @param cluster The cluster's name.
 * @returns The nodes, as {@linkcode parseHosts} reads them.
 * @throws {MpiError} `cluster` with what it says, if it can't list them.
 */
export async function listHosts(master: Pick<SshConnection, "capture">, cluster: string): Promise<Host[]> {
  const { status, stdout, stderr } = await master.capture("exec mpi_hosts");
  requireList(cluster, status, stderr);
  return parseHosts(stdout);
}

function requireList(cluster: string, status: number, stderr: string): void {
  if (status === 0) return;
  throw new MpiError("cluster", `The master can't list its nodes: ${brief(stderr.trim(), 200) || `status ${status}`}`, {
    hint: `docker mpi logs ${cluster}  # shows what the master says`,
  });
}

/**
 * Follows the hostfile on the master.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Streams } from "../ssh/ssh.ts";
 * import { followHosts } from "./hosts.ts";
 *
 * const run = async (_command: string, { stdout }: Streams) => {
 *   await stdout(new TextEncoder().encode("master 10.0.1.2 4 rack-1\n.\nmaster 10.0.1.2 4 rack-1\nworker-1 "));
 *   await stdout(new TextEncoder().encode("10.0.1.3 4 rack-2\n.\n"));
 *   return { status: 0 };
 * };
 * const lists: string[] = [];
 * await followHosts({ run }, "hello", 2, (hosts) => void lists.push(hosts.map(({ name }) => name).join(" ")));
 * assert.deepEqual(lists, ["master", "master worker-1"]);
 * ```
 *
 * @param master A connection to it.
 * @param cluster The cluster's name.
 * @param until Ends when there are that many nodes; none: with the connection.
 * @param onList Called with each list.
 * @throws {MpiError} `cluster` with what the master says, if it can't list them.
 */
export async function followHosts(
  master: Pick<SshConnection, "run">,
  cluster: string,
  until: number | undefined,
  onList: (hosts: Host[]) => void | Promise<void>,
): Promise<void> {
  let [text, said] = ["", ""];
  const [decoder, errors] = [new TextDecoder(), new TextDecoder()];
  const command = until === undefined ? "exec mpi_hosts --follow" : `exec mpi_hosts --until ${until}`;
  const { status } = await master.run(command, {
    async stdout(chunk) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf("\n.\n"); end >= 0; end = text.indexOf("\n.\n")) {
        const list = text.slice(0, end + 1);
        text = text.slice(end + 3);
        await onList(parseHosts(list));
      }
    },
    stderr: (chunk) => Promise.resolve(void (said += errors.decode(chunk, { stream: true }))),
  });
  requireList(cluster, status, said);
}
