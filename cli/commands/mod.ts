import type { AnyCommand } from "../command_line/command.ts";
import type { Deps } from "../deps.ts";
import { buildCommand } from "./build.ts";
import { configCommand } from "./config.ts";
import { cpCommand } from "./cp.ts";
import { deployCommand } from "./deploy.ts";
import { devCommand } from "./dev.ts";
import { doctorCommand } from "./doctor.ts";
import { execCommand } from "./exec.ts";
import { hostsCommand } from "./hosts.ts";
import { initCommand } from "./init.ts";
import { inspectCommand } from "./inspect.ts";
import { jobsCommand } from "./jobs/mod.ts";
import { keyCommand } from "./key/mod.ts";
import { loginCommand } from "./login.ts";
import { logsCommand } from "./logs.ts";
import { lsCommand } from "./ls.ts";
import { psCommand } from "./ps.ts";
import { rmCommand } from "./rm.ts";
import { runCommand } from "./run.ts";
import { scaleCommand } from "./scale.ts";
import { statusCommand } from "./status.ts";
import { syncCommand } from "./sync.ts";
import { versionCommand } from "./version.ts";

/** Every command of `docker mpi`, in the order that help shows them. A new one is one line here. */
export const commands: readonly ((deps: Deps) => AnyCommand)[] = [
  buildCommand,
  configCommand,
  cpCommand,
  deployCommand,
  devCommand,
  doctorCommand,
  execCommand,
  hostsCommand,
  initCommand,
  inspectCommand,
  jobsCommand,
  keyCommand,
  loginCommand,
  logsCommand,
  lsCommand,
  psCommand,
  rmCommand,
  runCommand,
  scaleCommand,
  statusCommand,
  syncCommand,
  versionCommand,
];
