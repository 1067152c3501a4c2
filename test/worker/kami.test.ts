import { describe, expect, test } from "bun:test";
import { MESSAGE_PIECE } from "../../lib/worker/kami.ts";
import { Recorder } from "./wasi/recorder.ts";

const WRONG = "trap: it called kami:tool/host log with arguments of the wrong type";

describe("kami:tool/host log", () => {
  test.each(["trace", "debug", "info", "warn", "error"] as const)("captures a message of level %s", (level) => {
    const call = new Recorder();
    call.call("kami:tool/host", "log", level, "grüße\n\u001b[2J");
    expect(call.pieces).toEqual([{ stream: "log", text: "grüße\n\u001b[2J", level }]);
    expect(call.entered).toBe(1);
  });

  test("captures an empty message", () => {
    const call = new Recorder();
    call.call("kami:tool/host", "log", "info", "");
    expect(call.pieces).toEqual([{ stream: "log", text: "", level: "info" }]);
  });

  test.each([
    [MESSAGE_PIECE - 1, [MESSAGE_PIECE - 1]],
    [MESSAGE_PIECE, [MESSAGE_PIECE]],
    [MESSAGE_PIECE + 1, [MESSAGE_PIECE, 1]],
  ])("captures a message of %d bytes in pieces of %p", (length, expected) => {
    const call = new Recorder();
    call.call("kami:tool/host", "log", "info", "a".repeat(length));
    expect(call.pieces.map((piece) => piece.text.length)).toEqual(expected);
  });

  test("splits no character, and loses none", () => {
    const call = new Recorder();
    const message = `a${"€😀".repeat(40_000)}`;
    call.call("kami:tool/host", "log", "info", message);
    expect(call.pieces.length).toBeGreaterThan(1);
    expect(call.pieces.map((piece) => piece.text).join("")).toBe(message);
  });

  test("honours an interrupt within a long message", () => {
    const call = new Recorder();
    call.interruptAt = 2;
    expect(call.endOf(() => call.call("kami:tool/host", "log", "info", "a".repeat(MESSAGE_PIECE * 10)))).toBe(
      "interrupted",
    );
    expect(call.pieces.length).toBe(2);
  });

  test.each([
    ["fatal", "text"],
    [2, "text"],
    ["info", 5],
    ["info", undefined],
  ])("traps on (%p, %p)", (level, message) => {
    const call = new Recorder();
    expect(call.endOf(() => call.call("kami:tool/host", "log", level, message))).toBe(WRONG);
    expect(call.pieces).toEqual([]);
  });
});
