/**
 * The worked examples of each language: the committed component does what the cases beside it say. `kami build` makes it from its sources.
 */
import { describe, expect, test } from "bun:test";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COMPONENT_TYPE_FILE, encodeComponentType } from "../../fixtures/component-type.ts";
import { identifyClang } from "../../fixtures/clang.ts";
import { buildProject } from "../../lib/author/build.ts";
import { readCases } from "../../lib/author/cases.ts";
import { judge } from "../../lib/author/judge.ts";
import { readProject } from "../../lib/author/project.ts";
import { TestRuntime } from "../support/runtime.ts";
import { TemporaryDirectory } from "../support/temporary.ts";

const GUESTS = fileURLToPath(new URL("../../fixtures/guests", import.meta.url));
const EXAMPLES = ["assemblyscript/luhn", "c/slugify", "cpp/roman", "rust/similar-names"];
const hasClang = (await identifyClang()) !== undefined;

describe("the committed example", () => {
  test.each(EXAMPLES)("%s passes its cases, under the limits of its manifest", async (name) => {
    const directory = join(GUESTS, name);
    await using home = new TestRuntime();
    const { tool } = await home.runtime.install(directory);
    const cases = readCases(directory);
    expect(cases.length).toBeGreaterThan(1);
    for (const each of cases) {
      expect([each.name, judge(each, await home.runtime.call(tool.id, each.input))]).toEqual([each.name, undefined]);
    }
  });

  test.skipIf(!hasClang).each(["c/slugify"])("%s is what kami build makes of its sources", async (name) => {
    using copy = new TemporaryDirectory();
    cpSync(join(GUESTS, name), copy.path, { recursive: true });
    const environment = new Map([["PATH", process.env["PATH"] ?? ""]]);
    const { component, path } = await buildProject(readProject(copy.path), { bun: process.execPath, environment });
    expect(Buffer.compare(component, readFileSync(join(GUESTS, name, "slugify.wasm")))).toBe(0);
    expect(path).toBe(copy.join("slugify.wasm"));
  });
});

describe("the Go example", () => {
  // Not committed: 3 MB.
  test.skipIf(Bun.which("go") === null)(
    "is built by kami build, allocates more than it started with, and passes its cases",
    async () => {
      using copy = new TemporaryDirectory();
      cpSync(join(GUESTS, "go/word-count"), copy.path, { recursive: true });
      const environment = new Map(Object.entries({ PATH: process.env["PATH"] ?? "", HOME: copy.path }));
      await buildProject(readProject(copy.path), { bun: process.execPath, environment });
      await using home = new TestRuntime();
      const { tool } = await home.runtime.install(copy.path);
      for (const each of readCases(copy.path)) {
        expect([each.name, judge(each, await home.runtime.call(tool.id, each.input))]).toEqual([each.name, undefined]);
      }
      // Without room beside the adapter's state, its heap would grow over it.
      const text = "word ".repeat(100_000);
      const result = await home.runtime.call(tool.id, JSON.stringify({ text }), { limits: { fuel: 10_000_000_000 } });
      expect(result).toMatchObject({ ok: true, output: expect.stringContaining('"words":100000') });
    },
    240_000,
  );
});

describe("lib/guest", () => {
  test("the Rust crate says which world it is for as the WIT does", async () => {
    expect(readFileSync(COMPONENT_TYPE_FILE, "utf8")).toBe(await encodeComponentType());
  });

  test("the AssemblyScript example has the SDK as it is", () => {
    const sdk = readFileSync(join(GUESTS, "../../lib/guest/assemblyscript/kami.ts"), "utf8");
    expect(readFileSync(join(GUESTS, "assemblyscript/luhn/assembly/kami.ts"), "utf8")).toBe(sdk);
  });
});
