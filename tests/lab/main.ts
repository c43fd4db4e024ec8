/**
 * `deno task lab up|down|ls|exec|cut|heal|kill|start|restart`: several real Docker hosts to try things on by hand.
 */
import { main, withEnding } from "../engine/ending.ts";
import { DEFAULT_HOURS, hoursOf, MAX_HOURS } from "../engine/hours.ts";
import { print, tell } from "../engine/tell.ts";
import { removeLeftovers } from "../engine/traces.ts";
import { labsByHand, leaveToKeeper, takeDown, theLab } from "./by_hand.ts";
import { Lab, VARIABLE } from "./lab.ts";
import { table } from "./list.ts";
import { MAX_HOSTS, startLab } from "./start.ts";

const USAGE = `Usage: ./dev lab COMMAND

  up [N] [--for 2h] [--another]   start N hosts (3), one swarm, for that time; print how to use them
  down                            end it, and remove every trace of it
  ls                              the hosts, and how they are
  exec HOST CMD [ARGS…]           run a command on a host, with its engine; "client" is a user's machine without one
  cut HOST                        drop all packets from and to a host
  heal HOST                       pass them again
  kill HOST                       take its power away: engine, containers and link are gone at once
  start HOST                      give it power again: same data, same address
  restart HOST                    restart its engine alone

With several labs, ${VARIABLE} names the folder of the one that is meant.`;

/** A wrong word on the command line, with the remedy. */
function wrong(what: string, hint = "./dev lab help"): Error {
  return new Error(`${what}\n  hint: ${hint}`);
}

/** What `up` was asked for. */
export function parseUp(args: string[]): { hosts: number; hours: number; another: boolean } {
  const wanted = { hosts: 3, hours: DEFAULT_HOURS, another: false };
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!;
    if (word === "--another") wanted.another = true;
    else if (word === "--for") wanted.hours = hoursOf(args[++index] ?? "");
    else if (/^\d+$/.test(word) && Number(word) >= 1 && Number(word) <= MAX_HOSTS) wanted.hosts = Number(word);
    else throw wrong(`up ${JSON.stringify(word)}: a number of hosts from 1 to ${MAX_HOSTS} is needed`);
  }
  return wanted;
}

async function up(args: string[]): Promise<void> {
  const { another, ...wanted } = parseUp(args);
  await removeLeftovers();
  const [there] = await labsByHand();
  if (there !== undefined && !another) throw wrong(`a lab is up: ${there.folder}`, "./dev lab down, or up --another");
  const lab = await withEnding(async ({ signal }) => {
    const kept = await startLab({ ...wanted, byHand: true, signal });
    try {
      await leaveToKeeper(kept, signal);
    } catch (error) {
      await kept.end();
      throw error;
    }
    return kept.lab;
  });
  explain(lab, wanted.hours);
}

/** What can be pasted goes to standard output, all of it valid shell. */
function explain(lab: Lab, hours: number): void {
  print(`export ${VARIABLE}=${lab.folder}`);
  for (const name of ["DOCKER_HOST", "PATH"]) {
    if (lab.env[name] !== undefined) print(`export ${name}=${lab.env[name]}`);
  }
  tell("That is the manager's engine. Ports that containers publish are on the lab's network; a shell there is");
  tell("  ./dev lab exec host1 bash, at the manager, or");
  tell(`  ./dev lab exec client bash, elsewhere, which is ${lab.enter.join(" ")} bash`);
  const names = ["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];
  tell(`  with ${names.map((name) => `${name}=${lab.client.env[name]}`).join(" ")}`);
  tell(`Registries: ${lab.registry.address}, and with a password ${lab.privateRegistry.address}`);
  tell(`  (docker login -u ${lab.privateRegistry.user} -p "${lab.privateRegistry.password}" …)`);
  tell(`It ends with ./dev lab down, or after ${Math.round(hours * 60)} minutes.`);
}

async function down(): Promise<void> {
  await removeLeftovers();
  if (!Deno.env.get(VARIABLE) && (await labsByHand()).length === 0) return tell("no lab is up");
  const names = await theLab();
  await takeDown(names);
  tell(`removed ${names.folder}`);
}

async function exec(lab: Lab, [name = "", ...command]: string[]): Promise<number> {
  if (command.length === 0) throw wrong("exec: a host and a command are needed", "./dev lab exec host1 docker ps");
  const cwd = Deno.env.get("INIT_CWD") ?? Deno.cwd();
  return (await lab.place(name).exec(command, { cwd, output: "show", stdin: true, seconds: MAX_HOURS * 3600 })).code;
}

const ACTIONS: Record<string, (lab: Lab, name: string) => Promise<void>> = {
  cut: (lab, name) => lab.place(name).cut(),
  heal: (lab, name) => lab.place(name).heal(),
  kill: (lab, name) => lab.host(name).kill(),
  start: (lab, name) => lab.host(name).start(),
  restart: (lab, name) => lab.host(name).restartEngine(),
};

async function act(lab: Lab, command: string, names: string[]): Promise<void> {
  if (names.length !== 1) throw wrong(`${command}: one host is needed`, `./dev lab ${command} host2`);
  await ACTIONS[command]?.(lab, names[0]!);
}

async function lab([command = "help", ...args]: string[]): Promise<number> {
  if (["help", "-h", "--help"].includes(command)) print(USAGE);
  else if (command === "up") await up(args);
  else if (command === "down") await down();
  else {
    if (command !== "ls" && command !== "exec" && !(command in ACTIONS)) {
      throw wrong(`there is no command ${JSON.stringify(command)}`);
    }
    const there = await Lab.at(await theLab());
    if (command === "exec") return await exec(there, args);
    if (command === "ls") print(await table(there));
    else await act(there, command, args);
  }
  return 0;
}

if (import.meta.main) await main("lab", () => lab(Deno.args));
