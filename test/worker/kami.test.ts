import { describe, expect, test } from "bun:test";
import { Guest } from "./wasi/core-guest.ts";
import { Recorder } from "./wasi/recorder.ts";

describe("kami:tool/host log", () => {
  test.each(["trace", "debug", "info", "warn", "error"] as const)("captures a message of level %s", (level) => {
    const call = new Recorder();
    call.call("kami:tool/host", "log", level, "grüße\n\u001b[2J");
    expect(call.pieces).toEqual([{ stream: "log", text: "grüße\n\u001b[2J", level }]);
  });

  test("captures an empty message", () => {
    const call = new Recorder();
    call.call("kami:tool/host", "log", "info", "");
    expect(call.pieces).toEqual([{ stream: "log", text: "", level: "info" }]);
  });

  test("loses no character of a long message", () => {
    const call = new Recorder();
    const message = `a${"€😀".repeat(40_000)}`;
    call.call("kami:tool/host", "log", "info", message);
    expect(call.pieces.map((piece) => piece.text).join("")).toBe(message);
  });

  test("takes the levels in the order of their cases, and no others", async () => {
    const guest = await Guest.open();
    for (let level = 0; level < 5; level++) await guest.core(["kami:tool/host", "log"], level, 0, 0);
    expect(guest.call.pieces.map(({ level }) => level)).toEqual(["trace", "debug", "info", "warn", "error"]);
    for (const level of [5, 255, 256, -1]) {
      guest.call.ending = undefined;
      expect(await guest.endOf(["kami:tool/host", "log"], level, 0, 0)).toBe(
        "trap: it broke the component ABI: a discriminant that its type does not have",
      );
    }
    expect(guest.call.pieces).toHaveLength(5);
  });
});
