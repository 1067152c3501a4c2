/**
 * WIT types as the JSON Schemas that an agent reads. Pure; the types are a guest's, so what is written is bounded.
 *
 * | WIT                                  | JSON                                                                     |
 * | ------------------------------------ | ------------------------------------------------------------------------ |
 * | `bool`, `string`, `char`             | boolean, string, string of one character                                 |
 * | `s8` … `u32`                         | integer in its range                                                     |
 * | `s64`, `u64`                         | string of decimal digits                                                 |
 * | `f32`, `f64`                         | number, or one of the strings `NaN`, `Infinity`, `-Infinity`             |
 * | `list<u8>`                           | string in base64                                                         |
 * | `list<T>`, `tuple<…>`                | array                                                                    |
 * | record                               | object; fields of type `option` may be left out                          |
 * | variant                              | object with one member, named like the case; `null` for no payload       |
 * | enum, flags                          | string, array of different strings                                       |
 * | `option<T>`                          | `null` or T; for an option of an option `null` or `{ "some": … }`        |
 * | `result<T, E>`                       | `{ "ok": … }` or `{ "error": … }`                                        |
 *
 * Source: JSON Schema 2020-12.
 */
import { refuse } from "../errors.ts";
import type { Case, Field, FunctionType, Primitive, ValueType } from "./value-type.ts";

/** A JSON Schema, as KAMI writes it for WIT types. */
export type WitSchema = Readonly<Record<string, unknown>>;

/** Parts that one schema may have: types that name each other twice would double with each step. */
const MOST_PARTS = 2000;

/** The strings for numbers that JSON does not have. */
export const SPECIAL_NUMBERS: readonly string[] = ["NaN", "Infinity", "-Infinity"];

/** The least and the largest value of each integer type that is a number in JSON. */
export const INTEGER_RANGES: Readonly<Partial<Record<Primitive, readonly [least: number, most: number]>>> = {
  s8: [-128, 127],
  u8: [0, 255],
  s16: [-32_768, 32_767],
  u16: [0, 65_535],
  s32: [-2_147_483_648, 2_147_483_647],
  u32: [0, 4_294_967_295],
};

/**
 * Writes the schema of a function's input: an object with its parameters.
 *
 * @throws {Failure} COMPONENT_UNSUPPORTED for a type that JSON cannot hold, or whose schema would be too large.
 */
export function toParametersSchema({ parameters }: FunctionType): WitSchema {
  return new SchemaWriter().object(parameters);
}

/**
 * Writes the schema of what a function returns: of its success, when it returns a `result`.
 *
 * @returns Undefined when it returns nothing.
 * @throws {Failure} COMPONENT_UNSUPPORTED
 */
export function toResultSchema({ result }: FunctionType): WitSchema | undefined {
  const writer = new SchemaWriter();
  if (result?.kind === "result") {
    // Looked at as well: an error that no JSON can hold is found out here, not when it happens.
    writer.optional(result.error);
    return result.ok === undefined ? undefined : writer.write(result.ok);
  }
  return result === undefined ? undefined : writer.write(result);
}

class SchemaWriter {
  #parts = 0;

  write(type: ValueType): WitSchema {
    this.#parts += 1;
    if (this.#parts > MOST_PARTS)
      throw refuse("COMPONENT_UNSUPPORTED", { what: `a function whose types have more than ${MOST_PARTS} parts` });
    switch (type.kind) {
      case "list":
        if (type.element.kind === "u8") return { type: "string", contentEncoding: "base64" };
        return { type: "array", items: this.write(type.element) };
      case "record":
        return this.object(type.fields);
      case "tuple":
        return this.#tuple(type.elements);
      case "variant":
        return { oneOf: type.cases.map((each) => this.#tagged(each)) };
      case "enum":
        return { type: "string", enum: type.names };
      case "flags":
        return { type: "array", items: { type: "string", enum: type.names }, uniqueItems: true };
      case "option":
        return this.#option(type.some);
      case "result":
        return {
          oneOf: [this.#tagged({ name: "ok", type: type.ok }), this.#tagged({ name: "error", type: type.error })],
        };
      case "own":
      case "borrow":
        throw refuse("COMPONENT_UNSUPPORTED", { what: "exported functions that take or give resources" });
      default:
        return primitive(type.kind);
    }
  }

  optional(type: ValueType | undefined): WitSchema {
    return type === undefined ? { type: "null" } : this.write(type);
  }

  object(fields: readonly Field[]): WitSchema {
    const properties: Record<string, WitSchema> = Object.create(null);
    for (const { name, type } of fields) properties[name] = this.write(type);
    const required = fields.filter(({ type }) => type.kind !== "option").map(({ name }) => name);
    return {
      type: "object",
      properties,
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    };
  }

  #tuple(elements: readonly ValueType[]): WitSchema {
    // Not `prefixItems`: some clients refuse a schema that has it. What each element must be is checked when the tool is called.
    const all = elements.map((element) => this.write(element));
    const [first = {}, ...others] = all.filter(
      (schema, index) => all.findIndex((each) => isSame(each, schema)) === index,
    );
    const items = others.length === 0 ? first : { anyOf: [first, ...others] };
    return { type: "array", items, minItems: elements.length, maxItems: elements.length };
  }

  #tagged({ name, type }: Case): WitSchema {
    const properties: Record<string, WitSchema> = Object.create(null);
    properties[name] = this.optional(type);
    return { type: "object", properties, required: [name], additionalProperties: false };
  }

  #option(some: ValueType): WitSchema {
    const inner = some.kind === "option" ? this.#tagged({ name: "some", type: some }) : this.write(some);
    return { anyOf: [inner, { type: "null" }] };
  }
}

function isSame(a: WitSchema, b: WitSchema): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function primitive(kind: Primitive): WitSchema {
  const range = INTEGER_RANGES[kind];
  if (range !== undefined) return { type: "integer", minimum: range[0], maximum: range[1] };
  switch (kind) {
    case "bool":
      return { type: "boolean" };
    case "char":
      return { type: "string", minLength: 1, maxLength: 1 };
    case "s64":
      return { type: "string", pattern: "^-?[0-9]{1,19}$" };
    case "u64":
      return { type: "string", pattern: "^[0-9]{1,20}$" };
    case "f32":
    case "f64":
      return { anyOf: [{ type: "number" }, { type: "string", enum: SPECIAL_NUMBERS }] };
    default:
      return { type: "string" };
  }
}
