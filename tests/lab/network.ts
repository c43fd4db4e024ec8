/**
 * The lab's network: a switch in a box of its own, where no other engine's firewall swallows frames, and what is plugged
 * into it. Its addresses exist only inside of the lab, so every lab has the same.
 */
import { type Box, recordedBox } from "../engine/box.ts";
import { connectOutside } from "../engine/cable.ts";
import { must, run } from "../engine/command.ts";
import type { Names } from "../engine/traces.ts";

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

/** The switch of a lab. */
export class Switch {
  constructor(readonly folder: string) {}

  /** Makes the switch in its box, with the way out. */
  static async lay(names: Names, box: Box): Promise<void> {
    await connectOutside(names, box);
    const type = (...words: string[]) => must([...box.network, ...words]);
    // Of its own: otherwise it has that of one of its ports, and another one when that goes.
    await type("ip", "link", "add", BRIDGE, "address", hardwareOf(GATEWAY), "type", "bridge");
    await type("ip", "address", "add", `${GATEWAY}/24`, "dev", BRIDGE);
    await type("ip", "link", "set", BRIDGE, "up");
    await type("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward");
    const leaving = ["-s", NETWORK, "!", "-d", NETWORK];
    await type("iptables", "-w", "10", "-t", "nat", "-A", "POSTROUTING", ...leaving, "-j", "MASQUERADE");
  }

  /** Plugs a box in; like a real machine, it has the same hardware address each time. */
  async plug(box: Box, { name, address }: Plugged): Promise<void> {
    await this.unplug(name);
    const peer = ["peer", "name", "eth0", "address", hardwareOf(address), "netns", String(box.pid)];
    await this.#type("ip", "link", "add", name, "type", "veth", ...peer);
    await this.#type("ip", "link", "set", name, "master", BRIDGE, "up");
    await must([...box.network, "ip", "link", "set", "lo", "up"]);
    await must([...box.network, "ip", "address", "add", `${address}/24`, "dev", "eth0"]);
    await must([...box.network, "ip", "link", "set", "eth0", "up"]);
    await must([...box.network, "ip", "route", "add", "default", "via", GATEWAY]);
  }

  /** Takes a port away, if it is there. */
  async unplug(name: string): Promise<void> {
    await run([...await this.#enter(), "ip", "link", "delete", name]);
  }

  /**
   * Has the switch drop what comes from and goes to a port. Nobody is told: the host sees a link that is up, as it does
   * when a switch further away fails.
   */
  async cut(name: string): Promise<void> {
    await this.#type("bridge", "link", "set", "dev", name, "state", "disabled");
  }

  /** Has the switch pass everything again. */
  async heal(name: string): Promise<void> {
    await this.#type("bridge", "link", "set", "dev", name, "state", "forwarding");
  }

  /** Whether that port drops everything. */
  async isCut(name: string): Promise<boolean> {
    return /\bstate disabled\b/.test(await this.#type("bridge", "link", "show", "dev", name));
  }

  /** Whether something listens at that port of the gateway. */
  async listens(port: number): Promise<boolean> {
    return await this.#type("ss", "--no-header", "--listening", "--tcp", "--numeric", `sport = :${port}`) !== "";
  }

  async #type(...words: string[]): Promise<string> {
    return await must([...await this.#enter(), ...words]);
  }

  async #enter(): Promise<string[]> {
    const box = await recordedBox(this.folder);
    if (box === undefined) throw new Error(`there is no switch in ${this.folder}`);
    return box.network;
  }
}
