/**
 * Each limit of a core module: one below and exactly at it the module is metered, one above it is refused by name.
 */
import { describe, expect, test } from "bun:test";
import { parse } from "@bytecodealliance/jco";
import { Failure } from "../../lib/errors.ts";
import { MODULE_LIMITS } from "../../lib/wasm/limits.ts";
import { meterModule } from "../../lib/wasm/meter.ts";

type Bytes = readonly number[] | Uint8Array;

interface Row {
  readonly limit: keyof typeof MODULE_LIMITS;
  /** How the refusal names it. */
  readonly what: string;
  readonly why: string;
  /** Makes a module that has `count` of it. */
  readonly build: (count: number) => Uint8Array;
}

const TYPE = [0x60, 0, 0];
const GLOBAL_IMPORT = [0, 0, 3, 0x7f, 0];
const FUNCTION_IMPORT = [0, 0, 0, 0];
const MEMORY_IMPORT = [0, 0, 2, 0, 1];
const GLOBAL = [0x7f, 0, 0x41, 0, 0x0b];
const MEMORY = [0, 1];
const TABLE = [0x70, 0, 0];
const EMPTY_BODY = [2, 0, 0x0b];
const ONE_FUNCTION = [section(1, vector(1, TYPE)), section(2, vector(1, FUNCTION_IMPORT))];
const NULL_FUNCTION = [0xd0, 0x70, 0x0b];
const OPEN_BLOCK = [0x02, 0x40];
const OPEN_LOOP = [0x03, 0x40];
const EMPTY_BLOCK = [0x02, 0x40, 0x0b];
const EMPTY_LOOP = [0x03, 0x40, 0x0b];
const END = [0x0b];

const ROWS: readonly Row[] = [
  {
    limit: "moduleBytes",
    what: "the size of a core module in bytes",
    why: "most of it debug information",
    build: (count) => moduleOf(section(0, [7], text(".debug_"), new Uint8Array(count - 8 - 6 - 8))),
  },
  {
    limit: "sections",
    what: "the number of sections",
    why: "custom ones, each without content",
    build: (count) => moduleOf(repeat(count, [0, 1, 0])),
  },
  {
    limit: "types",
    what: "the number of types",
    why: "each by itself",
    build: (count) => moduleOf(section(1, vector(count, TYPE))),
  },
  {
    limit: "types",
    what: "the number of types",
    why: "all in one recursive group",
    build: (count) => moduleOf(section(1, [1, 0x4e], vector(count, TYPE))),
  },
  {
    limit: "imports",
    what: "the number of imports",
    why: "globals",
    build: (count) => moduleOf(section(2, vector(count, GLOBAL_IMPORT))),
  },
  {
    limit: "functions",
    what: "the number of functions",
    why: "all the module's own",
    build: (count) => functions(count, 0),
  },
  {
    limit: "functions",
    what: "the number of functions",
    why: "one of them imported",
    build: (count) => functions(count - 1, 1),
  },
  {
    limit: "exports",
    what: "the number of exports",
    why: "of one memory",
    build: (count) => moduleOf(section(5, vector(1, MEMORY)), section(7, vector(count, [0, 2, 0]))),
  },
  {
    limit: "globals",
    what: "the number of globals",
    why: "constants",
    build: (count) => moduleOf(section(6, vector(count, GLOBAL))),
  },
  {
    limit: "memories",
    what: "the number of memories",
    why: "all the module's own",
    build: (count) => moduleOf(section(5, vector(count, MEMORY))),
  },
  {
    limit: "memories",
    what: "the number of memories",
    why: "one of them imported",
    build: (count) => moduleOf(section(2, vector(1, MEMORY_IMPORT)), section(5, vector(count - 1, MEMORY))),
  },
  {
    limit: "tables",
    what: "the number of tables",
    why: "empty ones",
    build: (count) => moduleOf(section(4, vector(count, TABLE))),
  },
  {
    limit: "tableElements",
    what: "the number of table elements at the start",
    why: "two tables together",
    build: (count) => moduleOf(section(4, [2, 0x70, 0], u32(count - 1), [0x70, 0, 1])),
  },
  {
    limit: "dataSegments",
    what: "the number of data segments",
    why: "passive and empty ones",
    build: (count) => moduleOf(section(12, u32(count)), section(11, vector(count, [1, 0]))),
  },
  {
    limit: "elementSegments",
    what: "the number of element segments",
    why: "passive and empty ones",
    build: (count) => moduleOf(section(9, vector(count, [1, 0, 0]))),
  },
  {
    limit: "segmentElements",
    what: "the number of elements of a segment",
    why: "one function",
    build: (count) => moduleOf(...ONE_FUNCTION, section(9, [1, 1, 0], vector(count, [0]))),
  },
  {
    limit: "segmentElements",
    what: "the number of elements of a segment",
    why: "expressions",
    build: (count) => moduleOf(section(9, [1, 5, 0x70], vector(count, NULL_FUNCTION))),
  },
  {
    limit: "elements",
    what: "the number of elements of all segments",
    why: "five segments together",
    build: (count) => {
      const segment = join([[1, 0], vector(200_000, [0])]);
      return moduleOf(...ONE_FUNCTION, section(9, [5], repeat(4, segment), [1, 0], vector(count - 800_000, [0])));
    },
  },
  {
    limit: "locals",
    what: "the number of locals of a function",
    why: "two groups together",
    build: (count) => withBody([2], u32(count - 1), [0x7f, 1, 0x7e], END),
  },
  {
    limit: "nesting",
    what: "the nesting of a function",
    why: "blocks",
    build: (count) => withBody([0], repeat(count, OPEN_BLOCK), repeat(count + 1, END)),
  },
  {
    limit: "nesting",
    what: "the nesting of a function",
    why: "loops",
    build: (count) => withBody([0], repeat(count, OPEN_LOOP), repeat(count + 1, END)),
  },
  {
    limit: "allLocals",
    what: "the number of locals of all functions",
    why: "most of the functions with as many as one may have",
    build: (count) => manyBodies(shares(count, MODULE_LIMITS.locals), (locals) => [[1], u32(locals), [0x7f], END]),
  },
  {
    limit: "blocks",
    what: "the number of blocks of a function, once metered",
    why: "the function itself is one",
    build: (count) => withBody([0], repeat(count - 1, EMPTY_BLOCK), END),
  },
  {
    limit: "blocks",
    what: "the number of blocks of a function, once metered",
    why: "a loop is five",
    build: (count) => withBody([0], EMPTY_LOOP, repeat(count - 6, EMPTY_BLOCK), END),
  },
  {
    limit: "allBlocks",
    what: "the number of blocks of all functions, once metered",
    why: "each function below its own limit",
    build: (count) => manyBodies(shares(count, 200_000), (blocks) => [[0], repeat(blocks - 1, EMPTY_BLOCK), END]),
  },
  {
    limit: "functionBytes",
    what: "the size of a function in bytes, once metered",
    why: "nothing but nop, for which there is no charge",
    build: (count) => withBody([0], repeat(count - 2, [0x01]), END),
  },
];

describe("MODULE_LIMITS", () => {
  test("are all tested here", () => {
    expect([...new Set<string>([...ROWS.map(({ limit }) => limit), "initialHeapBytes"])].toSorted()).toEqual(
      Object.keys(MODULE_LIMITS).toSorted(),
    );
  });

  for (const { limit, what, why, build } of ROWS) {
    const most = MODULE_LIMITS[limit];
    test(`${limit}, ${why}: ${most - 1} and ${most} are taken, ${most + 1} are not`, () => {
      expect([most - 1, most, most + 1].map((count) => outcome(build(count)))).toEqual([
        "metered",
        "metered",
        `COMPONENT_LIMIT: Cannot compile the component: ${what} is ${most + 1}, the limit is ${most}`,
      ]);
    });
  }

  test("initialHeapBytes, an array and structures of 26 bytes: one less and as many are taken, one more is not", () => {
    expect([7, 8, 9].map((structures) => outcome(objects(structures)))).toEqual([
      "metered",
      "metered",
      "COMPONENT_LIMIT: Cannot compile the component: the size of the objects in constant expressions in bytes is 8388634, the limit is 8388608",
    ]);
  });

  test.each([
    { what: "data segments", bytes: moduleOf(section(11, u32(0xffff_ffff))) },
    { what: "element segments", bytes: moduleOf(section(9, u32(0xffff_ffff))) },
    { what: "elements", bytes: moduleOf(section(9, [1, 1, 0], u32(0xffff_ffff))) },
    {
      what: "operands of an array",
      bytes: moduleOf(section(1, [1, 0x5e, 0x78, 0]), section(6, [1, 0x6e, 0, 0xfb, 8, 0], u32(0xffff_ffff), END)),
    },
    { what: "types", bytes: moduleOf(section(1, u32(0xffff_ffff))) },
    { what: "imports", bytes: moduleOf(section(2, u32(0xffff_ffff))) },
    { what: "functions", bytes: moduleOf(section(3, u32(0xffff_ffff))) },
    { what: "tables", bytes: moduleOf(section(4, u32(0xffff_ffff))) },
    { what: "memories", bytes: moduleOf(section(5, u32(0xffff_ffff))) },
    { what: "globals", bytes: moduleOf(section(6, u32(0xffff_ffff))) },
    { what: "exports", bytes: moduleOf(section(7, u32(0xffff_ffff))) },
    { what: "members of a recursive group", bytes: moduleOf(section(1, [1, 0x4e], u32(0xffff_ffff))) },
    { what: "locals", bytes: withBody([1], u32(0xffff_ffff), [0x7f], END) },
  ])("a module that claims 4294967295 $what ends at once, and is refused", ({ bytes }) => {
    expect(outcome(bytes)).toMatch(/^COMPONENT_(?:LIMIT|INVALID): /);
  });
});

function outcome(bytes: Uint8Array): string {
  try {
    meterModule(bytes, "test");
    return "metered";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

/** An array, and structures without fields; together they have 8,388,608 bytes when there are eight of those. */
function objects(structures: number): Uint8Array {
  // (global (ref 0) (array.new_default 0 (i32.const 8380192))): 16 bytes more for its header, and 8,192 for its size class.
  const array = [0x64, 0, 0, 0x41, ...Uint8Array.fromHex("a0beff03"), 0xfb, 7, 0, 0x0b];
  const structure = [0x64, 1, 0, 0xfb, 1, 1, 0x0b];
  const globals = section(6, u32(1 + structures), array, repeat(structures, structure));
  return moduleOf(section(1, [2, 0x5e, 0x78, 0, 0x5f, 0]), globals);
}

function functions(own: number, imported: number): Uint8Array {
  return moduleOf(
    section(1, vector(1, TYPE)),
    section(2, vector(imported, FUNCTION_IMPORT)),
    section(3, vector(own, [0])),
    section(10, vector(own, EMPTY_BODY)),
  );
}

/** A module with one function, of this body. */
function withBody(...parts: readonly Bytes[]): Uint8Array {
  const body = join(parts);
  return moduleOf(section(1, vector(1, TYPE)), section(3, vector(1, [0])), section(10, [1], u32(body.length), body));
}

/** A module with a function for each share, of the body that is made for it. */
function manyBodies(parts: readonly number[], build: (share: number) => readonly Bytes[]): Uint8Array {
  const bodies = parts.map((part) => join(build(part)));
  return moduleOf(
    section(1, vector(1, TYPE)),
    section(3, vector(parts.length, [0])),
    section(10, u32(parts.length), ...bodies.flatMap((body) => [u32(body.length), body])),
  );
}

/** Numbers of at most `most` that come to `total`. */
function shares(total: number, most: number): readonly number[] {
  return [...Array.from({ length: Math.floor(total / most) }, () => most), total % most].filter((share) => share > 0);
}

function moduleOf(...sections: readonly Bytes[]): Uint8Array {
  return join([[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], ...sections]);
}

/** Source: WebAssembly 3.0, 5.5.2 Sections. Six bytes before the content. */
function section(id: number, ...parts: readonly Bytes[]): Uint8Array {
  const content = join(parts);
  return join([[id], u32(content.length), content]);
}

/** Source: WebAssembly 3.0, 5.1.3 Vectors. */
function vector(count: number, item: Bytes): Uint8Array {
  return join([u32(count), repeat(count, item)]);
}

/** Source: WebAssembly 3.0, 5.2.2 Integers: LEB128, here always in five bytes. */
function u32(value: number): Bytes {
  return [0, 7, 14, 21, 28].map((shift) => ((value >>> shift) & 0x7f) | (shift < 28 ? 0x80 : 0));
}

function text(characters: string): Bytes {
  return new TextEncoder().encode(characters);
}

function repeat(count: number, item: Bytes): Uint8Array {
  const bytes = new Uint8Array(count * item.length);
  for (let at = 0; at < bytes.length; at += item.length) bytes.set(item, at);
  return bytes;
}

function join(parts: readonly Bytes[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

test("a handler's own local counts: one of 49,999 fits, none of 50,000", async () => {
  const metered = meterModule(await parse(catching(49_999)), "test").bytes;
  expect(WebAssembly.validate(new Uint8Array(metered))).toBe(true);
  const tooMany = await parse(catching(50_000));
  expect(() => meterModule(tooMany, "test")).toThrow(
    "the number of locals of a function, once metered is 50001, the limit is 50000",
  );
});

function catching(locals: number): string {
  return `(module (func (local ${"i32 ".repeat(locals)}) (block $caught (try_table (catch_all $caught)))))`;
}
