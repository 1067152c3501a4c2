/**
 * Answers to forms: a tool gets none that its form does not allow, whatever a client sends.
 */
import { describe, expect, test } from "bun:test";
import type { FormField, FormSchema } from "../../lib/schema/form.ts";
import { ANSWER_LIMIT, findAnswerFault, readAnswer } from "../../lib/schema/form-answer.ts";

const FORM: FormSchema = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } },
  required: ["name"],
};

function read(given: unknown): unknown {
  return readAnswer(FORM, given);
}

describe("readAnswer()", () => {
  test.each([
    [
      "accepted",
      { action: "accept", content: { name: "A", age: 1 } },
      { action: "accept", content: { name: "A", age: 1 } },
    ],
    ["accepted in part", { action: "accept", content: { name: "A" } }, { action: "accept", content: { name: "A" } }],
    [
      "with more than was asked",
      { action: "accept", content: { name: "A", x: {} }, y: 1 },
      { action: "accept", content: { name: "A" } },
    ],
    ["declined", { action: "decline", content: { name: "A" } }, { action: "decline" }],
    ["cancelled", { action: "cancel" }, { action: "cancel" }],
  ])("reads one that is %s", (_how, given, answer) => {
    expect(read(given)).toEqual(answer);
  });

  test.each([
    ["a number", 12_345],
    ["null", null],
    ["a list", [{ action: "accept" }]],
    ["another action", { action: "allow", content: { name: "A" } }],
    ["no content", { action: "accept" }],
    ["content that is none", { action: "accept", content: "name" }],
    ["a field of another type", { action: "accept", content: { name: 1 } }],
    ["an optional field of another type", { action: "accept", content: { name: "A", age: "1" } }],
    ["a field that is only inherited", { action: "accept", content: Object.create({ name: "A" }) }],
  ])("reads none of %s", (_what, given) => {
    expect(read(given)).toBeUndefined();
  });
});

describe("findAnswerFault()", () => {
  const cases: readonly (readonly [field: FormField, good: readonly unknown[], bad: readonly unknown[]])[] = [
    [{ type: "boolean" }, [true, false], ["true", 1, null]],
    [{ type: "integer", minimum: 1, maximum: 3 }, [1, 3], [0, 4, 1.5, "1", Number.NaN]],
    [{ type: "number", maximum: 1.5 }, [1.5, -1e9], [1.6, Infinity]],
    [{ type: "string" }, ["", "x".repeat(ANSWER_LIMIT)], ["x".repeat(ANSWER_LIMIT + 1), 1, ["a"]]],
    [{ type: "string", minLength: 2, maxLength: 3 }, ["ab", "abc", "😀😀😀"], ["a", "abcd", "😀"]],
    [{ type: "string", format: "email" }, ["a@b.example"], ["a", "a@b@c", "a @b", "@b"]],
    [{ type: "string", format: "uri" }, ["https://a.example/x", "urn:x:y"], ["a.example", "/x"]],
    [{ type: "string", format: "date" }, ["2026-02-28", "2024-02-29"], ["2026-02-29", "2026-13-01", "28.02.2026"]],
    [
      { type: "string", format: "date-time" },
      ["2026-02-28T10:00:00Z", "2026-02-28T10:00:00.5+02:00"],
      ["2026-02-28", "2026-02-28T10:00:00", "2026-02-30T10:00:00Z"],
    ],
    [{ type: "string", enum: ["a"] }, ["a"], ["b", ""]],
    [{ type: "string", oneOf: [{ const: "a", title: "A" }] }, ["a"], ["A"]],
    [
      { type: "array", items: { type: "string", enum: ["a", "b"] }, minItems: 1, maxItems: 1 },
      [["a"]],
      [[], ["a", "b"], ["c"], ["a", "a"], "a", [1]],
    ],
    [{ type: "array", items: { anyOf: [{ const: "a", title: "A" }] } }, [[], ["a"]], [["A"]]],
  ];
  test("looks for no value among the choices when one comes twice: a client may send a million", () => {
    let looks = 0;
    const values = Object.assign(["a"], { includes: () => (looks += 1) > 0 });
    const fault = findAnswerFault({ type: "array", items: { type: "string", enum: values } }, ["a", "a"]);
    expect([fault, looks]).toEqual(["must not have a value twice", 0]);
  });

  test.each(cases)("%j", (field, good, bad) => {
    expect(good.map((value) => findAnswerFault(field, value))).toEqual(good.map(() => undefined));
    expect(bad.filter((value) => findAnswerFault(field, value) === undefined)).toEqual([]);
  });
});
