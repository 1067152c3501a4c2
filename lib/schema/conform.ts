/**
 * Whether a value is as a component's own schema says. Bounded: a value of a megabyte and a schema with two thousand alternatives would take minutes,
 * and what cannot be checked in time does not pass.
 *
 * Source: JSON Schema 2020-12, Core §10, Validation §6. `format` is an annotation.
 */
import { describeJson } from "../json-type.ts";
import type { ForeignSchema } from "./foreign.ts";

/** Where a value is not as it should be. */
export interface Mismatch {
  /** `result` or `input`, and the way from there: `result.items[3].name`. Holds names that a guest chose. */
  readonly field: string;
  /** Reads on from the field. */
  readonly problem: string;
}

/** Steps that one check may take: about 50 ms. */
const CONFORM_STEPS = 500_000;

/** Code units that a step pays for where a text is looked through. */
const UNITS_A_STEP = 64;

type Values = Readonly<Record<string, unknown>>;

/**
 * Finds the first mismatch.
 *
 * @param schema - One that `checkForeignSchema` has made.
 * @param value - A JSON value, nested no deeper than the stack allows.
 * @param name - What messages call it.
 */
export function findMismatch(schema: ForeignSchema, value: unknown, name: string): Mismatch | undefined {
  const check = new Check(schema);
  const mismatch = check.find(schema, value, name);
  return check.isOut
    ? { field: name, problem: "takes too long to be checked against the tool's own schema" }
    : mismatch;
}

class Check {
  readonly #defs: unknown;
  #steps = CONFORM_STEPS;

  constructor(root: ForeignSchema) {
    this.#defs = root["$defs"];
  }

  /** Whether the steps were used up: then what was found means nothing. */
  get isOut(): boolean {
    return this.#steps < 0;
  }

  find(schema: ForeignSchema, value: unknown, field: string): Mismatch | undefined {
    this.#steps -= 1;
    if (this.isOut) return undefined;
    const problem = typeProblem(schema, value) ?? this.#valueProblem(schema, value);
    if (problem !== undefined) return { field, problem };
    return this.#findReferred(schema, value, field) ?? this.#findInner(schema, value, field);
  }

  #valueProblem(schema: ForeignSchema, value: unknown): string | undefined {
    if (Object.hasOwn(schema, "const") && !this.#isSame(schema["const"], value)) return "is not the only value allowed";
    const allowed = schema["enum"];
    if (Array.isArray(allowed) && !allowed.some((each) => this.#isSame(each, value)))
      return "is not one of the values allowed";
    if (typeof value === "number") return numberProblem(schema, value);
    if (typeof value === "string") return this.#textProblem(schema, value);
    if (Array.isArray(value)) return countProblem(value.length, "items", [schema["minItems"], schema["maxItems"]]);
    return undefined;
  }

  #isSame(left: unknown, right: unknown): boolean {
    this.#steps -= 1;
    return left === right || (typeof left === "object" && Bun.deepEquals(left, right, true));
  }

  #textProblem({ minLength, maxLength }: ForeignSchema, text: string): string | undefined {
    if (minLength === undefined && maxLength === undefined) return undefined;
    this.#steps -= Math.ceil(text.length / UNITS_A_STEP);
    let characters = 0;
    for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) characters += 1;
    return countProblem(characters, "characters", [minLength, maxLength]);
  }

  #findReferred(schema: ForeignSchema, value: unknown, field: string): Mismatch | undefined {
    const { $ref: reference, allOf, anyOf, oneOf } = schema;
    const referred = typeof reference === "string" ? this.#resolve(reference) : undefined;
    const all = [...(referred === undefined ? [] : [referred]), ...schemasIn(allOf)];
    for (const each of all) {
      const mismatch = this.find(each, value, field);
      if (mismatch !== undefined) return mismatch;
    }
    const fits = (each: ForeignSchema): boolean => this.find(each, value, field) === undefined;
    if (Array.isArray(anyOf) && !schemasIn(anyOf).some(fits)) return { field, problem: "is none of what it can be" };
    if (!Array.isArray(oneOf)) return undefined;
    const count = schemasIn(oneOf).filter(fits).length;
    return count === 1
      ? undefined
      : { field, problem: `is ${count === 0 ? "none" : "several"} of what it can be one of` };
  }

  #findInner(schema: ForeignSchema, value: unknown, field: string): Mismatch | undefined {
    if (Array.isArray(value)) return this.#findInItems(schema["items"], value, field);
    if (!isValues(value)) return undefined;
    const { properties, required, additionalProperties: rest, minProperties, maxProperties } = schema;
    const names = Object.keys(value);
    const problem = countProblem(names.length, "properties", [minProperties, maxProperties]);
    if (problem !== undefined) return { field, problem };
    const missing = Array.isArray(required) ? required.find((name) => !Object.hasOwn(value, String(name))) : undefined;
    if (missing !== undefined) return { field: `${field}.${missing}`, problem: "is missing" };
    for (const name of names) {
      const inner = isValues(properties) && Object.hasOwn(properties, name) ? properties[name] : rest;
      const mismatch = this.#findInProperty(inner, value[name], `${field}.${name}`);
      if (mismatch !== undefined) return mismatch;
    }
    return undefined;
  }

  #findInProperty(schema: unknown, value: unknown, field: string): Mismatch | undefined {
    this.#steps -= 1;
    if (schema === false) return { field, problem: "is not known" };
    return isValues(schema) ? this.find(schema, value, field) : undefined;
  }

  #findInItems(schema: unknown, items: readonly unknown[], field: string): Mismatch | undefined {
    if (!isValues(schema)) return undefined;
    for (const [index, item] of items.entries()) {
      const mismatch = this.find(schema, item, `${field}[${index}]`);
      if (mismatch !== undefined || this.isOut) return mismatch;
    }
    return undefined;
  }

  #resolve(reference: string): ForeignSchema | undefined {
    const target = isValues(this.#defs) ? this.#defs[reference.slice("#/$defs/".length)] : undefined;
    return isValues(target) ? target : undefined;
  }
}

function typeProblem({ type }: ForeignSchema, value: unknown): string | undefined {
  if (type === undefined) return undefined;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.some((each) => isOfType(value, each))
    ? undefined
    : `must be ${types.join(" or ")}, got ${describeJson(value)}`;
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isValues(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}

function numberProblem(schema: ForeignSchema, value: number): string | undefined {
  const limit = (name: string): number | undefined => (typeof schema[name] === "number" ? schema[name] : undefined);
  const [least = -Infinity, most = Infinity] = [limit("minimum"), limit("maximum")];
  const [above = -Infinity, below = Infinity] = [limit("exclusiveMinimum"), limit("exclusiveMaximum")];
  if (value < least || value > most || value <= above || value >= below) return "is out of its range";
  const step = limit("multipleOf");
  const isMultiple = step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9;
  return isMultiple ? undefined : `is not a multiple of ${step}`;
}

function countProblem(count: number, what: string, [least, most]: readonly [unknown, unknown]): string | undefined {
  if (typeof least === "number" && count < least) return `must have at least ${least} ${what}, has ${count}`;
  if (typeof most === "number" && count > most) return `must have at most ${most} ${what}, has ${count}`;
  return undefined;
}

function schemasIn(list: unknown): readonly ForeignSchema[] {
  return Array.isArray(list) ? list.filter(isValues) : [];
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
