import { describe, expect, test } from "bun:test";
import { checkForeignSchema, FOREIGN_LIMITS } from "../../lib/schema/foreign.ts";
import { told } from "../cli/support/failure.ts";

const HINT = "it must return { inputSchema?, outputSchema? } as docs/tool-toml.md has them";

async function problemOf(value: unknown): Promise<string> {
  const [code, message, hint] = await told(() => checkForeignSchema(value, "outputSchema"));
  expect([code, hint]).toEqual(["DESCRIBE_REFUSED", HINT]);
  return message.replace("Cannot take what the component says of itself (describe): ", "");
}

function described(length: number): object {
  return { type: "object", properties: { a: { const: 1, description: "x".repeat(length) } } };
}

function many(count: number): object {
  return { type: "object", properties: { a: { anyOf: Array.from({ length: count }, () => ({})) } } };
}

function nested(levels: number): object {
  let schema: object = { type: "string" };
  for (let level = 0; level < levels; level += 1) schema = { type: "object", properties: { a: schema } };
  return schema;
}

describe("checkForeignSchema()", () => {
  test("copies every keyword as it is, and cleans texts", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $comment: "c",
      description: "a\u001b[31mb\u202ec",
      properties: {
        id: { type: ["string", "null"], minLength: 1, maxLength: 9, format: "date" },
        n: {
          type: "integer",
          minimum: 0,
          exclusiveMaximum: 10,
          multipleOf: 2,
          default: 4,
          examples: [1],
          deprecated: true,
        },
        list: { type: "array", items: { $ref: "#/$defs/item" }, maxItems: 3, uniqueItems: true, readOnly: true },
        tuple: { prefixItems: [{ type: "string" }, true], items: false, contains: {}, minContains: 0, maxContains: 2 },
        one: { oneOf: [{ const: "a" }, { enum: ["b", 1, null] }], writeOnly: false },
        bytes: { type: "string", contentEncoding: "base64", contentMediaType: "image/png" },
        tree: { $ref: "#leaf" },
        "a/b~c": { $ref: "#/properties/a~1b~0c/allOf/0", allOf: [{ type: "boolean" }] },
      },
      required: ["id"],
      allOf: [{ anyOf: [{ required: ["id"] }, { not: { required: ["n"] } }] }],
      if: { properties: { id: { const: "x" } } },
      then: { required: ["n"] },
      else: true,
      dependentSchemas: { n: { required: ["list"] } },
      dependentRequired: { list: ["id"] },
      propertyNames: { maxLength: 20 },
      additionalProperties: false,
      $defs: {
        item: { type: "object", properties: { deep: { $ref: "#/$defs/leaf" } } },
        leaf: { $anchor: "leaf", type: "object", properties: { next: { $ref: "#/%24defs/leaf" }, all: { $ref: "#" } } },
      },
    };
    const copy = checkForeignSchema(schema, "outputSchema");
    expect(copy).toEqual({ ...schema, description: expect.any(String) });
    expect(copy["description"]).not.toMatch(/[\u001b\u202e]/);
  });

  test("drops the $id: clients keep validators by it, and would take one tool's for another's", () => {
    const schema = { $id: "https://other.example/tool/output", type: "object" };
    expect(checkForeignSchema(schema, "outputSchema")).toEqual({ type: "object" });
  });

  test.each([
    ["a text", { const: "a\u{e0069}\u{e0067}" }],
    ["one of several", { enum: ["a", "\u202eb"] }],
    ["a name within", { default: { list: [{ "a\u200b": 1 }] } }],
    ["an escape", { examples: ["\u001b[2J"] }],
    ["blanks that are letters", { const: "\u3164" }],
  ])("takes no values in which a model reads what nobody sees: %s", async (_what, property) => {
    const problem = await problemOf({ type: "object", properties: { a: property } });
    expect(problem).toEndWith("has a text with control or invisible characters");
  });

  test("takes values of several lines, and with blanks around them", () => {
    const schema = { type: "object", properties: { a: { enum: [" ", "\n", "a\r\n\tb "] } } };
    expect(checkForeignSchema(schema, "outputSchema")).toEqual(schema);
  });

  test.each([
    [
      { type: "object", properties: { a: { pattern: "(a+)+$" } } },
      'outputSchema/properties/a has "pattern", which KAMI does not take from a component',
      "backtracks",
    ],
    [
      { type: "object", patternProperties: { "(a+)+$": {} } },
      'outputSchema has "patternProperties", which KAMI does not take from a component',
      "backtracks",
    ],
    [
      { type: "object", "x-mcp-header": "Authorization" },
      'outputSchema has "x-mcp-header", which KAMI does not take from a component',
      "a client obeys it",
    ],
    [
      { type: "object", properties: { a: { "x-other": 1 } } },
      'outputSchema/properties/a has "x-other", which KAMI does not take from a component',
      "unknown",
    ],
    [
      { type: "object", unevaluatedProperties: false },
      'outputSchema has "unevaluatedProperties", which KAMI does not take from a component',
      "depends on every path that was tried",
    ],
    [
      { type: "object", $schema: "http://json-schema.org/draft-07/schema#" },
      "outputSchema/$schema is not https://json-schema.org/draft/2020-12/schema",
      "another dialect means other things by the same words",
    ],
    [
      { type: "object", properties: { a: { $id: "https://other.example/" } } },
      'outputSchema/properties/a has "$id", which KAMI does not take from a component',
      "its references would lead elsewhere",
    ],
    [
      { type: "object", $defs: { a: { $anchor: "x" }, b: { $anchor: "x" } } },
      'two schemas have the $anchor "x"',
      "means two things",
    ],
    [{ type: "object", $anchor: "a/b" }, "outputSchema/$anchor is not a plain name", "looks like a pointer"],
    [{ type: ["object", "object"] }, "outputSchema/type is not a type of JSON", "as many as fit"],
    [
      { type: "object", $dynamicRef: "#a" },
      'outputSchema has "$dynamicRef", which KAMI does not take from a component',
      "unbounded",
    ],
    [
      { type: "object", properties: { a: { $ref: "https://evil.example/s" } } },
      "outputSchema/properties/a/$ref refers to something outside of the schema",
      "remote",
    ],
    [{ type: "object", $ref: "#" }, "outputSchema refers to itself, by #", "endless at once"],
    [{ type: "object", properties: { a: { $ref: "#/properties" } } }, "outputSchema has no #/properties", "no schema"],
    [{ type: "object", properties: { a: { $ref: "#/%" } } }, "outputSchema has no #/%", "no encoding"],
    [
      { type: "object", allOf: [{ if: { not: { $ref: "#" } } }] },
      "outputSchema refers to itself, by #",
      "endless, by what is about the same value",
    ],
    [
      {
        type: "object",
        $defs: {
          a: { properties: { x: { $ref: "#/$defs/b" } }, allOf: [{ $ref: "#/$defs/b" }] },
          b: { dependentSchemas: { y: { $ref: "#/$defs/a" } } },
        },
      },
      "outputSchema refers to itself, by #/$defs/a",
      "endless, beside a way that ends",
    ],
    [{ type: "object", properties: { a: { $ref: "#/$defs/b" } } }, "outputSchema has no #/$defs/b", "leads nowhere"],
    [
      { type: "object", properties: { a: { $ref: "#/$defs/toString" } }, $defs: {} },
      "outputSchema has no #/$defs/toString",
      "the prototype's",
    ],
    [
      { type: "object", properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { $ref: "#/$defs/a" } } },
      "outputSchema refers to itself, by #/$defs/a",
      "endless",
    ],
    [
      {
        type: "object",
        properties: { a: { $ref: "#/$defs/a" } },
        $defs: { a: { anyOf: [{ $ref: "#/$defs/b" }] }, b: { oneOf: [{ $ref: "#/$defs/a" }] } },
      },
      "outputSchema refers to itself, by #/$defs/a",
      "endless, by two",
    ],
    [{ type: "string" }, 'outputSchema must have the type "object" at its root', "MCP has no other"],
    [{}, 'outputSchema must have the type "object" at its root', "says nothing"],
    [{ type: "object", anyOf: [] }, "outputSchema/anyOf is not a list of schemas", "never true"],
    [{ type: "object", items: 1 }, "outputSchema/items is not an object", "no schema"],
    [
      { type: "object", dependentRequired: { a: "b" } },
      "outputSchema/dependentRequired/a is not a list of names",
      "no list",
    ],
    [{ type: "object", required: ["a\u001b"] }, "outputSchema/required is not a list of names", "steers a terminal"],
    [true, "outputSchema is not an object", "says nothing of its type"],
    [{ type: "objekt" }, "outputSchema/type is not a type of JSON", "a typo"],
    [{ type: "object", required: "a" }, "outputSchema/required is not a list of names", "no list"],
    [{ type: "object", minProperties: -1 }, "outputSchema/minProperties is not a count", "negative"],
    [
      { type: "object", properties: { a: { multipleOf: 0 } } },
      "outputSchema/properties/a/multipleOf is not a number that it can be",
      "divides by zero",
    ],
    [
      { type: "object", properties: { "a\u001b": {} } },
      "outputSchema/properties has a name that is not plain text",
      "steers a terminal",
    ],
    [
      JSON.parse('{"type":"object","properties":{"__proto__":{}}}'),
      "outputSchema/properties has a name that is not plain text",
      "the prototype",
    ],
    [
      JSON.parse('{"type":"object","default":{"__proto__":1}}'),
      'outputSchema/default has the name "__proto__"',
      "the prototype",
    ],
    [[], "outputSchema is not an object", "a list"],
    [null, "outputSchema is not an object", "nothing"],
  ] as const)("refuses %o: %s", async (schema, problem) => {
    expect(await problemOf(schema)).toBe(problem);
  });

  test("takes what is at its limits, and refuses what is beyond", async () => {
    const { depth, bytes, schemas } = FOREIGN_LIMITS;
    expect(() => checkForeignSchema(nested(depth), "s")).not.toThrow();
    expect(await problemOf(nested(depth + 1))).toContain(`nests deeper than ${depth} levels`);
    const rest = JSON.stringify(described(0)).length;
    expect(() => checkForeignSchema(described(bytes - rest), "s")).not.toThrow();
    expect(await problemOf(described(bytes - rest + 1))).toBe(
      `outputSchema has ${bytes + 1} bytes, the limit is ${bytes}`,
    );
    expect(() => checkForeignSchema(many(schemas - 2), "s")).not.toThrow();
    expect(await problemOf(many(schemas - 1))).toBe(
      `outputSchema stands for ${schemas + 1} schemas, the limit is ${schemas}`,
    );
  });

  test("counts what references blow up, before anything is checked by it", async () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 60 }, (_, level) => [
        `l${level}`,
        level === 59
          ? { type: "string" }
          : { allOf: [{ $ref: `#/$defs/l${level + 1}` }, { $ref: `#/$defs/l${level + 1}` }] },
      ]),
    );
    // Without a count that knows what it has counted, this ends never.
    expect(await problemOf({ type: "object", properties: { a: { $ref: "#/$defs/l0" } }, $defs })).toMatch(
      /stands for .* schemas/,
    );
  });
});
