import { MpiError } from "../../stack/errors.ts";
import { explain } from "../exit.ts";
import { processIo } from "../io.ts";

/** Writes a line to standard error. */
export type Say = (line: string) => Promise<void>;

/** Runs one of the scripts of `deno task`, with the same ending as a command: an error is a line, and a defect a stack. */
export async function script(run: (say: Say) => Promise<void>): Promise<void> {
  const { stderr } = processIo((name) => Deno.env.get(name));
  try {
    await run((line) => stderr.write(`${line}\n`));
  } catch (error) {
    const debug = !(error instanceof MpiError);
    const { status, text } = explain(error, { path: "docker mpi", takesProgram: false, debug });
    await stderr.write(text);
    Deno.exitCode = status;
  }
}
