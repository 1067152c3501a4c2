/**
 * What a schema says of a value that can be told without other schemas.
 *
 * Source: JSON Schema 2020-12, Validation §6.
 */
import { describeJson, isJsonObject } from "../json-type.ts";
import type { ForeignSchema } from "./references.ts";

/** An object of JSON. */
export type Values = Readonly<Record<string, unknown>>;

/** Says what is wrong with a value's type. Reads on from its name. */
export function typeProblem({ type }: ForeignSchema, value: unknown): string | undefined {
  if (type === undefined) return undefined;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.some((each) => isOfType(value, each))
    ? undefined
    : `must be ${types.join(" or ")}, got ${describeJson(value)}`;
}

/** Says what is wrong with a number. */
export function numberProblem(schema: ForeignSchema, value: number): string | undefined {
  const limit = (name: string): number | undefined => (typeof schema[name] === "number" ? schema[name] : undefined);
  const [least = -Infinity, most = Infinity] = [limit("minimum"), limit("maximum")];
  const [above = -Infinity, below = Infinity] = [limit("exclusiveMinimum"), limit("exclusiveMaximum")];
  if (value < least || value > most || value <= above || value >= below) return "is out of its range";
  const step = limit("multipleOf");
  const isMultiple = step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9;
  return isMultiple ? undefined : `is not a multiple of ${step}`;
}

/** Says what is wrong with how many there are of something. */
export function countProblem(
  count: number,
  what: string,
  [least, most]: readonly [unknown, unknown],
): string | undefined {
  if (typeof least === "number" && count < least) return `must have at least ${least} ${what}, has ${count}`;
  if (typeof most === "number" && count > most) return `must have at most ${most} ${what}, has ${count}`;
  return undefined;
}

/**
 * Finds a name that an object must have and has not: always, or because of another one that it has.
 *
 * @param by - Told how many names are looked for; lists the names of an object, of which there may be many, once.
 */
export function findMissing(
  { required, dependentRequired }: ForeignSchema,
  value: Values,
  { pay, namesOf }: { pay: (names: number) => void; namesOf: (lists: Values) => readonly string[] },
): string | undefined {
  const find = (names: unknown): string | undefined => {
    if (!Array.isArray(names)) return undefined;
    pay(names.length);
    return names.find((name: string) => !Object.hasOwn(value, name));
  };
  const missing = find(required);
  if (missing !== undefined || !isJsonObject(dependentRequired)) return missing;
  for (const name of namesOf(dependentRequired)) {
    pay(1);
    const lacking = Object.hasOwn(value, name) ? find(dependentRequired[name]) : undefined;
    if (lacking !== undefined) return lacking;
  }
  return undefined;
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isJsonObject(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}
