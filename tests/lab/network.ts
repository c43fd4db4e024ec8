/**
 * The lab's network: a switch in the box's own namespace, where no engine's firewall swallows frames, and what is plugged
 * into it. Its addresses exist only inside of the box, so every lab has the same.
 */
import { must, run } from "../box/command.ts";
import type { Machine } from "./machine.ts";

/** Of the half of 198.18.0.0/15, which RFC 2544 gives to tests, that the cables to the outside leave free. */
export const NETWORK = "198.19.0.0/24";

/** The switch's own: the way out, and where the registries answer. */
export const GATEWAY = "198.19.0.254";

/** Where the manager's engine answers the client, by TLS, and nobody else. */
export const ENGINE_PORT = 2376;

const BRIDGE = "lab0";

/** Something that is plugged in; its name is that of its port. */
export interface Plugged {
  name: string;
  address: string;
}

/** Where commands of a user run, and tests. */
export const CLIENT: Plugged = { name: "client", address: "198.19.0.253" };

/** The hosts of a lab of that size. */
export function hostsOf(count: number): Plugged[] {
  return Array.from({ length: count }, (_, index) => ({ name: `host${index + 1}`, address: `198.19.0.${index + 1}` }));
}

/** The hardware address that goes with one of the lab's addresses. */
export function hardwareOf(address: string): string {
  return `02:6d:70:69:00:${Number(address.split(".").at(-1)).toString(16).padStart(2, "0")}`;
}

/** The switch. */
export const Switch = {
  /** Makes it, with the way out. */
  async lay(): Promise<void> {
    // Of its own: otherwise it has that of one of its ports, and another one when that goes.
    await must(["ip", "link", "add", BRIDGE, "address", hardwareOf(GATEWAY), "type", "bridge"]);
    await must(["ip", "address", "add", `${GATEWAY}/24`, "dev", BRIDGE]);
    await must(["ip", "link", "set", BRIDGE, "up"]);
    await Deno.writeTextFile("/proc/sys/net/ipv4/ip_forward", "1");
    const leaving = ["-s", NETWORK, "!", "-d", NETWORK];
    await must(["iptables", "-w", "10", "-t", "nat", "-A", "POSTROUTING", ...leaving, "-j", "MASQUERADE"]);
  },

  /** Plugs a machine in; like a real one, it has the same hardware address each time. */
  async plug(machine: Machine, { name, address }: Plugged): Promise<void> {
    await Switch.unplug(name);
    const peer = ["peer", "name", "eth0", "address", hardwareOf(address), "netns", String(machine.pid)];
    await must(["ip", "link", "add", name, "type", "veth", ...peer]);
    await must(["ip", "link", "set", name, "master", BRIDGE, "up"]);
    await must([...machine.network, "ip", "link", "set", "lo", "up"]);
    await must([...machine.network, "ip", "address", "add", `${address}/24`, "dev", "eth0"]);
    await must([...machine.network, "ip", "link", "set", "eth0", "up"]);
    await must([...machine.network, "ip", "route", "add", "default", "via", GATEWAY]);
  },

  /** Takes a port away, if it is there. */
  async unplug(name: string): Promise<void> {
    await run(["ip", "link", "delete", name]);
  },

  /**
   * Has the switch drop what comes from and goes to a port. Nobody is told: the host sees a link that is up, as it does
   * when a switch further away fails.
   */
  async cut(name: string): Promise<void> {
    await must(["bridge", "link", "set", "dev", name, "state", "disabled"]);
  },

  /** Has the switch pass everything again. */
  async heal(name: string): Promise<void> {
    await must(["bridge", "link", "set", "dev", name, "state", "forwarding"]);
  },

  /** Whether that port drops everything. */
  async isCut(name: string): Promise<boolean> {
    return /\bstate disabled\b/.test(await must(["bridge", "link", "show", "dev", name]));
  },

  /** Whether something listens at that port of the gateway. */
  async listens(port: number): Promise<boolean> {
    return await must(["ss", "--no-header", "--listening", "--tcp", "--numeric", `sport = :${port}`]) !== "";
  },
};
