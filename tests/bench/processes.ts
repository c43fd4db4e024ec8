/** What processes cost, by what Linux shows of them. */

import { must } from "../engine/command.ts";

/** The kernel's unit of CPU time, in a second. */
export const TICKS = 100;

/**
 * The CPU time of all processes of a session, and of their children that have ended, in the kernel's unit.
 *
 * @param stats Lines of /proc/PID/stat.
 * @param session Its number; none: of all.
 */
export function cpuTicks(stats: string, session?: string): number {
  let sum = 0;
  for (const line of stats.split("\n")) {
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    if (fields.length < 15 || (session !== undefined && fields[3] !== session)) continue;
    sum += fields.slice(11, 15).map(Number).reduce((one, other) => one + other, 0);
  }
  return sum;
}

/** The sum of the proportional set sizes in texts of /proc/PID/smaps_rollup, in megabytes. */
export function pssMb(text: string): number {
  const kilobytes = [...text.matchAll(/^Pss:\s+(\d+) kB/gm)].map((match) => Number(match[1]));
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024 / 1e6;
}

/**
 * The processes of a container, as this machine numbers them: inside, nobody may look into those of an SSH server.
 *
 * @param id The container's whole id, which its control groups are named after.
 */
export async function processesOf(id: string): Promise<number[]> {
  const files = await must(["find", "/sys/fs/cgroup", "-path", `*${id}*`, "-name", "cgroup.procs"]);
  for (const file of files.split("\n").filter((line) => line !== "")) {
    const pids = (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "").map(Number);
    if (pids.length > 0) return pids;
  }
  throw new Error(`no control group of this machine has processes of container ${id.slice(0, 12)}`);
}

/** The memory of processes, what they share counted in parts; in megabytes. Those that have ended have none. */
export async function memoryMb(pids: number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => Deno.readTextFile(`/proc/${pid}/smaps_rollup`).catch(() => "")));
  const sum = pssMb(texts.join("\n"));
  if (sum === 0) throw new Error("root alone sees the memory of processes");
  return sum;
}
