import { describe, expect, test } from "bun:test";
import { Failure } from "../../lib/errors.ts";
import type { ArgumentSpec } from "../../lib/schema/arguments.ts";
import { INPUT_LIMIT_BYTES, readInput } from "../../lib/schema/input.ts";

const ID: ArgumentSpec = { name: "id", type: "integer", description: "Which", required: true };
const LIMIT: ArgumentSpec = { name: "limit", type: "integer", description: "Lines", required: false, default: 10 };

/** The text for the guest, or the failure's code and message. */
function outcomeOf(input: string, specs?: readonly ArgumentSpec[]): string {
  try {
    return readInput(input, specs);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

/** JSON text of exactly so many bytes, and fewer characters. */
function textOf(bytes: number): string {
  return `"${"é".repeat((bytes - 2) >> 1)}${"x".repeat(bytes % 2)}"`;
}

describe("readInput()", () => {
  const exact = [
    '{"id":12345678901234567890}',
    '{"id":1.0}',
    '{"id":1e2}',
    ' { "id" : -0 }\n',
    String.raw`{"\u0069d":5}`,
    '{"id": 100000000000000000000000000000000000001}',
  ];
  test.each(exact)("passes %s on as it came", (input) => {
    expect(readInput(input, [ID])).toBe(input);
    expect(readInput(input)).toBe(input);
  });

  test("adds defaults behind what came, and changes nothing of it", () => {
    expect(readInput('{"id":12345678901234567890}', [ID, LIMIT])).toBe('{"id":12345678901234567890,"limit":10}');
    expect(readInput(" { } \n", [LIMIT])).toBe(' {"limit":10} \n');
    expect(readInput('{"limit":11}', [LIMIT])).toBe('{"limit":11}');
  });

  test("takes a byte order mark off, which not every guest can read", () => {
    expect(readInput('\ufeff{"id":1}', [ID, LIMIT])).toBe('{"id":1,"limit":10}');
    expect(readInput("\ufeff5")).toBe("5");
  });

  test("refuses a name that comes twice: the guest may read the other value", () => {
    const refused = 'INPUT_INVALID: Cannot use the input: "id" comes twice in one object';
    expect(outcomeOf('{"id":1,"id":"x"}', [ID])).toBe(refused);
    expect(outcomeOf('{"id":"x","id":1}', [ID])).toBe(refused);
    expect(outcomeOf(String.raw`{"id":1,"\u0069d":2}`, [ID])).toBe(refused);
    expect(outcomeOf('{"a":[{"id":1,"id":2}]}')).toBe(refused);
    expect(outcomeOf(String.raw`{"a\u001b[2J":1,"a\u001b[2J":2}`)).toBe(
      'INPUT_INVALID: Cannot use the input: "a" comes twice in one object',
    );
  });

  test("checks the arguments of a tool that declares some", () => {
    expect(outcomeOf("{}", [ID])).toBe('INPUT_INVALID: Cannot use the input: "id" is required');
    expect(outcomeOf("[1]", [ID])).toBe('INPUT_INVALID: Cannot use the input: "input" must be an object, got an array');
    expect(outcomeOf("[1]")).toBe("[1]");
    expect(outcomeOf("{", [ID])).toStartWith("INPUT_NOT_JSON: Cannot use the input from the call: ");
  });

  test("counts bytes, not characters: one below, at and above the limit", () => {
    for (const bytes of [INPUT_LIMIT_BYTES - 1, INPUT_LIMIT_BYTES]) {
      expect(Buffer.byteLength(textOf(bytes))).toBe(bytes);
      expect(readInput(textOf(bytes)) === textOf(bytes)).toBe(true);
    }
    expect(outcomeOf(textOf(INPUT_LIMIT_BYTES + 1))).toBe(
      "INPUT_TOO_LARGE: Cannot use the input: it has 4194305 bytes, the limit is 4194304",
    );
  });
});
