/**
 * JSON Schemas that a component gives of itself. They are hostile: only keywords whose cost is known are taken, and a copy is made of what they say,
 * which agents get as it is.
 *
 * Left out for what they could do: `pattern`, `patternProperties` and `format` as a check (a regular expression can take for ever), references to
 * anywhere but the schema itself, `$dynamicRef`, `unevaluated…` (which depend on every path that was tried), and every `x-…` (a client
 * obeys `x-mcp-header`). The `$id` is dropped: clients keep validators by it, so that one tool's could take the place of another's.
 *
 * Source: JSON Schema 2020-12, Core §8 to §10, Validation §6, §8 and §9.
 */
import { clean, refuse } from "../errors.ts";
import { isJsonObject } from "../json-type.ts";
import { type AnySchema, countSchemas, type ForeignSchema } from "./references.ts";

/** What a component says of its input and output. */
export interface Described {
  readonly inputSchema?: ForeignSchema;
  readonly outputSchema?: ForeignSchema;
}

/** The most that a schema may have. */
export const FOREIGN_LIMITS: {
  readonly bytes: number;
  readonly depth: number;
  /** What `countSchemas` may count. */
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
/** The one dialect that is checked as it says. */
const DIALECT = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;
const REFERENCE = /^#[!-~]{0,300}$/;
const ANCHOR = /^[A-Za-z_][A-Za-z0-9_.-]{0,100}$/;
const NAME = /^[a-z][a-z0-9-]{0,40}$/;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,100}$/;

const KEYWORDS: ReadonlyMap<string, Copy> = new Map<string, Copy>([
  ["$anchor", matching(ANCHOR, "is not a plain name")],
  ["$ref", matching(REFERENCE, "refers to something outside of the schema")],
  ["type", copyType],
  ["const", copyData],
  ["enum", copyDataList],
  ["examples", copyDataList],
  ["default", copyData],
  ["format", matching(NAME, "is not a format's name")],
  ["contentEncoding", matching(NAME, "is not an encoding's name")],
  ["contentMediaType", matching(MEDIA_TYPE, "is not a media type")],
  ["required", copyNames],
  ["dependentRequired", copyNameLists],
  ...keywords(["title", "description", "$comment"], copyText),
  ...keywords(["properties", "$defs", "dependentSchemas"], copyMap),
  ...keywords(["allOf", "anyOf", "oneOf", "prefixItems"], copyList),
  ...keywords(["not", "if", "then", "else"], copyAny),
  ...keywords(["items", "contains", "additionalProperties", "propertyNames"], copyAny),
  ...keywords(["uniqueItems", "deprecated", "readOnly", "writeOnly"], copyFlag),
  ...keywords(["minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"], copyCount),
  ...keywords(["minProperties", "maxProperties"], copyCount),
  ...keywords(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"], copyNumber),
]);

/** Those of a whole schema. */
const ROOT_KEYWORDS: ReadonlyMap<string, Copy> = new Map<string, Copy>([
  ["$schema", matching(DIALECT, "is not https://json-schema.org/draft/2020-12/schema")],
  ["$id", () => undefined],
]);

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
  const count = countSchemas(schema, name);
  if (count > FOREIGN_LIMITS.schemas)
    fail(place, `stands for ${count} schemas, the limit is ${FOREIGN_LIMITS.schemas}`);
  return schema;
}

function keywords(names: readonly string[], copy: Copy): readonly (readonly [string, Copy])[] {
  return names.map((name) => [name, copy]);
}

function matching(pattern: RegExp, problem: string): Copy {
  return (value, at) => (typeof value === "string" && pattern.test(value) ? value : fail(at, problem));
}

function copySchema(value: unknown, at: Place): ForeignSchema {
  if (!isJsonObject(value)) return fail(at, "is not an object");
  if (at.depth > FOREIGN_LIMITS.depth) return fail(at, `nests deeper than ${FOREIGN_LIMITS.depth} levels`);
  const copy: Record<string, unknown> = {};
  for (const [keyword, inner] of Object.entries(value)) {
    const read = KEYWORDS.get(keyword) ?? (at.depth === 0 ? ROOT_KEYWORDS.get(keyword) : undefined);
    if (read === undefined) return fail(at, `has "${clean(keyword, 60)}", which KAMI does not take from a component`);
    const copied = read(inner, { path: `${at.path}/${keyword}`, depth: at.depth + 1 });
    if (copied !== undefined) copy[keyword] = copied;
  }
  return copy;
}

function copyAny(value: unknown, at: Place): AnySchema {
  return typeof value === "boolean" ? value : copySchema(value, at);
}

function copyFlag(value: unknown, at: Place): boolean {
  return typeof value === "boolean" ? value : fail(at, "is neither true nor false");
}

function copyMap(value: unknown, at: Place): ForeignSchema {
  return copyNamed(value, at, copyAny);
}

function copyNameLists(value: unknown, at: Place): ForeignSchema {
  return copyNamed(value, at, copyNames);
}

function copyNamed(value: unknown, at: Place, copy: Copy): ForeignSchema {
  if (!isJsonObject(value)) return fail(at, "is not an object");
  const names = Object.keys(value);
  if (names.some((name) => !isPlain(name))) return fail(at, "has a name that is not plain text");
  return Object.fromEntries(names.map((name) => [name, copy(value[name], { ...at, path: `${at.path}/${name}` })]));
}

function copyList(value: unknown, at: Place): readonly AnySchema[] {
  if (!Array.isArray(value) || value.length === 0) return fail(at, "is not a list of schemas");
  return value.map((each, index) => copyAny(each, { ...at, path: `${at.path}/${index}` }));
}

function copyType(value: unknown, at: Place): unknown {
  const types: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isSound = types.length > 0 && types.every((type) => typeof type === "string" && TYPES.has(type));
  return isSound && new Set(types).size === types.length ? value : fail(at, "is not a type of JSON");
}

function copyText(value: unknown, at: Place): string {
  return typeof value === "string" ? clean(value, FOREIGN_LIMITS.description) : fail(at, "is not a text");
}

/** The values of a `default`, a `const`, an `enum`: data, whose depth is bounded by that of the whole. */
function copyData(value: unknown, at: Place): unknown {
  if (at.depth > FOREIGN_LIMITS.depth) return fail(at, `nests deeper than ${FOREIGN_LIMITS.depth} levels`);
  const inner = { ...at, depth: at.depth + 1 };
  if (Array.isArray(value)) return value.map((each) => copyData(each, inner));
  if (typeof value === "string") return copyDataText(value, at);
  if (!isJsonObject(value)) return value;
  if (Object.hasOwn(value, "__proto__")) return fail(at, 'has the name "__proto__"');
  for (const name of Object.keys(value)) copyDataText(name, at);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copyData(each, inner)]));
}

/** A value is compared, so that it is not cleaned: a model must not read in it what nobody sees. */
function copyDataText(text: string, at: Place): string {
  if (text.length > 2000) return fail(at, "has a text that is too long");
  const line = `.${text.replaceAll(/[\t\n\r]/g, " ")}.`;
  return clean(line, line.length) === line ? text : fail(at, "has a text with control or invisible characters");
}

function copyDataList(value: unknown, at: Place): unknown {
  return Array.isArray(value) ? copyData(value, at) : fail(at, "is not a list");
}

function copyNames(value: unknown, at: Place): readonly string[] {
  if (!Array.isArray(value)) return fail(at, "is not a list of names");
  return value.map((name) => (typeof name === "string" && isPlain(name) ? name : fail(at, "is not a list of names")));
}

function isPlain(name: string): boolean {
  return name !== "__proto__" && name === clean(name, 128);
}

function copyCount(value: unknown, at: Place): number {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : fail(at, "is not a count");
}

function copyNumber(value: unknown, at: Place): number {
  const isSound =
    typeof value === "number" && Number.isFinite(value) && (value > 0 || !at.path.endsWith("/multipleOf"));
  return isSound ? value : fail(at, "is not a number that it can be");
}

function fail({ path }: Place, problem: string): never {
  throw refuse("DESCRIBE_REFUSED", { reason: `${clean(path, 200)} ${problem}` });
}
