import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ARTIFACT_ABI, type Artifact } from "../../lib/component/artifact.ts";
import { ArtifactCache } from "../../lib/component/cache.ts";
import { artifactName, type StorePaths } from "../../lib/component/store.ts";
import { sweepUnfinished, trimArtifacts } from "../../lib/component/sweep.ts";
import { temporaryDirectory } from "./support/directory.ts";
import { RUN_PLAN } from "./support/plans.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function pathsOf(home: string): StorePaths {
  return { artifacts: join(home, "artifacts"), unfinished: join(home, "tmp") };
}

/** Makes a directory with a file of so many bytes, last used so long ago. */
function makeDirectory(path: string, agoMs: number, bytes = 0): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "plan.json"), new Uint8Array(bytes));
  setAge(path, agoMs);
  return path;
}

function setAge(path: string, agoMs: number): void {
  const time = (Date.now() - agoMs) / 1000;
  utimesSync(path, time, time);
}

function digestFor(index: number): string {
  return index.toString(16).padStart(64, "0");
}

/** An artifact of one module, which is none: it is stored and loaded, not run. */
function artifactFor(digest: string): Artifact {
  const bytes = new Uint8Array(1000);
  const module = { name: "tool.core.wasm", bytes, memories: [], initialTableElements: 0, initialHeapBytes: 0 };
  return {
    digest,
    kind: "bare",
    entries: [{ name: "run", exported: 0 }],
    plan: RUN_PLAN,
    modules: [module],
    imports: [],
  };
}

/** The name of what a writer has not finished. */
function unfinishedName(digit: string): string {
  return `artifact-${digit.repeat(16)}-${crypto.randomUUID()}`;
}

/** Makes artifacts 1 to `count`, the first one used longest ago, each of 100 bytes. */
function fill(home: string, count: number): void {
  for (let index = 1; index <= count; index++) {
    const ago = (count - index + 2) * MINUTE_MS;
    makeDirectory(join(home, "artifacts", artifactName(digestFor(index))), ago, 100);
  }
}

/** The numbers of the artifacts that are left. */
function left(home: string): readonly number[] {
  return readdirSync(join(home, "artifacts"))
    .map((name) => Number.parseInt(name.slice(0, 64), 16))
    .toSorted((a, b) => a - b);
}

describe("sweepUnfinished()", () => {
  test("deletes what a writer left more than an hour ago, and nothing else", async () => {
    using home = temporaryDirectory();
    const kept = [unfinishedName("a"), `package-${crypto.randomUUID()}`, "artifact-x", "notes"];
    makeDirectory(join(home.path, "tmp", kept[0] ?? ""), HOUR_MS - MINUTE_MS);
    for (const name of kept.slice(1)) makeDirectory(join(home.path, "tmp", name), 2 * HOUR_MS);
    makeDirectory(join(home.path, "tmp", unfinishedName("b")), HOUR_MS + MINUTE_MS);
    await sweepUnfinished(pathsOf(home.path));
    expect(readdirSync(join(home.path, "tmp")).toSorted()).toEqual(kept.toSorted());
  });

  test("is done whenever an artifact is stored", async () => {
    using home = temporaryDirectory();
    const name = `artifact-${"0".repeat(16)}-${crypto.randomUUID()}`;
    makeDirectory(join(home.path, "tmp", name), 2 * HOUR_MS);
    await new ArtifactCache(home.path).store(artifactFor(digestFor(1)));
    expect(readdirSync(join(home.path, "tmp"))).toEqual([]);
  });

  test("takes a home without such a directory", async () => {
    using home = temporaryDirectory();
    await sweepUnfinished(pathsOf(home.path));
    expect(readdirSync(home.path)).toEqual([]);
  });
});

describe("trimArtifacts()", () => {
  const cases = [
    { why: "one fewer than the bound", bounds: { count: 5, bytes: 1e9 }, expected: [1, 2, 3, 4] },
    { why: "as many as the bound", bounds: { count: 4, bytes: 1e9 }, expected: [1, 2, 3, 4] },
    { why: "one more than the bound", bounds: { count: 3, bytes: 1e9 }, expected: [2, 3, 4] },
    { why: "as many bytes as the bound", bounds: { count: 9, bytes: 400 }, expected: [1, 2, 3, 4] },
    { why: "a byte more than the bound", bounds: { count: 9, bytes: 399 }, expected: [2, 3, 4] },
    { why: "far more bytes than the bound", bounds: { count: 9, bytes: 150 }, expected: [4] },
  ];
  test.each(cases)("$why", async ({ bounds, expected }) => {
    using home = temporaryDirectory();
    fill(home.path, 4);
    await trimArtifacts(pathsOf(home.path), digestFor(99), bounds);
    expect(left(home.path)).toEqual(expected);
    expect(existsSync(join(home.path, "tmp")) ? readdirSync(join(home.path, "tmp")) : []).toEqual([]);
  });

  test("keeps what was used in the last minute, whatever the bounds", async () => {
    using home = temporaryDirectory();
    fill(home.path, 3);
    setAge(join(home.path, "artifacts", artifactName(digestFor(3))), MINUTE_MS / 2);
    await trimArtifacts(pathsOf(home.path), digestFor(99), { count: 0, bytes: 0 });
    expect(left(home.path)).toEqual([3]);
  });

  test("deletes what other versions of KAMI made of the component just written, and of no other", async () => {
    using home = temporaryDirectory();
    const names = [artifactName(digestFor(1)), `${digestFor(1)}-m0-g0-j0`, `${digestFor(2)}-m0-g0-j0`];
    for (const name of names) makeDirectory(join(home.path, "artifacts", name), 0);
    await trimArtifacts(pathsOf(home.path), digestFor(1));
    expect(readdirSync(join(home.path, "artifacts")).toSorted()).toEqual([
      `${digestFor(1)}-${ARTIFACT_ABI}`,
      `${digestFor(2)}-m0-g0-j0`,
    ]);
  });

  test("touches nothing whose name is no artifact's", async () => {
    using home = temporaryDirectory();
    const names = ["notes", digestFor(1), "0-m1"];
    for (const name of names) makeDirectory(join(home.path, "artifacts", name), HOUR_MS);
    await trimArtifacts(pathsOf(home.path), digestFor(1), { count: 0, bytes: 0 });
    expect(readdirSync(join(home.path, "artifacts")).toSorted()).toEqual(names.toSorted());
  });

  test("several at once, while others write, leave each written artifact whole", async () => {
    using home = temporaryDirectory();
    fill(home.path, 60);
    const written = Array.from({ length: 12 }, (_, index) => digestFor(1000 + index));
    const caches = [new ArtifactCache(home.path), new ArtifactCache(home.path)];
    await Promise.all([
      ...written.map((digest, index) => caches[index % 2]?.store(artifactFor(digest))),
      ...[1, 2, 3].map(() => trimArtifacts(pathsOf(home.path), digestFor(1), { count: 10, bytes: 1e9 })),
    ]);
    for (const digest of written) expect(await caches[0]?.load(digest)).toEqual(artifactFor(digest));
    expect(readdirSync(join(home.path, "tmp"))).toEqual([]);
  });
});

describe("ArtifactCache", () => {
  test("a load marks an artifact as used: it is not the next to go", async () => {
    using home = temporaryDirectory();
    const cache = new ArtifactCache(home.path);
    for (const index of [1, 2]) {
      await cache.store(artifactFor(digestFor(index)));
      setAge(join(home.path, "artifacts", artifactName(digestFor(index))), (10 - index) * MINUTE_MS);
    }
    await cache.load(digestFor(1));
    await trimArtifacts(pathsOf(home.path), digestFor(99), { count: 1, bytes: 1e9 });
    expect(readdirSync(join(home.path, "artifacts"))).toEqual([artifactName(digestFor(1))]);
  });

  test("a store keeps the cache at 512 artifacts", async () => {
    using home = temporaryDirectory();
    for (let index = 1; index <= 513; index++) {
      makeDirectory(join(home.path, "artifacts", artifactName(digestFor(index))), (index === 7 ? 9 : 5) * MINUTE_MS);
    }
    await new ArtifactCache(home.path).store(artifactFor(digestFor(1000)));
    const names = readdirSync(join(home.path, "artifacts"));
    expect(names.length).toBe(512);
    expect(names).not.toContain(artifactName(digestFor(7)));
    expect(names).toContain(artifactName(digestFor(1000)));
  });
});
