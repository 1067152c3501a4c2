/**
 * The imports as core code calls them: what they take from a guest's memory and put there, and what they refuse before they build it.
 */
import { describe, expect, test } from "bun:test";
import { shapeOf } from "../../../lib/component/link/shape.ts";
import type { FunctionType } from "../../../lib/schema/value-type.ts";
import { INTERFACES } from "../../../lib/worker/imports.ts";
import { Guest, MEMORY_BYTES, type Place } from "./core-guest.ts";
import { buildGuest, endOf, REALLOC, WASI } from "./component.ts";
import { Recorder } from "./recorder.ts";

const ABI = "trap: it broke the component ABI:";
const OUTSIDE = `${ABI} an address or a length outside its memory`;
const NOT_ALIGNED = `${ABI} an address that is not aligned`;
const NO_HANDLE = `${ABI} a handle that it does not have`;

const LOG: Place = ["kami:tool/host", "log"];
const POLL: Place = ["wasi:io/poll", "poll"];
const RANDOM: Place = ["wasi:random/random", "get-random-bytes"];
const WRITE: Place = ["wasi:io/streams", "[method]output-stream.write"];
const STDOUT: Place = ["wasi:cli/stdout", "get-stdout"];
const READY: Place = ["wasi:io/poll", "[method]pollable.ready"];
const SUBSCRIBE: Place = ["wasi:clocks/monotonic-clock", "subscribe-duration"];

const METHODS = [...INTERFACES.values()].flatMap(({ name, functions }) =>
  [...functions]
    .filter(([member]) => member.startsWith("[method]"))
    .map(([member, { type }]) => [name, member, type] as const),
);

/** Core values for all parameters but the first. */
function zeroes(type: FunctionType): (number | bigint)[] {
  return shapeOf(type)
    .parameters.slice(1)
    .flatMap(({ flat = [] }) => flat.map((core) => (core === "i64" ? 0n : 0)));
}

describe("every method of a resource", () => {
  test.each(METHODS)("%s %s traps for a handle that the guest does not hold", async (name, member, type) => {
    const guest = await Guest.open();
    const rest = zeroes(type);
    expect(await guest.endOf([name, member], 7, ...rest, 64)).toBe(NO_HANDLE);
    expect(guest.call.entered).toBe(1);
  });

  test.each(METHODS)("%s %s traps for a handle of another type", async (name, member, type) => {
    const guest = await Guest.open();
    const other = member.includes("output-stream") ? "stdin" : "stdout";
    const handle = await guest.core([`wasi:cli/${other}`, `get-${other}`]);
    const rest = zeroes(type);
    expect(await guest.endOf([name, member], handle, ...rest, 64)).toBe(NO_HANDLE);
  });
});

describe("a list of bytes", () => {
  test("of the whole memory is looked at in place, and charged by its length", async () => {
    const guest = await Guest.open();
    const stdout = await guest.core(STDOUT);
    expect(await guest.endOf(WRITE, stdout, 0, MEMORY_BYTES, 64)).toBe(
      "trap: it wrote 65536 bytes where check-write permitted 0",
    );
    expect(guest.call.copied).toBe(MEMORY_BYTES);
  });

  test.each([
    [0, MEMORY_BYTES + 1, "one byte more than the memory"],
    [-1, 1, "behind the memory"],
    [-16, 32, "a pointer and a length whose sum wraps"],
    [0, -1, "a length of almost 2^32"],
  ])("at %d with a length of %d traps, and charges nothing: %s", async (pointer, length) => {
    const guest = await Guest.open();
    const stdout = await guest.core(STDOUT);
    expect(await guest.endOf(WRITE, stdout, pointer, length, 64)).toBe(OUTSIDE);
    expect(guest.call.copied).toBe(0);
  });
});

describe("a text", () => {
  test.each([0, 1, 65_535, 65_536, 65_537])(
    "of %d bytes arrives in one call, charged by its length",
    async (length) => {
      const guest = await Guest.open();
      guest.memory.grow(1);
      new Uint8Array(guest.memory.buffer).fill(0x78);
      await guest.core(LOG, 2, 0, length);
      expect(guest.call.entered).toBe(1);
      expect(guest.call.copied).toBe(length);
      expect(guest.call.pieces.map(({ text }) => text)).toEqual(["x".repeat(length)]);
    },
  );

  test.each([4_194_303, 4_194_304])("of %d bytes is taken", async (length) => {
    const guest = await Guest.open();
    guest.memory.grow(64);
    await guest.core(LOG, 2, 0, length);
    expect(guest.call.pieces.map(({ text }) => text.length)).toEqual([length]);
  });

  test("of more than 4 MiB traps before it is decoded", async () => {
    const guest = await Guest.open();
    guest.memory.grow(64);
    // Not valid either: whoever looked at the bytes would say so.
    new Uint8Array(guest.memory.buffer).fill(0xff);
    expect(await guest.endOf(LOG, 2, 0, 4_194_305)).toBe("trap: it passes more than 4 MiB in one call of a function");
  });

  test("is decoded as the component says", async () => {
    const guest = await Guest.open("utf16");
    new Uint16Array(guest.memory.buffer).set([0x20ac, 0x31]);
    await guest.core(LOG, 4, 0, 2);
    expect(guest.call.pieces).toEqual([{ stream: "log", level: "error", text: "€1" }]);
  });

  test.each([
    [[0xff], "utf8"],
    [[0xe2, 0x82], "utf8"],
    [[0xed, 0xa0, 0x80], "utf8"],
    [[0x00, 0xd8], "utf16"],
  ] as const)("of the bytes %p traps in %s", async (bytes, encoding) => {
    const guest = await Guest.open(encoding);
    new Uint8Array(guest.memory.buffer).set(bytes);
    const length = encoding === "utf8" ? bytes.length : bytes.length / 2;
    expect(await guest.endOf(LOG, 2, 0, length)).toBe(`${ABI} text that is not valid in its encoding`);
    expect(guest.call.pieces).toEqual([]);
  });

  test("is refused with a level that does not exist", async () => {
    const guest = await Guest.open();
    expect(await guest.endOf(LOG, 5, 0, 1)).toBe(`${ABI} a discriminant that its type does not have`);
    expect(guest.call.pieces).toEqual([]);
  });
});

describe("a list of handles", () => {
  test.each([
    [4096, "returned", 4096],
    [4097, "trap: it polled more than 4096 pollables at once", 0],
  ] as const)("of %d: %s, and charges %d", async (length, ending, charged) => {
    const guest = await Guest.open();
    const handle = await guest.core(SUBSCRIBE, 0n);
    new Uint32Array(guest.memory.buffer).fill(Number(handle));
    guest.allocated = 32_768;
    expect([await guest.endOf(POLL, 0, length, 65_528), guest.call.charged]).toEqual([ending, charged]);
  });

  test.each([
    [0, 16_385, OUTSIDE, "longer than the memory"],
    [0, -1, OUTSIDE, "a length of almost 2^32"],
    [2, 1, NOT_ALIGNED, "not aligned"],
  ])("at %d with a length of %d traps: %s", async (pointer, length, reason) => {
    expect(await (await Guest.open()).endOf(POLL, pointer, length, 64)).toBe(reason);
  });

  test.each([0, 1, 2, -1, 2 ** 31 - 1])("with the handle %d, which the guest does not hold, traps", async (handle) => {
    const guest = await Guest.open();
    new Int32Array(guest.memory.buffer)[0] = handle;
    expect(await guest.endOf(POLL, 0, 1, 64)).toBe(NO_HANDLE);
  });
});

describe("a handle that was dropped", () => {
  test("is no handle any more, and its number is given again", async () => {
    const guest = await Guest.open();
    const handle = await guest.core(SUBSCRIBE, 0n);
    expect(await guest.core(READY, handle)).toBe(1);
    await guest.core(["wasi:io/poll", "[resource-drop]pollable"], handle);
    expect(guest.call.host.handles).toBe(0);
    expect(await guest.endOf(READY, handle)).toBe(NO_HANDLE);
    expect(await guest.core(STDOUT)).toBe(handle);
    expect(await guest.endOf(READY, handle)).toBe(NO_HANDLE);
  });

  test("cannot be dropped as another type", async () => {
    const guest = await Guest.open();
    const handle = await guest.core(SUBSCRIBE, 0n);
    expect(await guest.endOf(["wasi:io/streams", "[resource-drop]output-stream"], handle)).toBe(NO_HANDLE);
    expect(guest.call.host.handles).toBe(1);
  });
});

describe("a result", () => {
  test("is stored where the guest asks for it, in memory that the guest gives", async () => {
    const guest = await Guest.open();
    await guest.core(RANDOM, 40n, 64);
    expect(guest.words(64, 2)).toEqual([1024, 40]);
    expect(guest.allocations).toEqual([[0, 0, 1, 40]]);
    expect(guest.call.copied).toBe(40);
  });

  test.each([
    [1024, MEMORY_BYTES - 4, OUTSIDE, "a place at the memory's end"],
    [1024, -8, OUTSIDE, "a place behind the memory"],
    [1024, 66, NOT_ALIGNED, "a place that is not aligned"],
    [MEMORY_BYTES - 39, 64, OUTSIDE, "one byte too little"],
    [-1, 64, OUTSIDE, "nothing"],
  ])("goes nowhere else: allocated %d, stored at %d", async (allocated, place, reason) => {
    const guest = await Guest.open();
    guest.allocated = allocated;
    expect(await guest.endOf(RANDOM, 40n, place)).toBe(reason);
  });

  test("survives an allocator that moves the memory", async () => {
    const guest = await Guest.open();
    guest.realloc = () => guest.memory.grow(1) * MEMORY_BYTES;
    await guest.core(RANDOM, 8n, 64);
    expect(guest.words(64, 2)).toEqual([MEMORY_BYTES, 8]);
  });
});

describe("a denied import", () => {
  test("looks at no argument", async () => {
    const component = await buildGuest(
      "import x:y/z@1.0.0;",
      `(import "x:y/z@1.0.0" "boom" (func $boom (param i32 i32)))
      ${REALLOC} (func (export "run") (result i32) (call $boom (i32.const 1) (i32.const -1)) (i32.const 1))`,
      "package x:y@1.0.0 { interface z { boom: func(items: list<string>); } }",
    );
    expect(await endOf(component, new Recorder())).toBe("denied: an unknown host function (x:y/z@1.0.0 boom)");
  });

  test("may be a method that a served resource does not have", async () => {
    const component = await buildGuest(
      "import wasi:cli/stdin@0.2.6; import wasi:io/streams@0.2.6;",
      `(import "wasi:cli/stdin@0.2.6" "get-stdin" (func $stdin (result i32)))
      (import "wasi:io/streams@0.2.6" "[method]input-stream.read-backwards" (func $read (param i32)))
      (func (export "run") (result i32) (call $read (call $stdin)) (i32.const 1))`,
      WASI.replace("resource input-stream {", "resource input-stream { read-backwards: func();"),
    );
    expect(await endOf(component, new Recorder())).toBe(
      "denied: an unknown host function (wasi:io/streams input-stream.read-backwards)",
    );
  });
});
