import assert from "node:assert/strict";
import { output, OutputClosed, type Sink } from "../../cli/io.ts";
import { linesOf } from "../../cli/output/lines.ts";

/** Takes at most `step` bytes at a time, and throws what `errors` holds first. */
function sink(step: number, errors: Error[] = []): Sink & { text: () => string } {
  let text = "";
  return {
    text: () => text,
    isTerminal: () => false,
    async write(data) {
      await Promise.resolve();
      const error = errors.shift();
      if (error) throw error;
      const part = data.subarray(0, step);
      text += new TextDecoder().decode(part);
      return part.length;
    },
  };
}

Deno.test("writes are whole and in order, also when the sink takes little at a time", async () => {
  const target = sink(3, [new Deno.errors.WouldBlock("full")]);
  const stream = output(target, "throw");
  void stream.write("hello ");
  void stream.write(new TextEncoder().encode("world\n"));
  await stream.flushed();
  assert.equal(target.text(), "hello world\n");
});

Deno.test("a reader that has gone ends the command on standard output, and is no matter on standard error", async () => {
  await assert.rejects(output(sink(9, [new Deno.errors.BrokenPipe("gone")]), "throw").write("x"), OutputClosed);
  await output(sink(9, [new Deno.errors.BrokenPipe("gone")]), "ignore").write("x");
  await assert.rejects(output(sink(9, [new Error("No space left on device (os error 28)")]), "throw").write("x"), {
    code: "usage",
    message: "Cannot write standard output: No space left on device",
    hint: "df -h .  # shows whether there is space",
  });
});

Deno.test("linesOf() puts lines together across chunks, and bytes across characters", async () => {
  const bytes = new TextEncoder().encode("é1\r\n\n2\nlast");
  for (const step of [1, 2, 5, 99]) {
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / step) },
      (_, i) => bytes.slice(i * step, i * step + step),
    );
    assert.deepEqual(await Array.fromAsync(linesOf(ReadableStream.from(chunks))), ["é1", "", "2", "last"], `${step}`);
  }
  assert.deepEqual(await Array.fromAsync(linesOf(new Blob([]).stream())), []);
});
