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
  test("copies what it knows, cleans texts, and leaves out what nobody here obeys", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      description: "a\u001b[31mb\u202ec",
      properties: {
        id: { type: ["string", "null"], minLength: 1, maxLength: 9, format: "date" },
        n: { type: "integer", minimum: 0, exclusiveMaximum: 10, multipleOf: 2, default: 4, examples: [1] },
        list: { type: "array", items: { $ref: "#/$defs/item" }, maxItems: 3 },
        one: { oneOf: [{ const: "a" }, { enum: ["b", 1, null] }] },
      },
      required: ["id"],
      additionalProperties: false,
      $defs: { item: { type: "object", properties: { deep: { $ref: "#/$defs/leaf" } } }, leaf: { type: "boolean" } },
    };
    const { $schema: _, ...wanted } = schema;
    const { examples: __, ...n } = schema.properties.n;
    const copy = checkForeignSchema(schema, "outputSchema");
    expect(copy).toEqual({ ...wanted, description: expect.any(String), properties: { ...schema.properties, n } });
    expect(copy["description"]).not.toMatch(/[\u001b\u202e]/);
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
      { type: "object", uniqueItems: true },
      'outputSchema has "uniqueItems", which KAMI does not take from a component',
      "quadratic",
    ],
    [
      { type: "object", $dynamicRef: "#a" },
      'outputSchema has "$dynamicRef", which KAMI does not take from a component',
      "unbounded",
    ],
    [
      { type: "object", properties: { a: { $ref: "https://evil.example/s" } } },
      "outputSchema/properties/a/$ref refers to something outside of #/$defs/",
      "remote",
    ],
    [
      { type: "object", properties: { a: { $ref: "#" } } },
      "outputSchema/properties/a/$ref refers to something outside of #/$defs/",
      "itself",
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
        $defs: { a: { items: { $ref: "#/$defs/b" } }, b: { items: { $ref: "#/$defs/a" } } },
      },
      "outputSchema refers to itself, by #/$defs/a",
      "endless, by two",
    ],
    [{ type: "string" }, 'outputSchema must have the type "object" at its root', "MCP has no other"],
    [{}, 'outputSchema must have the type "object" at its root', "says nothing"],
    [{ type: "object", anyOf: [{}] }, "outputSchema has anyOf at its root", "clients refuse it"],
    [{ type: "object", anyOf: [] }, "outputSchema/anyOf is not a list of schemas", "never true"],
    [{ type: "object", items: true }, "outputSchema/items is not an object", "no schema"],
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
    const startedAt = performance.now();
    expect(await problemOf({ type: "object", properties: { a: { $ref: "#/$defs/l0" } }, $defs })).toMatch(
      /stands for .* schemas/,
    );
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
