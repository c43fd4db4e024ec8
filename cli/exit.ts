import { MpiError, type MpiErrorCode } from "../stack/errors.ts";
import { visible } from "../stack/text.ts";
import { UsageError } from "./command_line/usage_error.ts";
import { OutputClosed } from "./io.ts";

/** The status for each kind of failure. A new code without a status here doesn't compile. */
const STATUS: Record<MpiErrorCode, number> = {
  usage: 125,
  settings: 125,
  engine: 1,
  swarm: 1,
  "not-found": 1,
  conflict: 1,
  build: 1,
  cluster: 1,
  ssh: 1,
  timeout: 124,
  cancelled: 130,
};

/** What was running when it failed. */
export interface ExitContext {
  /** As the user typed it: `docker mpi deploy`. */
  path: string;
  /** Whether it runs a program of the user's: 1 is then the program's, and our own failure is 125. */
  takesProgram: boolean;
  /** Whether to show stack traces. */
  debug: boolean;
  /** Makes the commands of a hint mean what the command line means. */
  hint?: (text: string) => string;
  /** Whether standard error has an object in each line, as `--progress json` asks for. */
  json?: boolean;
}

/** How the process ends. */
export interface Exit {
  /** Its status. */
  status: number;
  /** What to say on standard error; may be empty. */
  text: string;
}

/**
 * Turns whatever was thrown into a status and a text: the one place that does.
 *
 * No control character gets through, wherever the words come from.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MpiError } from "../stack/errors.ts";
 * import { explain } from "./exit.ts";
 *
 * const error = new MpiError("not-found", 'No cluster "cfd" in this swarm', { hint: "docker mpi ls" });
 * assert.deepEqual(explain(error, { path: "docker mpi rm", takesProgram: false, debug: false }), {
 *   status: 1,
 *   text: 'docker mpi rm: No cluster "cfd" in this swarm\nhint: docker mpi ls\n',
 * });
 * ```
 */
export function explain(error: unknown, context: ExitContext): Exit {
  const { status, text } = describe(error, context);
  return { status, text: visible(text, "\n\t") };
}

function describe(error: unknown, context: ExitContext): Exit {
  // As if SIGPIPE had ended us, which is what happens to other programs in `… | head`.
  if (error instanceof OutputClosed) return { status: 141, text: "" };
  if (error instanceof UsageError) return explainUsage(error, context);
  return error instanceof MpiError ? explainMpiError(error, context) : explainDefect(error, context);
}

function explainUsage({ status, message, fault, hint }: UsageError, { json }: ExitContext): Exit {
  return { status, text: json ? asObject({ message: fault, code: "usage", hint }) : message };
}

function explainMpiError(error: MpiError, context: ExitContext): Exit {
  const { path, takesProgram, debug, json } = context;
  const remedy = error.hint && (context.hint?.(error.hint) ?? error.hint);
  const usual = STATUS[error.code];
  const status = usual === 1 && takesProgram ? 125 : usual;
  if (json) return { status, text: asObject({ message: error.message, code: error.code, hint: remedy }) };
  const hint = remedy === undefined ? "" : `hint: ${remedy}\n`;
  const trace = debug ? traceOf(error) : "";
  return { status, text: `${path}: ${error.message}\n${hint}${trace}` };
}

function explainDefect(error: unknown, { path, debug, json }: ExitContext): Exit {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = "this is a defect of docker mpi, please report it, with what --debug adds";
  const trace = debug ? traceOf(error) : undefined;
  if (json) return { status: 70, text: asObject({ message, code: "defect", hint, trace }) };
  return { status: 70, text: `${path}: ${message}\nhint: ${hint}\n${trace ?? ""}` };
}

/** What a failure is for programs: an object in a line, as each event is. */
function asObject(
  parts: { message: string; code: MpiErrorCode | "defect"; hint?: string | undefined; trace?: string | undefined },
): string {
  return `${JSON.stringify({ error: true, ...parts })}\n`;
}

/** The stack of an error and of the errors that it explains. */
function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const cause = error.cause === undefined ? "" : `caused by: ${error.cause}\n${traceOf(error.cause)}`;
  return `${error.stack ?? error}\n${cause}`;
}
