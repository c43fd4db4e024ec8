/** The machine that was measured on. */
import { run } from "../engine/command.ts";

/** What to know of it when one reads the figures. */
export interface Machine {
  cpu: string;
  cpus: number;
  memoryGb: number;
  kernel: string;
  system: string;
  engine: string;
  client: string;
  /** The load averages over one minute, at the beginning and at the end: above the suite's own, something else ran. */
  load: number[];
}

/** Describes this machine; engine and client where they were used. */
export async function describeMachine(env: Record<string, string> | undefined): Promise<Machine> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  const release = await Deno.readTextFile("/etc/os-release").catch(() => "");
  const ask = async (format: string) => {
    if (env === undefined) return "not used";
    const { code, stdout } = await run(["docker", "version", "--format", format], { env });
    return code === 0 ? stdout.trim() : "unknown";
  };
  return {
    cpu: /^model name\s*: (.+)$/m.exec(cpuinfo)?.[1] ?? Deno.build.arch,
    cpus: navigator.hardwareConcurrency,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 1e9),
    kernel: Deno.osRelease(),
    system: /^PRETTY_NAME="?(.+?)"?$/m.exec(release)?.[1] ?? Deno.build.os,
    engine: await ask("{{.Server.Version}}"),
    client: await ask("{{.Client.Version}}"),
    load: [],
  };
}

/** The load average over the last minute. */
export function load(): number {
  return Math.round((Deno.loadavg()[0] ?? 0) * 10) / 10;
}
