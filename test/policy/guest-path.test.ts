import { describe, expect, test } from "bun:test";
import { doGuestPathsClash, guestPathProblem } from "../../lib/policy/guest-path.ts";

describe("guestPathProblem()", () => {
  test.each(["/data", "/a/b/c", "/a.b", "/...", "/.hidden", "/a@b+c-d_e", `/${"a".repeat(255)}`])(
    "takes %s",
    (path) => {
      expect(guestPathProblem(path)).toBeUndefined();
    },
  );

  test.each([
    ["", "no slash"],
    ["data", "relative"],
    ["/", "the root"],
    ["//", "empty segments"],
    ["/data/", "a slash at the end"],
    ["//data", "two slashes"],
    ["/a//b", "an empty segment"],
    ["/.", "here"],
    ["/..", "above"],
    ["/a/../b", "a way out"],
    ["/a/./b", "a detour"],
    ["/a b", "a space"],
    ["/a:b", "what --mount separates by"],
    ["/a\\b", "a backslash"],
    ["/a\u0000", "an end"],
    ["/a\u202eb", "a bidirectional control"],
    ["/dаta", "another script's letter"],
    ["/%2e%2e", "an encoding"],
    [`/${"a".repeat(256)}`, "a segment over the limit"],
    [`/${"a/".repeat(512)}a`, "a path over the limit"],
  ])("refuses %p: %s", (path) => {
    expect(guestPathProblem(path)).toMatch(/^must /);
  });
});

describe("doGuestPathsClash()", () => {
  test.each([
    ["/a", "/a", true],
    ["/a", "/a/b", true],
    ["/a/b", "/a", true],
    ["/A", "/a/b", true],
    ["/a", "/ab", false],
    ["/a/b", "/a/c", false],
  ])("%s and %s: %p", (left, right, clash) => {
    expect(doGuestPathsClash(left, right)).toBe(clash);
  });
});
