/**
 * Forms: what a tool may ask its user for. A guest writes them, so each is made anew out of the keywords that MCP gives forms, and nothing else: flat, of
 * primitive types, without patterns, its texts cleaned and cut.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Client features / Elicitation", "Requested Schema"; SEP-1034 (defaults), SEP-1330 (choices).
 */
import * as v from "valibot";
import { clean } from "../errors.ts";
import { isJsonObject } from "../json-type.ts";
import { findAnswerFault } from "./form-answer.ts";

/** A field whose answer is a text. */
interface TextField extends FieldWords {
  readonly type: "string";
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: "email" | "uri" | "date" | "date-time";
  readonly default?: string;
}

/** A field whose answer is a number. */
interface NumberField extends FieldWords {
  readonly type: "number" | "integer";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number;
}

/** A field whose answer is yes or no. */
interface BooleanField extends FieldWords {
  readonly type: "boolean";
  readonly default?: boolean;
}

/** A field whose answer is one of some values. `enumNames` is the older way to name them, `oneOf` the newer. */
type ChoiceField = FieldWords & { readonly type: "string"; readonly default?: string } & (
    { readonly enum: string[]; readonly enumNames?: string[] } | { readonly oneOf: Named[] }
  );

/** A field whose answer is some of some values. */
type ChoicesField = FieldWords & {
  readonly type: "array";
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: string[];
} & (
    | { readonly items: { readonly type: "string"; readonly enum: string[] } }
    | { readonly items: { readonly anyOf: Named[] } }
  );

/** One field. */
export type FormField = TextField | NumberField | BooleanField | ChoiceField | ChoicesField;

/** The fields of a form, by name. */
export interface FormSchema {
  readonly type: "object";
  readonly properties: Record<string, FormField>;
  readonly required?: string[];
}

/** What was read, or where it is wrong: `requestedSchema.properties.age`, and words that read on from there. */
export type FormReading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly field: string; readonly problem: string };

interface FieldWords {
  readonly title?: string;
  readonly description?: string;
}

interface Named {
  readonly const: string;
  readonly title: string;
}

/** Most fields of a form. */
export const FIELDS_LIMIT = 32;

/** Most values of one field to choose from. */
export const OPTIONS_LIMIT = 128;

/** Most code units of a value to choose, and of a default text. */
const VALUE_LIMIT = 500;

/**
 * Where a client begins to see a link, in plain text, Markdown or HTML.
 *
 * Source: MCP 2026-07-28, "Client features / Elicitation", "Safe URL Handling": no field of a form has a URL that is meant to be clicked.
 */
const LINK =
  /(?<=:)(?=\/\/)|(?<=\])(?=[([:])|(?<=\bwww)(?=\.)|(?<=<)(?=[a-z!/?])|(?<=\b(?:mailto|tel|data|javascript):)(?=\S)/gi;

const FIELD_NAME = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Finite = v.pipe(v.number(), v.finite());
/** It comes back as an answer, so it is not cleaned: it must be clean. */
const Value = v.pipe(
  v.string(),
  v.check(
    (text) => text.length <= VALUE_LIMIT && clean(text, VALUE_LIMIT) === text,
    `must be one line of at most ${VALUE_LIMIT} visible characters`,
  ),
);
const Values = v.pipe(
  options(Value),
  unique((value) => value),
);
const NamedValues = v.pipe(
  options(v.strictObject({ const: Value, title: shown(100) })),
  unique((named) => named.const),
);

const words = { title: v.exactOptional(shown(100)), description: v.exactOptional(shown(500)) };

const Text = v.strictObject({
  type: v.literal("string"),
  ...words,
  minLength: v.exactOptional(Count),
  maxLength: v.exactOptional(Count),
  format: v.exactOptional(v.picklist(["email", "uri", "date", "date-time"])),
  default: v.exactOptional(Value),
});
const Numeric = v.strictObject({
  type: v.picklist(["number", "integer"]),
  ...words,
  minimum: v.exactOptional(Finite),
  maximum: v.exactOptional(Finite),
  default: v.exactOptional(Finite),
});
const YesOrNo = v.strictObject({ type: v.literal("boolean"), ...words, default: v.exactOptional(v.boolean()) });
const Choice = v.pipe(
  v.strictObject({
    type: v.literal("string"),
    ...words,
    enum: Values,
    enumNames: v.exactOptional(options(shown(100))),
    default: v.exactOptional(Value),
  }),
  v.check(
    ({ enum: values, enumNames }) => enumNames === undefined || enumNames.length === values.length,
    "must have as many enumNames as values",
  ),
);
const NamedChoice = v.strictObject({
  type: v.literal("string"),
  ...words,
  oneOf: NamedValues,
  default: v.exactOptional(Value),
});
const choices = {
  type: v.literal("array"),
  ...words,
  minItems: v.exactOptional(Count),
  maxItems: v.exactOptional(Count),
  default: v.exactOptional(v.pipe(v.array(Value), v.maxLength(OPTIONS_LIMIT))),
};
const Choices = v.strictObject({ ...choices, items: v.strictObject({ type: v.literal("string"), enum: Values }) });
const NamedChoices = v.strictObject({ ...choices, items: v.strictObject({ anyOf: NamedValues }) });
/** Reads nothing: says which types there are. */
const NoType = v.pipe(
  v.object({ type: v.picklist(["string", "number", "integer", "boolean", "array"]) }),
  v.transform((): never => {
    throw new Error("BUG: a field of a known type has no schema");
  }),
);

const Shell = v.strictObject({
  // Says which draft it is written in; forms have one meaning in all of them.
  $schema: v.exactOptional(v.string()),
  type: v.literal("object"),
  properties: v.custom<Readonly<Record<string, unknown>>>(isJsonObject, "must be an object"),
  required: v.exactOptional(v.array(v.string())),
});

/**
 * Reads the schema of a form.
 *
 * @param given - From a guest, parsed from JSON: anything.
 */
export function readForm(given: unknown): FormReading<FormSchema> {
  const shell = readAs(Shell, given, "");
  if (!shell.ok) return shell;
  const { properties, required } = shell.value;
  const names = Object.keys(properties);
  if (names.length > FIELDS_LIMIT) return wrong("properties", `has more than ${FIELDS_LIMIT} fields`);
  const stray = required?.find((name) => !Object.hasOwn(properties, name));
  if (stray !== undefined) return wrong("required", `names a field that there is not: "${clean(stray, 64)}"`);
  const fields: Record<string, FormField> = {};
  for (const name of names) {
    if (!FIELD_NAME.test(name))
      return wrong("properties", `has a name that is not of letters, digits, "_" and "-": "${clean(name, 64)}"`);
    const field = readField(properties[name], `properties.${name}`);
    if (!field.ok) return field;
    fields[name] = field.value;
  }
  return {
    ok: true,
    value: { type: "object", properties: fields, ...(required && { required: [...new Set(required)] }) },
  };
}

/**
 * Reads a value by a schema.
 *
 * @param at - Where it is, for the message.
 */
export function readAs<T>(schema: v.GenericSchema<unknown, T>, value: unknown, at: string): FormReading<T> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return { ok: true, value: parsed.output };
  const [issue] = parsed.issues;
  const path = (issue.path ?? []).map(({ key }) => clean(String(key), 64));
  const isStray = issue.type === "strict_object" && issue.expected === "never";
  const problem = isStray ? "is not known here" : clean(issue.message, 200);
  return { ok: false, field: [...(at === "" ? [] : [at]), ...path].join(".") || "it", problem };
}

/** Cleans words that a user reads, on one line: none of them sends anybody anywhere. */
export function cleanWords(text: string, limit: number): string {
  return clean(clean(text, limit).replace(LINK, " "), limit);
}

function readField(given: unknown, at: string): FormReading<FormField> {
  const field = readAs(schemaOf(given), given, at);
  if (!field.ok) return field;
  const crossed = boundsOf(field.value).some(([least = 0, most = Infinity]) => least > most);
  if (crossed) return { ok: false, field: at, problem: "can have no answer: its bounds leave none" };
  if (field.value.default === undefined) return field;
  const fault = findAnswerFault(field.value, field.value.default);
  return fault === undefined ? field : { ok: false, field: `${at}.default`, problem: fault };
}

function schemaOf(given: unknown): v.GenericSchema<unknown, FormField> {
  if (!isJsonObject(given)) return NoType;
  switch (given["type"]) {
    case "array":
      return has(given["items"], "anyOf") ? NamedChoices : Choices;
    case "boolean":
      return YesOrNo;
    case "number":
    case "integer":
      return Numeric;
    case "string":
      if (has(given, "enum")) return Choice;
      return has(given, "oneOf") ? NamedChoice : Text;
    default:
      return NoType;
  }
}

function boundsOf(field: FormField): readonly (readonly [number | undefined, number | undefined])[] {
  if (field.type === "array") return [[field.minItems, field.maxItems]];
  if (field.type === "number" || field.type === "integer") return [[field.minimum ?? -Infinity, field.maximum]];
  return "minLength" in field || "maxLength" in field ? [[field.minLength, field.maxLength]] : [];
}

function options<S extends v.GenericSchema>(item: S) {
  return v.pipe(
    v.array(item),
    v.minLength(1, "must have a value"),
    v.maxLength(OPTIONS_LIMIT, `must have at most ${OPTIONS_LIMIT} values`),
  );
}

function unique<T>(keyOf: (item: T) => string) {
  return v.check<T[], string>(
    (items) => new Set(items.map(keyOf)).size === items.length,
    "must not have a value twice",
  );
}

function shown(limit: number) {
  return v.pipe(
    v.string(),
    v.transform((text) => cleanWords(text, limit)),
  );
}

function wrong(field: string, problem: string): FormReading<never> {
  return { ok: false, field, problem };
}

function has(value: unknown, key: string): boolean {
  return isJsonObject(value) && Object.hasOwn(value, key);
}
