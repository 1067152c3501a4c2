/**
 * What core values stand for, at the bounds of each type and beyond them.
 */
import { describe, expect, test } from "bun:test";
import {
  bool,
  enumeration,
  flags,
  option,
  result,
  s32,
  s64,
  string,
  tuple,
  u16,
  u32,
  u64,
  u8,
  variant,
  type ValueType,
} from "../../../lib/schema/value-type.ts";
import { Raw } from "./support/raw.ts";

const ABI = "it broke the component ABI:";
const NO_CASE = `${ABI} a discriminant that its type does not have`;
const NO_CHARACTER = `${ABI} a character that does not exist`;

const s8: ValueType = { kind: "s8" };
const s16: ValueType = { kind: "s16" };
const f32: ValueType = { kind: "f32" };
const f64: ValueType = { kind: "f64" };
const char: ValueType = { kind: "char" };

describe("a core value stands for", () => {
  const cases: readonly (readonly [
    name: string,
    type: ValueType,
    core: string,
    pairs: readonly (readonly [number | bigint, unknown])[],
  ])[] = [
    [
      "bool",
      bool,
      "i32",
      [
        [0, false],
        [1, true],
        [2, true],
        [-1, true],
        [256, true],
      ],
    ],
    [
      "u8",
      u8,
      "i32",
      [
        [0, 0],
        [255, 255],
        [256, 0],
        [-1, 255],
        [0x1234_5678 | 0, 0x78],
      ],
    ],
    [
      "s8",
      s8,
      "i32",
      [
        [127, 127],
        [128, -128],
        [255, -1],
        [-128, -128],
        [-129, 127],
        [256, 0],
      ],
    ],
    [
      "u16",
      u16,
      "i32",
      [
        [65_535, 65_535],
        [65_536, 0],
        [-1, 65_535],
      ],
    ],
    [
      "s16",
      s16,
      "i32",
      [
        [32_767, 32_767],
        [32_768, -32_768],
        [-32_769, 32_767],
        [65_535, -1],
      ],
    ],
    [
      "u32",
      u32,
      "i32",
      [
        [0, 0],
        [-1, 4_294_967_295],
        [-2_147_483_648, 2_147_483_648],
      ],
    ],
    [
      "s32",
      s32,
      "i32",
      [
        [-1, -1],
        [2_147_483_647, 2_147_483_647],
        [-2_147_483_648, -2_147_483_648],
      ],
    ],
    [
      "u64",
      u64,
      "i64",
      [
        [0n, 0n],
        [-1n, 2n ** 64n - 1n],
        [-(2n ** 63n), 2n ** 63n],
      ],
    ],
    [
      "s64",
      s64,
      "i64",
      [
        [-1n, -1n],
        [2n ** 63n - 1n, 2n ** 63n - 1n],
        [-(2n ** 63n), -(2n ** 63n)],
      ],
    ],
    [
      "f32",
      f32,
      "f32",
      [
        [1.5, 1.5],
        [-0, -0],
        [NaN, NaN],
        [Infinity, Infinity],
        [2 ** -149, 2 ** -149],
      ],
    ],
    [
      "f64",
      f64,
      "f64",
      [
        [1e308, 1e308],
        [-0, -0],
        [NaN, NaN],
        [-Infinity, -Infinity],
        [5e-324, 5e-324],
      ],
    ],
    [
      "char",
      char,
      "i32",
      [
        [0, "\0"],
        [0xd7ff, "\ud7ff"],
        [0xd800, NO_CHARACTER],
        [0xdfff, NO_CHARACTER],
        [0xe000, "\ue000"],
        [0x10_ffff, "\u{10ffff}"],
        [0x11_0000, NO_CHARACTER],
        [-1, NO_CHARACTER],
      ],
    ],
    [
      "an enum of 1",
      enumeration("a"),
      "i32",
      [
        [0, "a"],
        [1, NO_CASE],
        [-1, NO_CASE],
        [256, NO_CASE],
      ],
    ],
    [
      "an enum of 256",
      enumeration(...labels(256)),
      "i32",
      [
        [255, "n255"],
        [256, NO_CASE],
      ],
    ],
    [
      "an enum of 257",
      enumeration(...labels(257)),
      "i32",
      [
        [256, "n256"],
        [257, NO_CASE],
        [65_536, NO_CASE],
      ],
    ],
    [
      "flags of 1",
      flags("a"),
      "i32",
      [
        [0, 0],
        [1, 1],
        [2, 0],
        [-1, 1],
      ],
    ],
    [
      "flags of 8",
      flags(...labels(8)),
      "i32",
      [
        [255, 255],
        [256, 0],
        [-1, 255],
      ],
    ],
    [
      "flags of 9",
      flags(...labels(9)),
      "i32",
      [
        [511, 511],
        [512, 0],
        [-1, 511],
      ],
    ],
    ["flags of 31", flags(...labels(31)), "i32", [[-1, 0x7fff_ffff]]],
    [
      "flags of 32",
      flags(...labels(32)),
      "i32",
      [
        [-1, 0xffff_ffff],
        [-2_147_483_648, 0x8000_0000],
      ],
    ],
    [
      "result",
      result(),
      "i32",
      [
        [0, { tag: "ok", value: undefined }],
        [1, { tag: "error", value: undefined }],
        [2, NO_CASE],
      ],
    ],
  ];
  for (const [name, type, core, pairs] of cases) {
    test(name, async () => {
      const raw = await Raw.open(type, core);
      for (const [given, expected] of pairs) expect(raw.pass(given)).toEqual(expected);
    });
  }
});

describe("cases of a variant share core values:", () => {
  test("i32 and f32 are an i32", async () => {
    const raw = await Raw.open(variant({ a: s32, b: f32 }), "i32 i32");
    expect(raw.pass(0, -5)).toEqual({ tag: "a", value: -5 });
    expect(raw.pass(1, Number(f(1.5)))).toEqual({ tag: "b", value: 1.5 });
    expect(raw.pass(1, Number(f(-0)))).toEqual({ tag: "b", value: -0 });
    expect(raw.pass(1, 0x7fc0_0001)).toEqual({ tag: "b", value: NaN });
  });

  test("all four are an i64", async () => {
    const raw = await Raw.open(variant({ a: s8, b: f32, c: f64, d: u64, e: char, none: undefined }), "i32 i64");
    expect(raw.pass(0, 0xffn)).toEqual({ tag: "a", value: -1 });
    // What is above the case's own bits plays no part.
    expect(raw.pass(0, 0x1234_5678_0000_0080n)).toEqual({ tag: "a", value: -128 });
    expect(raw.pass(1, f(2.5))).toEqual({ tag: "b", value: 2.5 });
    expect(raw.pass(2, d(-1e300))).toEqual({ tag: "c", value: -1e300 });
    expect(raw.pass(2, d(NaN))).toEqual({ tag: "c", value: NaN });
    expect(raw.pass(3, -1n)).toEqual({ tag: "d", value: 2n ** 64n - 1n });
    expect(raw.pass(4, 0xd800n)).toBe(NO_CHARACTER);
    expect(raw.pass(5, -1n)).toEqual({ tag: "none", value: undefined });
    expect(raw.pass(6, 0n)).toBe(NO_CASE);
  });

  test("i32 and f64 are an i64, i64 and f32 too, f64 alone is itself", async () => {
    const first = await Raw.open(variant({ a: u32, b: f64 }), "i32 i64");
    expect(first.pass(0, -1n)).toEqual({ tag: "a", value: 0xffff_ffff });
    expect(first.pass(1, d(0.1))).toEqual({ tag: "b", value: 0.1 });
    const second = await Raw.open(variant({ a: u64, b: f32 }), "i32 i64");
    expect(second.pass(1, f(0.5))).toEqual({ tag: "b", value: 0.5 });
    const third = await Raw.open(variant({ a: f64, b: undefined }), "i32 f64");
    expect(third.pass(0, -0)).toEqual({ tag: "a", value: -0 });
  });

  test("a text beside a number", async () => {
    const raw = await Raw.open(variant({ text: string, number: f64, both: tuple(f32, u64) }), "i32 i64 i64");
    raw.memory.set(new TextEncoder().encode("text"), 64);
    expect(raw.pass(0, 64n, 4n)).toEqual({ tag: "text", value: "text" });
    expect(raw.pass(0, 64n, 0x1_0000_0004n)).toEqual({ tag: "text", value: "text" });
    expect(raw.pass(1, d(7), -1n)).toEqual({ tag: "number", value: 7 });
    expect(raw.pass(2, f(1), 9n)).toEqual({ tag: "both", value: [1, 9n] });
  });

  test("options of options", async () => {
    const raw = await Raw.open(option(option(option(u8))), "i32 i32 i32 i32");
    expect(raw.pass(0, 1, 1, 5)).toBeUndefined();
    expect(raw.pass(1, 0, 1, 5)).toEqual({ some: undefined });
    expect(raw.pass(1, 1, 0, 5)).toEqual({ some: { some: undefined } });
    expect(raw.pass(1, 1, 1, 5)).toEqual({ some: { some: 5 } });
    expect(raw.pass(1, 1, 2, 5)).toBe(NO_CASE);
  });
});

/** The bits of an f32. */
function f(value: number): bigint {
  return BigInt(new Int32Array(Float32Array.of(value).buffer)[0] ?? 0);
}

/** The bits of an f64. */
function d(value: number): bigint {
  return new BigInt64Array(Float64Array.of(value).buffer)[0] ?? 0n;
}

function labels(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}
