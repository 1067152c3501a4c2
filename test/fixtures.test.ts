/**
 * The committed `.wasm` of each fixture is what its source builds. A fixture whose exact toolchain is not here is skipped, and says so.
 */
import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { CORPUS } from "../fixtures/hostile/corpus.ts";
import { guestDirectory, guestPath, hostilePath, toolDirectory } from "../fixtures/paths.ts";
import { FIXTURES, ROOT } from "../fixtures/recipes.ts";
import { compareFixture, identifyToolchain, lockFixture, readLock } from "../fixtures/lock.ts";
import { describeDifferences } from "../fixtures/snapshot.ts";
import { parseManifest } from "../lib/manifest/parse.ts";

/** They have no folder of their own, no manifest, and their list is the corpus. */
const HOSTILE = FIXTURES.filter(({ directory }) => directory === join(ROOT, "hostile"));
const PACKAGES = FIXTURES.filter((fixture) => !HOSTILE.includes(fixture));

const lock = await readLock();
const toolchains = new Map<string, string | undefined>();
for (const fixture of FIXTURES) toolchains.set(fixture.name, await identifyToolchain(fixture.recipe));

describe("fixtures/built.json", () => {
  test("names exactly the fixtures that there are, in order", () => {
    expect([...lock.keys()]).toEqual(FIXTURES.map(({ name }) => name));
  });

  test.each(FIXTURES)("has the digests of $name's sources and component", async (fixture) => {
    const { sources, wasm } = await lockFixture(fixture);
    const locked = lock.get(fixture.name);
    expect({ sources, wasm }).toEqual({ sources: locked?.sources ?? "", wasm: locked?.wasm ?? "" });
  });

  test("was written with the packages that this project pins", () => {
    const pinned = FIXTURES.filter(({ recipe }) => !["c", "quickjs", "rust", "rust-wasi"].includes(recipe.kind));
    const locked = pinned.map(({ name }) => [name, lock.get(name)?.toolchain]);
    expect(locked).toEqual(pinned.map(({ name }) => [name, toolchains.get(name)]));
  });
});

describe("fixtures/README.md", () => {
  test("lists every fixture once, but for the corpus", async () => {
    const text = await readFile(join(ROOT, "README.md"), "utf8");
    const listed = [...text.matchAll(/^\| \[?`(?:tools\/)?([a-z0-9-]+)`/gm)].map(([, name = ""]) => name);
    expect(listed.toSorted((left, right) => (left < right ? -1 : 1))).toEqual(PACKAGES.map(({ name }) => name));
  });
});

describe("fixtures/hostile/", () => {
  test("holds the text and the component of every guest of the corpus, and no other's", async () => {
    const names = [...new Bun.Glob("*.{wat,wasm}").scanSync(join(ROOT, "hostile"))].toSorted();
    expect(names).toEqual(CORPUS.flatMap(({ name }) => [`${name}.wasm`, `${name}.wat`]).toSorted());
  });

  test.each(CORPUS)("$name.wat begins with what the corpus says of it", async ({ name, attack }) => {
    expect((await readFile(join(ROOT, "hostile", `${name}.wat`), "utf8")).split("\n")[0]).toBe(`;; ${attack}`);
  });
});

describe("the committed component is what its source builds", () => {
  for (const fixture of FIXTURES) {
    const here = toolchains.get(fixture.name);
    const wanted = lock.get(fixture.name)?.toolchain;
    if (here !== wanted) {
      test.skip(`${fixture.name} (needs ${wanted}; here: ${here ?? "not installed"})`, () => undefined);
      continue;
    }
    // A compiler may be slow: SQLite alone takes 20 s of an idle core.
    test(fixture.name, async () => expect(await compareFixture(fixture)).toEqual([]), 300_000);
  }
});

describe("a component", () => {
  test.each(FIXTURES)("of $name names no path of the machine that built it", async ({ wasm, recipe }) => {
    const text = (await readFile(wasm)).toString("latin1");
    // The prebuilt engine of componentize-qjs names the paths of its own builder.
    const usual = recipe.kind === "quickjs" ? [] : [homedir(), "/home/", "/root/", "/usr/"];
    const paths = [dirname(ROOT), "/tmp/", ...usual];
    expect(paths.filter((path) => text.includes(path))).toEqual([]);
  });
});

describe("a fixture's tool.toml", () => {
  test.each(PACKAGES.filter(({ name }) => name !== "core-module"))(
    "of $name is valid and names it",
    async (fixture) => {
      const file = join(fixture.directory, "tool.toml");
      const { tool } = parseManifest(await readFile(file, "utf8"), file);
      const folder = basename(dirname(fixture.directory));
      const prefix = new Map([
        ["guests", "dev.kami.fixture"],
        ["conformance", "dev.kami.conformance"],
      ]).get(folder);
      expect(tool.id).toBe(`${prefix ?? "dev.kami"}.${fixture.name}`);
      expect(join(fixture.directory, tool.wasm)).toBe(fixture.wasm);
    },
  );
});

describe("guestPath(), guestDirectory(), hostilePath() and toolDirectory()", () => {
  test("name what the recipes name", () => {
    const guests = FIXTURES.filter(({ directory }) => directory.includes("guests"));
    const tools = FIXTURES.filter(({ directory }) => directory.includes("tools"));
    expect(HOSTILE.map(({ name }) => hostilePath(name))).toEqual(HOSTILE.map(({ wasm }) => wasm));
    expect(guests.map(({ name }) => guestPath(name))).toEqual(guests.map(({ wasm }) => wasm));
    expect(guests.map(({ name }) => guestDirectory(name))).toEqual(guests.map(({ directory }) => directory));
    expect(tools.map(({ name }) => toolDirectory(name))).toEqual(tools.map(({ directory }) => directory));
  });
});

describe("describeDifferences()", () => {
  const FILLER = "x".repeat(2000);

  test("ignores bytes of a memory only around where two fresh builds differ", () => {
    const fresh: [Uint8Array, Uint8Array] = [component(`a${FILLER}`), component(`b${FILLER}`)];
    const nearby = component(`c${"x".repeat(255)}y${"x".repeat(1744)}`);
    const beyond = component(`c${"x".repeat(256)}y${"x".repeat(1743)}`);
    expect(describeDifferences(nearby, fresh)).toEqual([]);
    expect(describeDifferences(beyond, fresh)).toEqual([
      "its frozen memory differs at 257, where two fresh builds agree",
    ]);
  });

  test("sees a longer memory and other code", () => {
    const fresh: [Uint8Array, Uint8Array] = [component(FILLER), component(FILLER)];
    expect(describeDifferences(component(`${FILLER}!`), fresh)).toEqual([
      "its frozen memory differs at 2000, where two fresh builds agree",
    ]);
    expect(describeDifferences(component(FILLER, 1), fresh)).toEqual([
      "its code, imports or exports are not what its source builds",
    ]);
  });

  test("refuses to compare when two fresh builds have too little in common", () => {
    const fresh: [Uint8Array, Uint8Array] = [component("a".repeat(32_769)), component("b".repeat(32_769))];
    expect(describeDifferences(component("a".repeat(32_769)), fresh)).toEqual([
      "two fresh builds differ around 32769 bytes of memory, which proves nothing",
    ]);
  });
});

/** A component of one core module: a memory, one active data segment at 0, a custom section in place of code. */
function component(data: string, code = 0): Uint8Array {
  const segment = [1, 0, 0x41, 0, 0x0b, ...sized([...new TextEncoder().encode(data)])];
  const core = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(0, [1, 0x63, code]), ...section(11, segment)];
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...section(1, core)]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function sized(content: readonly number[]): number[] {
  const { length } = content;
  return [(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14, ...content];
}
