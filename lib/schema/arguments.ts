/**
 * A tool's declared arguments as the JSON Schema that an agent reads, and as the check that its input passes through.
 *
 * Source: JSON Schema 2020-12; the root is an object, as MCP asks of an `inputSchema`.
 */
import { refuse, type Failure } from "../errors.ts";
import { describeJson, isJsonObject, isJsonType, JSON_TYPE_NAMES, type JsonType } from "../json-type.ts";
import { nearest } from "../nearest.ts";

/** One declared argument: what a manifest's argument has. */
export interface ArgumentSpec {
  readonly name: string;
  readonly type: JsonType;
  readonly description: string;
  readonly required: boolean;
  /** Of the declared type. Never together with `required`. */
  readonly default?: unknown;
  /** The only values allowed, each of the declared type, nested no deeper than the stack allows. */
  readonly enum?: readonly unknown[];
}

/** The part of JSON Schema that KAMI writes. */
export interface JsonSchema {
  readonly type: JsonType;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  /** A null-prototype object: argument names come from outside. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
}

/** Most values of an `enum` that a message lists, and most UTF-16 code units of each. */
const LISTED_VALUES = 8;
const LISTED_LENGTH = 40;

/**
 * Writes the schema of a tool's input.
 *
 * @param specs - The declared arguments, in manifest order, with unique names.
 * @returns A closed object with the arguments as properties; an open object when none are declared.
 */
export function toInputSchema(specs: readonly ArgumentSpec[]): JsonSchema {
  if (specs.length === 0) return { type: "object" };
  const properties: Record<string, JsonSchema> = Object.create(null);
  for (const spec of specs) properties[spec.name] = toProperty(spec);
  const required = specs.filter((spec) => spec.required).map((spec) => spec.name);
  return {
    type: "object",
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/**
 * Checks an input against the declared arguments. Changes nothing of it.
 *
 * @param specs - The declared arguments, in manifest order, with unique names.
 * @param input - A JSON value from outside.
 * @returns What is to be added to the input: the defaults of the arguments that it lacks, by name, in manifest order, in a null-prototype
 *   object. The values are those of the specs, not copies.
 * @throws {Failure} `INPUT_INVALID` for an input that is no object; else for the first property that is unknown or whose value is
 *   not allowed; else for the first required argument that is missing. With no declared arguments, any object passes.
 */
export function checkArguments(specs: readonly ArgumentSpec[], input: unknown): Readonly<Record<string, unknown>> {
  if (!isJsonObject(input)) throw invalid("input", `must be an object, got ${describeJson(input)}`);
  const specByName = new Map(specs.map((spec) => [spec.name, spec]));
  if (specs.length > 0) for (const [name, value] of Object.entries(input)) checkValue(specByName, name, value);
  const added: Record<string, unknown> = Object.create(null);
  for (const spec of specs) {
    if (Object.hasOwn(input, spec.name)) continue;
    if (spec.required) throw invalid(spec.name, "is required");
    if (spec.default !== undefined) added[spec.name] = spec.default;
  }
  return added;
}

function toProperty(spec: ArgumentSpec): JsonSchema {
  return {
    type: spec.type,
    description: spec.description,
    ...(spec.enum === undefined ? {} : { enum: spec.enum }),
    ...(spec.default === undefined ? {} : { default: spec.default }),
  };
}

function checkValue(specByName: ReadonlyMap<string, ArgumentSpec>, name: string, value: unknown): void {
  const spec = specByName.get(name);
  if (spec === undefined) throw unknownArgument(name, specByName.keys());
  if (!isJsonType(value, spec.type)) {
    throw invalid(name, `must be ${JSON_TYPE_NAMES[spec.type]}, got ${describeJson(value)}`);
  }
  if (spec.enum !== undefined && !spec.enum.some((allowed) => isSameJson(allowed, value))) {
    throw invalid(name, `must be one of ${listValues(spec.enum)}`);
  }
}

function unknownArgument(name: string, known: Iterable<string>): Failure {
  const near = nearest(name, known);
  return invalid(name, `is not an argument of this tool${near === undefined ? "" : `, did you mean "${near}"?`}`);
}

/** Recurses no deeper than the shallower of the two. */
function isSameJson(left: unknown, right: unknown): boolean {
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => isSameJson(item, right[index]))
    );
  }
  if (!isJsonObject(left)) return left === right;
  if (!isJsonObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSameJson(left[key], right[key]))
  );
}

function listValues(values: readonly unknown[]): string {
  const listed = values.slice(0, LISTED_VALUES).map((value) => {
    const text = JSON.stringify(value);
    return text.length > LISTED_LENGTH ? `${text.slice(0, LISTED_LENGTH)}…` : text;
  });
  return `${listed.join(", ")}${values.length > LISTED_VALUES ? ", …" : ""}`;
}

function invalid(field: string, problem: string): Failure {
  return refuse("INPUT_INVALID", { field, problem });
}
