import { describe, expect, test } from "bun:test";
import { ResultError } from "../../../lib/component/link/host.ts";
import { READY } from "../../../lib/worker/wasi/poll.ts";
import { BLOCKING_WRITE_LIMIT } from "../../../lib/worker/wasi/io.ts";
import { CHUNK_LIMIT, InputStream, OutputStream, StreamEnd } from "../../../lib/worker/wasi/streams.ts";
import { Guest } from "./core-guest.ts";
import { Recorder } from "./recorder.ts";

const U64_MAX = 2n ** 64n - 1n;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A stream over bytes that are there. */
function inputOf(call: Recorder, bytes: Uint8Array): InputStream {
  let rest = bytes;
  const read = (limit: number): Uint8Array => {
    if (rest.length === 0) throw new StreamEnd();
    const piece = rest.slice(0, limit);
    rest = rest.subarray(piece.length);
    return piece;
  };
  return new InputStream(call.host, { ...READY, read });
}

function open(text: string): { call: Recorder; input: InputStream } {
  const call = new Recorder();
  return { call, input: inputOf(call, encode(text)) };
}

function openOutput(): { call: Recorder; output: unknown } {
  const call = new Recorder();
  return { call, output: call.call("wasi:cli/stdout", "get-stdout") };
}

function onInput(call: Recorder, name: string, ...values: readonly unknown[]): unknown {
  return call.call("wasi:io/streams", `[method]input-stream.${name}`, ...values);
}

function onOutput(call: Recorder, name: string, ...values: readonly unknown[]): unknown {
  return call.call("wasi:io/streams", `[method]output-stream.${name}`, ...values);
}

/** The error that a function gives to the guest. */
function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    if (error instanceof ResultError) return error.payload;
    throw error;
  }
  return "returned";
}

describe.each(["read", "blocking-read"] as const)("input-stream.%s", (name) => {
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
    expect(onInput(call, name, input, len)).toEqual(encode(expected));
  });

  test("is closed at the end, then even for no bytes", () => {
    const { call, input } = open("hi");
    onInput(call, name, input, 2n);
    expect(errorOf(() => onInput(call, name, input, 1n))).toEqual({ tag: "closed" });
    expect(errorOf(() => onInput(call, name, input, 0n))).toEqual({ tag: "closed" });
  });

  test.each([
    [CHUNK_LIMIT - 1, CHUNK_LIMIT - 1],
    [CHUNK_LIMIT, CHUNK_LIMIT],
    [CHUNK_LIMIT + 1, CHUNK_LIMIT],
  ])("of %d bytes gives at most 64 KiB: %d", (len, expected) => {
    const { call, input } = open("x".repeat(CHUNK_LIMIT * 2));
    expect(onInput(call, name, input, BigInt(len))).toHaveLength(expected);
  });

  test("of stdin gives a copy that owns all of its buffer", () => {
    const call = new Recorder("hello");
    const read = onInput(call, name, call.call("wasi:cli/stdin", "get-stdin"), 2n);
    expect(read instanceof Uint8Array ? read.buffer.byteLength : read).toBe(2);
  });

  test("takes an i64 as unsigned: -1 is as much as there is", async () => {
    const guest = await Guest.open();
    const input = await guest.core(["wasi:cli/stdin", "get-stdin"]);
    await guest.core(["wasi:io/streams", `[method]input-stream.${name}`], input, -1n, 64);
    expect(guest.words(64, 3)).toEqual([0, 1024, 9]);
  });
});

describe.each(["skip", "blocking-skip"] as const)("input-stream.%s", (name) => {
  test("passes over bytes and counts them", () => {
    const { call, input } = open("hello");
    expect(onInput(call, name, input, 2n)).toBe(2n);
    expect(onInput(call, "read", input, 1n)).toEqual(encode("l"));
    expect(onInput(call, name, input, U64_MAX)).toBe(2n);
    expect(errorOf(() => onInput(call, name, input, 1n))).toEqual({ tag: "closed" });
  });
});

describe("output-stream.write", () => {
  test("keeps what check-write permitted", () => {
    const { call, output } = openOutput();
    expect(onOutput(call, "check-write", output)).toBe(65_536n);
    onOutput(call, "write", output, encode("one"));
    onOutput(call, "write", output, encode("two"));
    expect(call.pieces).toEqual([
      { stream: "stdout", text: "one" },
      { stream: "stdout", text: "two" },
    ]);
  });

  test.each([CHUNK_LIMIT - 1, CHUNK_LIMIT])("takes %d bytes", (length) => {
    const { call, output } = openOutput();
    onOutput(call, "check-write", output);
    onOutput(call, "write", output, new Uint8Array(length));
    expect(call.pieces.map((piece) => piece.text.length)).toEqual([length]);
  });

  test.each([
    [[], 1, "it wrote 1 bytes where check-write permitted 0"],
    [[], CHUNK_LIMIT + 1, "it wrote 65537 bytes where check-write permitted 65536"],
    [[CHUNK_LIMIT], 1, "it wrote 1 bytes where check-write permitted 0"],
    [[CHUNK_LIMIT - 1], 2, "it wrote 2 bytes where check-write permitted 1"],
  ])("traps beyond the permit: after %p, %d bytes", (before, length, reason) => {
    const { call, output } = openOutput();
    if (length > CHUNK_LIMIT || before.length > 0) onOutput(call, "check-write", output);
    for (const bytes of before) onOutput(call, "write", output, new Uint8Array(bytes));
    const kept = call.pieces.length;
    expect(call.endOf(() => onOutput(call, "write", output, new Uint8Array(length)))).toBe(`trap: ${reason}`);
    expect(call.pieces.length).toBe(kept);
  });
});

describe("output-stream.blocking-write-and-flush", () => {
  test.each([0, 1, BLOCKING_WRITE_LIMIT - 1, BLOCKING_WRITE_LIMIT])("takes %d bytes without a permit", (length) => {
    const { call, output } = openOutput();
    onOutput(call, "blocking-write-and-flush", output, new Uint8Array(length));
    expect(call.pieces.map((piece) => piece.text.length)).toEqual([length]);
  });

  test("traps above 4096 bytes", () => {
    const { call, output } = openOutput();
    expect(call.endOf(() => onOutput(call, "blocking-write-and-flush", output, new Uint8Array(4097)))).toBe(
      "trap: it wrote 4097 bytes in one blocking write, the limit is 4096",
    );
    expect(call.pieces).toEqual([]);
  });
});

describe("output-stream, zeroes", () => {
  test("write-zeroes spends the permit as write does", () => {
    const { call, output } = openOutput();
    onOutput(call, "check-write", output);
    onOutput(call, "write-zeroes", output, 3n);
    expect(call.pieces).toEqual([{ stream: "stdout", text: "\0\0\0" }]);
    expect(call.endOf(() => onOutput(call, "write-zeroes", output, 65_534n))).toBe(
      "trap: it wrote 65534 bytes where check-write permitted 65533",
    );
  });

  test("write-zeroes of more than any permit traps before it allocates", () => {
    const { call, output } = openOutput();
    onOutput(call, "check-write", output);
    expect(call.endOf(() => onOutput(call, "write-zeroes", output, U64_MAX))).toBe(
      "trap: it wrote 18446744073709551615 bytes where check-write permitted 65536",
    );
  });

  test("blocking-write-zeroes-and-flush takes up to 4096", () => {
    const { call, output } = openOutput();
    onOutput(call, "blocking-write-zeroes-and-flush", output, 4096n);
    expect(call.pieces.map((piece) => piece.text.length)).toEqual([4096]);
    expect(call.endOf(() => onOutput(call, "blocking-write-zeroes-and-flush", output, 4097n))).toBe(
      "trap: it wrote 4097 bytes in one blocking write, the limit is 4096",
    );
  });
});

describe.each(["splice", "blocking-splice"] as const)("output-stream.%s", (name) => {
  test("moves bytes, then reports the end of the input", () => {
    const { call, output } = openOutput();
    const input = inputOf(call, encode("hello"));
    expect(onOutput(call, name, output, input, 2n)).toBe(2n);
    expect(onOutput(call, name, output, input, U64_MAX)).toBe(3n);
    expect(errorOf(() => onOutput(call, name, output, input, 1n))).toEqual({ tag: "closed" });
    expect(call.pieces.map((piece) => piece.text)).toEqual(["he", "llo"]);
  });

  test("moves at most 64 KiB at once", () => {
    const { call, output } = openOutput();
    const input = inputOf(call, new Uint8Array(CHUNK_LIMIT + 1));
    expect(onOutput(call, name, output, input, U64_MAX)).toBe(65_536n);
    expect(onOutput(call, name, output, input, U64_MAX)).toBe(1n);
  });

  test("traps without an input stream: another resource is none", async () => {
    const guest = await Guest.open();
    const [first, second] = [
      await guest.core(["wasi:cli/stdout", "get-stdout"]),
      await guest.core(["wasi:cli/stderr", "get-stderr"]),
    ];
    const place = ["wasi:io/streams", `[method]output-stream.${name}`] as const;
    expect(await guest.endOf(place, first, second, 1n, 64)).toBe(
      "trap: it broke the component ABI: a handle that it does not have",
    );
  });
});

describe("streams", () => {
  test("flushing captured output does nothing", () => {
    const { call, output } = openOutput();
    onOutput(call, "flush", output);
    onOutput(call, "blocking-flush", output);
    expect(call.pieces).toEqual([]);
  });

  test("their pollables are ready, and keep them from being dropped", () => {
    const { call, input } = open("");
    const pollable = onInput(call, "subscribe", input);
    const { output } = { output: call.call("wasi:cli/stderr", "get-stderr") };
    for (const each of [pollable, onOutput(call, "subscribe", output)])
      expect(call.call("wasi:io/poll", "[method]pollable.ready", each)).toBe(true);
    expect(call.endOf(() => input[Symbol.dispose]())).toBe(
      "trap: it dropped a resource that another one of its depends on",
    );
  });

  test("a dropped one is closed, once", () => {
    const call = new Recorder();
    let closed = 0;
    const source = { ...READY, read: () => encode("x"), close: () => void (closed += 1) };
    const sink = { ...READY, capacity: () => 1, write: () => undefined, flush: () => undefined };
    const streams = [
      new InputStream(call.host, source),
      new OutputStream(call.host, { ...sink, close: () => void (closed += 1) }),
    ];
    for (const stream of streams) stream[Symbol.dispose]();
    for (const stream of streams) stream.end();
    expect([closed, call.host.handles]).toEqual([2, 0]);
  });
});
