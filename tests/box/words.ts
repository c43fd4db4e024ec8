/** Words before a command that has it run in a box: see the script `box` beside this file. */
import { needPrograms } from "./packages.ts";

/** What a box, and an engine in it, need. */
const PROGRAMS = {
  dockerd: "docker.io",
  docker: "docker.io",
  flock: "util-linux",
  ip: "iproute2",
  iptables: "iptables",
  nsenter: "util-linux",
  setpriv: "util-linux",
  slirp4netns: "slirp4netns",
  unshare: "util-linux",
};

/** The script. */
export const BOX = decodeURIComponent(new URL("box", import.meta.url).pathname);

/** Whether this process is in a box. */
export function isInBox(): boolean {
  return Deno.env.get("BOX_DATA") !== undefined;
}

/** The folder for what is large. */
export function boxData(): string {
  const folder = Deno.env.get("BOX_DATA");
  if (folder === undefined) throw new Error("this has to run in a box\n  hint: ./dev engine");
  return folder;
}

/** What is missing here for a box, if anything. */
export function boxNeeds(): string | undefined {
  if (Deno.build.os !== "linux") return "engines of our own need Linux";
  return Deno.uid() === 0 ? undefined : "engines of our own need root: they run in namespaces of their own";
}

/** Sees to it that the machine has all that a box needs. */
export async function needBoxPrograms(signal?: AbortSignal): Promise<void> {
  const needs = boxNeeds();
  if (needs !== undefined) throw new Error(`${needs}\n  hint: sudo ./dev …, or start Docker and \`docker swarm init\``);
  await needPrograms(PROGRAMS, signal);
}

/** Words that run a program of the tests in a box, with more words to follow. */
export function inBox(program: URL): string[] {
  return [BOX, Deno.execPath(), "run", "--allow-all", "--no-prompt", decodeURIComponent(program.pathname)];
}
