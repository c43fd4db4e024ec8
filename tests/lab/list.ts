/** How the hosts of a lab are. */
import { run } from "../box/command.ts";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";

/** How long an engine may take for an answer; one that hangs says nothing. */
const ANSWER_SECONDS = 5;

const HEADINGS = ["NAME", "ADDRESS", "STATE", "ENGINE", "SWARM", "CONTAINERS"];

/** A line for each host: its state as the lab knows it, its engine's word, and the swarm's on it. */
export async function table(lab: Lab): Promise<string> {
  const swarm = await swarmStates(lab.manager);
  const row = async (host: Host) => {
    const said = await ask(host, "info", "--format", "{{.ServerVersion}} {{.ContainersRunning}}");
    const [engine = "-", containers = "-"] = said.split(" ").filter((word) => word !== "");
    return [host.name, host.address, await host.state(), engine, swarm.get(host.name) ?? "-", containers];
  };
  return aligned([HEADINGS, ...await Promise.all(lab.hosts.map(row))]);
}

/** Each host's state in the eyes of the manager: the last word that it has of a host that joined twice. */
async function swarmStates(manager: Host): Promise<Map<string, string>> {
  const list = await ask(manager, "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}");
  const lines = list.split("\n").filter((line) => line !== "").map((line) => line.trim().toLowerCase().split(" "));
  return new Map(lines.map(([name = "", ...words]) => [name, words.join(", ")]));
}

async function ask(host: Host, ...args: string[]): Promise<string> {
  const { code, stdout } = await run(["docker", ...args], { env: host.env, seconds: ANSWER_SECONDS });
  return code === 0 ? stdout.trim() : "";
}

/** Lines whose columns stand below each other. */
export function aligned(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]! + 3)).join("").trimEnd()).join("\n");
}
