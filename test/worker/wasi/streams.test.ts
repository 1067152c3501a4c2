import { describe, expect, test } from "bun:test";
import { Host } from "../../../lib/worker/wasi/host.ts";
import { ResultError } from "../../../lib/worker/wasi/result.ts";
import {
  BLOCKING_WRITE_LIMIT,
  CHUNK_LIMIT,
  Input,
  InputStream,
  OutputStream,
} from "../../../lib/worker/wasi/streams.ts";
import { Recorder } from "./recorder.ts";

const U64_MAX = 2n ** 64n - 1n;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function open(text: string): { call: Recorder; host: Host; input: InputStream } {
  const call = new Recorder();
  const host = new Host(call);
  return { call, host, input: new InputStream(host, new Input(encode(text))) };
}

function openOutput(): { call: Recorder; host: Host; output: OutputStream } {
  const call = new Recorder();
  const host = new Host(call);
  return { call, host, output: new OutputStream(host, "stdout") };
}

/** The payload that the glue finds in what a function throws. */
function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    if (error instanceof ResultError && Object.hasOwn(error, "payload")) return error.payload;
    throw error;
  }
  return "returned";
}

describe.each(["read", "blockingRead"] as const)("InputStream.%s()", (name) => {
  test.each([
    [0n, ""],
    [1n, "h"],
    [4n, "hell"],
    [5n, "hello"],
    [6n, "hello"],
    [2n ** 63n, "hello"],
    [U64_MAX, "hello"],
  ])("of %d bytes gives what there is", (len, expected) => {
    const { call, input } = open("hello");
    expect(input[name](len)).toEqual(encode(expected));
    expect(call.entered).toBe(1);
  });

  test("is closed at the end, even for no bytes", () => {
    const { input } = open("hi");
    input[name](2n);
    expect(errorOf(() => input[name](1n))).toEqual({ tag: "closed" });
    expect(errorOf(() => input[name](0n))).toEqual({ tag: "closed" });
  });

  test.each([
    [CHUNK_LIMIT - 1, CHUNK_LIMIT - 1],
    [CHUNK_LIMIT, CHUNK_LIMIT],
    [CHUNK_LIMIT + 1, CHUNK_LIMIT],
  ])("of %d bytes gives at most 64 KiB: %d", (len, expected) => {
    const { input } = open("x".repeat(CHUNK_LIMIT * 2));
    expect(input[name](BigInt(len)).length).toBe(expected);
  });

  test("gives a copy that owns all of its buffer", () => {
    const { input } = open("hello");
    expect(input[name](2n).buffer.byteLength).toBe(2);
  });

  test("traps when the length is no u64", () => {
    const { call, input } = open("hello");
    expect(call.endOf(() => input[name](-1n))).toBe(
      "trap: it called wasi:io/streams input-stream.read with arguments of the wrong type",
    );
  });
});

describe.each(["skip", "blockingSkip"] as const)("InputStream.%s()", (name) => {
  test("passes over bytes and counts them", () => {
    const { call, input } = open("hello");
    expect(input[name](2n)).toBe(2n);
    expect(input.read(1n)).toEqual(encode("l"));
    expect(input[name](U64_MAX)).toBe(2n);
    expect(errorOf(() => input[name](1n))).toEqual({ tag: "closed" });
    expect(call.entered).toBe(4);
  });
});

describe("OutputStream.write()", () => {
  test("keeps what check-write permitted", () => {
    const { call, output } = openOutput();
    expect(output.checkWrite()).toBe(65_536n);
    output.write(encode("one"));
    output.write(encode("two"));
    expect(call.pieces).toEqual([
      { stream: "stdout", text: "one" },
      { stream: "stdout", text: "two" },
    ]);
    expect(call.entered).toBe(3);
  });

  test.each([CHUNK_LIMIT - 1, CHUNK_LIMIT])("takes %d bytes", (length) => {
    const { call, output } = openOutput();
    output.checkWrite();
    output.write(new Uint8Array(length));
    expect(call.pieces.map((piece) => piece.text.length)).toEqual([length]);
  });

  test.each([
    [[], 1, "it wrote 1 bytes where check-write permitted 0"],
    [[], CHUNK_LIMIT + 1, "it wrote 65537 bytes where check-write permitted 65536"],
    [[CHUNK_LIMIT], 1, "it wrote 1 bytes where check-write permitted 0"],
    [[CHUNK_LIMIT - 1], 2, "it wrote 2 bytes where check-write permitted 1"],
  ])("traps beyond the permit: after %p, %d bytes", (before, length, reason) => {
    const { call, output } = openOutput();
    if (length > CHUNK_LIMIT || before.length > 0) output.checkWrite();
    for (const bytes of before) output.write(new Uint8Array(bytes));
    const kept = call.pieces.length;
    expect(call.endOf(() => output.write(new Uint8Array(length)))).toBe(`trap: ${reason}`);
    expect(call.pieces.length).toBe(kept);
  });

  test("traps when the contents are no bytes", () => {
    const { call, output } = openOutput();
    output.checkWrite();
    expect(call.endOf(() => output.write(["a"]))).toBe(
      "trap: it called wasi:io/streams output-stream.write with arguments of the wrong type",
    );
  });
});

describe("OutputStream.blockingWriteAndFlush()", () => {
  test.each([0, 1, BLOCKING_WRITE_LIMIT - 1, BLOCKING_WRITE_LIMIT])("takes %d bytes without a permit", (length) => {
    const { call, output } = openOutput();
    output.blockingWriteAndFlush(new Uint8Array(length));
    expect(call.pieces.map((piece) => piece.text.length)).toEqual([length]);
  });

  test("traps above 4096 bytes", () => {
    const { call, output } = openOutput();
    expect(call.endOf(() => output.blockingWriteAndFlush(new Uint8Array(4097)))).toBe(
      "trap: it wrote 4097 bytes in one blocking write, the limit is 4096",
    );
    expect(call.pieces).toEqual([]);
  });

  test("traps when the contents are no bytes", () => {
    const { call, output } = openOutput();
    expect(call.endOf(() => output.blockingWriteAndFlush("text"))).toBe(
      "trap: it called wasi:io/streams output-stream.blocking-write-and-flush with arguments of the wrong type",
    );
  });
});

describe("OutputStream, zeroes", () => {
  test("writeZeroes() spends the permit as write() does", () => {
    const { call, output } = openOutput();
    output.checkWrite();
    output.writeZeroes(3n);
    expect(call.pieces).toEqual([{ stream: "stdout", text: "\0\0\0" }]);
    expect(call.endOf(() => output.writeZeroes(65_534n))).toBe(
      "trap: it wrote 65534 bytes where check-write permitted 65533",
    );
  });

  test("writeZeroes() of more than any permit traps before it allocates", () => {
    const { call, output } = openOutput();
    output.checkWrite();
    expect(call.endOf(() => output.writeZeroes(U64_MAX))).toBe(
      "trap: it wrote 18446744073709551615 bytes where check-write permitted 65536",
    );
  });

  test("blockingWriteZeroesAndFlush() takes up to 4096", () => {
    const { call, output } = openOutput();
    output.blockingWriteZeroesAndFlush(4096n);
    expect(call.pieces.map((piece) => piece.text.length)).toEqual([4096]);
    expect(call.endOf(() => output.blockingWriteZeroesAndFlush(4097n))).toBe(
      "trap: it wrote 4097 bytes in one blocking write, the limit is 4096",
    );
  });
});

describe.each(["splice", "blockingSplice"] as const)("OutputStream.%s()", (name) => {
  test("moves bytes, then reports the end of the input", () => {
    const { call, host, output } = openOutput();
    const input = new InputStream(host, new Input(encode("hello")));
    expect(output[name](input, 2n)).toBe(2n);
    expect(output[name](input, U64_MAX)).toBe(3n);
    expect(errorOf(() => output[name](input, 1n))).toEqual({ tag: "closed" });
    expect(call.pieces.map((piece) => piece.text)).toEqual(["he", "llo"]);
    expect(call.entered).toBe(3);
  });

  test("moves at most 64 KiB at once", () => {
    const { host, output } = openOutput();
    const input = new InputStream(host, new Input(new Uint8Array(CHUNK_LIMIT + 1)));
    expect(output[name](input, U64_MAX)).toBe(65_536n);
    expect(output[name](input, U64_MAX)).toBe(1n);
  });

  test.each([["text"], [{}], [Object.create(InputStream.prototype)]])("traps without an input stream: %p", (source) => {
    const { call, output } = openOutput();
    expect(call.endOf(() => output[name](source, 1n))).toBe(
      "trap: it called wasi:io/streams output-stream.splice with arguments of the wrong type",
    );
  });
});

describe("streams", () => {
  test("flushing does nothing but charge", () => {
    const { call, output } = openOutput();
    output.flush();
    output.blockingFlush();
    expect([call.entered, call.pieces]).toEqual([2, []]);
  });

  test("their pollables are ready", () => {
    const { host, input } = open("");
    expect(input.subscribe().ready()).toBe(true);
    expect(new OutputStream(host, "stderr").subscribe().ready()).toBe(true);
  });

  test("dropped ones trap", () => {
    const { call, host, input } = open("hello");
    input[Symbol.dispose]();
    expect(call.endOf(() => input.read(1n))).toBe("trap: it used a handle that it does not hold");
    call.ending = undefined;
    expect(call.endOf(() => new OutputStream(host, "stdout").splice(input, 1n))).toBe(
      "trap: it called wasi:io/streams output-stream.splice with arguments of the wrong type",
    );
  });
});
