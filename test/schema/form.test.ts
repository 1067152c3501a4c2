/**
 * Forms of guests: each is made anew out of what MCP gives forms, or refused with the place and the rule.
 */
import { describe, expect, test } from "bun:test";
import { FIELDS_LIMIT, OPTIONS_LIMIT, readForm } from "../../lib/schema/form.ts";

const OPTIONS = ["a", "b"];
const NAMED = [
  { const: "a", title: "A" },
  { const: "b", title: "B" },
];

function form(properties: object, more: object = {}): object {
  return { type: "object", properties, ...more };
}

function words(length: number): readonly string[] {
  return Array.from({ length }, (_, at) => `v${at}`);
}

function read(given: unknown): unknown {
  return readForm(given);
}

describe("readForm()", () => {
  test.each([
    ["a text", { type: "string", title: "T", description: "D", minLength: 1, maxLength: 3, default: "ab" }],
    ["an address", { type: "string", format: "email", default: "a@b.example" }],
    ["a number", { type: "number", minimum: -1, maximum: 95.5, default: 95.5 }],
    ["an integer", { type: "integer", default: 30 }],
    ["a number below zero", { type: "number", maximum: -1, default: -2 }],
    ["yes or no", { type: "boolean", default: true }],
    ["a choice", { type: "string", enum: OPTIONS, default: "b" }],
    ["a choice with names, the older way", { type: "string", enum: OPTIONS, enumNames: ["A", "B"] }],
    ["a choice with names", { type: "string", oneOf: NAMED, default: "a" }],
    ["choices", { type: "array", minItems: 1, maxItems: 2, items: { type: "string", enum: OPTIONS }, default: ["a"] }],
    ["choices with names", { type: "array", items: { anyOf: NAMED } }],
    ["as many options as there may be", { type: "string", enum: words(OPTIONS_LIMIT) }],
  ])("takes %s", (_what, field) => {
    const given = form({ field }, { required: ["field"] });
    expect(read(given)).toEqual({ ok: true, value: given });
  });

  test("takes a form without fields, and leaves out which draft it is written in", () => {
    expect(read({ $schema: "https://x.example/", ...form({}) })).toEqual({ ok: true, value: form({}) });
  });

  test("cleans and cuts what the user reads", () => {
    const cleaned = read(
      form({ a: { type: "boolean", title: `\u001b[2J\u202e${"x".repeat(200)}`, description: "a\nb" } }),
    );
    expect(cleaned).toEqual({
      ok: true,
      value: form({ a: { type: "boolean", title: `${"x".repeat(95)}…`, description: "a b" } }),
    });
  });

  const REFUSED = [
    ["nothing", undefined, "it", /^Invalid type/],
    ["another type", { type: "array", properties: {} }, "type", /^Invalid type/],
    ["another keyword", form({}, { additionalProperties: false }), "additionalProperties", "is not known here"],
    ["a field that it does not have", form({}, { required: ["a\u001b[2J"] }), "required", /: "a"$/],
    [
      "a field named __proto__",
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"boolean"}}}'),
      "properties",
      /: "__proto__"$/,
    ],
    ["a field named in other characters", form({ "a b": { type: "boolean" } }), "properties", /: "a b"$/],
    [
      "too many fields",
      form(Object.fromEntries(words(FIELDS_LIMIT + 1).map((name) => [name, { type: "boolean" }]))),
      "properties",
      "has more than 32 fields",
    ],
    ["a field that is none", form({ a: 1 }), "properties.a", /^Invalid type/],
    ["a field of no type", form({ a: {} }), "properties.a.type", /^Invalid key|^Invalid type/],
    ["an object in a field", form({ a: { type: "object", properties: {} } }), "properties.a.type", /^Invalid type/],
    ["a pattern", form({ a: { type: "string", pattern: "(a+)+$" } }), "properties.a.pattern", "is not known here"],
    ["a $ref", form({ a: { type: "string", $ref: "#" } }), "properties.a.$ref", "is not known here"],
    ["another format", form({ a: { type: "string", format: "regex" } }), "properties.a.format", /^Invalid type/],
    [
      "a default of another type",
      form({ a: { type: "integer", default: 1.5 } }),
      "properties.a.default",
      "must be an integer",
    ],
    [
      "a default out of range",
      form({ a: { type: "number", maximum: 1, default: 2 } }),
      "properties.a.default",
      "must be at most 1",
    ],
    [
      "a default that is no value",
      form({ a: { type: "string", enum: OPTIONS, default: "c" } }),
      "properties.a.default",
      "must be one of the values",
    ],
    [
      "bounds without an answer",
      form({ a: { type: "number", minimum: 2, maximum: 1 } }),
      "properties.a",
      /bounds leave none/,
    ],
    [
      "lengths without an answer",
      form({ a: { type: "string", minLength: 2, maxLength: 1 } }),
      "properties.a",
      /bounds leave none/,
    ],
    ["a choice of none", form({ a: { type: "string", enum: [] } }), "properties.a.enum", "must have a value"],
    [
      "a choice of too many",
      form({ a: { type: "string", enum: words(OPTIONS_LIMIT + 1) } }),
      "properties.a.enum",
      "must have at most 128 values",
    ],
    [
      "a value twice",
      form({ a: { type: "string", oneOf: [NAMED[0], NAMED[0]] } }),
      "properties.a.oneOf",
      "must not have a value twice",
    ],
    [
      "a value that cannot be shown",
      form({ a: { type: "string", enum: ["a\u0007"] } }),
      "properties.a.enum.0",
      /visible characters$/,
    ],
    [
      "more names than values",
      form({ a: { type: "string", enum: ["a"], enumNames: ["A", "B"] } }),
      "properties.a",
      /as many enumNames/,
    ],
    [
      "choices in both ways",
      form({ a: { type: "string", enum: ["a"], oneOf: NAMED } }),
      "properties.a.oneOf",
      "is not known here",
    ],
    [
      "a list of texts",
      form({ a: { type: "array", items: { type: "string" } } }),
      "properties.a.items.enum",
      /^Invalid key|^Invalid type/,
    ],
  ] as const;
  test.each(REFUSED.map(([what, ...rest]) => [what, rest] as const))(
    "refuses %s, and says where",
    (_what, [given, field, problem]) => {
      const rule: unknown = typeof problem === "string" ? problem : expect.stringMatching(problem);
      expect(read(given)).toEqual({ ok: false, field, problem: rule });
    },
  );
});
