/**
 * `deno task lab [N] [CMD ARGS…]`: several real Docker hosts in one swarm, in a box, for CMD or for a shell; and in there
 * `deno task lab ls|exec|cut|heal|kill|start|restart`, for what can happen to them.
 */
import { run } from "../box/command.ts";
import { main } from "../box/ending.ts";
import { enterBox, LIMIT_SECONDS } from "../box/enter.ts";
import { print, tell } from "../box/tell.ts";
import { isInBox } from "../box/words.ts";
import { Lab, labRecord } from "./lab.ts";
import { table } from "./list.ts";
import { LAB_PROGRAMS, MAX_HOSTS, startLab } from "./start.ts";

const USAGE = `Usage: ./dev lab [N] [CMD ARGS…]

Starts N hosts (3) as one swarm, runs CMD on the manager or a shell beside the hosts, and ends them. In that shell:

  ./dev lab ls                      the hosts, and how they are
  ./dev lab exec HOST CMD [ARGS…]   a command on a host, with its engine; "client" is a user's machine without one
  ./dev lab cut HOST                drop all packets from and to a host
  ./dev lab heal HOST               pass them again
  ./dev lab kill HOST               take its power away: engine, containers and link are gone at once
  ./dev lab start HOST              give it power again: same data, same address
  ./dev lab restart HOST            restart its engine alone`;

/** Where the command was typed: a task runs in the root of the checkout. */
const cwd = Deno.env.get("INIT_CWD") ?? Deno.cwd();

/** A wrong word on the command line, with the remedy. */
function wrong(what: string, hint = "./dev lab --help"): Error {
  return new Error(`${what}\n  hint: ${hint}`);
}

/** How many hosts, and what runs there. */
export function parse(args: string[]): { hosts: number; command: string[] } {
  const isNumber = /^\d+$/.test(args[0] ?? "");
  const hosts = isNumber ? Number(args[0]) : 3;
  if (hosts < 1 || hosts > MAX_HOSTS) throw wrong(`${hosts} hosts: a number from 1 to ${MAX_HOSTS} is needed`);
  return { hosts, command: isNumber ? args.slice(1) : args };
}

/** Tests and shells run in the box itself, beside the hosts, which they enter; a command runs on the manager. */
async function inside(args: string[]): Promise<number> {
  const { hosts, command } = parse(args);
  const { manager } = await startLab(hosts);
  const options = { cwd, output: "show" as const, stdin: true, seconds: LIMIT_SECONDS };
  if (command[0] === "--here") return (await run(command.slice(1), options)).code;
  if (command.length > 0) return (await manager.exec(command, options)).code;
  tell("a shell beside the hosts; its docker is that of host1, the manager; ./dev lab --help says what more there is");
  return (await run([Deno.env.get("SHELL") ?? "bash"], { ...options, env: manager.env })).code;
}

const ACTIONS: Record<string, (lab: Lab, name: string) => Promise<void>> = {
  cut: (lab, name) => lab.place(name).cut(),
  heal: (lab, name) => lab.place(name).heal(),
  kill: (lab, name) => lab.host(name).kill(),
  start: (lab, name) => lab.host(name).start(),
  restart: (lab, name) => lab.host(name).restartEngine(),
};

/** What can be said in a box where a lab is. */
async function act(lab: Lab, [command = "ls", name = "", ...words]: string[]): Promise<number> {
  if (command === "ls") print(await table(lab));
  else if (command === "exec") {
    if (words.length === 0) throw wrong("exec: a host and a command are needed", "./dev lab exec host1 docker ps");
    return (await lab.place(name).exec(words, { cwd, output: "show", stdin: true, seconds: LIMIT_SECONDS })).code;
  } else {
    const action = ACTIONS[command];
    if (action === undefined) throw wrong(`there is no command ${JSON.stringify(command)} in a lab`);
    if (name === "") throw wrong(`${command}: a host is needed`, `./dev lab ${command} host2`);
    await action(lab, name);
  }
  return 0;
}

async function lab(args: string[]): Promise<number> {
  if (["help", "-h", "--help"].includes(args[0] ?? "")) return print(USAGE), 0;
  if (!isInBox()) {
    parse(args);
    return await enterBox(new URL(import.meta.url), args, { cwd, programs: LAB_PROGRAMS });
  }
  return await labRecord() === undefined ? await inside(args) : await act(await Lab.open(), args);
}

if (import.meta.main) await main("lab", () => lab(Deno.args));
