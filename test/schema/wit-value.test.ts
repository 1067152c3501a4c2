import { describe, expect, test } from "bun:test";
import {
  bool,
  bytes,
  enumeration,
  flags,
  list,
  option,
  record,
  result,
  s64,
  string,
  tuple,
  u64,
  u8,
  type ValueType,
  variant,
} from "../../lib/schema/value-type.ts";
import { fromValue, toArguments } from "../../lib/schema/wit-value.ts";

const f64: ValueType = { kind: "f64" };
const char: ValueType = { kind: "char" };
const SHAPE = variant({ circle: f64, box: record({ w: u8, h: option(u8) }), none: undefined });

function take(type: ValueType, json: unknown): unknown {
  return toArguments({ parameters: [{ name: "x", type }], result: undefined }, { x: json })[0];
}

function problemOf(type: ValueType, json: unknown): string {
  try {
    take(type, json);
    return "none";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("values that go in and come out as they were", () => {
  test.each<[ValueType, unknown, unknown]>([
    [bool, true, true],
    [u8, 255, 255],
    [u64, "18446744073709551615", 18_446_744_073_709_551_615n],
    [s64, "-9223372036854775808", -9_223_372_036_854_775_808n],
    [f64, 0.5, 0.5],
    [f64, "-Infinity", Number.NEGATIVE_INFINITY],
    [char, "😀", "😀"],
    [string, "é\u0000", "é\u0000"],
    [bytes, "AAEC", Uint8Array.of(0, 1, 2)],
    [list(bool), [true, false], [true, false]],
    [tuple(u8, string), [1, "a"], [1, "a"]],
    [record({ a: u8, b: string }), { a: 1, b: "x" }, [1, "x"]],
    [enumeration("red", "blue"), "blue", "blue"],
    [flags("r", "w", "x"), ["r", "x"], 0b101],
    [option(u8), null, undefined],
    [option(u8), 7, 7],
    [option(option(u8)), { some: null }, { some: undefined }],
    [option(option(u8)), { some: 3 }, { some: 3 }],
    [SHAPE, { circle: 1.5 }, { tag: "circle", value: 1.5 }],
    [SHAPE, { none: null }, { tag: "none", value: undefined }],
    [SHAPE, { box: { w: 1, h: null } }, { tag: "box", value: [1, undefined] }],
    [result(u8, string), { error: "no" }, { tag: "error", value: "no" }],
  ])("%j %j", (type, json, value) => {
    expect(take(type, json)).toEqual(value);
    expect(JSON.stringify(fromValue(type, value))).toBe(JSON.stringify(json));
  });

  test("NaN comes out as a word", () => {
    expect(fromValue(f64, Number.NaN)).toBe("NaN");
  });

  test("no value comes out as null", () => {
    expect(fromValue(undefined, undefined)).toBeNull();
  });

  test("a field called __proto__ stays a field, both ways", () => {
    const type: ValueType = { kind: "record", fields: [{ name: "__proto__", type: u8 }] };
    const json: unknown = JSON.parse('{"__proto__": 1}');
    expect(take(type, json)).toEqual([1]);
    expect(JSON.stringify(fromValue(type, [1]))).toBe('{"__proto__":1}');
  });
});

describe("toArguments()", () => {
  test.each<[ValueType, unknown, string, string]>([
    [u8, 256, "must be an integer from 0 to 255", "one above"],
    [u8, -1, "must be an integer from 0 to 255", "one below"],
    [u8, 1.5, "must be an integer from 0 to 255", "not whole"],
    [u8, "1", "must be an integer from 0 to 255", "a string"],
    [u64, "18446744073709551616", "must be a string of decimal digits", "one above"],
    [u64, "-1", "must be a string of decimal digits", "one below"],
    [u64, 2 ** 53, "must be a string of decimal digits", "a number that may have been rounded"],
    [s64, "0x10", "must be a string of decimal digits", "hexadecimal"],
    [s64, "", "must be a string of decimal digits", "empty"],
    [f64, "nan", "must be a number, or one of NaN", "an unknown word"],
    [char, "ab", "must be one character", "two characters"],
    [char, "", "must be one character", "none"],
    [char, "\ud800", "half of a surrogate pair", "half of a pair"],
    [string, "\udc00", "half of a surrogate pair", "half of a pair"],
    [bytes, "A", "must be a string in base64", "cut"],
    [bytes, "AA A", "must be a string in base64", "a blank"],
    [tuple(u8, u8), [1], "must have 2 elements, and has 1", "too few"],
    [enumeration("red"), "rde", 'did you mean "red"?', "a slip"],
    [flags("r"), ["w"], "must be one of r", "an unknown flag"],
    [SHAPE, {}, "must be an object with one member", "no case"],
    [SHAPE, { circle: 1, none: null }, "must be an object with one member", "two cases"],
    [SHAPE, { none: 1 }, `"x.none" must be null`, "a payload where there is none"],
    [SHAPE, { box: { w: 300 } }, `"x.box.w" must be an integer from 0 to 255, got 300`, "deep inside"],
    [SHAPE, { toString: null }, "must be one of circle, box, none", "a name of Object's"],
    [
      record({ alpha: u8 }),
      { alpha: 1, alhpa: 2 },
      `"x.alhpa" is not known, did you mean "alpha"?`,
      "an unknown field",
    ],
    [record({ a: u8 }), {}, `"x.a" is required`, "a missing field"],
    [list(u8), "AAEC=", "must be a string in base64", "bad padding"],
    [list(bool), { length: 1 }, "must be an array", "an object like an array"],
  ])("refuses for %j: %j", (type, json, problem) => {
    expect(problemOf(type, json)).toContain(problem);
  });

  test("takes an absent option for none", () => {
    expect(toArguments({ parameters: [{ name: "x", type: option(u8) }], result: undefined }, {})).toEqual([undefined]);
  });
});
