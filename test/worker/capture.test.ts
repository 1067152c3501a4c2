import { describe, expect, test } from "bun:test";
import { CAPTURE_LIMIT_BYTES } from "../../lib/protocol/limits.ts";
import { Capture } from "../../lib/worker/capture.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("Capture", () => {
  test("joins neighbouring writes to one stream, keeps log lines apart, keeps the order", () => {
    const capture = new Capture();
    capture.add("stdout", bytes("a"));
    capture.add("stdout", bytes("b"));
    capture.add("stderr", bytes("c"));
    capture.add("log", bytes("d"), "warn");
    capture.add("log", bytes("e"), "info");
    expect(capture.finish()).toEqual({
      pieces: [
        { stream: "stdout", text: "ab" },
        { stream: "stderr", text: "c" },
        { stream: "log", level: "warn", text: "d" },
        { stream: "log", level: "info", text: "e" },
      ],
      droppedBytes: 0,
    });
  });

  for (const [size, kept, dropped] of [
    [CAPTURE_LIMIT_BYTES - 1, CAPTURE_LIMIT_BYTES - 1, 0],
    [CAPTURE_LIMIT_BYTES, CAPTURE_LIMIT_BYTES, 0],
    [CAPTURE_LIMIT_BYTES + 1, CAPTURE_LIMIT_BYTES, 1],
  ] as const) {
    test(`keeps ${kept} of ${size} bytes and says that it dropped ${dropped}`, () => {
      const capture = new Capture();
      capture.add("stdout", new Uint8Array(size).fill(97));
      const captured = capture.finish();
      expect(captured.pieces.map(({ text }) => text.length)).toEqual([kept]);
      expect(captured.droppedBytes).toBe(dropped);
    });
  }

  test("puts a character together that was written in two halves", () => {
    const capture = new Capture();
    capture.add("stdout", Uint8Array.of(0xe2, 0x82));
    capture.add("stdout", Uint8Array.of(0xac));
    expect(capture.finish().pieces).toEqual([{ stream: "stdout", text: "€" }]);
  });

  test("keeps at most 4,096 pieces, however small", () => {
    const capture = new Capture();
    for (let i = 0; i < 5000; i++) capture.add("log", bytes("x"), "info");
    const captured = capture.finish();
    expect([captured.pieces.length, captured.droppedBytes]).toEqual([4096, 904]);
  });

  test("keeps empty log lines, but no more than other pieces", () => {
    const capture = new Capture();
    for (let i = 0; i < 5000; i++) capture.add("log", bytes(""), "info");
    const captured = capture.finish();
    expect([captured.pieces.length, captured.pieces[0], captured.droppedBytes]).toEqual([
      4096,
      { stream: "log", level: "info", text: "" },
      0,
    ]);
  });

  test("keeps nothing of empty writes to a stream", () => {
    const capture = new Capture();
    for (let i = 0; i < 10; i++) capture.add("stdout", bytes(""));
    expect(capture.finish()).toEqual({ pieces: [], droppedBytes: 0 });
  });

  test("gives the last line of a stream", () => {
    const capture = new Capture();
    expect(capture.lastLine("stderr")).toBe("");
    capture.add("stderr", bytes("one\ntwo\n"));
    capture.add("stdout", bytes("other"));
    expect(capture.lastLine("stderr")).toBe("two");
  });
});
