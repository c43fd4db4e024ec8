/** What we add to the base image. */
import type { Family, Figure, Measured } from "./figure.ts";
import { baseOf, type Mpi, MPIS } from "./site.ts";

const BASE = "debian:trixie-slim";

const figure = (mpi: Mpi, variant: "runtime" | "dev", goal: number): Figure => ({
  name: `image-${mpi}-${variant}`,
  what: `the ${variant === "dev" ? "development" : "runtime"} image of ${mpi}, beyond its base`,
  against: "–",
  goal: { at: "most", value: goal },
  kind: "ours",
  unit: "MB",
  bound:
    "Not taken apart; likely: Debian's packages: the MPI library and what it is built with (UCX, libfabric, hwloc), OpenSSH, and the compilers.",
});

export const IMAGES: Family = {
  name: "images",
  minutes: 12,
  figures: MPIS.flatMap((mpi) => [figure(mpi, "runtime", 100), figure(mpi, "dev", 400)]),
  async measure(arena) {
    const site = await arena.engine();
    const samples: Measured["samples"] = {};
    const size = async (image: string) =>
      Number(await site.docker(["image", "inspect", "--format", "{{.Size}}", image])) / 1e6;
    for (const mpi of MPIS) {
      const folder = await site.project(mpi);
      const from = baseOf(await Deno.readTextFile(`${folder}/Dockerfile`), mpi).replace(/-dev$/, "");
      // The parts that it shares with the development image are there already.
      const build = ["build", "--quiet", "--build-arg", `MPI=${mpi}`, "--target", "runtime", "-t", from];
      await site.docker([...build, new URL("../../images", import.meta.url).pathname], { seconds: 300 });
      const base = await size(BASE);
      samples[`image-${mpi}-runtime`] = { ours: [await size(from) - base] };
      samples[`image-${mpi}-dev`] = { ours: [await size(`${from}-dev`) - base] };
    }
    return { samples };
  },
};
