/**
 * Several real Docker hosts on one machine, for tests of what happens between hosts, and when one of them breaks.
 *
 * A command that is to be run as a user would has two places: on the manager, `lab.manager.exec([…])`, and elsewhere,
 * `lab.client.exec([…])`, from where the engine is reached over the network. With `lab.env` alone `docker` uses the
 * manager's socket, but ports that containers publish are not on this machine.
 *
 * @example A test that needs two hosts
 * ```ts ignore
 * import { labTest } from "./mod.ts";
 *
 * labTest("a host that is cut off comes back", async (lab) => {
 *   await lab.hosts[1]!.cut();
 *   await lab.hosts[1]!.heal();
 *   await lab.ready();
 * });
 * ```
 */
import { MAX_HOURS } from "../engine/hours.ts";
import { tell } from "../engine/tell.ts";
import { namesAt, removeLeftovers } from "../engine/traces.ts";
import { Lab, VARIABLE } from "./lab.ts";
import { labNeeds, startLab } from "./start.ts";

export { Lab } from "./lab.ts";
export type { Client, Place } from "./client.ts";
export type { Host, HostState } from "./host.ts";
export type { PrivateRegistry, Registry } from "./registries.ts";

/** A lab for the time of a block. */
export type OpenLab = Lab & AsyncDisposable;

/**
 * Takes up the lab that `MPI_LAB` names, or starts one.
 *
 * At the end of its block, a lab that others go on with is mended, and one that was started is ended.
 */
export async function openLab(hosts = 3): Promise<OpenLab> {
  const folder = Deno.env.get(VARIABLE);
  if (folder) {
    const lab = await Lab.at(namesAt(folder));
    if (lab.hosts.length < hosts) throw new Error(`the lab has ${lab.hosts.length} hosts, ${hosts} are needed`);
    return disposable(lab, () => lab.mend());
  }
  await removeLeftovers();
  const { lab, end } = await startLab({ hosts, hours: MAX_HOURS });
  return disposable(lab, end);
}

function disposable(lab: Lab, dispose: () => Promise<void>): OpenLab {
  return Object.assign(lab, { [Symbol.asyncDispose]: dispose });
}

const needs = await labNeeds();
if (needs !== undefined) tell(`SKIPPED: ${needs}`);

/** A test in the lab; where there can be none, it is skipped. */
export function labTest(
  name: string,
  body: (lab: Lab, context: Deno.TestContext) => Promise<void>,
  { hosts = 3 }: { hosts?: number } = {},
): void {
  Deno.test({
    name,
    ignore: needs !== undefined,
    fn: async (context) => {
      await using lab = await openLab(hosts);
      await body(lab, context);
    },
  });
}
