import { parse } from "@bytecodealliance/jco";
import { describe, expect, test } from "bun:test";
import { meterModule } from "../../lib/wasm/meter.ts";
import { NAME_LIMIT_BYTES } from "../../lib/wasm/names.ts";
import { Reader } from "../../lib/wasm/reader.ts";

/** Functions 0 (imported), 1, 2 and 3. No names yet. */
const MODULE = `(module (import "a" "b" (func)) (func) (func) (func (export "c")))`;
/** Where the defined functions stand: behind as many imports as KAMI adds. */
const FIRST = 0;

describe("the names of a metered module", () => {
  test("are its own where it has them, else the function's index; imports and KAMI's helpers have none", async () => {
    expect(await namesOf(nameMap([2, "two"]))).toEqual([
      [FIRST, "#1"],
      [FIRST + 1, "two"],
      [FIRST + 2, "#3"],
    ]);
    expect(await namesOf(nameMap([0, "imported"], [1, "one"], [3, "three"]))).toEqual([
      [FIRST, "one"],
      [FIRST + 1, "#2"],
      [FIRST + 2, "three"],
    ]);
  });

  const NONE = [1, 2, 3].map((index): [number, string] => [FIRST + index - 1, `#${index}`]);
  test.each([
    { section: undefined, why: "there is no name section" },
    { section: [], why: "it is empty" },
    { section: [0, 4, 3, 109, 111, 100], why: "it names the module alone" },
    { section: nameMap([1, ""], [2, ""]), why: "the names are empty" },
    { section: nameMap([2, "two"], [1, "one"]), why: "they are out of order" },
    { section: nameMap([1, "one"], [1, "two"]), why: "a function has two" },
    { section: nameMap([4, "four"]), why: "there is no such function" },
    { section: [1, 100, 1], why: "it is cut" },
    { section: [1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], why: "it promises more than it has" },
    { section: [1, 5, 1, 1, 2, 0xc3, 0x28], why: "a name is not UTF-8" },
  ])("are indices when $why", async ({ section }) => {
    expect(await namesOf(section)).toEqual(NONE);
  });

  test("come from behind other subsections, which go", async () => {
    const names = await namesOf([0, 4, 3, 109, 111, 100, ...nameMap([1, "one"]), 2, 1, 0]);
    expect(names[0]).toEqual([FIRST, "one"]);
  });

  test("are cut at 256 bytes, not in the middle of a character", async () => {
    const [below, at, above] = [NAME_LIMIT_BYTES - 1, NAME_LIMIT_BYTES, NAME_LIMIT_BYTES + 1];
    const given = nameMap([1, "x".repeat(below)], [2, "x".repeat(at)], [3, "x".repeat(above)]);
    expect((await namesOf(given)).map(([, name]) => name.length)).toEqual([below, at, at]);
    const wide = await namesOf(nameMap([1, `${"x".repeat(255)}é`], [2, `${"x".repeat(254)}éz`], [3, "€".repeat(100)]));
    expect(wide.map(([, name]) => name)).toEqual(["x".repeat(255), `${"x".repeat(254)}é`, "€".repeat(85)]);
  });

  test("of a module without code are not written", async () => {
    const bytes = await parse('(module (import "a" "b" (func)))');
    expect(customsOf(meterModule(bytes, "test").bytes)).toEqual([]);
  });
});

/** A function subsection; numbers below 128 take one byte. */
function nameMap(...names: readonly (readonly [index: number, name: string])[]): readonly number[] {
  const entries = names.flatMap(([index, name]) => {
    const bytes = new TextEncoder().encode(name);
    return [...leb(index), ...leb(bytes.length), ...bytes];
  });
  const content = [...leb(names.length), ...entries];
  return [1, ...leb(content.length), ...content];
}

/** Meters the module with a name section and reads the functions' names back, as an engine does. */
async function namesOf(section: readonly number[] | undefined): Promise<(readonly [index: number, name: string])[]> {
  const module = await parse(MODULE);
  const bare = stripCustoms(module);
  const content = [...leb(4), ...new TextEncoder().encode("name"), ...(section ?? [])];
  const bytes = section === undefined ? bare : Uint8Array.of(...bare, 0, ...leb(content.length), ...content);
  const metered = meterModule(bytes, "test").bytes;
  expect(WebAssembly.validate(metered)).toBe(true);
  const customs = customsOf(metered);
  expect(customs.map((custom) => custom.name())).toEqual(["name"]);
  const [reader] = customs;
  if (reader === undefined) throw new Error("no name section");
  expect([reader.u8(), reader.u32()]).toEqual([1, reader.end - reader.pos]);
  const names: (readonly [number, string])[] = [];
  const first = importsOf(metered);
  for (let left = reader.u32(); left > 0; left--) names.push([reader.u32() - first, reader.name()]);
  expect(reader.done).toBe(true);
  return names;
}

/** How many functions a module imports. */
function importsOf(bytes: Uint8Array): number {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(bytes)));
  return imports.filter(({ kind }) => kind === "function").length;
}

function customsOf(bytes: Uint8Array): Reader[] {
  const reader = new Reader(bytes);
  reader.skip(8);
  const customs: Reader[] = [];
  while (!reader.done) {
    const id = reader.u8();
    const size = reader.u32();
    if (id === 0) customs.push(new Reader(bytes, reader.pos, reader.pos + size));
    reader.skip(size);
  }
  return customs;
}

function stripCustoms(bytes: Uint8Array): Uint8Array {
  const [first] = customsOf(bytes);
  // They come last: two bytes, or more, of header stand in front of the first.
  return first === undefined ? bytes : bytes.subarray(0, first.pos - 2);
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
