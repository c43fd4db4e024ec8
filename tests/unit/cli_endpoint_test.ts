import assert from "node:assert/strict";
import { type Dialer, readHost, resolveEndpoint } from "../../cli/docker/endpoint.ts";
import type { DockerCli } from "../../stack/engine/docker_cli.ts";

const hosts: [host: string, expected: ReturnType<typeof readHost>][] = [
  ["unix:///var/run/docker.sock", { local: true }],
  ["npipe:////./pipe/docker_engine", { local: true }],
  ["tcp://10.0.0.1:2376", { local: false, hostname: "10.0.0.1" }],
  ["tcp://[fd00::1]:2376", { local: false, hostname: "fd00::1" }],
  ["ssh://me@head.example.org:22", { local: false, hostname: "head.example.org" }],
  ["ssh://head", { local: false, hostname: "head" }],
];

for (const [host, expected] of hosts) {
  Deno.test(`readHost() reads ${host}`, () => assert.deepEqual(readHost(host), expected));
}

function docker(code: number, stdout: string, stderr = ""): DockerCli {
  return {
    run(args) {
      assert.deepEqual(args, ["context", "inspect", "--format", "{{json .}}"]);
      return Promise.resolve({ code, stdout, stderr });
    },
    attach: () => assert.fail("not expected"),
  };
}

const context = (host: string) => JSON.stringify({ Name: "x", Endpoints: { docker: { Host: host } } }) + "\n";
const noDial = () => assert.fail("not expected");

Deno.test("resolveEndpoint() uses a local socket directly", async () => {
  const { close: _, ...endpoint } = await resolveEndpoint(docker(0, context("unix:///run/d.sock")), noDial, "1.41");
  const connection = { socketPath: "/run/d.sock" };
  assert.deepEqual(endpoint, { host: "unix:///run/d.sock", local: true, version: "v1.41", connection });
});

Deno.test("resolveEndpoint() leaves everything else to docker's own connection", async () => {
  let closed = 0;
  const dialer = { agent: {}, close: () => Promise.resolve(void closed++) } as unknown as Dialer;
  const endpoint = await resolveEndpoint(docker(0, context("ssh://me@head")), () => Promise.resolve(dialer));
  assert.deepEqual([endpoint.hostname, endpoint.version], ["head", undefined]);
  assert.equal("agent" in endpoint.connection && endpoint.connection.agent, dialer.agent);
  await endpoint.close();
  assert.equal(closed, 1);
});

Deno.test("resolveEndpoint() passes on what docker says", async () => {
  const failed = resolveEndpoint(docker(1, "", 'context "gone": context not found\n'), noDial);
  await assert.rejects(failed, {
    code: "engine",
    message: 'Docker can\'t say which engine to use: context "gone": context not found',
    hint: "docker context ls",
  });
  await assert.rejects(resolveEndpoint(docker(0, '{"Endpoints":{}}'), noDial), { code: "engine" });
});
