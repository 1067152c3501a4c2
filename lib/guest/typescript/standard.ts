/**
 * Standard Schema and Standard JSON Schema, as far as tools need them.
 *
 * Source: standardschema.dev, versions 1.0 and 1.1.
 */
import type { JsonSchema } from "./json-schema.ts";

/** What went wrong in a value. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type Result<O> = { readonly value: O; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** A schema of any library that keeps to the standard. */
export interface StandardSchema<I = unknown, O = I> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Result<O> | Promise<Result<O>>;
    readonly types?: { readonly input: I; readonly output: O } | undefined;
    /** Standard JSON Schema. Libraries that keep it apart have a function that adds it. */
    readonly jsonSchema?: { readonly input: (options: { readonly target: string }) => Record<string, unknown> };
  };
}

/** The type that a schema takes. */
export type InferInput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** The type that a schema gives. */
export type InferOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** Whether a schema keeps to the standard. Some are functions. */
export function isStandard(schema: object): schema is StandardSchema {
  return "~standard" in schema;
}

/**
 * Writes a schema as JSON Schema.
 *
 * @param what - What messages call it.
 * @throws {TypeError} when it cannot be.
 */
export function toJsonSchema(schema: StandardSchema | JsonSchema, what: string): Record<string, unknown> {
  if (!isStandard(schema)) return { ...schema };
  const { vendor, jsonSchema } = schema["~standard"];
  if (jsonSchema !== undefined) return jsonSchema.input({ target: "draft-2020-12" });
  const help =
    vendor === "valibot"
      ? "wrap it in toStandardJsonSchema of @valibot/to-json-schema"
      : "use a version that implements Standard JSON Schema";
  throw new TypeError(`the ${what} schema of ${vendor} does not yield JSON Schema: ${help}`);
}

/**
 * Checks a value.
 *
 * @returns What the schema makes of it.
 * @throws {Error} with all issues, each with its place.
 */
export function validate(schema: StandardSchema, value: unknown): unknown {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) throw new Error("the schema validates asynchronously, which a tool cannot wait for");
  if (result.issues === undefined) return result.value;
  throw new Error(result.issues.map(describe).join("; "));
}

function describe({ message, path = [] }: Issue): string {
  const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
  return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
}
