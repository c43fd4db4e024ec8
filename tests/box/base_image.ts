/** The Debian image that cluster images are built on, where no registry gives it. */
import { kept } from "./cache.ts";
import { must, run } from "./command.ts";
import { tell } from "./tell.ts";

const IMAGE = "debian:trixie-slim";

/** How long Docker Hub may take; where it can't be reached, waiting doesn't help. */
const PULL_SECONDS = 20;

/** What the real image leaves out as well. */
const LEFT_OUT = ["doc/*", "man/*", "locale/*", "info/*", "groff/*", "lintian/*"];

/** Sees to it that the engine has the base image: pulled, or made from Debian's packages and kept for the next time. */
export async function needBaseImage(): Promise<void> {
  if ((await run(["docker", "pull", "--quiet", IMAGE], { seconds: PULL_SECONDS })).code === 0) return;
  const tar = await kept("debian-trixie-slim.tar", makeBase);
  await must(["docker", "import", "--change", 'CMD ["bash"]', tar, IMAGE]);
}

async function makeBase(tar: string): Promise<void> {
  tell(`Docker Hub can't be reached: making ${IMAGE} from Debian's packages`);
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
  await must(["mmdebstrap", ...options, "trixie", tar], { seconds: 300 });
}
