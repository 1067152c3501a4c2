/**
 * Plain JSON Schema: the types that it stands for, and a check of the keywords that tools use. Keywords that are not checked are left to
 * those who read the schema.
 *
 * Source: JSON Schema 2020-12, Validation §6.
 */

/** A JSON Schema. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

interface Primitives {
  readonly string: string;
  readonly number: number;
  readonly integer: number;
  readonly boolean: boolean;
  readonly null: null;
}

/** The type of the values that a schema allows, as far as its types, properties and enums say. */
export type FromSchema<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly type: infer T extends keyof Primitives }
    ? Primitives[T]
    : S extends { readonly type: "array"; readonly items: infer I }
      ? FromSchema<I>[]
      : S extends { readonly properties: infer P }
        ? FromProperties<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
        : unknown;

type FromProperties<P, R> = { [K in keyof P as K extends R ? K : never]: FromSchema<P[K]> } & {
  [K in keyof P as K extends R ? never : K]?: FromSchema<P[K]>;
};

/** Whether a value has a type, by the schema's name of it. */
const TYPES: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ["string", (value) => typeof value === "string"],
  ["number", (value) => typeof value === "number"],
  ["integer", (value) => Number.isInteger(value)],
  ["boolean", (value) => typeof value === "boolean"],
  ["null", (value) => value === null],
  ["array", Array.isArray],
  ["object", isObject],
]);

/**
 * Checks a value: types, enums, bounds, lengths, patterns, properties and items.
 *
 * @param at - Where the value is: `""`, `.items[0]`.
 * @throws {Error} at the first thing that is wrong.
 */
export function check(schema: JsonSchema, value: unknown, at: string): void {
  const place = at === "" ? "the value" : at.slice(1);
  if (schema.type !== undefined && TYPES.get(schema.type)?.(value) === false)
    throw new Error(`${place} must be of type ${schema.type}`);
  if (schema.enum !== undefined && !schema.enum.includes(value))
    throw new Error(`${place} must be one of ${JSON.stringify(schema.enum)}`);
  if (typeof value === "number") checkNumber(schema, value, place);
  if (typeof value === "string") checkString(schema, value, place);
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) check(schema.items ?? {}, item, `${at || "."}[${index}]`);
  else if (isObject(value)) checkObject(schema, value, at);
}

function checkNumber({ minimum, maximum }: JsonSchema, value: number, place: string): void {
  if (typeof minimum === "number" && value < minimum) throw new Error(`${place} must be at least ${minimum}`);
  if (typeof maximum === "number" && value > maximum) throw new Error(`${place} must be at most ${maximum}`);
}

function checkString({ minLength, maxLength, pattern }: JsonSchema, value: string, place: string): void {
  const { length } = Array.from(value);
  if (typeof minLength === "number" && length < minLength)
    throw new Error(`${place} must have at least ${minLength} characters`);
  if (typeof maxLength === "number" && length > maxLength)
    throw new Error(`${place} must have at most ${maxLength} characters`);
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value))
    throw new Error(`${place} must match ${pattern}`);
}

function checkObject(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  value: object,
  at: string,
): void {
  const members = new Map<string, unknown>(Object.entries(value));
  const missing = required.find((name) => !members.has(name));
  if (missing !== undefined) throw new Error(`${at.slice(1)}${at === "" ? "" : "."}${missing} is missing`);
  for (const [name, member] of members) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema !== undefined) check(schema, member, `${at}.${name}`);
    else if (additionalProperties === false)
      throw new Error(`${at.slice(1)}${at === "" ? "" : "."}${name} is not known`);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
