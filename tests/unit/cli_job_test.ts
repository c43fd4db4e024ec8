import assert from "node:assert/strict";
import { waitForEnd } from "../../cli/job/job.ts";
import type { SshConnection } from "../../stack/ssh/ssh.ts";
import { fakeClock } from "../support/fake_clock.ts";

Deno.test("waitForEnd() gives a job that was told to end two minutes, and the user can give up before", async () => {
  const broken = Promise.withResolvers<never>();
  const close = () => broken.reject(new Error("the connection was closed"));
  const master = { capture: () => broken.promise, close } as unknown as SshConnection;
  using clock = fakeClock();
  await assert.rejects(waitForEnd(master, "3f9c02ab", new AbortController().signal), {
    code: "timeout",
    message: "Job 3f9c02ab was told to end, and has not within 120 s",
    hint: /^docker mpi jobs cancel --force 3f9c02ab {2}#/,
  });
  assert.equal(clock.now(), 120_000);
  await assert.rejects(waitForEnd(master, "3f9c02ab", AbortSignal.abort(new Error("Cancelled"))), /Cancelled/);
});
