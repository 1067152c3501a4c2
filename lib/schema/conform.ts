/**
 * Whether a value is as a component's own schema says. Bounded: a value of a megabyte and a schema with two thousand alternatives would take minutes,
 * and what cannot be checked in time does not pass.
 *
 * Source: JSON Schema 2020-12, Core §10, Validation §6. `format` and `content…` are annotations.
 */
import { isJsonObject } from "../json-type.ts";
import { countProblem, findMissing, numberProblem, typeProblem, type Values } from "./assertions.ts";
import { type AnySchema, type ForeignSchema, isSchema, resolveReference } from "./references.ts";

/** Where a value is not as it should be. */
export interface Mismatch {
  /** `result` or `input`, and the way from there: `result.items[3].name`. Holds names that a guest chose. */
  readonly field: string;
  /** Reads on from the field. */
  readonly problem: string;
}

/** Steps that one check may take: about 50 ms. */
const CONFORM_STEPS = 500_000;

/** Schemas within schemas that a check may be in: a value's levels, times the references and alternatives on each. */
const NESTING_LIMIT = 1000;

/** Code units that a step pays for where a text is looked through. */
const UNITS_A_STEP = 64;

/** Thrown through a check when its steps are used up: what was found by then means nothing. */
const OUT_OF_STEPS = Symbol("out of steps");

/**
 * Finds the first mismatch.
 *
 * @param schema - One that `checkForeignSchema` has made.
 * @param value - A JSON value, nested no deeper than the stack allows.
 * @param name - What messages call it.
 */
export function findMismatch(schema: ForeignSchema, value: unknown, name: string): Mismatch | undefined {
  try {
    return new Check(schema).find(schema, value, name);
  } catch (error) {
    if (error !== OUT_OF_STEPS) throw error;
    return { field: name, problem: "takes too long to be checked against the tool's own schema" };
  }
}

class Check {
  readonly #root: ForeignSchema;
  /** The names of each object that was looked at, of the value and of the schema: to list them takes as long as there are names. */
  readonly #names = new Map<Values, readonly string[]>();
  #steps = CONFORM_STEPS;
  #nesting = 0;

  constructor(root: ForeignSchema) {
    this.#root = root;
  }

  find(schema: AnySchema, value: unknown, field: string): Mismatch | undefined {
    this.#pay(1);
    if (typeof schema === "boolean") return schema ? undefined : { field, problem: "is not allowed" };
    if (this.#nesting === NESTING_LIMIT) throw OUT_OF_STEPS;
    this.#nesting += 1;
    const problem = typeProblem(schema, value) ?? this.#valueProblem(schema, value);
    const mismatch =
      problem === undefined
        ? (this.#findReferred(schema, value, field) ??
          this.#findConditional(schema, value, field) ??
          this.#findInner(schema, value, field))
        : { field, problem };
    this.#nesting -= 1;
    return mismatch;
  }

  #pay(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw OUT_OF_STEPS;
  }

  #fits(schema: AnySchema, value: unknown): boolean {
    return this.find(schema, value, "") === undefined;
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

  /** @param own - The schema's: small, so that its members lead, however many the value has. */
  #isSame(own: unknown, value: unknown): boolean {
    this.#pay(1);
    if (Array.isArray(own)) {
      if (!Array.isArray(value) || value.length !== own.length) return false;
      return own.every((item, index) => this.#isSame(item, value[index]));
    }
    if (!isJsonObject(own)) return own === value;
    if (!isJsonObject(value)) return false;
    const names = this.#namesOf(own);
    return (
      names.length === this.#namesOf(value).length &&
      names.every((name) => Object.hasOwn(value, name) && this.#isSame(own[name], value[name]))
    );
  }

  #namesOf(value: Values): readonly string[] {
    const names = this.#names.get(value) ?? Object.keys(value);
    this.#names.set(value, names);
    return names;
  }

  #textProblem({ minLength, maxLength }: ForeignSchema, text: string): string | undefined {
    if (minLength === undefined && maxLength === undefined) return undefined;
    this.#pay(Math.ceil(text.length / UNITS_A_STEP));
    let characters = 0;
    for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) characters += 1;
    return countProblem(characters, "characters", [minLength, maxLength]);
  }

  #findReferred(schema: ForeignSchema, value: unknown, field: string): Mismatch | undefined {
    const { $ref: reference, allOf, anyOf, oneOf, not } = schema;
    const referred = typeof reference === "string" ? resolveReference(this.#root, reference) : undefined;
    const mismatch = this.#findIfSchema(referred, value, field) ?? this.#findInAll(allOf, value, field);
    if (mismatch !== undefined) return mismatch;
    const fits = (each: unknown): boolean => isSchema(each) && this.#fits(each, value);
    if (Array.isArray(anyOf) && !anyOf.some(fits)) return { field, problem: "is none of what it can be" };
    if (fits(not)) return { field, problem: "is what it must not be" };
    if (!Array.isArray(oneOf)) return undefined;
    const count = oneOf.filter(fits).length;
    return count === 1
      ? undefined
      : { field, problem: `is ${count === 0 ? "none" : "several"} of what it can be one of` };
  }

  #findIfSchema(schema: unknown, value: unknown, field: string): Mismatch | undefined {
    return isSchema(schema) ? this.find(schema, value, field) : undefined;
  }

  #findInAll(schemas: unknown, value: unknown, field: string): Mismatch | undefined {
    if (!Array.isArray(schemas)) return undefined;
    for (const each of schemas) {
      const mismatch = this.#findIfSchema(each, value, field);
      if (mismatch !== undefined) return mismatch;
    }
    return undefined;
  }

  #findConditional(schema: ForeignSchema, value: unknown, field: string): Mismatch | undefined {
    const { if: condition, then: consequence, else: alternative, dependentSchemas } = schema;
    if (isSchema(condition)) {
      const follows = this.#fits(condition, value) ? consequence : alternative;
      const mismatch = this.#findIfSchema(follows, value, field);
      if (mismatch !== undefined) return mismatch;
    }
    if (!isJsonObject(dependentSchemas) || !isJsonObject(value)) return undefined;
    for (const name of this.#namesOf(dependentSchemas)) {
      this.#pay(1);
      const dependent = Object.hasOwn(value, name) ? dependentSchemas[name] : undefined;
      const mismatch = this.#findIfSchema(dependent, value, field);
      if (mismatch !== undefined) return mismatch;
    }
    return undefined;
  }

  #findInner(schema: ForeignSchema, value: unknown, field: string): Mismatch | undefined {
    if (Array.isArray(value)) {
      return this.#findInItems(schema, value, field) ?? this.#findInContents(schema, value, field);
    }
    if (!isJsonObject(value)) return undefined;
    const { properties, additionalProperties: rest, propertyNames } = schema;
    const names = this.#namesOf(value);
    this.#pay(names.length);
    const problem = countProblem(names.length, "properties", [schema["minProperties"], schema["maxProperties"]]);
    if (problem !== undefined) return { field, problem };
    const missing = findMissing(schema, value, {
      pay: (count) => this.#pay(count),
      namesOf: (lists) => this.#namesOf(lists),
    });
    if (missing !== undefined) return { field: `${field}.${missing}`, problem: "is missing" };
    for (const name of names) {
      const at = `${field}.${name}`;
      const isNamed = !isSchema(propertyNames) || this.#fits(propertyNames, name);
      if (!isNamed) return { field: at, problem: "has a name that is not allowed" };
      const inner = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : rest;
      if (inner === false) return { field: at, problem: "is not known" };
      const mismatch = this.#findIfSchema(inner, value[name], at);
      if (mismatch !== undefined) return mismatch;
    }
    return undefined;
  }

  #findInItems({ prefixItems, items: rest }: ForeignSchema, items: readonly unknown[], field: string) {
    const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : [];
    if (first.length === 0 && !isSchema(rest)) return undefined;
    for (const [index, item] of items.entries()) {
      const schema = index < first.length ? first[index] : rest;
      if (!isSchema(schema)) return undefined;
      const mismatch = this.find(schema, item, `${field}[${index}]`);
      if (mismatch !== undefined) return mismatch;
    }
    return undefined;
  }

  #findInContents(schema: ForeignSchema, items: readonly unknown[], field: string): Mismatch | undefined {
    const { contains, minContains = 1, maxContains, uniqueItems } = schema;
    if (isSchema(contains)) {
      const count = items.filter((item) => this.#fits(contains, item)).length;
      const problem = countProblem(count, "of the items that it is to contain", [minContains, maxContains]);
      if (problem !== undefined) return { field, problem };
    }
    if (uniqueItems !== true) return undefined;
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      const text = this.#canonicalText(item);
      if (seen.has(text)) return { field: `${field}[${index}]`, problem: "comes twice" };
      seen.add(text);
    }
    return undefined;
  }

  /** Equal values have the same one. */
  #canonicalText(value: unknown): string {
    const text = this.#writeCanonically(value);
    this.#pay(Math.ceil(text.length / UNITS_A_STEP));
    return text;
  }

  #writeCanonically(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map((each) => this.#canonicalText(each)).join()}]`;
    if (!isJsonObject(value)) return JSON.stringify(value);
    const names = this.#namesOf(value);
    this.#pay(names.length);
    const sorted = names.toSorted((left, right) => (left < right ? -1 : 1));
    return `{${sorted.map((name) => `${JSON.stringify(name)}:${this.#canonicalText(value[name])}`).join()}}`;
  }
}
