import { describe, expect, test } from "bun:test";
import type { Outcome } from "../../lib/protocol/messages.ts";
import { CommandOutput } from "../../lib/worker/command-output.ts";

const MIB = 1_048_576;

function print(...texts: readonly string[]): CommandOutput {
  const output = new CommandOutput();
  for (const text of texts) output.add(new TextEncoder().encode(text));
  return output;
}

describe("CommandOutput", () => {
  for (const [texts, output, why] of [
    [[], "", "nothing printed"],
    [["a", "", "b"], "ab", "several writes"],
    [["a\n"], "a", "a final line break is not the result's"],
    [["a\r\n"], "a", "nor is one of two characters"],
    [["a\n\n"], "a\n", "but only one"],
    [["x".repeat(5000), "y".repeat(5000)], "x".repeat(5000) + "y".repeat(5000), "more than it first has room for"],
  ] as const) {
    test(`gives what was printed: ${why}`, () => {
      expect(print(...texts).outcome()).toEqual({ ok: true, output });
    });
  }

  test("puts a character together that was written in two halves", () => {
    const output = new CommandOutput();
    output.add(Uint8Array.of(0xe2, 0x82));
    output.add(Uint8Array.of(0xac));
    expect(output.outcome()).toEqual({ ok: true, output: "\u20ac" });
  });

  test("keeps a copy: the guest may write over what it printed", () => {
    const output = new CommandOutput();
    const bytes = new TextEncoder().encode("before");
    output.add(bytes);
    bytes.fill(0x78);
    expect(output.outcome()).toEqual({ ok: true, output: "before" });
  });

  for (const bytes of [MIB - 1, MIB]) {
    test(`takes ${bytes} bytes`, () => {
      const outcome = print("x".repeat(bytes - 1), "x").outcome();
      expect(outcome.ok && outcome.output.length).toBe(bytes);
    });
  }

  test("refuses one byte more, and counts all that was printed", () => {
    const tooLarge = (bytes: number): Outcome => ({
      ok: false,
      code: "RESULT_TOO_LARGE",
      detail: { bytes, limitBytes: MIB },
    });
    expect(print("x".repeat(MIB), "x").outcome()).toEqual(tooLarge(MIB + 1));
    expect(print("x".repeat(MIB + 1), "x").outcome()).toEqual(tooLarge(MIB + 2));
  });
});
