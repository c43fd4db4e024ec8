/**
 * A Docker engine with a swarm to test on: the one the user has, or else a private one that is thrown away.
 *
 * A user's engine is used as it is; nothing in it is touched that the tests did not make.
 */
import { needBaseImage } from "./base_image.ts";
import type { Ending } from "./ending.ts";
import { findUserEngine } from "./find.ts";
import { canInstall } from "./packages.ts";
import { MAX_HOURS } from "./hours.ts";
import { startPrivateEngine } from "./private_engine.ts";
import { removeLeftovers } from "./traces.ts";
import { tell } from "./tell.ts";

/** An engine that answers and manages a swarm. */
export interface TestEngine {
  /** Whether it was started for this run and ends with it. */
  private: boolean;
  /** Its endpoint. */
  host: string;
  /** What `docker` needs in its environment to use it. */
  env: Record<string, string>;
  /** Words before a command that is to see the ports which containers publish; none with a user's engine. */
  enter: string[];
}

/** Finds or starts an engine; `ending` ends it again. */
export async function needEngine(ending: Ending): Promise<TestEngine> {
  const signal = ending.signal;
  if (await canInstall()) await removeLeftovers();
  const found = await findUserEngine(signal);
  if (found.kind === "no-manager") throw new Error(`${found.why}\n  hint: ${found.hint}`);
  if (found.kind === "ready") {
    tell(`engine: yours, at ${found.host}`);
    return { private: false, host: found.host, env: {}, enter: [] };
  }
  tell(`engine: none of yours answers (${found.why})`);
  return await privateEngine(ending, MAX_HOURS);
}

/** Starts a private engine with the base image in it; `ending` ends it again. */
export async function privateEngine(ending: Ending, hours: number): Promise<TestEngine> {
  if (!(await canInstall())) {
    throw new Error(
      "a private engine can be started by root on Debian only\n  hint: start Docker, and `docker swarm init`",
    );
  }
  const begin = Date.now();
  tell("engine: starting a private one");
  const engine = await startPrivateEngine(hours, ending.signal);
  ending.defer("end the private engine", () => engine.dispose());
  await needBaseImage(engine.env, ending.signal);
  tell(`engine: ready at ${engine.host} in ${Math.round((Date.now() - begin) / 1000)} s`);
  return { private: true, host: engine.host, env: engine.env, enter: engine.enter };
}
