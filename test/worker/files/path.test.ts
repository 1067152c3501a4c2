import { describe, expect, test } from "bun:test";
import { FileError } from "../../../lib/worker/files/error.ts";
import { checkPath, countAscents, segmentsOf, splitPath } from "../../../lib/worker/files/path.ts";

describe("checkPath()", () => {
  test.each([
    ["a", "ok"],
    ["a/b//c/", "ok"],
    ["..", "ok"],
    [" ", "ok"],
    ["", "no-entry"],
    ["/", "not-permitted"],
    ["/a", "not-permitted"],
    ["\0", "invalid"],
    ["a\0b", "invalid"],
    ["/a\0b", "invalid"],
    ["x".repeat(255), "ok"],
    ["x".repeat(256), "name-too-long"],
    [`a/${"x".repeat(256)}/b`, "name-too-long"],
    ["é".repeat(127), "ok"],
    ["é".repeat(128), "name-too-long"],
    ["😀".repeat(63), "ok"],
    ["😀".repeat(64), "name-too-long"],
    ["a/".repeat(2047), "ok"],
    [`${"a/".repeat(2047)}a`, "ok"],
    ["a/".repeat(2048), "name-too-long"],
    [`/${"a/".repeat(2048)}`, "name-too-long"],
  ])("finds %j %s", (path, expected) => {
    expect(codeOf(() => checkPath(path))).toBe(expected);
  });
});

describe("splitPath()", () => {
  test.each([
    ["a", ".", "a", false],
    ["a/", ".", "a", true],
    ["a/b", "a/", "b", false],
    ["a//b//", "a//", "b", true],
    ["a/..", "a/", "..", false],
    ["./", ".", ".", true],
  ])("cuts %j", (path, parent, ...[name, isDirectory]) => {
    expect(splitPath(path)).toEqual({ parent, name, isDirectory });
  });
});

describe("countAscents()", () => {
  test.each([
    ["a", 0],
    ["a/b", 0],
    ["./a", 0],
    ["..", 1],
    ["../a", 1],
    ["./.././../a/./b", 2],
    ["a/..", "not-permitted"],
    ["../a/../..", "not-permitted"],
    ["/a", "not-permitted"],
    ["", "no-entry"],
    ["a\0", "invalid"],
    ["...", 0],
  ])("finds that %j goes up %s", (target, expected) => {
    let result: unknown;
    const code = codeOf(() => {
      result = countAscents(target);
    });
    expect(code === "ok" ? result : code).toBe(expected);
  });
});

describe("segmentsOf()", () => {
  test("leaves out what is between two slashes", () => {
    expect(segmentsOf("/a//./b/")).toEqual(["a", ".", "b"]);
  });
});

function codeOf(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
}
