/**
 * The imports as core code calls them: what they take from a guest's memory and put there, and what they refuse before they build it.
 */
import { describe, expect, test } from "bun:test";
import { IoError } from "../../../lib/worker/wasi/io.ts";
import { Pollable } from "../../../lib/worker/wasi/poll.ts";
import { InputStream, OutputStream } from "../../../lib/worker/wasi/streams.ts";
import { FLAG, Guest } from "./core-guest.ts";
import { buildGuest, endOf, REALLOC } from "./component.ts";
import { Recorder } from "./recorder.ts";

const MEMORY_BYTES = 65_536;
const OUTSIDE = "with memory that it does not have";

const TAKES_NUMBER = /read|skip|zeroes/i;
const TAKES_RESOURCE = /splice/i;
const LOG = ["kami:tool/host", "log"] as const;
const POLL = ["wasi:io/poll", "poll"] as const;
const RANDOM = ["wasi:random/random", "getRandomBytes"] as const;
const WRITE = ["wasi:io/streams", "OutputStream", "prototype", "write"] as const;

describe("every method of a resource", () => {
  test.each(
    [InputStream, OutputStream, Pollable, IoError].flatMap(({ type }) =>
      Object.keys(type.methods).map((method) => [type.name[0], type.name[1], method] as const),
    ),
  )("%s %s.%s traps for a handle that the guest does not hold", (interfaceName, kebab, method) => {
    const guest = new Guest();
    const resource = kebab.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());
    const rest = [0n, 0, 0, 0];
    const values = TAKES_NUMBER.test(method) ? rest : TAKES_RESOURCE.test(method) ? [1, ...rest] : [0, 0, 64];
    expect(guest.endOf([interfaceName, resource, "prototype", method], 7, ...values)).toBe(
      "trap: it used a handle that it does not hold",
    );
    expect(guest.call.entered).toBe(1);
  });
});

describe("a list of bytes", () => {
  test("of the whole memory is looked at in place, and charged by its length", () => {
    const guest = new Guest();
    const stdout = guest.core(["wasi:cli/stdout", "getStdout"]);
    expect(guest.endOf(WRITE, stdout, 0, MEMORY_BYTES, 64)).toBe(
      "trap: it wrote 65536 bytes where check-write permitted 0",
    );
    expect(guest.call.charged).toBe(4096);
  });

  test.each([
    [0, MEMORY_BYTES + 1, "one byte more than the memory"],
    [-1, 1, "behind the memory"],
    [-16, 32, "a pointer and a length whose sum wraps"],
    [0, -1, "a length of almost 2^32"],
  ])("at %d with a length of %d traps, and charges nothing: %s", (pointer, length) => {
    const guest = new Guest();
    const stdout = guest.core(["wasi:cli/stdout", "getStdout"]);
    expect(guest.endOf(WRITE, stdout, pointer, length, 64)).toBe(
      `trap: it called wasi:io/streams output-stream.write ${OUTSIDE}`,
    );
    expect(guest.call.charged).toBe(0);
  });
});

describe("a text", () => {
  test.each([
    [0, 1, "an empty one"],
    [65_535, 1, "one below a piece"],
    [65_536, 1, "a piece"],
    [65_537, 2, "one above a piece"],
  ])("of %d bytes arrives in %d calls: %s", (length, calls) => {
    const guest = new Guest();
    guest.memory.grow(1);
    new Uint8Array(guest.memory.buffer).fill(0x78);
    guest.core(LOG, 2, 0, length);
    expect([guest.call.entered, guest.call.charged]).toEqual([calls, Math.ceil(length / 16)]);
    expect(guest.call.pieces.map(({ text }) => text).join("")).toBe("x".repeat(length));
  });

  test("keeps a character that two pieces share", () => {
    const guest = new Guest();
    guest.memory.grow(1);
    new Uint8Array(guest.memory.buffer).fill(0x78);
    guest.write("€", 65_535);
    guest.core(LOG, 2, 0, 65_540);
    expect(guest.call.pieces.map(({ text }) => text).join("")).toBe(`${"x".repeat(65_535)}€xx`);
  });

  test("is decoded as the component says", () => {
    const guest = new Guest();
    guest.options = { ...guest.options, stringEncoding: "utf16" };
    new Uint16Array(guest.memory.buffer).set([0x20ac, 0x31]);
    guest.core(LOG, 4, 0, 2);
    expect(guest.call.pieces).toEqual([{ stream: "log", level: "error", text: "€1" }]);
  });

  test.each([
    [[0xff], "utf-8", "it called kami:tool/host log with text that is not UTF-8"],
    [[0xe2, 0x82], "utf-8", "it called kami:tool/host log with text that is not UTF-8"],
    [[0x31], "compact-utf16", "it called kami:tool/host log with arguments of the wrong type"],
  ])("of the bytes %p traps in %s", (bytes, encoding, reason) => {
    const guest = new Guest();
    if (encoding !== "utf-8") guest.options = { ...guest.options, stringEncoding: encoding };
    new Uint8Array(guest.memory.buffer).set(bytes);
    expect(guest.endOf(LOG, 2, 0, bytes.length)).toBe(`trap: ${reason}`);
  });

  test("is refused with a level that does not exist", () => {
    expect(new Guest().endOf(LOG, 5, 0, 1)).toBe("trap: it called kami:tool/host log with arguments of the wrong type");
  });
});

describe("a list of handles", () => {
  test.each([
    [4096, "returned", 4096],
    [4097, "trap: it polled more than 4096 pollables at once", 0],
  ])("of %d: %s, and charges %d", (length, ending, charged) => {
    const guest = new Guest();
    const handle = guest.core(["wasi:clocks/monotonic-clock", "subscribeDuration"], 0n);
    new Uint32Array(guest.memory.buffer).fill(Number(handle));
    guest.allocated = 32_768;
    expect([guest.endOf(POLL, 0, length, 65_528), guest.call.charged]).toEqual([ending, charged]);
  });

  test.each([
    [0, 16_385, OUTSIDE, "longer than the memory"],
    [0, -1, OUTSIDE, "a length of almost 2^32"],
    [2, 1, "with a pointer that is not aligned", "not aligned"],
  ])("at %d with a length of %d traps: %s", (pointer, length, reason) => {
    expect(new Guest().endOf(POLL, pointer, length, 64)).toBe(`trap: it called wasi:io/poll poll ${reason}`);
  });

  test.each([0, 1, 2, -1, 2 ** 31 - 1])("with the handle %d, which the guest does not hold, traps", (handle) => {
    const guest = new Guest();
    guest.table.push(FLAG, 1 | FLAG);
    new Int32Array(guest.memory.buffer)[0] = handle;
    expect(guest.endOf(POLL, 0, 1, 64)).toBe("trap: it polled a handle that it does not hold");
  });
});

describe("a handle that was dropped", () => {
  test("stays dropped, though another resource has the number of its own", () => {
    const guest = new Guest();
    const ready = ["wasi:io/poll", "Pollable", "prototype", "ready"] as const;
    const subscribe = ["wasi:clocks/monotonic-clock", "subscribeDuration"] as const;
    const handle = guest.core(subscribe, 0n);
    expect(guest.core(ready, handle)).toBe(1);
    guest.drop(["wasi:io/poll", "Pollable"], Number(handle));
    guest.options = { ...guest.options, resourceTables: [[FLAG, 0]] };
    guest.core(subscribe, 0n);
    guest.options = { ...guest.options, resourceTables: [guest.table] };
    expect(guest.endOf(ready, handle)).toBe("trap: it used a handle that it does not hold");
  });
});

describe("a result", () => {
  test("is stored where the guest asks for it, in memory that the guest gives", () => {
    const guest = new Guest();
    guest.core(RANDOM, 40n, 64);
    expect(guest.words(64, 2)).toEqual([1024, 40]);
    expect(guest.allocations).toEqual([[0, 0, 1, 40]]);
    expect(guest.call.charged).toBe(3);
  });

  test.each([
    [1024, MEMORY_BYTES - 4, OUTSIDE, "a place at the memory's end"],
    [1024, -8, OUTSIDE, "a place behind the memory"],
    [1024, 66, "with a pointer that is not aligned", "a place that is not aligned"],
    [MEMORY_BYTES - 39, 64, OUTSIDE, "one byte too little"],
    [-1, 64, OUTSIDE, "nothing"],
  ])("goes nowhere else: allocated %d, stored at %d", (allocated, place, reason) => {
    const guest = new Guest();
    guest.allocated = allocated;
    expect(guest.endOf(RANDOM, 40n, place)).toBe(`trap: it called wasi:random/random get-random-bytes ${reason}`);
  });

  test("survives an allocator that moves the memory", () => {
    const guest = new Guest();
    guest.options = { ...guest.options, realloc: () => guest.memory.grow(1) * MEMORY_BYTES };
    guest.core(RANDOM, 8n, 64);
    expect(guest.words(64, 2)).toEqual([MEMORY_BYTES, 8]);
  });

  test("of a handle goes into the table that holds no argument", () => {
    const guest = new Guest();
    const stdin = guest.core(["wasi:cli/stdin", "getStdin"]);
    const pollables = [FLAG, 0];
    guest.options = { ...guest.options, resourceTables: [guest.table, pollables] };
    expect(guest.core(["wasi:io/streams", "InputStream", "prototype", "subscribe"], stdin)).toBe(1);
    expect([guest.table.length, pollables.length]).toEqual([4, 4]);
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
    expect(await endOf(component, new Recorder())).toBe("denied: an unknown host function (x:y/z boom)");
  });

  test("may be a method that a served resource does not have", () => {
    expect(new Guest().endOf(["wasi:io/streams", "InputStream", "prototype", "readBackwards"], 1)).toBe(
      "denied: an unknown host function (wasi:io/streams input-stream.read-backwards)",
    );
  });
});
