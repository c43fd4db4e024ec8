/** The client's place: on the lab's network, without an engine, where the user of a swarm elsewhere sits. */
import { type CommandOptions, type Result, run } from "../box/command.ts";
import { doorsOf } from "./doors.ts";
import { CLIENT, ENGINE_PORT, type Plugged, Switch } from "./network.ts";

/** A place on the network where commands can run. */
export interface Place extends Plugged {
  /** What `docker` needs in its environment there. */
  readonly env: Record<string, string>;
  /** Runs a command there, with that environment. */
  exec(command: readonly string[], options?: CommandOptions): Promise<Result>;
  /** Drops everything that it sends and that is sent to it. */
  cut(): Promise<void>;
  /** Ends a cut. */
  heal(): Promise<void>;
}

/** Where a user is who reaches every host, and the manager's engine over the network. */
export class Client implements Place {
  readonly name = CLIENT.name;
  readonly address = CLIENT.address;
  /** Words before a command that is to run there. */
  readonly enter: string[];
  readonly env: Record<string, string>;

  /** @param manager The manager's own environment for `docker`. */
  constructor(enter: string[], manager: Plugged & { env: Record<string, string>; folder: string }) {
    this.enter = enter;
    this.env = {
      ...manager.env,
      DOCKER_HOST: `tcp://${manager.address}:${ENGINE_PORT}`,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: doorsOf(manager.folder).certificates,
    };
  }

  /** Runs a command there, with the manager's engine. */
  async exec(command: readonly string[], options: CommandOptions = {}): Promise<Result> {
    return await run([...this.enter, ...command], { ...options, env: { ...this.env, ...options.env } });
  }

  /** Drops everything that it sends and that is sent to it. */
  async cut(): Promise<void> {
    await Switch.cut(this.name);
  }

  /** Ends a cut. */
  async heal(): Promise<void> {
    await Switch.heal(this.name);
  }
}
