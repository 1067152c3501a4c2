import { describe, expect, test } from "bun:test";
import { findMismatch } from "../../lib/schema/conform.ts";
import { checkForeignSchema } from "../../lib/schema/foreign.ts";

function mismatchOf(property: object | boolean, value: unknown, more: object = {}): string | undefined {
  const schema = checkForeignSchema({ type: "object", properties: { a: property }, ...more }, "s");
  const found = findMismatch(schema, { a: value }, "result");
  return found === undefined ? undefined : `${found.field} ${found.problem}`;
}

const TOO_LONG = "result takes too long to be checked against the tool's own schema";

function repeat(count: number, each: unknown): readonly unknown[] {
  return Array.from({ length: count }, () => each);
}

function nest(levels: number): unknown {
  return JSON.parse(`${'{"n":'.repeat(levels)}1${"}".repeat(levels)}`);
}

function many<T>(each: T): Record<string, T> {
  return Object.fromEntries(Array.from({ length: 1500 }, (_, at) => [`k${at}`, each]));
}

/** Counts what is read of an object or a list. */
function counting<T extends object>(members: T, counter: { reads: number }): T {
  return new Proxy(members, {
    get: (target, key, receiver) => {
      counter.reads += 1;
      return Reflect.get(target, key, receiver);
    },
    getOwnPropertyDescriptor: (target, key) => {
      counter.reads += 1;
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
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
    [{ allOf: [false] }, 1, "result.a is not allowed"],
    [{ not: { type: "string" } }, "x", "result.a is what it must not be"],
    [{ not: { type: "string" } }, 1, undefined],
    [{ if: { minimum: 5 }, then: { multipleOf: 2 }, else: { maximum: 2 } }, 7, "result.a is not a multiple of 2"],
    [{ if: { minimum: 5 }, then: { multipleOf: 2 }, else: { maximum: 2 } }, 3, "result.a is out of its range"],
    [{ if: { minimum: 5 }, then: { multipleOf: 2 }, else: { maximum: 2 } }, 8, undefined],
    [{ dependentSchemas: { b: { required: ["c"] } } }, { b: 1 }, "result.a.c is missing"],
    [{ dependentSchemas: { toString: false } }, {}, undefined],
    [{ dependentRequired: { b: ["c"] } }, { b: 1 }, "result.a.c is missing"],
    [{ dependentRequired: { b: ["c"] } }, { d: 1 }, undefined],
    [{ propertyNames: { maxLength: 1 } }, { bc: 1 }, "result.a.bc has a name that is not allowed"],
    [{ prefixItems: [{ type: "string" }], items: false }, ["x", 1], "result.a[1] is not allowed"],
    [{ prefixItems: [{ type: "string" }] }, [1], "result.a[0] must be string, got an integer"],
    [{ prefixItems: [{ type: "string" }] }, ["x", 1], undefined],
    [{ contains: { const: 1 } }, [2], "result.a must have at least 1 of the items that it is to contain, has 0"],
    [{ contains: { const: 1 }, minContains: 0, maxContains: 1 }, [], undefined],
    [
      { contains: {}, maxContains: 1 },
      [1, 2],
      "result.a must have at most 1 of the items that it is to contain, has 2",
    ],
    [{ uniqueItems: true }, [{ b: [1], c: 2 }, 1, { c: 2, b: [1] }], "result.a[2] comes twice"],
    [{ uniqueItems: true }, ["1", 1, [1], null, { a: 1 }], undefined],
    [{ const: { x: 1 } }, { x: 1, y: 2 }, "result.a is not the only value allowed"],
    [{ enum: [["a"], {}] }, { toString: 1 }, "result.a is not one of the values allowed"],
  ] as const)("%o, given %o", (...[schema, value, problem]) => {
    expect(mismatchOf(schema, value)).toBe(problem);
  });

  test("follows references: by pointer, by anchor, to itself", () => {
    const text = { type: "string" };
    expect(mismatchOf({ $ref: "#/$defs/text" }, 1, { $defs: { text } })).toBe(
      "result.a must be string, got an integer",
    );
    const tree = {
      $anchor: "tree",
      type: "object",
      properties: { next: { $ref: "#tree" } },
      additionalProperties: false,
    };
    expect(mismatchOf({ $ref: "#tree" }, { next: { next: {} } }, { $defs: { tree } })).toBeUndefined();
    expect(mismatchOf({ $ref: "#tree" }, { next: { next: { other: 1 } } }, { $defs: { tree } })).toBe(
      "result.a.next.next.other is not known",
    );
  });

  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]));
  const links = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [
      `l${at}`,
      at < 19 ? { $ref: `#/$defs/l${at + 1}` } : { properties: { n: { $ref: "#/$defs/l0" } } },
    ]),
  );

  // Each of these takes minutes, or more than the stack has, where a step is not paid.
  test.each([
    ["items by alternatives", { items: { anyOf: [...repeat(1200, { const: 1 }), {}] } }, repeat(250_000, 0), {}],
    ["a text that is measured often", { anyOf: repeat(1200, { minLength: 1e9 }) }, "x".repeat(1_000_000), {}],
    ["names by names", { items: { required: Array.from({ length: 3000 }, () => "k") } }, repeat(100_000, { k: 1 }), {}],
    ["an object of many names, compared often", { anyOf: repeat(1000, { minProperties: 1e9 }) }, wide, {}],
    [
      "a tree by both of its ways",
      { $ref: "#/$defs/t" },
      nest(100),
      { $defs: { t: { type: "object", anyOf: repeat(2, { properties: { n: { $ref: "#/$defs/t" } } }) } } },
    ],
    ["references on each of many levels", { $ref: "#/$defs/l0" }, nest(100), { $defs: links }],
    [
      "equal items, of great size",
      { allOf: repeat(1500, { uniqueItems: true }) },
      Array.from({ length: 100_000 }, (_, at) => at),
      {},
    ],
  ])("gives up on what takes too long, and does not let it pass: %s", (...[, schema, value, more]) => {
    expect(mismatchOf(schema, value, more)).toBe(TOO_LONG);
  });

  // Each of these was listed anew for each of the items: 15 s where 500,000 steps are to take 50 ms.
  test.each([
    ["anyOf", repeat(1500, true)],
    ["allOf", [false, ...repeat(1500, true)]],
    ["dependentSchemas", { k: false, ...many(true) }],
    ["dependentRequired", { k: ["l"], ...many([]) }],
    ["const", many(1)],
  ])("reads of a schema with many members no more than steps are paid for: %s", (keyword, members) => {
    const counter = { reads: 0 };
    const items = { anyOf: [{ [keyword]: counting(members, counter) }, true] };
    const schema = { type: "object", properties: { a: { type: "array", items } } };
    findMismatch(schema, { a: repeat(2000, { k: 1 }) }, "result");
    expect(counter.reads).toBeLessThan(50_000);
  });

  test("pays for names where it compares items, however long they are", () => {
    const items = [{ ["x".repeat(1_000_000)]: 1 }];
    expect(mismatchOf({ allOf: repeat(1200, { uniqueItems: true }) }, items)).toBe(TOO_LONG);
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
