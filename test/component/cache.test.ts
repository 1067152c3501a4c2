import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { guestPath } from "../../fixtures/paths.ts";
import { ARTIFACT_ABI, type Artifact } from "../../lib/component/artifact.ts";
import { digestOf } from "../../lib/digest.ts";
import { ArtifactCache, COMPILERS_AT_ONCE } from "../../lib/component/cache.ts";
import { compileComponent } from "../../lib/component/compile.ts";
import { Failure } from "../../lib/errors.ts";
import { assemble } from "./support/components.ts";
import { temporaryDirectory } from "./support/directory.ts";

let component: Uint8Array;
let artifact: Artifact;

beforeAll(async () => {
  component = await assemble({ head: "(core module) (core instance (instantiate 0))" });
  artifact = await compileComponent(component);
});

const ENSURE = fileURLToPath(new URL("support/run-ensure.ts", import.meta.url));
const FILES = ["artifact.json", "plan.json", "tool.core.wasm", "tool.core2.wasm"];

function directoryOf(home: string): string {
  return join(home, "artifacts", `${artifact.digest}-${ARTIFACT_ABI}`);
}

/** Makes components that are different. */
function variants(count: number): Promise<readonly Uint8Array[]> {
  const heads = Array.from({ length: count }, (_, index) => `(core module (global i32 (i32.const ${index})))`);
  return Promise.all(heads.map((head) => assemble({ head: `${head} (core instance (instantiate 0))` })));
}

async function refuseToRead(): Promise<Uint8Array> {
  throw new Error("the component was asked for");
}

describe("ArtifactCache.load() and store()", () => {
  test("what was stored is loaded, byte for byte, and nothing else is left", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    expect(await cache.load(artifact.digest)).toBeUndefined();
    await cache.store(artifact);
    expect(await cache.load(artifact.digest)).toEqual(artifact);
    expect(readdirSync(directoryOf(home.path)).toSorted()).toEqual(FILES);
    expect(readdirSync(join(home.path, "tmp"))).toEqual([]);
  });

  const damages: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
    ["is gone", (path) => rm(path)],
    ["is empty", (path) => truncate(path, 0)],
    ["lacks its last byte", async (path) => await truncate(path, (await readFile(path)).length - 1)],
    ["has a byte more", (path) => appendFile(path, "\n")],
    [
      "has a bit changed",
      async (path) => {
        const bytes = await readFile(path);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0x01;
        await writeFile(path, bytes);
      },
    ],
    ["is a directory", async (path) => (await rm(path), await mkdir(path))],
    ["is a device without end", async (path) => (await rm(path), await symlink("/dev/zero", path))],
  ];
  for (const file of FILES) {
    for (const [damage, inflict] of damages) {
      test(`${file} ${damage}: not loaded, and replaced by the next store`, async () => {
        using home = temporaryDirectory();
        const cache = new ArtifactCache(home.path);
        await cache.store(artifact);
        await inflict(join(directoryOf(home.path), file));
        expect(await cache.load(artifact.digest)).toBeUndefined();
        await cache.store(artifact);
        expect(await cache.load(artifact.digest)).toEqual(artifact);
        expect(readdirSync(join(home.path, "tmp"))).toEqual([]);
      });
    }
  }

  test("a file in the directory's place is replaced", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    await Bun.write(directoryOf(home.path), "not a directory");
    expect(await cache.load(artifact.digest)).toBeUndefined();
    await cache.store(artifact);
    expect(await cache.load(artifact.digest)).toEqual(artifact);
  });

  test("many writers at once, over a damaged artifact, all succeed", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    await Bun.write(join(directoryOf(home.path), "artifact.json"), "damaged");
    await Promise.all(Array.from({ length: 12 }, () => new ArtifactCache(home.path).store(artifact)));
    expect(await cache.load(artifact.digest)).toEqual(artifact);
    expect(readdirSync(join(home.path, "artifacts"))).toEqual([`${artifact.digest}-${ARTIFACT_ABI}`]);
    expect(readdirSync(join(home.path, "tmp"))).toEqual([]);
  });

  test("a home that cannot be written", async () => {
    using home = temporaryDirectory();
    const file = join(home.path, "file");
    await Bun.write(file, "");
    const failure = await new ArtifactCache(file).store(artifact).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ARTIFACT_UNUSABLE" });
  });

  test("what is no digest never becomes part of a path", async () => {
    const cache = new ArtifactCache("/nonexistent");
    const wrong = [
      "",
      "..",
      `../${artifact.digest}`,
      artifact.digest.toUpperCase(),
      artifact.digest.slice(1),
      `${artifact.digest}0`,
    ];
    for (const digest of wrong) {
      const expected = "a digest is 64 lower-case hexadecimal digits";
      expect(cache.load(digest)).rejects.toThrow(expected);
      expect(cache.remove(digest)).rejects.toThrow(expected);
      expect(() => cache.ensure(digest, refuseToRead)).toThrow(expected);
      expect(cache.store({ ...artifact, digest })).rejects.toThrow(expected);
    }
  });
});

describe("ArtifactCache.remove()", () => {
  test("all artifacts of the component go, those of other versions included, and no other's", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    const other = "0".repeat(64);
    await cache.store(artifact);
    await cache.store({ ...artifact, digest: other });
    await Bun.write(join(home.path, "artifacts", `${artifact.digest}-m0-p0`, "plan.json"), "");
    await cache.remove(artifact.digest);
    expect(readdirSync(join(home.path, "artifacts"))).toEqual([`${other}-${ARTIFACT_ABI}`]);
    await cache.remove(artifact.digest);
  });

  test("a home without artifacts", async () => {
    using home = temporaryDirectory();
    await new ArtifactCache(home.path).remove(artifact.digest);
    expect(readdirSync(home.path)).toEqual([]);
  });
});

describe("ArtifactCache.ensure()", () => {
  test("compiles once, then loads without asking for the component", async () => {
    using home = temporaryDirectory();
    const first = await new ArtifactCache(home.path).ensure(artifact.digest, async () => component);
    expect(first).toEqual(artifact);
    expect(await new ArtifactCache(home.path).ensure(artifact.digest, refuseToRead)).toEqual(artifact);
  });

  test("ten calls at once compile once", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    let reads = 0;
    const read = async () => {
      reads += 1;
      return component;
    };
    const found = await Promise.all(Array.from({ length: 10 }, () => cache.ensure(artifact.digest, read)));
    expect(reads).toBe(1);
    expect(found).toEqual(Array.from({ length: 10 }, () => artifact));
  });

  test("a damaged artifact is compiled again and stored", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    await cache.store(artifact);
    await appendFile(join(directoryOf(home.path), "plan.json"), " ");
    expect(await cache.ensure(artifact.digest, async () => component)).toEqual(artifact);
    expect(await cache.load(artifact.digest)).toEqual(artifact);
  });

  test("a failure is not kept: the next call tries again", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    const bad = Uint8Array.of(1, 2, 3);
    for (const _ of [1, 2]) {
      const failure = await cache.ensure(digestOf(bad), async () => bad).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "COMPONENT_INVALID" });
    }
    expect(readdirSync(home.path)).toEqual([]);
  });

  test("bytes of another component are a bug of the caller's", async () => {
    using home = temporaryDirectory();
    const wrong = "0".repeat(64);
    const ensured = new ArtifactCache(home.path).ensure(wrong, async () => component);
    expect(ensured).rejects.toThrow(`BUG: the component's digest is ${artifact.digest}, not ${wrong}`);
    await ensured.catch(() => undefined);
    expect(readdirSync(home.path)).toEqual([]);
  });

  test("a home that cannot be written costs a report, not the artifact", async () => {
    using home = temporaryDirectory();
    const file = join(home.path, "file");
    await Bun.write(file, "");
    const problems: Failure[] = [];
    const cache = new ArtifactCache(file, (problem) => problems.push(problem));
    expect(await cache.ensure(artifact.digest, async () => component)).toEqual(artifact);
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ["ARTIFACT_UNUSABLE", expect.stringMatching(/^Cannot use the compiled component: E[A-Z]+: [ -~]+$/)],
    ]);
  });

  test("two processes at once agree, and leave one whole artifact", async () => {
    using home = temporaryDirectory();
    const path = guestPath("kami-tool");
    const bytes = await Bun.file(path).bytes();
    const digest = digestOf(bytes);
    const processes = [1, 2].map(() =>
      Bun.spawn([process.execPath, ENSURE, home.path, path, digest], { stdout: "pipe", stderr: "pipe" }),
    );
    const outputs = await Promise.all(processes.map(async (one) => JSON.parse(await new Response(one.stdout).text())));
    const loaded = await new ArtifactCache(home.path).ensure(digest, refuseToRead);
    const expected = { digest, sizes: loaded.modules.map((module) => module.bytes.length), problems: 0 };
    for (const output of outputs) expect(output).toMatchObject(expected);
    expect(outputs.map(({ reads }) => reads)).toContain(1);
    expect(readdirSync(join(home.path, "tmp"))).toEqual([]);
  });

  test("a writer killed at any moment leaves no artifact or a whole one", async () => {
    using home = temporaryDirectory();
    const path = guestPath("echo");
    const digest = digestOf(await Bun.file(path).bytes());
    const cache = new ArtifactCache(home.path);
    for (const delayMs of [60, 110, 140, 160, 180, 220]) {
      const writer = Bun.spawn([process.execPath, ENSURE, home.path, path, digest], {
        stdout: "ignore",
        stderr: "ignore",
      });
      await Bun.sleep(delayMs);
      writer.kill("SIGKILL");
      await writer.exited;
      const names = readdirSync(home.path).includes("artifacts") ? readdirSync(join(home.path, "artifacts")) : [];
      expect((await cache.load(digest)) !== undefined).toBe(names.length > 0);
      await cache.remove(digest);
    }
  });
});

describe("ArtifactCache compilations", () => {
  test(`no more than ${COMPILERS_AT_ONCE} run at once, however many are asked for`, async () => {
    using home = temporaryDirectory();
    await using cache = new ArtifactCache(home.path);
    let running = 0;
    let most = 0;
    const components = await variants(6);
    const compiled = components.map(async (bytes) => {
      const result = await cache.ensure(digestOf(bytes), async () => {
        // A turn of the loop, in which the end of the one before is counted.
        await Bun.sleep(0);
        running += 1;
        most = Math.max(most, running);
        return bytes;
      });
      running -= 1;
      return result;
    });
    expect((await Promise.all(compiled)).map(({ digest }) => digest)).toEqual(
      components.map((bytes) => digestOf(bytes)),
    );
    expect(most).toBe(COMPILERS_AT_ONCE);
  });

  test("disposal ends those that run and those that wait, and leaves nothing", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    const begun = Promise.withResolvers<void>();
    const components = await variants(4);
    const outcomes = components.map((bytes) =>
      cache
        .ensure(digestOf(bytes), async () => (begun.resolve(), bytes))
        .catch((error: unknown) => (error instanceof Failure ? error.code : String(error))),
    );
    await begun.promise;
    await cache[Symbol.asyncDispose]();
    expect(await Promise.all(outcomes)).toEqual(components.map(() => "CANCELLED"));
    expect(readdirSync(home.path)).toEqual([]);
  });
});

afterAll(() => {
  // What the tests share is read only: a test that changed it would spoil the others.
  expect(digestOf(component)).toBe(artifact.digest);
});
