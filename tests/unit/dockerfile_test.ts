import assert from "node:assert/strict";
import { mpiArgs, neededBases, unknownBases } from "../../stack/image/dockerfile.ts";
import { baseImages } from "../../stack/image/images.ts";

const BASES = baseImages("1.2.3");
const [RUNTIME, DEV, , OPENMPI_DEV] = BASES.map(({ reference }) => reference);

const dockerfiles: [text: string, needed: (string | undefined)[], args?: string[]][] = [
  ["FROM docker-mpi/mpich:1.2.3-dev\n", [DEV]],
  ["FROM docker-mpi/mpich:1.2.3", [RUNTIME]],
  ["from docker-mpi/mpich:1.2.3-dev\r\nRUN true\r\n", [DEV]],
  ["  FROM   --platform=linux/amd64   docker-mpi/mpich:1.2.3-dev  AS build\n", [DEV]],
  ["# a comment\n\nARG X=1\nFROM docker-mpi/mpich:1.2.3-dev AS build\nFROM docker-mpi/mpich:1.2.3\n", [RUNTIME, DEV]],
  ["FROM docker-mpi/mpich:1.2.3\nFROM docker-mpi/mpich:1.2.3\n", [RUNTIME]],
  ["# FROM docker-mpi/mpich:1.2.3-dev\nFROM debian\n", []],
  ["FROM docker-mpi/mpich:9.9.9-dev\n", []],
  ["FROM docker-mpi/mpich\n", []],
  ["FROM registry.example.org/docker-mpi/mpich:1.2.3\n", []],
  ["FROM debian\nCOPY --chown=1:1 --from=docker-mpi/mpich:1.2.3 /a /b\n", [RUNTIME]],
  ["FROM debian\nRUN --mount=type=bind,from=docker-mpi/mpich:1.2.3,target=/a true\n", [RUNTIME]],
  ["FROM debian\nRUN echo --from=docker-mpi/mpich:1.2.3\n", []],
  ["RUN echo FROM docker-mpi/mpich:1.2.3\n", []],
  ["", []],
  ["ARG MPI=mpich\nFROM docker-mpi/${MPI}:1.2.3-dev\n", [DEV]],
  ["ARG MPI=mpich\nFROM docker-mpi/${MPI}:1.2.3-dev\n", [OPENMPI_DEV], ["MPI=openmpi"]],
  ['  arg MPI="mpich"\nARG V=1.2.3-dev\nFROM docker-mpi/$MPI:$V\n', [OPENMPI_DEV], ["X=", "MPI=openmpi"]],
  ["ARG MPI\nFROM docker-mpi/${MPI}:1.2.3-dev\n", []],
  ["FROM docker-mpi/${MPI}:1.2.3-dev\n", [], ["MPI=openmpi"]],
  ["FROM debian\nARG MPI=mpich\nFROM docker-mpi/${MPI}:1.2.3-dev\n", []],
  ["ARG MPI='mpich'\nFROM docker-mpi/${MPI}:1.2.3-dev\n", [DEV]],
  ["ARG A='x y' MPI=mpich\nFROM docker-mpi/${MPI}:1.2.3-dev\n", [DEV]],
  ["ARG MPI\nFROM docker-mpi/${MPI:-mpich}:1.2.3-dev\n", [DEV]],
  ["ARG MPI\nFROM docker-mpi/${MPI:-mpich}:1.2.3-dev\n", [OPENMPI_DEV], ["MPI=openmpi"]],
  ["ARG MPI=mpich\nARG BASE=docker-mpi/${MPI}:1.2.3-dev\nFROM ${BASE}\n", [DEV]],
  ["ARG MPI=mpich\nARG BASE=docker-mpi/${MPI}:1.2.3-dev\nFROM ${BASE}\n", [OPENMPI_DEV], ["MPI=openmpi"]],
];

for (const [text, needed, args] of dockerfiles) {
  Deno.test(`neededBases() of ${JSON.stringify(text)} with ${args ?? "nothing"}`, () => {
    assert.deepEqual(neededBases(text, BASES, args).map(({ reference }) => reference), needed);
  });
}

Deno.test("unknownBases() finds what no version that we know of makes, and what comes nearest", () => {
  const text = "FROM docker-mpi/openmpi:9.9.9-dev\nFROM docker-mpi/mpich\nFROM docker-mpi/lam:1\nFROM docker.io/" +
    `docker-mpi/mpich:1.2.3\nFROM ${DEV}\nFROM registry.example.org/docker-mpi/mpich:9\nFROM debian\n`;
  assert.deepEqual(unknownBases(text, BASES), [
    { name: "docker-mpi/openmpi:9.9.9-dev", instead: OPENMPI_DEV },
    { name: "docker-mpi/mpich", instead: DEV },
    { name: "docker-mpi/lam:1", instead: RUNTIME },
    { name: "docker.io/docker-mpi/mpich:1.2.3", instead: RUNTIME },
  ]);
});

Deno.test("mpiArgs() gives the MPI to a Dockerfile that asks for one, and to no other", () => {
  assert.deepEqual(mpiArgs("ARG MPI=mpich\nFROM x\n", "openmpi"), ["MPI=openmpi"]);
  assert.deepEqual(mpiArgs("FROM x\nARG MPI\n", "mpich"), ["MPI=mpich"]);
  assert.deepEqual(mpiArgs("ARG MPI=mpich\nFROM x\n", undefined), []);
  assert.deepEqual(mpiArgs("ARG MPICH=1\nFROM x\n# ARG MPI\n", "openmpi"), []);
});
