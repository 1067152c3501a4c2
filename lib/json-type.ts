/**
 * The types that an argument of a tool can be declared with, and what a JSON value is called in a message.
 *
 * Source: JSON Schema 2020-12 Validation §6.1.1 (`integer` is any number without a fraction).
 */

/** A type of JSON Schema. `null` is left out: no argument is declared with it. */
export type JsonType = "string" | "number" | "integer" | "boolean" | "object" | "array";

/** Every {@link JsonType}, in the order that messages list them. */
export const JSON_TYPES: readonly JsonType[] = Object.freeze([
  "string",
  "number",
  "integer",
  "boolean",
  "object",
  "array",
]);

/** The types with their articles, for messages. */
export const JSON_TYPE_NAMES: Readonly<Record<JsonType, string>> = Object.freeze({
  string: "a string",
  number: "a number",
  integer: "an integer",
  boolean: "a boolean",
  object: "an object",
  array: "an array",
});

const CHECKS: Readonly<Record<JsonType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: Number.isFinite,
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  object: isJsonObject,
  array: Array.isArray,
};

/** Whether a JSON value is of a declared type. Numbers that JSON cannot carry (`NaN`, infinities) are of none. */
export function isJsonType(value: unknown, type: JsonType): boolean {
  return CHECKS[type](value);
}

/** Whether a JSON value is an object: `null` is none, and no array is. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names what a JSON value is, with its article: `a string`, `an integer`, `null`. */
export function describeJson(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number" && !Number.isFinite(value)) return "a number out of range";
  const order: readonly JsonType[] = ["string", "integer", "number", "boolean", "array", "object"];
  const type = order.find((candidate) => CHECKS[candidate](value));
  return type === undefined ? "no JSON value" : JSON_TYPE_NAMES[type];
}
