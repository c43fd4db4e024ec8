/** Starting the lab of a box; it ends with the box. */
import { must, poll } from "../box/command.ts";
import { needPrograms } from "../box/packages.ts";
import { tell } from "../box/tell.ts";
import { writeDoors } from "./doors.ts";
import type { Host } from "./host.ts";
import { FOLDER, Lab, type LabRecord } from "./lab.ts";
import { startMachine } from "./machine.ts";
import { CLIENT, Switch } from "./network.ts";
import { REGISTRY_PORTS, startRegistries } from "./registries.ts";

/** More than that is too much for one machine. */
export const MAX_HOSTS = 6;

/** Programs that a lab needs besides those of a box, with their packages. */
export const LAB_PROGRAMS = {
  bridge: "iproute2",
  ss: "iproute2",
  "docker-registry": "docker-registry",
  openssl: "openssl",
  sshd: "openssh-server",
  ssh: "openssh-client",
};

/** Starts it. */
export async function startLab(hosts: number): Promise<Lab> {
  const begin = Date.now();
  await needPrograms(LAB_PROGRAMS);
  const record: LabRecord = { hosts };
  await Deno.mkdir(FOLDER);
  await Deno.writeTextFile(`${FOLDER}/lab.json`, JSON.stringify(record));
  await layNetwork();
  const lab = await Lab.open();
  await Promise.all(lab.hosts.map(async (host) => {
    await host.write();
    if (host === lab.manager) await writeDoors(host);
    await host.start();
  }));
  await joinUp(lab);
  tell(`lab: ${hosts} hosts, ready in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  return lab;
}

/** The switch, with the registries, and the client's place. */
async function layNetwork(): Promise<void> {
  await Switch.lay();
  await startRegistries(`${FOLDER}/registries`);
  const folder = `${FOLDER}/${CLIENT.name}`;
  await Deno.mkdir(folder);
  await startMachine({
    folder,
    command: ["sleep", "infinity"],
    connect: (machine) => Switch.plug(machine, CLIENT),
  });
  for (const port of REGISTRY_PORTS) {
    await poll(`a registry at port ${port}`, () => Switch.listens(port), { seconds: 10 });
  }
}

/** Makes one swarm of the hosts. */
async function joinUp(lab: Lab): Promise<void> {
  const swarm = (host: Host, ...words: string[]) => must(["docker", "swarm", ...words], { env: host.env });
  const { manager } = lab;
  await swarm(manager, "init", "--advertise-addr", manager.address);
  const token = (await swarm(manager, "join-token", "--quiet", "worker")).trim();
  const join = (host: Host) =>
    swarm(host, "join", "--token", token, "--advertise-addr", host.address, `${manager.address}:2377`);
  await Promise.all(lab.hosts.slice(1).map(join));
  await lab.ready();
}
