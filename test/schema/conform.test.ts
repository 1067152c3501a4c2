import { describe, expect, test } from "bun:test";
import { findMismatch } from "../../lib/schema/conform.ts";
import { checkForeignSchema } from "../../lib/schema/foreign.ts";

function mismatchOf(property: object, value: unknown, more: object = {}): string | undefined {
  const schema = checkForeignSchema({ type: "object", properties: { a: property }, ...more }, "s");
  const found = findMismatch(schema, { a: value }, "result");
  return found === undefined ? undefined : `${found.field} ${found.problem}`;
}

describe("findMismatch()", () => {
  test.each([
    [{ type: "string" }, "x", undefined],
    [{ type: "string" }, 1, "result.a must be string, got an integer"],
    [{ type: ["string", "null"] }, null, undefined],
    [{ type: "integer" }, 1.5, "result.a must be integer, got a number"],
    [{ type: "number" }, 1, undefined],
    [{ type: "array", items: { type: "boolean" } }, [true, 1], "result.a[1] must be boolean, got an integer"],
    [{ minLength: 2 }, "😀", "result.a must have at least 2 characters, has 1"],
    [{ maxLength: 1 }, "😀", undefined],
    [{ maxItems: 1 }, [1, 2], "result.a must have at most 1 items, has 2"],
    [{ minimum: 1 }, 0, "result.a is out of its range"],
    [{ exclusiveMaximum: 1 }, 1, "result.a is out of its range"],
    [{ multipleOf: 0.1 }, 0.3, undefined],
    [{ multipleOf: 2 }, 3, "result.a is not a multiple of 2"],
    [{ const: { x: [1] } }, { x: [1] }, undefined],
    [{ const: null }, undefined, "result.a is not the only value allowed"],
    [{ enum: ["a", { b: 1 }] }, { b: 1 }, undefined],
    [{ enum: ["a"] }, "b", "result.a is not one of the values allowed"],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, true, "result.a is none of what it can be"],
    [{ oneOf: [{ type: "number" }, { type: "integer" }] }, 1, "result.a is several of what it can be one of"],
    [{ oneOf: [{ type: "number" }, { type: "integer" }] }, 1.5, undefined],
    [{ allOf: [{ type: "number" }, { minimum: 5 }] }, 1, "result.a is out of its range"],
    [{ type: "object", required: ["b"] }, {}, "result.a.b is missing"],
    [{ type: "object", required: ["toString"] }, {}, "result.a.toString is missing"],
    [{ type: "object", additionalProperties: false }, { c: 1 }, "result.a.c is not known"],
    [
      { type: "object", properties: { b: {} }, additionalProperties: { type: "string" } },
      { b: 1, c: 1 },
      "result.a.c must be string, got an integer",
    ],
    [{ format: "date" }, "no date", undefined],
  ] as const)("%o, given %o", (...[schema, value, problem]) => {
    expect(mismatchOf(schema, value)).toBe(problem);
  });

  test("follows references", () => {
    const more = { $defs: { text: { type: "string" } } };
    expect(mismatchOf({ $ref: "#/$defs/text" }, 1, more)).toBe("result.a must be string, got an integer");
  });

  test("gives up on what takes too long, in bounded time, and does not let it pass", () => {
    const alternatives = Array.from({ length: 1200 }, (_, index) => ({ const: index + 1 }));
    const items = Array.from({ length: 250_000 }, () => 0);
    const startedAt = performance.now();
    const problem = mismatchOf({ type: "array", items: { anyOf: [...alternatives, {}] } }, items);
    expect(problem).toBe("result takes too long to be checked against the tool's own schema");
    expect(mismatchOf({ anyOf: Array.from({ length: 1200 }, () => ({ minLength: 1e9 })) }, "x".repeat(1_000_000))).toBe(
      problem,
    );
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("takes a large result that is as it should be", () => {
    const items = Array.from({ length: 50_000 }, (_, id) => ({ id, name: "x" }));
    const item = {
      type: "object",
      properties: { id: { type: "integer" }, name: { type: "string" } },
      required: ["id"],
    };
    expect(mismatchOf({ type: "array", items: item }, items)).toBeUndefined();
  });
});
