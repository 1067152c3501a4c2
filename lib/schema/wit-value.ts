/**
 * JSON values from and to values of WIT types, by the table in `wit-schema.ts`. Pure.
 */
import { type Failure, refuse } from "../errors.ts";
import { describeJson } from "../json-type.ts";
import type { Case, Field, FunctionType, Primitive, ValueType } from "./value-type.ts";
import { nearest } from "../nearest.ts";
import { INTEGER_RANGES, SPECIAL_NUMBERS } from "./wit-schema.ts";

/** The least and the largest value of the integer types that are strings in JSON. */
const LARGE_RANGES: Readonly<Partial<Record<Primitive, readonly [least: bigint, most: bigint]>>> = {
  s64: [-(2n ** 63n), 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
};
const DECIMAL = /^-?[0-9]{1,20}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/**
 * Turns a call's input into the arguments of a function.
 *
 * @param input - A JSON value from outside, nested no deeper than the stack allows.
 * @throws {Failure} `INPUT_INVALID` for the first part that is not what its type allows, with its place: `shape.circle.radius`.
 */
export function toArguments({ parameters }: FunctionType, input: unknown): readonly unknown[] {
  return toFields(parameters, input, "");
}

/**
 * Turns what a function returned into JSON.
 *
 * @param value - Of the type; a `result` is given as its success or its error, with the type of that.
 * @returns A JSON value; `null` for no value.
 */
export function fromValue(type: ValueType | undefined, value: unknown): unknown {
  if (type === undefined) return null;
  switch (type.kind) {
    case "list":
      if (type.element.kind === "u8") return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : null;
      return asArray(value).map((element) => fromValue(type.element, element));
    case "record":
      return named(type.fields.map((field, index) => [field.name, fromValue(field.type, asArray(value)[index])]));
    case "tuple":
      return type.elements.map((element, index) => fromValue(element, asArray(value)[index]));
    case "variant":
      return fromTagged(type.cases, value);
    case "result":
      return fromTagged(
        [
          { name: "ok", type: type.ok },
          { name: "error", type: type.error },
        ],
        value,
      );
    case "flags":
      return type.names.filter((_, bit) => ((Number(value) >>> bit) & 1) === 1);
    case "option":
      if (value === undefined) return null;
      return type.some.kind === "option" ? { some: fromValue(type.some, unbox(value)) } : fromValue(type.some, value);
    case "s64":
    case "u64":
      return String(value);
    case "f32":
    case "f64":
      return Number.isFinite(value) ? value : String(value);
    default:
      return value;
  }
}

function toValue(type: ValueType, json: unknown, at: string): unknown {
  switch (type.kind) {
    case "list":
      if (type.element.kind === "u8") return toBytes(json, at);
      return requireArray(json, at).map((element, index) => toValue(type.element, element, `${at}[${index}]`));
    case "record":
      return toFields(type.fields, json, at);
    case "tuple":
      return toTuple(type.elements, json, at);
    case "variant":
      return toTagged(type.cases, json, at);
    case "result":
      return toTagged(
        [
          { name: "ok", type: type.ok },
          { name: "error", type: type.error },
        ],
        json,
        at,
      );
    case "enum":
      return requireName(type.names, json, at);
    case "flags":
      return toFlags(type.names, json, at);
    case "option":
      return toOption(type.some, json, at);
    case "own":
    case "borrow":
      throw new Error("BUG: a function with resources is called with JSON");
    default:
      return toPrimitive(type.kind, json, at);
  }
}

function toPrimitive(kind: Primitive, json: unknown, at: string): unknown {
  if (kind === "bool") return typeof json === "boolean" ? json : invalid(at, `must be true or false, ${got(json)}`);
  if (kind === "string") return toText(json, at);
  if (kind === "char") return toCharacter(json, at);
  if (kind === "f32" || kind === "f64") return toFloat(json, at);
  const range = INTEGER_RANGES[kind];
  if (range === undefined) return toLargeInteger(kind, json, at);
  const [least, most] = range;
  if (typeof json === "number" && Number.isInteger(json) && json >= least && json <= most) return json;
  return invalid(at, `must be an integer from ${least} to ${most}, ${got(json)}`);
}

/** Numbers are taken too, as far as JSON's parser has not rounded them. */
function toLargeInteger(kind: Primitive, json: unknown, at: string): bigint {
  const [least, most] = LARGE_RANGES[kind] ?? [0n, 0n];
  const isWritten = (typeof json === "string" && DECIMAL.test(json)) || Number.isSafeInteger(json);
  const value = isWritten ? BigInt(String(json)) : undefined;
  if (value !== undefined && value >= least && value <= most) return value;
  return invalid(at, `must be a string of decimal digits from ${least} to ${most}, ${got(json)}`);
}

function toFloat(json: unknown, at: string): number {
  if (typeof json === "number") return json;
  if (typeof json === "string" && SPECIAL_NUMBERS.includes(json)) return Number(json);
  return invalid(at, `must be a number, or one of ${SPECIAL_NUMBERS.join(", ")}, ${got(json)}`);
}

function toText(json: unknown, at: string): string {
  if (typeof json !== "string") return invalid(at, `must be a string, ${got(json)}`);
  return json.isWellFormed() ? json : invalid(at, "must have no half of a surrogate pair");
}

function toCharacter(json: unknown, at: string): string {
  const text = toText(json, at);
  const isOne = text !== "" && text === String.fromCodePoint(text.codePointAt(0) ?? 0);
  return isOne ? text : invalid(at, "must be one character");
}

function toBytes(json: unknown, at: string): Uint8Array {
  if (typeof json !== "string" || !BASE64.test(json)) return invalid(at, `must be a string in base64, ${got(json)}`);
  return new Uint8Array(Buffer.from(json, "base64"));
}

function toTuple(elements: readonly ValueType[], json: unknown, at: string): readonly unknown[] {
  const values = requireArray(json, at);
  if (values.length !== elements.length)
    return invalid(at, `must have ${elements.length} elements, and has ${values.length}`);
  return elements.map((element, index) => toValue(element, values[index], `${at}[${index}]`));
}

function toFields(fields: readonly Field[], json: unknown, at: string): readonly unknown[] {
  const members = requireObject(json, at);
  const names = fields.map(({ name }) => name);
  for (const name of Object.keys(members)) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    invalid(join(at, name), `is not known${near === undefined ? "" : `, did you mean "${near}"?`}`);
  }
  return fields.map(({ name, type }) => {
    const isGiven = Object.hasOwn(members, name);
    if (!isGiven && type.kind !== "option") return invalid(join(at, name), "is required");
    return toValue(type, isGiven ? members[name] : null, join(at, name));
  });
}

function toTagged(cases: readonly Case[], json: unknown, at: string): { tag: string; value: unknown } {
  const [entry, ...others] = Object.entries(requireObject(json, at));
  if (entry === undefined || others.length > 0) return invalid(at, "must be an object with one member");
  const names = cases.map(({ name }) => name);
  const tag = requireName(names, entry[0], at);
  const type = cases.find(({ name }) => name === tag)?.type;
  if (type !== undefined) return { tag, value: toValue(type, entry[1], join(at, tag)) };
  if (entry[1] !== null) return invalid(join(at, tag), `must be null, ${got(entry[1])}`);
  return { tag, value: undefined };
}

function toFlags(names: readonly string[], json: unknown, at: string): number {
  let bits = 0;
  for (const [index, element] of requireArray(json, at).entries()) {
    bits |= 1 << names.indexOf(requireName(names, element, `${at}[${index}]`));
  }
  return bits >>> 0;
}

function toOption(some: ValueType, json: unknown, at: string): unknown {
  if (json === null) return undefined;
  if (some.kind !== "option") return toValue(some, json, at);
  const members = requireObject(json, at);
  if (!Object.hasOwn(members, "some")) return invalid(at, 'must be null or an object with the member "some"');
  return { some: toValue(some, members["some"], join(at, "some")) };
}

function fromTagged(cases: readonly Case[], value: unknown): unknown {
  const { tag, value: payload } = isRecord(value) ? value : {};
  const found = cases.find(({ name }) => name === tag);
  return named([[String(tag), fromValue(found?.type, payload)]]);
}

function requireName(names: readonly string[], json: unknown, at: string): string {
  if (typeof json === "string" && names.includes(json)) return json;
  const near = typeof json === "string" ? nearest(json, names) : undefined;
  const known = names.length <= 8 ? `one of ${names.join(", ")}` : `one of ${names.length} names`;
  return invalid(at, `must be ${known}${near === undefined ? `, ${got(json)}` : `, did you mean "${near}"?`}`);
}

function requireArray(json: unknown, at: string): readonly unknown[] {
  return Array.isArray(json) ? json : invalid(at, `must be an array, ${got(json)}`);
}

function requireObject(json: unknown, at: string): Readonly<Record<string, unknown>> {
  return isRecord(json) && !Array.isArray(json) ? json : invalid(at, `must be an object, ${got(json)}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function unbox(value: unknown): unknown {
  return isRecord(value) ? value["some"] : undefined;
}

/** An object that has no prototype: a guest chose the names. */
function named(entries: readonly (readonly [string, unknown])[]): unknown {
  const made: Record<string, unknown> = Object.create(null);
  for (const [name, value] of entries) made[name] = value;
  return made;
}

function join(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}

function got(json: unknown): string {
  return `got ${typeof json === "number" ? json : describeJson(json)}`;
}

function invalid(at: string, problem: string): never {
  throw fault(at === "" ? "input" : at, problem);
}

function fault(field: string, problem: string): Failure {
  return refuse("INPUT_INVALID", { field, problem });
}
