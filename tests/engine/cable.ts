/** How a box reaches the outside: a cable (a veth pair) to the machine, and address translation there. */
import type { Box } from "./box.ts";
import { must } from "./command.ts";
import { type Names, startForwarding } from "./traces.ts";

/** Lays the cable, and lets the box's packets through and out under the machine's own address. */
export async function connectOutside(names: Names, box: Box): Promise<void> {
  const enter = box.network;
  await must(["ip", "link", "add", names.device, "type", "veth", "peer", "name", "eth0", "netns", String(box.pid)]);
  const { outside, inside, net } = await takeAddresses(names.device);
  await must(["ip", "link", "set", names.device, "up"]);
  await must([...enter, "ip", "link", "set", "lo", "up"]);
  await must([...enter, "ip", "address", "add", `${inside}/30`, "dev", "eth0"]);
  await must([...enter, "ip", "link", "set", "eth0", "up"]);
  await must([...enter, "ip", "route", "add", "default", "via", outside]);
  await startForwarding();
  const tag = ["-m", "comment", "--comment", names.tag];
  const iptables = ["iptables", "-w", "10"];
  await must([...iptables, "-t", "nat", "-A", "POSTROUTING", "-s", net, "!", "-d", net, ...tag, "-j", "MASQUERADE"]);
  await must([...iptables, "-I", "FORWARD", "-s", net, ...tag, "-j", "ACCEPT"]);
  await must([...iptables, "-I", "FORWARD", "-d", net, ...tag, "-j", "ACCEPT"]);
}

/** Gives the machine's end of the cable an address that no other has. */
async function takeAddresses(device: string): Promise<{ outside: string; inside: string; net: string }> {
  // Two runs must not choose the same. A lock on a folder that is there leaves nothing behind.
  using folder = await Deno.open("/var/tmp");
  await folder.lock(true);
  const addresses = await freeAddresses();
  await must(["ip", "address", "add", `${addresses.outside}/30`, "dev", device]);
  return addresses;
}

/** Four addresses of 198.18.0.0/16, which RFC 2544 gives to tests: no network that somebody uses has them. */
async function freeAddresses(): Promise<{ outside: string; inside: string; net: string }> {
  const taken = await must(["ip", "-4", "-oneline", "address", "show"]);
  for (let index = 0; index < 256; index++) {
    const base = `198.18.${index}.`;
    if (!taken.includes(` ${base}`)) return { outside: `${base}1`, inside: `${base}2`, net: `${base}0/30` };
  }
  throw new Error("all of 198.18.0.0/16 is taken\n  hint: ip address");
}
