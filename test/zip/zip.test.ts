import { describe, expect, test } from "bun:test";
import { Failure } from "../../lib/errors.ts";
import type { ZipFile } from "../../lib/zip/format.ts";
import { readZip } from "../../lib/zip/read.ts";
import { writeZip } from "../../lib/zip/write.ts";
import { TemporaryDirectory } from "../support/temporary.ts";

const LIMITS = { entries: 4, totalBytes: 100_000 };
const FILES = [file("tool.toml", "[tool]\n".repeat(50)), file("bin/tool.wasm", "\0asm")];
/** Offsets within the record of the first entry of the directory. */
const CENTRAL = { flags: 8, method: 10, crc: 16, bytes: 24, mode: 40, offset: 42, name: 46 };

describe("writeZip()", () => {
  test("gives the same bytes for the same files, in any order", () => {
    expect(writeZip(FILES)).toEqual(writeZip(FILES.toReversed()));
  });

  test("is understood by others", async () => {
    using directory = new TemporaryDirectory();
    await Bun.write(directory.join("a.zip"), writeZip(FILES));
    const python = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.namelist())";
    const child = Bun.spawnSync(["python3", "-c", python, directory.join("a.zip")]);
    expect([child.stdout.toString(), child.stderr.toString()]).toEqual(["None ['bin/tool.wasm', 'tool.toml']\n", ""]);
  });
});

describe("readZip()", () => {
  test("reads what was written, up to each limit", () => {
    expect(named(readZip(writeZip(FILES), "a.zip", LIMITS))).toEqual(named(FILES));
    const most = [1, 2, 3, 4].map((index) => file(`${index}`, "x".repeat(25_000)));
    expect(readZip(writeZip(most), "a.zip", LIMITS)).toHaveLength(4);
    expect(readZip(writeZip([]), "a.zip", LIMITS)).toEqual([]);
  });

  test.each([
    ["one entry too many", [1, 2, 3, 4, 5].map((index) => file(`${index}`, "")), "it has 5 entries, the limit is 4"],
    [
      "one byte too many",
      [file("a", "x".repeat(100_001))],
      "its files have 100001 bytes together, the limit is 100000",
    ],
    ["a bomb", [file("a", "\0".repeat(50_000_000))], "its files have 50000000 bytes together, the limit is 100000"],
    ["a way out", [file("../x", "")], '"../x" is not a plain relative path'],
    ["a way out, inside", [file("a/../../x", "")], '"a/../../x" is not a plain relative path'],
    ["an absolute path", [file("/etc/x", "")], '"/etc/x" is not a plain relative path'],
    ["a drive", [file("C:x", "")], '"C:x" is not a plain relative path'],
    ["a backslash", [file("..\\x", "")], '"..\\x" is not a plain relative path'],
    ["a zero byte", [file("a\0b", "")], '"a b" is not a plain relative path'],
    ["an empty name", [file("", "")], '"" is not a plain relative path'],
    ["the same name twice", [file("a", "1"), file("a", "2")], '"a" is there twice'],
    ["another case", [file("tool.toml", "1"), file("TOOL.toml", "2")], '"TOOL.toml" and "tool.toml" collide'],
    ["another way to write an accent", [file("\u00e9", "1"), file("e\u0301", "2")], '"e\u0301" and "\u00e9" collide'],
    [
      "a file in the place of a directory",
      [file("a", "1"), file("a/", "")],
      '"a/" is not a regular file: no links or devices',
    ],
  ])("refuses %s", (_why, files, reason) => {
    expect(refusal(writeZip(files))).toBe(reason);
  });

  const tampered: readonly (readonly [
    why: string,
    change: (bytes: Buffer, central: number) => Uint8Array | void,
    reason: string,
  ])[] = [
    [
      "a symbolic link",
      (bytes, at) => void bytes.writeUInt16LE(0o120_777, at + CENTRAL.mode),
      '"bin/tool.wasm" is not a regular file: no links or devices',
    ],
    [
      "a device",
      (bytes, at) => void bytes.writeUInt16LE(0o020_644, at + CENTRAL.mode),
      '"bin/tool.wasm" is not a regular file: no links or devices',
    ],
    ["encryption", (bytes, at) => void bytes.writeUInt16LE(0x801, at + CENTRAL.flags), '"bin/tool.wasm" is encrypted'],
    [
      "a size behind the file",
      (bytes, at) => void bytes.writeUInt16LE(0x808, at + CENTRAL.flags),
      '"bin/tool.wasm" has its size behind it',
    ],
    [
      "another method",
      (bytes, at) => void bytes.writeUInt16LE(12, at + CENTRAL.method),
      '"bin/tool.wasm" is compressed by method 12',
    ],
    [
      "a wrong checksum",
      (bytes, at) => (bytes.writeUInt32LE(1, at + CENTRAL.crc), void bytes.writeUInt32LE(1, 14)),
      '"bin/tool.wasm" is damaged',
    ],
    ["two descriptions", (bytes) => void bytes.writeUInt8(0x78, 30), '"bin/tool.wasm" is described in two ways'],
    [
      "a size that only the directory has",
      (bytes, at) => void bytes.writeUInt32LE(3, at + CENTRAL.bytes),
      '"bin/tool.wasm" has two sizes',
    ],
    [
      "two entries over the same bytes",
      (bytes, at) => void bytes.writeUInt32LE(0, at + CENTRAL.name + 13 + CENTRAL.offset),
      '"tool.toml" does not follow the entry before it',
    ],
    [
      "bytes before",
      (bytes) => Buffer.concat([Buffer.from("#!/bin/sh\n"), bytes]),
      "its directory is not where it says",
    ],
    ["bytes behind", (bytes) => Buffer.concat([bytes, Buffer.from("x")]), "it does not end like a ZIP archive"],
    [
      "a comment",
      (bytes) => (bytes.writeUInt16LE(1, bytes.length - 2), Buffer.concat([bytes, Buffer.from("x")])),
      "it does not end like a ZIP archive",
    ],
    [
      "entries that are not counted",
      (bytes) => (bytes.writeUInt16LE(1, bytes.length - 12), void bytes.writeUInt16LE(1, bytes.length - 14)),
      "its directory has more entries than it says",
    ],
    ["another part", (bytes) => void bytes.writeUInt16LE(1, bytes.length - 18), "it has several parts"],
    ["a cut", (bytes) => bytes.subarray(0, 40), "it does not end like a ZIP archive"],
    ["nothing", () => new Uint8Array(0), "it does not end like a ZIP archive"],
  ];
  test.each(tampered)("refuses %s", (_why, change, reason) => {
    const bytes = Buffer.from(writeZip(FILES));
    const changed = change(bytes, bytes.readUInt32LE(bytes.length - 6));
    expect(refusal(changed ?? bytes)).toBe(reason);
  });

  test("stops unpacking where an entry says that it ends", () => {
    const bytes = Buffer.from(writeZip([file("a", "\0".repeat(90_000))]));
    const central = bytes.readUInt32LE(bytes.length - 6);
    bytes.writeUInt32LE(10, central + CENTRAL.bytes);
    bytes.writeUInt32LE(10, 22);
    expect(refusal(bytes)).toBe('"a" cannot be unpacked to the size that it says');
  });

  test("survives any byte being another, without reading more than there is", () => {
    const whole = writeZip(FILES);
    for (let at = 0; at < whole.length; at += 1) {
      for (const value of [0, 0xff, (whole[at] ?? 0) ^ 1]) {
        const bytes = whole.slice();
        bytes[at] = value;
        try {
          readZip(bytes, "a.zip", LIMITS);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }
    }
  });
});

function file(name: string, text: string): ZipFile {
  return { name, bytes: new TextEncoder().encode(text) };
}

function named(files: readonly ZipFile[]): ReadonlyMap<string, string> {
  return new Map(files.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]));
}

function refusal(bytes: Uint8Array): string {
  try {
    readZip(bytes, "a.zip", LIMITS);
  } catch (error) {
    if (error instanceof Failure) return error.message.replace('Cannot use the package "a.zip": ', "");
    throw error;
  }
  return "read";
}
