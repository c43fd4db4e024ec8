import assert from "node:assert/strict";
import { digestOf } from "../../stack/image/distribution.ts";
import { namesRegistry, registryHost, repositoryOf } from "../../stack/image/image_name.ts";
import { baseImages, buildProject, ensureBase, findImage, requireMpi } from "../../stack/image/images.ts";
import { type PullFailure, pullFailure, pullImage, pushImage, requireRegistry } from "../../stack/image/registry.ts";
import { LABELS } from "../../stack/labels.ts";
import { resolveSettings } from "../../stack/settings/settings.ts";
import { anImage, events, fakeDocker, fakeEngine } from "../support/fakes.ts";

const BASES = baseImages("1.2.3");
const signal = new AbortController().signal;

Deno.test("requireMpi() refuses an image with another MPI than was asked for, and says where that was", async () => {
  const settings = await resolveSettings({ directory: "/home/ada/hello", flags: { mpi: "openmpi" } });
  assert.throws(() => requireMpi(settings, "hello:latest", "mpich", "do this"), {
    code: "settings",
    message: 'Image "hello:latest" has mpich, but --mpi asks for openmpi',
    hint: "do this",
  });
  requireMpi(settings, "hello:latest", "openmpi", "");
  requireMpi(settings, "hello:latest", undefined, "");
  requireMpi(await resolveSettings({ directory: "/home/ada/hello" }), "hello:latest", "openmpi", "");
});

/** The digest of the two bytes that the tests take for the build context. */
const DIGEST = "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603";
const context = () => Promise.resolve(new Uint8Array([97, 98]));

Deno.test("ensureBase() leaves alone what was made from the same files", async () => {
  const engine = fakeEngine({ image: () => Promise.resolve(anImage({ labels: { [LABELS.context]: DIGEST } })) });
  await ensureBase(engine, fakeDocker(), BASES[1]!, context, () => {}, signal);
});

for (const found of [undefined, anImage(), anImage({ labels: { [LABELS.context]: "older" } })]) {
  Deno.test(`ensureBase() builds what is ${found === undefined ? "missing" : "of other files"}, and never pulls`, async () => {
    let there = found;
    const docker = fakeDocker(() => {
      there = anImage({ labels: { [LABELS.context]: DIGEST } });
      return { lines: ["#1 [internal] load", "Step 1/9 : FROM x", "noise"] };
    });
    const { report, texts } = events();
    const engine = fakeEngine({ image: () => Promise.resolve(there) });
    await ensureBase(engine, docker, BASES[1]!, context, report, signal);
    assert.deepEqual(docker.calls, [
      `build --target dev --build-arg MPI=mpich -t docker-mpi/mpich:1.2.3-dev --label docker-mpi.context=${DIGEST} -`,
    ]);
    assert.deepEqual(docker.inputs, ["ab"]);
    assert.deepEqual(texts.slice(0, 3), [
      "image docker-mpi/mpich:1.2.3-dev: building",
      "image docker-mpi/mpich:1.2.3-dev: #1 [internal] load",
      "image docker-mpi/mpich:1.2.3-dev: Step 1/9 : FROM x",
    ]);
    assert.match(texts[3] ?? "", /: built in \d+ s$/);
  });
}

Deno.test("ensureBase() does not take a build for done whose result another builder keeps", async () => {
  for (const there of [undefined, anImage({ labels: { [LABELS.context]: "older" } })]) {
    const engine = fakeEngine({ image: () => Promise.resolve(there) });
    await assert.rejects(ensureBase(engine, fakeDocker(() => ({})), BASES[1]!, context, () => {}, signal), {
      code: "build",
      message: 'The build of "docker-mpi/mpich:1.2.3-dev" ended well, but the engine does not have it',
    });
  }
});

Deno.test("ensureBase() renews what is there, from the newest Debian and packages", async () => {
  const docker = fakeDocker(() => ({}));
  const engine = fakeEngine({ image: () => Promise.resolve(anImage({ labels: { [LABELS.context]: DIGEST } })) });
  await ensureBase(engine, docker, BASES[1]!, context, () => {}, signal, true);
  assert.match(docker.calls.join(), /^build --pull --no-cache --target dev /);
});

Deno.test("buildProject() says the end of what a failed build said", async () => {
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  const docker = fakeDocker(() => ({ code: 2, lines }));
  const project = { directory: "/home/ada/hello", image: "hello:latest", args: ["--no-cache"] };
  await assert.rejects(buildProject(docker, project, () => {}, signal), {
    code: "build",
    message: `Docker could not build "hello:latest" (status 2):\n${lines.slice(25).join("\n")}`,
    hint: "docker build -t hello:latest --no-cache /home/ada/hello  # shows all of it",
  });
  assert.deepEqual(docker.calls, ["build -t hello:latest --no-cache /home/ada/hello"]);
});

Deno.test("buildProject() gives a line that can be pasted, without the values of variables", async () => {
  const args = ["--build-arg", "TOKEN=hush", "--build-arg", "CFLAGS=-O3 -g"];
  const project = { directory: "/home/ada/my project", image: "hello:latest", args };
  await assert.rejects(buildProject(fakeDocker(() => ({ code: 2 })), project, () => {}, signal), {
    hint:
      "docker build -t hello:latest --build-arg 'TOKEN=…' --build-arg 'CFLAGS=…' '/home/ada/my project'  # shows all of it",
  });
});

Deno.test("what is built again without a change keeps its id: nothing notes when it was built", async () => {
  const docker = fakeDocker((_, { env }) => {
    assert.deepEqual(env, { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" });
    return {};
  });
  await buildProject(docker, { directory: ".", image: "hello", args: [] }, () => {}, signal);
  assert.equal(docker.calls.length, 1);
});

Deno.test("a build that the user stops is cancelled, not failed", async () => {
  const controller = new AbortController();
  const docker = fakeDocker(() => {
    controller.abort(new Error("stopped"));
    return { code: 1 };
  });
  const project = { directory: ".", image: "hello", args: [] };
  await assert.rejects(buildProject(docker, project, () => {}, controller.signal), /stopped/);
});

const names: [image: string, repository: string, host: string, registry: boolean][] = [
  ["hello", "hello", "", false],
  ["hello:latest", "hello", "", false],
  ["docker.io/library/hello:1", "docker.io/library/hello", "", false],
  ["ada/hello:1.2", "ada/hello", "", true],
  ["docker.io/ada/hello", "docker.io/ada/hello", "", true],
  ["localhost:5000/hello", "localhost:5000/hello", " localhost:5000", true],
  ["localhost/hello", "localhost/hello", " localhost", true],
  ["example.org:5000/a/b/c:1", "example.org:5000/a/b/c", " example.org:5000", true],
  ["example.org/hello:1@sha256:0123", "example.org/hello", " example.org", true],
  ["10.0.0.1:5000/hello", "10.0.0.1:5000/hello", " 10.0.0.1:5000", true],
];

for (const [image, repository, host, registry] of names) {
  Deno.test(`the name of image ${image} says where it is from`, () => {
    assert.deepEqual([repositoryOf(image), registryHost(image), namesRegistry(image)], [repository, host, registry]);
  });
}

Deno.test("requireRegistry() says what a name needs to be pushed", () => {
  requireRegistry("example.org/hello", "docker mpi build");
  assert.throws(() => requireRegistry("hello:latest", "docker mpi build"), {
    code: "settings",
    message: 'Image "hello:latest" names no registry to push it to',
    hint: "docker mpi build --push --image registry.example.org/hello  # with your registry; or image: in mpi.yaml",
  });
});

const digests: [image: string, digests: string[], digest: string | undefined][] = [
  ["hello", [], undefined],
  ["example.org/hello:1", ["example.org/hello@sha256:1"], "sha256:1"],
  ["example.org/hello:1", ["example.org/hello2@sha256:1", "example.com/hello@sha256:2"], undefined],
  ["example.org/hello:1", ["x@sha256:1", "example.org/hello@sha256:2", "example.org/hello@sha256:3"], "sha256:2"],
  ["docker.io/ada/hello", ["ada/hello@sha256:1"], "sha256:1"],
  ["docker.io/library/debian:13", ["debian@sha256:1"], "sha256:1"],
];

for (const [image, known, digest] of digests) {
  Deno.test(`digestOf() ${image} among ${known.join(", ") || "none"}`, () => {
    assert.equal(digestOf(image, anImage({ digests: known })), digest);
  });
}

const pushes: [said: string, message: string, hint: string][] = [
  ["denied: not yours", "denied: not yours", "docker login example.org  # and a name that is yours to push to: "],
  ["no basic auth credentials", "no basic auth credentials", "docker login example.org  # "],
  [
    'Get "https://x/v2/": http: server gave HTTP response to HTTPS client',
    'Get "https://x/v2/": http: server gave HTTP response to HTTPS client',
    "docker info  # shows the insecure registries; one without TLS must be among them, on every host",
  ],
  ["dial tcp: connection refused", "dial tcp: connection refused", "docker push example.org/hello:1  # tries it again"],
];

for (const [said, message, hint] of pushes) {
  Deno.test(`pushImage() says what the registry said last: ${said}`, async () => {
    const docker = fakeDocker(() => ({ code: 1, stderr: `The push refers to x\n${said}\n` }));
    await assert.rejects(
      pushImage(docker, "example.org/hello:1", () => {}, signal),
      (error: Error & { code: string; hint: string }) => {
        assert.deepEqual([error.code, error.message], [
          "build",
          `Docker could not push "example.org/hello:1": ${message}`,
        ]);
        assert.ok(error.hint.startsWith(hint), error.hint);
        return true;
      },
    );
    assert.deepEqual(docker.calls, ["push example.org/hello:1"]);
  });
}

const failures: [why: string, is: PullFailure][] = [
  ["manifest for example.org/timeout:1 not found: manifest unknown: manifest unknown", "missing"],
  ["manifest for denied:1 not found", "missing"],
  ["unexpected status from GET request to https://example.org/v2/: 503 Service Unavailable", "failing"],
  ['Get "https://example.org/v2/": EOF', "failing"],
  ['Get "https://example.org/v2/": dial tcp: lookup example.org on 10.0.0.2:53: no such host', "unreachable"],
  ["x509: certificate signed by unknown authority", "unreachable"],
  ["pull access denied for ada/hello, repository does not exist or may require 'docker login'", "refused"],
];

for (const [why, is] of failures) {
  Deno.test(`what a registry means by ${JSON.stringify(why)}`, () => assert.equal(pullFailure(why), is));
}

Deno.test("pullImage() says why a registry gives nothing", async () => {
  const pull = (said: string) =>
    pullImage(fakeDocker(() => ({ code: 1, stderr: said })), "example.org/hello:1", () => {}, signal);
  const hint = "docker pull example.org/hello:1  # tries it again; docker login example.org where it wants a login";
  const begin = 'The registry of image "example.org/hello:1"';
  await assert.rejects(pull("manifest unknown"), { message: `${begin} does not have it: manifest unknown`, hint });
  await assert.rejects(pull("unauthorized"), { message: `${begin} refuses it to you: unauthorized`, hint });
  await assert.rejects(pull("i/o timeout"), { message: `${begin} can't be reached: i/o timeout`, hint });
  const limit = "toomanyrequests: You have reached your pull rate limit";
  await assert.rejects(pull(limit), { message: `${begin} fails: ${limit}`, hint });
});

Deno.test("findImage() takes the engine's, else the registry's, else says that neither has it", async () => {
  const local = anImage();
  const here = fakeEngine({ image: () => Promise.resolve(local) });
  assert.equal(await findImage(here, fakeDocker(), "hello:1", () => {}, signal), local);

  let pulled = false;
  const after = fakeEngine({ image: () => Promise.resolve(pulled ? local : undefined) });
  const docker = fakeDocker(() => {
    pulled = true;
    return {};
  });
  assert.equal(await findImage(after, docker, "hello:1", () => {}, signal), local);
  assert.deepEqual(docker.calls, ["pull --quiet hello:1"]);

  const nowhere = fakeEngine({ image: () => Promise.resolve(undefined) });
  const refusing = fakeDocker(() => ({ code: 1, stderr: "Error response from daemon: manifest unknown\n" }));
  await assert.rejects(findImage(nowhere, refusing, "hello:1", () => {}, signal), {
    code: "not-found",
    message: 'Image "hello:1" is neither on this engine nor in its registry: manifest unknown',
  });
});
