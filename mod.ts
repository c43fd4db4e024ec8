/**
 * The process of `docker mpi`, and the only place that ends it.
 *
 * Docker asks every plugin for its metadata at each `docker --help` and before each use, without a time limit. So that
 * question is answered before anything else is loaded.
 *
 * @module
 */
import { metadata } from "./cli/docker/metadata.ts";

if (import.meta.main) {
  if (Deno.args[0] === "docker-cli-plugin-metadata") {
    const bytes = new TextEncoder().encode(JSON.stringify(metadata) + "\n");
    for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
    Deno.exit(0);
  }
  const { main } = await import("./cli/main.ts");
  const { givenArgs } = await import("./cli/command_line/args.ts");
  Deno.exit(await main(givenArgs(Deno.args)));
}
