import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { makeAmbientSystem } from "../../../lib/worker/files/ambient.ts";
import { FileError } from "../../../lib/worker/files/error.ts";
import { hasKernelResolver, makeKernelResolver } from "../../../lib/worker/files/kernel-resolver.ts";
import { makeWalkResolver } from "../../../lib/worker/files/walk-resolver.ts";
import { TemporaryDirectory } from "../../support/temporary.ts";

const system = makeAmbientSystem();
const { openBeneath } = system;
const top = new TemporaryDirectory();
mkdirSync(top.join("outside"));
mkdirSync(top.join("box/a/b/c"), { recursive: true });
writeFileSync(top.join("box/file"), "");
writeFileSync(top.join("box/a/b/c/deep"), "");
for (const [name, target] of [
  ["link", "file"],
  ["to-a", "a"],
  ["a/up", "../file"],
  ["a/b/top", "../../to-a/b"],
  ["to-link", "link"],
  ["to-self", "."],
  ["slash", "a/"],
  ["slash-file", "file/"],
  ["dangling", "a/new"],
  ["out", "../outside"],
  ["around", "../box/file"],
  ["loop", "loop"],
] as const)
  symlinkSync(target, top.join("box", name));
// Forty symlinks are followed, forty-one are too many.
for (let n = 1; n <= 41; n += 1) symlinkSync(n === 1 ? "file" : `chain-${n - 1}`, top.join("box", `chain-${n}`));
const base = openSync(top.join("box"), constants.O_RDONLY | constants.O_DIRECTORY);
afterAll(() => {
  closeSync(base);
  top[Symbol.dispose]();
});

/** Each with what it names at the host, or the error. */
const PATHS: readonly (readonly [path: string, found: string])[] = [
  ["file", "file"],
  ["./file", "file"],
  [".//.//file", "file"],
  ["a", "a"],
  ["a/", "a"],
  ["a/.", "a"],
  ["a/b/..", "a"],
  ["a/b/../", "a"],
  ["a/..", "."],
  [".", "."],
  ["./", "."],
  ["a/b/c/deep", "a/b/c/deep"],
  ["a/../a/b/../b/c/deep", "a/b/c/deep"],
  ["link", "file"],
  ["to-link", "file"],
  ["to-a/b/c/deep", "a/b/c/deep"],
  ["to-a/", "a"],
  ["to-a/..", "."],
  ["a/up", "file"],
  ["a/b/top/c/deep", "a/b/c/deep"],
  ["a/b/top/..", "a"],
  ["to-self/to-self/to-self/file", "file"],
  ["slash", "a"],
  ["slash/b", "a/b"],
  ["chain-40", "file"],
  ["chain-41", "loop"],
  ["slash-file", "not-directory"],
  ["file/", "not-directory"],
  ["file/.", "not-directory"],
  ["file/..", "not-directory"],
  ["link/", "not-directory"],
  ["link/x", "not-directory"],
  ["none", "no-entry"],
  ["none/..", "no-entry"],
  ["dangling", "no-entry"],
  ["dangling/", "no-entry"],
  ["loop", "loop"],
  ["loop/x", "loop"],
  ["..", "not-permitted"],
  ["a/../..", "not-permitted"],
  ["a/b/../../..", "not-permitted"],
  ["to-a/../..", "not-permitted"],
  ["a/b/top/../..", "."],
  ["a/b/top/../../..", "not-permitted"],
  ["out", "not-permitted"],
  ["out/", "not-permitted"],
  ["out/x", "not-permitted"],
  ["around", "not-permitted"],
];

const resolvers = [
  ["openat2", openBeneath === undefined ? undefined : makeKernelResolver(system, openBeneath)],
  ["the walk", makeWalkResolver(system)],
  [
    "the walk where directories are opened to read, as on macOS",
    makeWalkResolver({ ...system, traverseFlags: constants.O_RDONLY | constants.O_DIRECTORY }),
  ],
] as const;

describe.each(resolvers)("resolving by %s", (_, resolver) => {
  test.each(PATHS)("%j is %s", (path, found) => {
    const located = { base, path, isFollowed: true };
    const expected = identify(found);
    expect(outcomeOf(() => resolver?.stat(located).inode)).toBe(expected);
    const open = (): bigint => {
      const fd = resolver?.open(located, { flags: constants.O_RDONLY }) ?? -1;
      const { ino } = fstatSync(fd, { bigint: true });
      closeSync(fd);
      return ino;
    };
    expect(outcomeOf(open)).toBe(expected);
  });

  test("leaves a symlink at the end alone when it is not to be followed", () => {
    const types = ["link", "loop", "out", "to-a", "dangling", "to-a/"].map(
      (path) => resolver?.stat({ base, path, isFollowed: false }).type,
    );
    expect(types).toEqual([...Array(5).fill("symbolic-link"), "directory"]);
    expect(
      outcomeOf(() => resolver?.open({ base, path: "link", isFollowed: false }, { flags: constants.O_RDONLY })),
    ).toBe("loop");
  });

  test("finds what holds a name, also one that is not there", () => {
    const placed = ["new", "a/new", "to-a/new/", "a/b/top/new"].map((path) => {
      using place = resolver?.place(base, path);
      if (place === undefined) return undefined;
      return [fstatSync(place.directory, { bigint: true }).ino, place.name, place.isDirectory];
    });
    expect(placed).toEqual([
      [identify("."), "new", false],
      [identify("a"), "new", false],
      [identify("a"), "new", true],
      [identify("a/b"), "new", false],
    ]);
    for (const path of ["../new", "out/new", "none/new", "file/new"])
      expect(outcomeOf(() => resolver?.place(base, path))).toMatch(/^(?:not-permitted|no-entry|not-directory)$/);
  });

  test("leaves nothing open", () => {
    const before = readdirSync("/proc/self/fd").length;
    for (const [path] of PATHS) {
      outcomeOf(() => resolver?.stat({ base, path, isFollowed: true }));
      outcomeOf(() => resolver?.place(base, path)[Symbol.dispose]());
    }
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });
});

describe("hasKernelResolver()", () => {
  test("knows whether there is openat2, and that another system has none", () => {
    expect(hasKernelResolver(system, base)).toBe(process.platform === "linux");
    expect(hasKernelResolver({ ...system, openBeneath: undefined }, base)).toBe(false);
    expect(hasKernelResolver({ ...system, openBeneath: refuse }, base)).toBe(false);
  });
});

function refuse(): never {
  throw new FileError("unsupported");
}

/** The inode of what a path of the table names, or the error that it is. */
function identify(found: string): bigint | string {
  try {
    return statSync(join(top.path, "box", found), { bigint: true }).ino;
  } catch {
    return found;
  }
}

function outcomeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
}
