import { describe, expect, test } from "bun:test";
import { decodeOrder, decodeReport, encodeFrame } from "../../lib/executor/frames.ts";
import { FrameReader } from "../../lib/frame-reader.ts";
import type { ExecutorOrder } from "../../lib/protocol/messages.ts";

const ORDERS: readonly (readonly [order: ExecutorOrder, body: string])[] = [
  [{ type: "look", id: 1 }, ""],
  [{ type: "part", digest: "\u00e9" }, "\u0000\u20ac".repeat(50)],
  [{ type: "unload", digest: "a" }, ""],
];
const EXPECTED: unknown = ORDERS;
const STREAM = Buffer.concat(ORDERS.flatMap(([order, body]) => encodeFrame(order, Buffer.from(body))));

function read(chunks: readonly Uint8Array[]): unknown {
  const reader = new FrameReader(1000);
  return chunks
    .flatMap((chunk) => reader.push(chunk) ?? [])
    .map(decodeOrder)
    .map(({ header, body }) => [header, Buffer.from(body).toString()]);
}

function frame(header: string, length = header.length): Uint8Array {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(header)]);
  bytes.writeUInt32BE(length);
  return bytes;
}

describe("FrameReader", () => {
  test("finds the frames however the bytes are cut", () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const chunks: Uint8Array[] = [];
      // Copies: a pipe may use its memory again.
      for (let at = 0; at < STREAM.length; at += size) chunks.push(STREAM.subarray(at, at + size));
      expect(read(chunks)).toEqual(EXPECTED);
    }
  });

  for (const [bytes, why, passes] of [
    [99, "one below the limit", true],
    [100, "at the limit", true],
    [101, "one above the limit", false],
  ] as const) {
    test(`${passes ? "takes" : "refuses"} a frame of ${why}, before it has come`, () => {
      const head = new Uint8Array(4);
      new DataView(head.buffer).setUint32(0, bytes);
      const reader = new FrameReader(100);
      expect(reader.push(head)).toEqual(passes ? [] : undefined);
      if (passes) expect(reader.push(new Uint8Array(bytes))?.map(({ length }) => length)).toEqual([bytes]);
    });
  }

  test("takes a megabyte byte by byte", () => {
    const reader = new FrameReader(1_048_576);
    const head = new Uint8Array([0, 16, 0, 0]);
    reader.push(head);
    let frames = 0;
    for (let at = 0; at < 1_048_576; at++) frames += reader.push(new Uint8Array(1))?.length ?? 0;
    expect(frames).toBe(1);
  });
});

describe("decodeReport()", () => {
  for (const [bytes, found, why] of [
    [frame('{"a":1}'), { a: 1 }, "at the limit"],
    [frame('{"a": 1}'), undefined, "one byte above the limit"],
    [frame("{}", 3), undefined, "a header that is longer than its frame"],
    [frame("{"), undefined, "no JSON"],
    [new Uint8Array(3), undefined, "no room for a length"],
    [new Uint8Array(), undefined, "nothing"],
  ] as const) {
    test(why, () => {
      expect(decodeReport(bytes, 7)?.header).toEqual(found);
    });
  }
});
