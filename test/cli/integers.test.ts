import { describe, expect, test } from "bun:test";
import { isInRange, parseInteger, RANGES, rangeRule } from "../../lib/cli/integers.ts";

describe("parseInteger()", () => {
  test.each([
    ["1", 1],
    ["256", 256],
    ["9007199254740991", 9007199254740991],
  ])("reads %p", (text, value) => {
    expect(parseInteger(text, { least: 1, most: Number.MAX_SAFE_INTEGER })).toBe(value);
  });

  test.each([
    "",
    "0",
    "+5",
    "-5",
    "05",
    "5.0",
    "1e3",
    "0x10",
    " 5",
    "5 ",
    "1_000",
    "٥",
    "9007199254740992",
    "99999999999999999",
  ])("refuses %p", (text) => {
    expect(parseInteger(text, RANGES.fuel)).toBeUndefined();
  });

  test("keeps both ends of a range", () => {
    const found = ["0", "1", "256", "257"].map((text) => parseInteger(text, RANGES.concurrency));
    expect(found).toEqual([undefined, 1, 256, undefined]);
  });
});

describe("isInRange()", () => {
  test("takes whole numbers alone", () => {
    const values: readonly unknown[] = [5, 5.5, NaN, Infinity, "5", 5n, null, [5]];
    expect(values.map((value) => isInRange(value, { least: 1, most: 9 }))).toEqual([
      true,
      ...Array.from({ length: 7 }, () => false),
    ]);
  });
});

describe("rangeRule()", () => {
  test("says both ends", () => {
    expect(rangeRule(RANGES.memoryMb)).toBe("must be a whole number from 1 to 4,096");
  });
});
