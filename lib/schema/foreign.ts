/**
 * JSON Schemas that a component gives of itself. They are hostile: only keywords whose cost is known are taken, and a copy is made of what they say.
 *
 * Left out for what they could do: `pattern`, `patternProperties` and `format` as a check (a regular expression can take for ever), references to
 * anywhere but `#/$defs/`, schemas that refer to themselves, `uniqueItems` (quadratic), and every `x-…` (a client obeys `x-mcp-header`).
 *
 * Source: JSON Schema 2020-12, Core §8 and §10, Validation §6.
 */
import { clean, refuse } from "../errors.ts";

/** A schema that was checked: an object, of known keywords only. */
export type ForeignSchema = Readonly<Record<string, unknown>>;

/** What a component says of its input and output. */
export interface Described {
  readonly inputSchema?: ForeignSchema;
  readonly outputSchema?: ForeignSchema;
}

/** The most that a schema may have. */
export const FOREIGN_LIMITS: {
  readonly bytes: number;
  readonly depth: number;
  /** Schemas within it, each counted as often as references lead to it. */
  readonly schemas: number;
  readonly description: number;
} = Object.freeze({ bytes: 32_768, depth: 24, schemas: 2000, description: 1000 });

type Copy = (value: unknown, at: Place) => unknown;

interface Place {
  /** As a JSON pointer, for messages. */
  readonly path: string;
  readonly depth: number;
}

const TYPES = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);
const REFERENCE = /^#\/\$defs\/[A-Za-z0-9_.-]{1,100}$/;
const FORMAT = /^[a-z][a-z0-9-]{0,40}$/;

const KEYWORDS: ReadonlyMap<string, Copy> = new Map<string, Copy>([
  ["type", copyType],
  ["title", copyText],
  ["description", copyText],
  ["default", copyData],
  ["const", copyData],
  ["enum", (value, at) => (Array.isArray(value) ? copyData(value, at) : fail(at, "is not a list"))],
  ["format", (value, at) => (isMatch(value, FORMAT) ? value : fail(at, "is not a format's name"))],
  ["properties", copyMap],
  ["$defs", copyMap],
  ["required", copyNames],
  ["items", copySchema],
  ["additionalProperties", (value, at) => (typeof value === "boolean" ? value : copySchema(value, at))],
  ["oneOf", copyList],
  ["anyOf", copyList],
  ["allOf", copyList],
  ["$ref", (value, at) => (isMatch(value, REFERENCE) ? value : fail(at, "refers to something outside of #/$defs/"))],
  ...["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"].map(
    (name): [string, Copy] => [name, copyCount],
  ),
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].map((name): [string, Copy] => [
    name,
    copyNumber,
  ]),
]);

/** Said of a schema by its author, and of no use to anybody here. */
const DROPPED = new Set(["$schema", "$comment", "$id", "examples", "deprecated", "readOnly", "writeOnly"]);

/**
 * Checks a schema of a component's input or output, and copies it.
 *
 * @param value - Parsed JSON.
 * @param name - What messages call it: `outputSchema`.
 * @throws {Failure} `DESCRIBE_REFUSED`
 */
export function checkForeignSchema(value: unknown, name: string): ForeignSchema {
  const place = { path: name, depth: 0 };
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? "");
  if (bytes > FOREIGN_LIMITS.bytes) fail(place, `has ${bytes} bytes, the limit is ${FOREIGN_LIMITS.bytes}`);
  const schema = copySchema(value, place);
  if (schema["type"] !== "object") fail(place, 'must have the type "object" at its root');
  for (const root of ["oneOf", "anyOf", "allOf", "$ref"])
    if (Object.hasOwn(schema, root)) fail(place, `has ${root} at its root`);
  const defs = schema["$defs"];
  const costs = new Costs(isObject(defs) ? defs : {}, name);
  const cost = costs.of(schema);
  if (cost > FOREIGN_LIMITS.schemas) fail(place, `stands for ${cost} schemas, the limit is ${FOREIGN_LIMITS.schemas}`);
  return schema;
}

/** Counts the schemas that one stands for, references followed; finds those that lead back to themselves. */
class Costs {
  readonly #defs: ForeignSchema;
  readonly #name: string;
  readonly #known = new Map<string, number>();
  readonly #open = new Set<string>();

  constructor(defs: ForeignSchema, name: string) {
    this.#defs = defs;
    this.#name = name;
  }

  of(schema: ForeignSchema): number {
    let sum = 1;
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === "$ref") sum += this.#ofReference(String(value));
      else if (keyword === "properties" && isObject(value)) sum += this.#ofAll(Object.values(value));
      else if (["oneOf", "anyOf", "allOf"].includes(keyword) && Array.isArray(value)) sum += this.#ofAll(value);
      else if (["items", "additionalProperties"].includes(keyword) && isObject(value)) sum += this.of(value);
    }
    return sum;
  }

  #ofAll(schemas: readonly unknown[]): number {
    return schemas.reduce<number>((sum, each) => sum + (isObject(each) ? this.of(each) : 0), 0);
  }

  #ofReference(reference: string): number {
    const name = reference.slice("#/$defs/".length);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const place = { path: this.#name, depth: 0 };
    if (this.#open.has(name)) fail(place, `refers to itself, by ${reference}`);
    const target = Object.hasOwn(this.#defs, name) ? this.#defs[name] : undefined;
    if (!isObject(target)) return fail(place, `has no ${reference}`);
    this.#open.add(name);
    const cost = this.of(target);
    this.#open.delete(name);
    this.#known.set(name, cost);
    return cost;
  }
}

function copySchema(value: unknown, at: Place): ForeignSchema {
  if (!isObject(value)) return fail(at, "is not an object");
  if (at.depth > FOREIGN_LIMITS.depth) return fail(at, `nests deeper than ${FOREIGN_LIMITS.depth} levels`);
  const copy: Record<string, unknown> = {};
  for (const [keyword, inner] of Object.entries(value)) {
    if (DROPPED.has(keyword)) continue;
    const read = KEYWORDS.get(keyword);
    if (read === undefined) return fail(at, `has "${clean(keyword, 60)}", which KAMI does not take from a component`);
    copy[keyword] = read(inner, { path: `${at.path}/${keyword}`, depth: at.depth + 1 });
  }
  return copy;
}

function copyMap(value: unknown, at: Place): ForeignSchema {
  if (!isObject(value)) return fail(at, "is not an object");
  const names = Object.keys(value);
  if (names.some((name) => name === "__proto__" || name !== clean(name, 128)))
    return fail(at, "has a name that is not plain text");
  return Object.fromEntries(
    names.map((name) => [name, copySchema(value[name], { ...at, path: `${at.path}/${name}` })]),
  );
}

function copyList(value: unknown, at: Place): readonly ForeignSchema[] {
  if (!Array.isArray(value) || value.length === 0) return fail(at, "is not a list of schemas");
  return value.map((each, index) => copySchema(each, { ...at, path: `${at.path}/${index}` }));
}

function copyType(value: unknown, at: Place): unknown {
  const types: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isSound = types.length > 0 && types.every((type) => typeof type === "string" && TYPES.has(type));
  return isSound ? value : fail(at, "is not a type of JSON");
}

function copyText(value: unknown, at: Place): string {
  return typeof value === "string" ? clean(value, FOREIGN_LIMITS.description) : fail(at, "is not a text");
}

/** The values of a `default`, a `const`, an `enum`: data, whose depth is bounded by that of the whole. */
function copyData(value: unknown, at: Place): unknown {
  if (at.depth > FOREIGN_LIMITS.depth) return fail(at, `nests deeper than ${FOREIGN_LIMITS.depth} levels`);
  const inner = { ...at, depth: at.depth + 1 };
  if (Array.isArray(value)) return value.map((each) => copyData(each, inner));
  if (typeof value === "string") return value.length <= 2000 ? value : fail(at, "has a text that is too long");
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, "__proto__")) return fail(at, 'has the name "__proto__"');
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copyData(each, inner)]));
}

function copyNames(value: unknown, at: Place): readonly string[] {
  if (!Array.isArray(value)) return fail(at, "is not a list of names");
  return value.map((name) => (typeof name === "string" ? name : fail(at, "is not a list of names")));
}

function copyCount(value: unknown, at: Place): number {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : fail(at, "is not a count");
}

function copyNumber(value: unknown, at: Place): number {
  const isSound =
    typeof value === "number" && Number.isFinite(value) && (value > 0 || !at.path.endsWith("/multipleOf"));
  return isSound ? value : fail(at, "is not a number that it can be");
}

function isObject(value: unknown): value is ForeignSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

function fail({ path }: Place, problem: string): never {
  throw refuse("DESCRIBE_REFUSED", { reason: `${clean(path, 200)} ${problem}` });
}
