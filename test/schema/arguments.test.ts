import { describe, expect, test } from "bun:test";
import { Failure } from "../../lib/errors.ts";
import { checkArguments, toInputSchema, type ArgumentSpec } from "../../lib/schema/arguments.ts";

const URL_SPEC: ArgumentSpec = { name: "url", type: "string", description: "The URL", required: true };
const LIMIT: ArgumentSpec = { name: "limit", type: "integer", description: "Lines", required: false, default: 10 };
const MODE: ArgumentSpec = {
  name: "mode",
  type: "string",
  description: "How",
  required: false,
  enum: ["fast", "slow"],
};
const SPECS = [URL_SPEC, LIMIT, MODE];

function spec(type: ArgumentSpec["type"], extra: Partial<ArgumentSpec> = {}): ArgumentSpec {
  return { name: "x", type, description: "X", required: false, ...extra };
}

/** What the failure says after "Cannot use the input: ", or what is to be added. */
function outcomeOf(specs: readonly ArgumentSpec[], input: unknown): unknown {
  try {
    return checkArguments(specs, input);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "INPUT_INVALID") throw error;
    return error.message.replace("Cannot use the input: ", "");
  }
}

describe("toInputSchema()", () => {
  test("declared arguments make a closed object", () => {
    expect(JSON.stringify(toInputSchema(SPECS))).toBe(
      JSON.stringify({
        type: "object",
        properties: {
          url: { type: "string", description: "The URL" },
          limit: { type: "integer", description: "Lines", default: 10 },
          mode: { type: "string", description: "How", enum: ["fast", "slow"] },
        },
        required: ["url"],
        additionalProperties: false,
      }),
    );
  });

  test("no declared arguments make an open object", () => {
    expect(toInputSchema([])).toEqual({ type: "object" });
  });

  test("required is left out when nothing is required", () => {
    expect(toInputSchema([MODE])).toEqual({
      type: "object",
      properties: { mode: { type: "string", description: "How", enum: ["fast", "slow"] } },
      additionalProperties: false,
    });
  });

  test("a default that is false, zero or empty is a default", () => {
    const defaults = [false, 0, "", null].map(
      (value) => toInputSchema([spec("string", { default: value })]).properties?.["x"],
    );
    expect(defaults.map((property) => property?.default)).toEqual([false, 0, "", null]);
  });

  test("a name is never looked up on a prototype", () => {
    const properties = toInputSchema([
      spec("string", { name: "__proto__" }),
      spec("string", { name: "constructor" }),
    ]).properties;
    expect(Object.getPrototypeOf(properties)).toBeNull();
    expect(Object.keys(properties ?? {})).toEqual(["__proto__", "constructor"]);
  });
});

describe("checkArguments()", () => {
  test("gives the defaults of what is absent, in manifest order", () => {
    expect(checkArguments(SPECS, { mode: "fast", url: "x" })).toEqual({ limit: 10 });
    const specs = [spec("string", { name: "b", default: "B" }), spec("string", { name: "a", default: "A" })];
    expect(JSON.stringify(checkArguments(specs, {}))).toBe('{"b":"B","a":"A"}');
  });

  test("a given value wins over the default, falsy or not", () => {
    expect(outcomeOf([spec("integer", { default: 5 })], { x: 0 })).toEqual({});
    expect(outcomeOf([spec("boolean", { default: true })], { x: false })).toEqual({});
    expect(outcomeOf([spec("string", { default: "a" })], { x: "" })).toEqual({});
    expect(outcomeOf([spec("boolean", { default: false })], {})).toEqual({ x: false });
  });

  test("neither the input nor the specs change", () => {
    const input = Object.freeze({ url: "x" });
    expect(checkArguments([Object.freeze(URL_SPEC), Object.freeze(LIMIT)], input)).toEqual({ limit: 10 });
  });

  test("without declared arguments any object passes", () => {
    expect(outcomeOf([], { anything: [1, { b: null }] })).toEqual({});
    expect(outcomeOf([], [])).toBe('"input" must be an object, got an array');
  });

  test.each([
    [null, "null"],
    [[], "an array"],
    ["{}", "a string"],
    [5, "an integer"],
    [true, "a boolean"],
    [undefined, "no JSON value"],
  ])("an input %j is refused", (input, name) => {
    expect(outcomeOf(SPECS, input)).toBe(`"input" must be an object, got ${name}`);
  });

  const values = { string: "a", integer: 1, number: 1.5, boolean: true, object: {}, array: [], null: null };
  const names = {
    string: "a string",
    integer: "an integer",
    number: "a number",
    boolean: "a boolean",
    object: "an object",
    array: "an array",
  };
  for (const type of ["string", "number", "integer", "boolean", "object", "array"] as const) {
    test(`${type} takes its own values and no others`, () => {
      for (const [kind, value] of Object.entries(values)) {
        const fits = kind === type || (type === "number" && kind === "integer");
        const got = kind === "null" ? "null" : Object.entries(names).find(([name]) => name === kind)?.[1];
        expect(outcomeOf([spec(type)], { x: value })).toEqual(fits ? {} : `"x" must be ${names[type]}, got ${got}`);
      }
    });
  }

  test("integers are numbers without a fraction", () => {
    expect(outcomeOf([spec("integer")], { x: 5 })).toEqual({});
    expect(outcomeOf([spec("integer")], JSON.parse('{"x": 5.0}'))).toEqual({});
    expect(outcomeOf([spec("integer")], { x: -0.5 })).toBe('"x" must be an integer, got a number');
  });

  test("a number that JSON cannot carry is no number", () => {
    const input: unknown = JSON.parse('{"x": 1e400}');
    expect(outcomeOf([spec("number")], input)).toBe('"x" must be a number, got a number out of range');
    expect(outcomeOf([spec("integer")], input)).toBe('"x" must be an integer, got a number out of range');
    expect(outcomeOf([spec("number")], { x: Number.NaN })).toBe('"x" must be a number, got a number out of range');
  });

  test("null is not the same as absent", () => {
    expect(outcomeOf([LIMIT], { limit: null })).toBe('"limit" must be an integer, got null');
  });

  test("a required argument must be there", () => {
    expect(outcomeOf(SPECS, {})).toBe('"url" is required');
  });

  test("an unknown argument names the nearest one", () => {
    expect(outcomeOf(SPECS, { url: "x", limt: 5 })).toBe(
      '"limt" is not an argument of this tool, did you mean "limit"?',
    );
    expect(outcomeOf(SPECS, { url: "x", zebra: 5 })).toBe('"zebra" is not an argument of this tool');
  });

  test("the first wrong property comes before a missing one", () => {
    expect(outcomeOf(SPECS, { ulr: "x" })).toBe('"ulr" is not an argument of this tool, did you mean "url"?');
    expect(outcomeOf(SPECS, { limit: "5", mode: 1 })).toBe('"limit" must be an integer, got a string');
    expect(outcomeOf(SPECS, { mode: 1, limit: "5" })).toBe('"mode" must be a string, got an integer');
  });

  test("enum lists what is allowed", () => {
    expect(outcomeOf([MODE], { mode: "slow" })).toEqual({});
    expect(outcomeOf([MODE], { mode: "Slow" })).toBe('"mode" must be one of "fast", "slow"');
    const many = spec("integer", { enum: [1, 2, 3, 4, 5, 6, 7, 8, 9] });
    expect(outcomeOf([many], { x: 0 })).toBe('"x" must be one of 1, 2, 3, 4, 5, 6, 7, 8, …');
    const eight = spec("integer", { enum: [1, 2, 3, 4, 5, 6, 7, 8] });
    expect(outcomeOf([eight], { x: 0 })).toBe('"x" must be one of 1, 2, 3, 4, 5, 6, 7, 8');
    const long = spec("string", { enum: ["a".repeat(38), "b".repeat(39)] });
    expect(outcomeOf([long], { x: "" })).toBe(`"x" must be one of "${"a".repeat(38)}", "${"b".repeat(39)}…`);
  });

  test("enum compares by value, whatever the order of keys", () => {
    const objects = spec("object", { enum: [{ a: 1, b: [1, { c: null }] }] });
    expect(outcomeOf([objects], { x: { b: [1, { c: null }], a: 1 } })).toEqual({});
    const wrong: unknown[] = [
      {},
      { a: 1 },
      { a: 1, b: [1] },
      { a: 1, b: [1, { c: 0 }] },
      { a: 1, b: [1, { d: null }] },
      { a: 1, b: { 0: 1, 1: { c: null } } },
      { a: 1, b: [1, { c: null }, 2] },
      { a: 1, b: [1, { c: null }], d: 1 },
      { a: 1, toString: 1 },
    ];
    const message = '"x" must be one of {"a":1,"b":[1,{"c":null}]}';
    expect(wrong.map((value) => outcomeOf([objects], { x: value }))).toEqual(wrong.map(() => message));
    expect(outcomeOf([spec("array", { enum: [[1, 2]] })], { x: [2, 1] })).toBe('"x" must be one of [1,2]');
  });

  test("__proto__ is an unknown argument and pollutes nothing", () => {
    const input: unknown = JSON.parse('{"url": "x", "__proto__": {"polluted": true, "limit": 1}}');
    expect(outcomeOf(SPECS, input)).toBe('"__proto__" is not an argument of this tool');
    const added = checkArguments([spec("integer", { name: "__proto__", default: 1 })], {});
    expect(Object.getPrototypeOf(added)).toBeNull();
    expect(JSON.stringify(added)).toBe('{"__proto__":1}');
    expect("polluted" in {}).toBe(false);
  });

  test("an enum value with a key __proto__ is not every object's prototype", () => {
    const odd: unknown = JSON.parse('{"__proto__": {}}');
    expect(outcomeOf([spec("object", { enum: [odd] })], { x: { a: 1 } })).toBe('"x" must be one of {"__proto__":{}}');
    expect(outcomeOf([spec("object", { enum: [odd] })], { x: odd })).toEqual({});
  });

  test("names of Object.prototype are neither known nor present", () => {
    expect(outcomeOf(SPECS, { url: "x", constructor: 1 })).toBe('"constructor" is not an argument of this tool');
    expect(outcomeOf([spec("string", { name: "constructor", required: true })], {})).toBe('"constructor" is required');
    expect(outcomeOf([spec("string", { name: "toString", default: "a" })], {})).toEqual(
      Object.assign(Object.create(null), { toString: "a" }),
    );
  });

  test("what an input says is cleaned before it is in a message", () => {
    expect(outcomeOf(SPECS, { "a\u001b[2J\u202e\n": 1 })).toBe('"a" is not an argument of this tool');
    expect(outcomeOf(SPECS, { ["a".repeat(10_000)]: 1 })).toBe(`"${"a".repeat(300)}…" is not an argument of this tool`);
  });
});
