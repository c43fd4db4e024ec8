/** Programs that come from Debian's packages where they are missing. */
import { must, run, SYSTEM_FOLDERS } from "./command.ts";
import { tell } from "./tell.ts";

const POLICY = "/usr/sbin/policy-rc.d";

/** Where a program is: on PATH, or where the system has those for root. */
export async function which(program: string): Promise<string | undefined> {
  for (const folder of [...(Deno.env.get("PATH") ?? "").split(":"), ...SYSTEM_FOLDERS]) {
    const path = `${folder}/${program}`;
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isFile && ((info.mode ?? 0) & 0o111) !== 0) return path;
  }
  return undefined;
}

/** Whether this process may install packages here. */
async function canInstall(): Promise<boolean> {
  return Deno.build.os === "linux" && Deno.uid() === 0 && (await which("apt-get")) !== undefined;
}

/**
 * Sees to it that programs are there.
 *
 * @param wanted The Debian package of each program.
 */
export async function needPrograms(wanted: Record<string, string>, signal?: AbortSignal): Promise<void> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries(wanted)) {
    if ((await which(program)) === undefined) missing.add(name);
  }
  if (missing.size === 0) return;
  const names = [...missing];
  if (!(await canInstall())) {
    throw new Error(`these packages are missing: ${names.join(", ")}\n  hint: apt-get install ${names.join(" ")}`);
  }
  tell(`installing from Debian's packages: ${names.join(", ")}`);
  await withoutServices(() => install(names, signal));
}

let updated = false;

async function install(names: string[], signal?: AbortSignal): Promise<void> {
  const options = {
    env: { DEBIAN_FRONTEND: "noninteractive" },
    seconds: 600,
    ...(signal === undefined ? {} : { signal }),
  };
  if (!updated) {
    // A foreign source of packages may fail without harm: what counts is whether the installation succeeds.
    await run(["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", "update"], options);
    updated = true;
  }
  await must(
    ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends", "install", ...names],
    options,
  );
}

/** Keeps packages from starting services of their own while they are installed, by the means Debian has for that. */
async function withoutServices(body: () => Promise<void>): Promise<void> {
  if ((await Deno.stat(POLICY).catch(() => undefined)) !== undefined) return await body();
  await Deno.writeTextFile(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await body();
  } finally {
    await Deno.remove(POLICY);
  }
}
