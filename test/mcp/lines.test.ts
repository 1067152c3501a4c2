import { describe, expect, test } from "bun:test";
import { type Line, LineSplitter } from "../../lib/mcp/lines.ts";

const text = (line: Line): string => (line.kind === "line" ? new TextDecoder().decode(line.bytes) : line.kind);

function split(chunks: readonly string[], limitBytes = 8): readonly string[] {
  const splitter = new LineSplitter(limitBytes);
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()].map(text);
}

describe("LineSplitter", () => {
  test.each([
    { chunks: ["a\nb\n"], lines: ["a", "b"], why: "two lines in one chunk" },
    { chunks: ["a", "b", "c\nd"], lines: ["abc", "d"], why: "a line in pieces, and one without an end" },
    { chunks: ["\n\n", "\n"], lines: [], why: "empty lines" },
    { chunks: [], lines: [], why: "nothing" },
    { chunks: ["1234567\n"], lines: ["1234567"], why: "one below the limit" },
    { chunks: ["12345678\n"], lines: ["12345678"], why: "at the limit" },
    { chunks: ["123456789\nok\n"], lines: ["too-long", "ok"], why: "one above the limit, then another line" },
    { chunks: ["1234", "56789", "0".repeat(50), "\nok\n"], lines: ["too-long", "ok"], why: "too long in pieces: once" },
    { chunks: ["123456789"], lines: ["too-long"], why: "too long and without an end" },
  ])("cuts $why", ({ chunks, lines }) => {
    expect(split(chunks)).toEqual([...lines]);
  });

  test("reports a line that is too long before it has ended", () => {
    expect(new LineSplitter(2).push(Buffer.from("123")).map(text)).toEqual(["too-long"]);
  });
});
