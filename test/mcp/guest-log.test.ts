import { describe, expect, test } from "bun:test";
import { GUEST_LINE_LIMIT, GUEST_LINES_LIMIT, guestLines } from "../../lib/mcp/guest-log.ts";
import type { GuestOutput } from "../../lib/protocol/limits.ts";

const lines = (...pieces: GuestOutput[]): readonly string[] => guestLines("dev.x.t", { pieces, droppedBytes: 0 });
const stdout = (text: string): GuestOutput => ({ stream: "stdout", text });

describe("guestLines()", () => {
  test("marks each line with the tool and the stream", () => {
    expect(
      lines(
        stdout("one\ntwo\n"),
        { stream: "stderr", text: "oops" },
        { stream: "log", level: "warn", text: "careful" },
      ),
    ).toEqual(["dev.x.t stdout: one", "dev.x.t stdout: two", "dev.x.t stderr: oops", "dev.x.t log warn: careful"]);
  });

  test("leaves nothing that moves a terminal or begins a line of its own", () => {
    expect(lines(stdout("\u001b[2Jx\rdev.x.t stdout: forged\u2028y"))).toEqual([
      "dev.x.t stdout: x dev.x.t stdout: forged y",
    ]);
  });

  test.each([GUEST_LINE_LIMIT - 1, GUEST_LINE_LIMIT, GUEST_LINE_LIMIT + 1])("bounds a line of %p", (length) => {
    const kept = `dev.x.t stdout: ${"x".repeat(Math.min(length, GUEST_LINE_LIMIT))}`;
    expect(lines(stdout("x".repeat(length)))).toEqual([length > GUEST_LINE_LIMIT ? `${kept}…` : kept]);
  });

  test.each([GUEST_LINES_LIMIT - 1, GUEST_LINES_LIMIT, GUEST_LINES_LIMIT + 1])("bounds %p lines", (count) => {
    const shown = Array.from({ length: Math.min(count, GUEST_LINES_LIMIT) }, () => "dev.x.t stdout: x");
    const note = "dev.x.t: left out 1 more lines and 0 bytes beyond the capture limit";
    expect(lines(stdout("x\n".repeat(count)))).toEqual(count > GUEST_LINES_LIMIT ? [...shown, note] : shown);
  });

  test("says how many bytes the capture dropped", () => {
    expect(guestLines("dev.x.t", { pieces: [], droppedBytes: 12 })).toEqual([
      "dev.x.t: left out 0 more lines and 12 bytes beyond the capture limit",
    ]);
  });
});
