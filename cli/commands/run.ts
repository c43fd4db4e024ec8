import { MpiError } from "../../stack/errors.ts";
import { packWords } from "../../stack/master/words.ts";
import type { SshConnection } from "../../stack/ssh/ssh.ts";
import { quote } from "../../stack/text.ts";
import { findCluster, logIn } from "../cluster_context.ts";
import { type AnyCommand, Command, Option, takesProgram, withExamples } from "../command_line/command.ts";
import {
  clusterOption,
  collect,
  duration,
  integer,
  keyValue,
  labelOption,
  outputOption,
  shellWords,
  size,
} from "../command_line/flags.ts";
import type { Deps } from "../deps.ts";
import type { JobOptions } from "../job/job.ts";
import type { OutputOptions } from "../job/job_output.ts";
import { type RequestOptions, requestWords, startingWith } from "../job/run_request.ts";
import { onTheMaster, ownStreams } from "../output/terminal.ts";

interface RunOptions extends RequestOptions, OutputOptions, JobOptions {
  cluster?: string | undefined;
  envFile?: string[] | undefined;
  input?: string | undefined;
  detach?: true | undefined;
  detachOnDisconnect?: true | undefined;
  label?: true | undefined;
  sync?: string | true | undefined;
  build?: string | undefined;
}

type Bytes = ReadableStream<Uint8Array>;

/** `docker mpi run`: a program on all ranks, as if it were local. */
export function runCommand(deps: Deps): AnyCommand {
  const ranks = integer({ min: 1, max: 1_000_000 });
  const command = takesProgram(new Command("run"))
    .summary("Run a program on all nodes")
    .description(
      "Run a program on all nodes, under the MPI launcher of the master; its output, signals and status are ours",
    )
    .argument("<program>", "A path, from the working directory, or a name in PATH")
    .argument("[args...]", "Its arguments")
    .addOption(
      new Option("-n, --np <int>", "Number of ranks; as many as there are slots if not given").argParser(ranks),
    )
    .addOption(new Option("--ppn <int>", "Ranks on each node before the next gets any").argParser(ranks))
    .addOption(
      new Option("-e, --env <list>", "Environment variable for all ranks, KEY=VALUE").argParser(keyValue),
    )
    .addOption(
      new Option("--env-file <files>", "File of variables, KEY=VALUE in a line, as docker run takes it").argParser(
        collect,
      ),
    )
    .option("-w, --workdir <string>", "Working directory, /project if not given")
    .option("--hosts <string>", "Nodes to run on, such as worker-1,worker-2")
    .option("--bind-to <string>", "What the launcher binds ranks to, such as core; nothing if not given")
    .option("--map-by <string>", "How the launcher spreads ranks, in its own words")
    .addOption(new Option("--mpi-args <list>", "More options for the launcher's mpirun").argParser(shellWords))
    .addOption(new Option("--timeout <duration>", "End the program after so long").argParser(duration))
    .option(
      "-d, --detach",
      "Start a job that needs no client, and print its id; it has no standard input but --input's",
    )
    .option("--detach-on-disconnect", "The same, but stay attached: if the connection is lost, the job goes on")
    .option("--queue", "Wait until there are free slots, first come first served")
    .option("--input <file>", "File of this machine as standard input; a job has it whole before it starts")
    .addOption(labelOption())
    .addOption(outputOption())
    .addOption(
      new Option("--retries <int>", "Start again, up to so many times, after a node was lost; makes it a job")
        .argParser(integer({ min: 0, max: 1000 })),
    )
    .addOption(
      new Option("--log-limit <bytes>", "The most that is kept of a job's output, 1g if not given").argParser(size),
    )
    .option("--sync [directory]", "First bring what changed of project/, or of --sync=DIR, to every node")
    .option("--build <string>", "After --sync, run this on the master, and bring what it made to all workers")
    .addOption(clusterOption())
    .action((program, args, options) => run(deps, [program, ...args], options));
  return withExamples(command, [
    "docker mpi run ./mpi_hello_world",
    "docker mpi run -n 4 -e OMP_NUM_THREADS=2 ./solver --steps 100 < input.dat",
    "docker mpi run --sync --build make ./solver",
    "docker mpi run --detach --queue ./solver --steps 100000",
  ]);
}

async function run(deps: Deps, program: readonly string[], options: RunOptions): Promise<void> {
  const isJob = checkOptions(options);
  const { envFile = [], input, label, output } = options;
  const fileEnv = envFile.length === 0 ? {} : await (await import("../files/env_file.ts")).readEnvFiles(envFile);
  const words = requestWords(program, { ...options, env: { ...fileEnv, ...options.env } });
  const stdin = input === undefined ? undefined : await (await import("../job/run_input.ts")).openInput(deps, input);
  const context = await findCluster(deps, options.cluster);
  const master = await logIn(deps, context);
  try {
    if (await syncFails(deps, master, options)) return;
    if (isJob) await runJob(deps, master, words, options, stdin);
    else await runHere(deps, master, words, { label, output }, stdin);
  } finally {
    master.close();
  }
}

/** Brings the project up to date, if that is wanted; a build that fails ends the run with its status. */
async function syncFails(deps: Deps, master: SshConnection, { sync, build }: RunOptions): Promise<boolean> {
  if (sync === undefined && build === undefined) return false;
  const { syncProject } = await import("../files/sync.ts");
  deps.status = await syncProject(deps, master, { directory: sync === true ? undefined : sync, build });
  return deps.status !== 0;
}

/** Refuses what contradicts itself, and tells whether the run is to outlive its client. */
function checkOptions({ detach, detachOnDisconnect, retries, output, label, logLimit }: RunOptions): boolean {
  const job = detach === true || detachOnDisconnect === true || retries !== undefined;
  const refuse = (message: string, hint: string) => {
    throw new MpiError("usage", message, { hint });
  };
  if (detach && output !== undefined) {
    refuse(
      `--detach and --output ${quote(output)} contradict each other: files are written on this machine`,
      "docker mpi jobs logs --output DIR JOB  # writes them, as often as you like",
    );
  }
  if (detach && label) {
    refuse(
      "--detach and --label contradict each other",
      "docker mpi jobs logs --label JOB  # shows whose each line is",
    );
  }
  if (!job && logLimit !== undefined) {
    refuse("--log-limit and a run that keeps nothing contradict each other", "add --detach or --detach-on-disconnect");
  }
  return job;
}

/** Runs it in our own session: its end is ours, and ours is its end. */
async function runHere(
  deps: Deps,
  master: SshConnection,
  words: readonly string[],
  show: OutputOptions,
  input: Bytes | undefined,
): Promise<void> {
  const job = `run-${crypto.randomUUID().slice(0, 8)}`;
  const unsubscribe = deps.interrupts.subscribe((count) => cancel(master, job, count));
  try {
    deps.signal.throwIfAborted(); // interrupted while it logged in: nothing has started yet
    const streams = ownStreams(deps);
    const byRank = show.label || show.output !== undefined;
    const output = byRank ? await (await import("../job/job_output.ts")).jobOutput(deps, show) : undefined;
    const own = ["--job", job, "--stdin", ...(byRank ? ["--records"] : [])];
    const stdin = startingWith(packWords([...own, ...words]), input ?? streams.stdin);
    const stdout = output === undefined ? streams.stdout : (chunk: Uint8Array) => output.take(chunk);
    // With `exec` the job's parent there is the SSH server, whose end is the client's.
    const { status } = await master.run(onTheMaster(deps, "mpi_run --read"), { ...streams, stdin, stdout });
    await output?.end();
    deps.status = status;
  } finally {
    unsubscribe();
  }
}

/** Has the master keep it, and looks on unless that isn't wanted. */
async function runJob(
  deps: Deps,
  master: SshConnection,
  words: readonly string[],
  options: RunOptions,
  input: Bytes | undefined,
): Promise<void> {
  const { attachJob, startJob } = await import("../job/job.ts");
  const id = await startJob(deps, master, words, options, input);
  if (id === undefined) return;
  if (options.detach) await deps.io.stdout.write(`${id}\n`);
  else await attachJob(deps, master, id, options);
}

/** The first interrupt lets the program end by itself for a few seconds, the second does not. */
function cancel(master: SshConnection, job: string, count: number): void {
  master.capture(`exec mpi_cancel ${job} ${count === 1 ? "INT" : "TERM"}`).catch(() => {
    // The connection is gone; the run says so itself.
  });
}
