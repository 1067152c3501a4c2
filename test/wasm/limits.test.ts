/**
 * Each limit of a core module: one below and exactly at it the module is metered, one above it is refused by name.
 */
import { describe, expect, test } from "bun:test";
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
const OPEN_BLOCK = [0x02, 0x40];
const OPEN_LOOP = [0x03, 0x40];
const END = [0x0b];

const ROWS: readonly Row[] = [
  {
    limit: "moduleBytes",
    what: "the size of a core module in bytes",
    why: "most of it debug information",
    build: (count) => moduleOf(section(0, [7], text(".debug_"), new Uint8Array(count - 8 - 6 - 8))),
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
];

describe("MODULE_LIMITS", () => {
  test("are all tested here", () => {
    expect([...new Set<string>(ROWS.map(({ limit }) => limit))].toSorted()).toEqual(
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

  test.each([
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
