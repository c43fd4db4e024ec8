/**
 * `keeper.ts FOLDER`: keeps a lab that a person has, until its time is up.
 *
 * `lab up` starts it in a session of its own, and leaves the lab to it. Killed, it takes the lab with it; what is then
 * left of it on the machine the next command removes.
 */
import { main } from "../engine/ending.ts";
import { Lifeline } from "../engine/lifeline.ts";
import { namesAt, takeOver } from "../engine/traces.ts";
import { labRecord } from "./lab.ts";
import { endLab } from "./start.ts";

async function keep(folder: string): Promise<number> {
  const names = namesAt(folder);
  const record = await labRecord(folder);
  if (record === undefined) throw new Error(`there is no lab in ${folder}`);
  const lifeline = await Lifeline.hold(folder);
  await takeOver(names);
  await new Promise((resolve) => setTimeout(resolve, record.ends - Date.now()));
  lifeline[Symbol.dispose]();
  await endLab(names);
  return 0;
}

if (import.meta.main) await main("lab", () => keep(Deno.args[0] ?? ""));
