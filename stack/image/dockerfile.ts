/** What a Dockerfile takes from our own images. */
import { type Implementation, IMPLEMENTATIONS } from "../settings/schema.ts";
import { familiar, hasOurName } from "./image_name.ts";
import type { BaseImage } from "./images.ts";

/**
 * Finds which of our images a Dockerfile starts from, or copies from.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { neededBases } from "./dockerfile.ts";
 * import { baseImages } from "./images.ts";
 *
 * const dockerfile = "ARG MPI=mpich\nFROM docker-mpi/${MPI}:1.0.0-dev AS build\n";
 * const [base] = neededBases(dockerfile, baseImages("1.0.0"), ["MPI=openmpi"]);
 * assert.equal(base?.reference, "docker-mpi/openmpi:1.0.0-dev");
 * ```
 *
 * @param dockerfile Its text.
 * @param bases The images there are.
 * @param args The build-time variables, `NAME=VALUE`; others have the value of their `ARG` before the first `FROM`.
 * @returns Those that it names, each once.
 */
export function neededBases(
  dockerfile: string,
  bases: readonly BaseImage[],
  args: readonly string[] = [],
): BaseImage[] {
  const named = imagesIn(dockerfile, args);
  return bases.filter(({ reference }) => named.has(reference));
}

/**
 * Finds which images a Dockerfile takes for ours that this version does not make, as those of another version. Docker
 * would look for them in a public registry, where whoever comes first has the name.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { unknownBases } from "./dockerfile.ts";
 * import { baseImages } from "./images.ts";
 *
 * const bases = baseImages("1.0.0");
 * const dockerfile = "FROM docker-mpi/mpich:0.9.0-dev AS build\nFROM docker-mpi/mpich:1.0.0\n";
 * const instead = "docker-mpi/mpich:1.0.0-dev";
 * assert.deepEqual(unknownBases(dockerfile, bases), [{ name: "docker-mpi/mpich:0.9.0-dev", instead }]);
 * ```
 *
 * @param dockerfile Its text.
 * @param bases The images that there are.
 * @param args The build-time variables, `NAME=VALUE`.
 * @returns Each once, with the one of ours that comes nearest.
 */
export function unknownBases(
  dockerfile: string,
  bases: readonly BaseImage[],
  args: readonly string[] = [],
): { name: string; instead: string }[] {
  const known = new Set(bases.map(({ reference }) => reference));
  return [...imagesIn(dockerfile, args)].filter((name) => hasOurName(name) && !known.has(name))
    .map((name) => ({ name, instead: nearest(name, bases) }));
}

function nearest(name: string, bases: readonly BaseImage[]): string {
  const mpi = IMPLEMENTATIONS.find((each) => familiar(name).endsWith(`/${each}`)) ?? IMPLEMENTATIONS[0];
  const target = /:.*-dev$|\/[^:]*$/.test(name) ? "dev" : "runtime";
  return bases.find((base) => base.mpi === mpi && base.target === target)?.reference ?? name;
}

/** The images that it starts from or takes files from, and the names of its stages among them. */
function imagesIn(dockerfile: string, args: readonly string[]): Set<string> {
  const given = new Map(args.map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
  const [head = ""] = dockerfile.split(/^\s*FROM\s/im, 1);
  const values = new Map<string, string>();
  const filled = (text: string) => text.replace(VARIABLE, (_, a, other, b) => values.get(a ?? b) || other || "");
  // One can be made of those before it.
  for (const [name, value] of declared(head)) values.set(name, given.get(name) ?? filled(value));
  const starts = [...dockerfile.matchAll(/^\s*FROM\s+(?:--\S+\s+)*(\S+)/gim)].map(([, name]) => name!);
  const flags = [...dockerfile.matchAll(/^\s*(?:COPY|ADD|RUN)((?:\s+--\S+)+)/gim)].map(([, words]) => words!).join(" ");
  const sources = [...flags.matchAll(/(?:--|,)from=([^\s,]+)/g)].map(([, name]) => name!);
  return new Set([...starts, ...sources].map(filled));
}

/** The variables that a part of a Dockerfile declares, with their values: `ARG NAME OTHER=VALUE THIRD="VALUE"`. */
function declared(text: string): [name: string, value: string][] {
  const words = [...text.matchAll(/^\s*ARG\s+(.+)$/gim)].map(([, line]) => line).join(" ");
  return [...words.matchAll(/(\w+)(?:=(?:"([^"]*)"|'([^']*)'|(\S*)))?/g)]
    .map(([, name, double, single, plain]) => [name!, double ?? single ?? plain ?? ""]);
}

/** `$NAME`, `${NAME}`, and `${NAME:-VALUE}` with what it is otherwise. */
const VARIABLE = /\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))/g;

/**
 * The build-time variable, `NAME=VALUE`, that makes a Dockerfile take an MPI; none where it does not ask for one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mpiArgs } from "./dockerfile.ts";
 *
 * const dockerfile = "ARG MPI=mpich\nFROM docker-mpi/${MPI}:1.0.0-dev\n";
 * assert.deepEqual(mpiArgs(dockerfile, "openmpi"), ["MPI=openmpi"]);
 * assert.deepEqual(mpiArgs(dockerfile, undefined), []);
 * assert.deepEqual(mpiArgs("FROM docker-mpi/mpich:1.0.0-dev\n", "openmpi"), []);
 * ```
 *
 * @param dockerfile Its text.
 * @param mpi What was asked for; nothing: what the Dockerfile takes by itself.
 */
export function mpiArgs(dockerfile: string, mpi: Implementation | undefined): string[] {
  const asks = declared(dockerfile).some(([name]) => name === "MPI");
  return asks && mpi !== undefined ? [`MPI=${mpi}`] : [];
}
