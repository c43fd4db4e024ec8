/** The Debian image that cluster images are built on, where no registry gives it. */
import { must, run } from "./command.ts";
import { needPrograms } from "./packages.ts";
import { tell } from "./tell.ts";

const IMAGE = "debian:trixie-slim";

/** An ignored folder of the checkout. */
const CACHE = new URL("../../.tools/cache/", import.meta.url);

/** How long Docker Hub may take; where it can't be reached, waiting doesn't help. */
const PULL_SECONDS = 20;

/** What the real image leaves out as well. */
const LEFT_OUT = ["doc/*", "man/*", "locale/*", "info/*", "groff/*", "lintian/*"];

/** Sees to it that an engine has the base image: pulled, or made from Debian's packages and kept for the next time. */
export async function needBaseImage(env: Record<string, string>, signal?: AbortSignal): Promise<void> {
  const options = { env, ...(signal === undefined ? {} : { signal }) };
  if ((await run(["docker", "pull", "--quiet", IMAGE], { ...options, seconds: PULL_SECONDS })).code === 0) return;
  const tar = decodeURIComponent(new URL("debian-trixie-slim.tar", CACHE).pathname);
  if ((await Deno.stat(tar).catch(() => undefined)) === undefined) await makeBase(tar, signal);
  await must(["docker", "import", "--change", 'CMD ["bash"]', tar, IMAGE], options);
}

async function makeBase(tar: string, signal?: AbortSignal): Promise<void> {
  tell(`Docker Hub can't be reached: making ${IMAGE} from Debian's packages`);
  await needPrograms({ mmdebstrap: "mmdebstrap" }, signal);
  await Deno.mkdir(CACHE, { recursive: true });
  const unfinished = `${tar}.${Deno.pid}`;
  const options = [
    "--quiet",
    "--variant=minbase",
    "--format=tar",
    // Without these two, the package that converts old systems comes in, and all of Perl with it.
    "--include=usr-is-merged",
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    '--aptopt=Acquire::Languages "none"',
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=/usr/share/${path}`),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
  ];
  try {
    await must(["mmdebstrap", ...options, "trixie", unfinished], {
      seconds: 300,
      ...(signal === undefined ? {} : { signal }),
    });
    await Deno.rename(unfinished, tar);
  } finally {
    await Deno.remove(unfinished).catch(() => {});
  }
}
