import { describe, expect, test } from "bun:test";
import { type Pointer, ptr } from "bun:ffi";
import { loadAmbientLibrary } from "../../../lib/worker/files/ambient-library.ts";
import { DarwinListing } from "../../../lib/worker/files/darwin-listing.ts";
import { makeDarwin } from "../../../lib/worker/files/darwin.ts";
import { makeLinux } from "../../../lib/worker/files/linux.ts";
import { NameBuffer } from "../../../lib/worker/files/memory.ts";
import { typeOfEntry, typeOfMode } from "../../../lib/worker/files/system.ts";

describe("a machine that KAMI knows no calls of", () => {
  test.each([
    ["Linux on another processor", () => makeLinux("riscv64")],
    ["macOS, when it is not macOS", () => makeDarwin("arm64")],
    ["a library that is not there", () => loadAmbientLibrary(["no-such-library"], {})],
  ])("has no files: %s", (name, make) => {
    if (name.startsWith("macOS") && process.platform === "darwin") return;
    expect(make).toThrow("the file operation failed: unsupported");
  });
});

describe("typeOfMode() and typeOfEntry()", () => {
  test.each([
    [0o010_600, 1, "fifo"],
    [0o020_600, 2, "character-device"],
    [0o040_700, 4, "directory"],
    [0o060_600, 6, "block-device"],
    [0o104_755, 8, "regular-file"],
    [0o120_777, 10, "symbolic-link"],
    [0o140_600, 12, "socket"],
    [0o000_600, 0, "unknown"],
    [0o160_000, 14, "unknown"],
  ])("tell the type of mode %o", (mode, entry, expected) => {
    expect([typeOfMode(mode), typeOfEntry(entry)] as string[]).toEqual([expected, expected]);
  });
});

describe("NameBuffer", () => {
  test.each([
    ["a NUL within", "a\0b", "invalid"],
    ["a name of 4096 bytes", "x".repeat(4096), "name-too-long"],
    ["a name of 4097 bytes", `${"x".repeat(4094)}éx`, "name-too-long"],
  ])("refuses %s", (_, name, code) => {
    expect(() => new NameBuffer().put(name)).toThrow(`the file operation failed: ${code}`);
  });

  test("takes a name of 4095 bytes", () => {
    expect(new NameBuffer().put("x".repeat(4095))).toBeGreaterThan(0);
  });
});

describe("DarwinListing", () => {
  test("reads entries as macOS lays them out, without the directory itself and its parent", () => {
    const entries = [".", "..", "file", "dîr", "\xff"].map((name, n) => entryOf(name, n === 3 ? 4 : 8));
    const closed: string[] = [];
    const addresses: (Pointer | null)[] = entries.map((entry) => ptr(entry));
    const listing = new DarwinListing(
      () => addresses.shift() ?? null,
      () => closed.push("closed"),
    );
    expect(listing.next()).toEqual([
      { name: "file", type: "regular-file" },
      { name: "dîr", type: "directory" },
      { name: undefined, type: "regular-file" },
    ]);
    expect(listing.next()).toEqual([]);
    listing[Symbol.dispose]();
    listing[Symbol.dispose]();
    expect(closed).toEqual(["closed"]);
  });
});

/** Source: sys/dirent.h of macOS: the name's length at 18, the type at 20, the name at 21. */
function entryOf(name: string, type: number): Uint8Array {
  const bytes = name === "\xff" ? new Uint8Array([0xff]) : new TextEncoder().encode(name);
  const entry = new Uint8Array(1048);
  new DataView(entry.buffer).setUint16(18, bytes.length, true);
  entry[20] = type;
  entry.set(bytes, 21);
  return entry;
}
