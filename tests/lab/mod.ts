/**
 * Several real Docker hosts on one machine, for tests of what happens between hosts, and when one of them breaks.
 *
 * A command that is to be run as a user would has two places: on the manager, `lab.manager.exec([…])`, and elsewhere,
 * `lab.client.exec([…])`, from where the engine is reached over the network. With `lab.env` alone `docker` uses the
 * manager's socket, but ports that containers publish are not on 127.0.0.1.
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
import { Lab } from "./lab.ts";

export { Lab } from "./lab.ts";
export type { Client, Place } from "./client.ts";
export type { Host, HostState } from "./host.ts";
export type { PrivateRegistry, Registry } from "./registries.ts";

/** A test in the lab of this box, which is mended after it. */
export function labTest(name: string, body: (lab: Lab, context: Deno.TestContext) => Promise<void>): void {
  Deno.test(name, async (context) => {
    const lab = await Lab.open();
    try {
      await body(lab, context);
    } finally {
      await lab.mend();
    }
  });
}
