import { describe, expect, test } from "bun:test";
import { cut, layOut, layOutPairs, wrap } from "../../lib/cli/table.ts";

describe("layOut()", () => {
  const table = {
    head: ["ID", "TEXT"],
    rows: [
      ["dev.a", "one"],
      ["dev.longer", "\u001b[31mtwo\nlines"],
    ],
  };

  test("aligns columns and cleans cells", () => {
    expect(layOut(table, undefined)).toEqual(["ID          TEXT", "dev.a       one", "dev.longer  two lines"]);
  });

  test("cuts lines to the terminal", () => {
    expect(layOut(table, 14)).toEqual(["ID          T…", "dev.a       o…", "dev.longer  t…"]);
  });

  test("gives wide characters two columns", () => {
    const rows = [
      ["漢字", "x"],
      ["ab", "y"],
    ];
    expect(layOut({ head: ["A", "B"], rows }, undefined)).toEqual(["A     B", "漢字  x", "ab    y"]);
  });
});

describe("layOutPairs()", () => {
  test("aligns the values", () => {
    expect(
      layOutPairs(
        [
          ["a", "1"],
          ["bcd", "2"],
          ["e", ""],
        ],
        "  ",
      ),
    ).toBe("  a    1\n  bcd  2\n  e");
  });
});

describe("wrap()", () => {
  test("breaks between words, behind a margin, and never inside a word", () => {
    expect(wrap("one two three four five six", 22, "  ")).toBe("  one two three four\n  five six");
    const long = "x".repeat(30);
    expect(wrap(`a ${long} b`, 20)).toBe(`a\n${long}\nb`);
  });

  test("leaves prose whole where no terminal is, and readable on a narrow one", () => {
    expect(wrap("one two three four five six", undefined, "  ")).toBe("  one two three four five six");
    expect(wrap("one two three four five six", 4)).toBe("one two three four\nfive six");
  });

  test("keeps the values of pairs in their column", () => {
    expect(layOutPairs([["name", "one two three four five"]], "  ", 28)).toBe(
      "  name  one two three four\n        five",
    );
  });
});

describe("cut()", () => {
  test.each([
    ["abcd", 5, "abcd"],
    ["abcd", 4, "abcd"],
    ["abcd", 3, "ab…"],
    ["漢字", 3, "漢…"],
    ["abcd", undefined, "abcd"],
  ])("cuts %p to %p columns", (line, columns, expected) => {
    expect(cut(line, columns)).toBe(expected);
  });
});
