import { describe, expect, test } from "bun:test";
import {
  bool,
  borrow,
  bytes,
  enumeration,
  flags,
  type FunctionType,
  list,
  option,
  own,
  record,
  result,
  s32,
  s64,
  string,
  tuple,
  u16,
  u32,
  u64,
  u8,
  type ValueType,
  variant,
} from "../../lib/schema/value-type.ts";
import { Failure } from "../../lib/errors.ts";
import { toParametersSchema, toResultSchema, type WitSchema } from "../../lib/schema/wit-schema.ts";

function taking(type: ValueType): FunctionType {
  return { parameters: [{ name: "x", type }], result: undefined };
}

function giving(type: ValueType | undefined): FunctionType {
  return { parameters: [], result: type };
}

const TAGGED_OK = {
  type: "object",
  properties: { ok: { type: "boolean" } },
  required: ["ok"],
  additionalProperties: false,
};
const TAGGED_ERROR = {
  type: "object",
  properties: { error: { type: "null" } },
  required: ["error"],
  additionalProperties: false,
};

describe("toParametersSchema()", () => {
  test.each<[string, ValueType, object]>([
    ["bool", bool, { type: "boolean" }],
    ["u8", u8, { type: "integer", minimum: 0, maximum: 255 }],
    ["u16", u16, { type: "integer", minimum: 0, maximum: 65_535 }],
    ["s32", s32, { type: "integer", minimum: -2_147_483_648, maximum: 2_147_483_647 }],
    ["u32", u32, { type: "integer", minimum: 0, maximum: 4_294_967_295 }],
    ["s64", s64, { type: "string", pattern: "^-?[0-9]{1,19}$" }],
    ["u64", u64, { type: "string", pattern: "^[0-9]{1,20}$" }],
    [
      "f64",
      { kind: "f64" },
      { anyOf: [{ type: "number" }, { type: "string", enum: ["NaN", "Infinity", "-Infinity"] }] },
    ],
    ["char", { kind: "char" }, { type: "string", minLength: 1, maxLength: 1 }],
    ["string", string, { type: "string" }],
    ["list<u8>", bytes, { type: "string", contentEncoding: "base64" }],
    ["list<string>", list(string), { type: "array", items: { type: "string" } }],
    [
      "tuple",
      tuple(bool, string),
      { type: "array", items: { anyOf: [{ type: "boolean" }, { type: "string" }] }, minItems: 2, maxItems: 2 },
    ],
    ["enum", enumeration("a", "b"), { type: "string", enum: ["a", "b"] }],
    ["flags", flags("r", "w"), { type: "array", items: { type: "string", enum: ["r", "w"] }, uniqueItems: true }],
    ["result", result(bool), { oneOf: [TAGGED_OK, TAGGED_ERROR] }],
  ])("writes %s", (_, type, schema) => {
    const whole = { type: "object", properties: { x: schema }, required: ["x"], additionalProperties: false };
    expect(JSON.parse(JSON.stringify(toParametersSchema(taking(type))))).toEqual(whole);
  });

  test("lets options be left out, and null stand for none", () => {
    const schema = toParametersSchema(taking(option(string)));
    expect(JSON.parse(JSON.stringify(schema))).toEqual({
      type: "object",
      properties: { x: { anyOf: [{ type: "string" }, { type: "null" }] } },
      additionalProperties: false,
    });
  });

  test("writes a variant as an object with one member", () => {
    const schema = toParametersSchema(taking(variant({ circle: { kind: "f32" }, none: undefined })));
    expect(Reflect.get(Object(Reflect.get(Object(schema["properties"]), "x")), "oneOf")).toHaveLength(2);
  });

  test("keeps a field that is called __proto__ a field", () => {
    const type: ValueType = { kind: "record", fields: [{ name: "__proto__", type: bool }] };
    const text = JSON.stringify(toParametersSchema(taking(type)));
    expect(text).toContain('"properties":{"__proto__":{"type":"boolean"}}');
  });

  test.each([own("a:b/c/d"), borrow("a:b/c/d"), list(own("a:b/c/d")), record({ r: own("a:b/c/d") })])(
    "refuses a resource: %j",
    (type) => {
      expect(() => toParametersSchema(taking(type))).toThrow(Failure);
    },
  );

  test("refuses types that would be written out without end: twenty that each name the one before twice", () => {
    let type: ValueType = bool;
    for (let step = 0; step < 60; step++) type = tuple(type, type);
    expect(() => toParametersSchema(taking(type))).toThrow("more than 2000 parts");
  });
});

describe("toResultSchema()", () => {
  test.each<[string, ValueType | undefined, WitSchema | undefined]>([
    ["nothing", undefined, undefined],
    ["a plain value", u8, { type: "integer", minimum: 0, maximum: 255 }],
    ["the success of a result", result(string, string), { type: "string" }],
    ["a result without a value", result(undefined, string), undefined],
  ])("describes %s", (_, type, schema) => {
    expect(toResultSchema(giving(type))).toEqual(schema);
  });

  test("refuses a resource in the error of a result, too", () => {
    expect(() => toResultSchema(giving(result(string, own("a:b/c/d"))))).toThrow(Failure);
  });
});
