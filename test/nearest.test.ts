import { describe, expect, test } from "bun:test";
import { nearest } from "../lib/nearest.ts";

describe("nearest()", () => {
  const keys = ["name", "version", "wasm", "max_memory_mb", "max_fuel"];
  const cases = [
    { word: "nmae", found: "name", why: "a swap of neighbours is one edit" },
    { word: "NAME", found: "name", why: "case does not count" },
    { word: "wsam", found: "wasm", why: "a swap in the middle" },
    { word: "versoin", found: "version", why: "a swap near the end" },
    { word: "max_memory", found: "max_memory_mb", why: "three missing of ten characters" },
    { word: "ma_fuell", found: "max_fuel", why: "one missing and one too many" },
    { word: "nam", found: "name", why: "one edit is allowed for a short word" },
    { word: "na", found: undefined, why: "two edits of two characters is another word" },
    { word: "zebra", found: undefined, why: "nothing is near" },
    { word: "", found: undefined, why: "nothing was written" },
  ];
  for (const { word, found, why } of cases) {
    test(`${JSON.stringify(word)} → ${found}: ${why}`, () => {
      expect(nearest(word, keys)).toBe(found);
    });
  }

  test("the first of equally near candidates wins", () => {
    expect(nearest("bat", ["cat", "hat"])).toBe("cat");
    expect(nearest("bat", ["hat", "cat"])).toBe("hat");
  });

  test("a nearer candidate wins over an earlier one", () => {
    expect(nearest("abcdef", ["abcdxx", "abcdex"])).toBe("abcdex");
  });

  test("a word of 128 characters is compared, one of 129 is not", () => {
    const known = "a".repeat(127);
    expect(nearest("a".repeat(128), [known])).toBe(known);
    expect(nearest("a".repeat(129), ["a".repeat(128)])).toBeUndefined();
  });

  test("no candidates, no answer", () => {
    expect(nearest("name", [])).toBeUndefined();
  });
});
