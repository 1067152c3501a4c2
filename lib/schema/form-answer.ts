/**
 * Answers to forms. They come from a client, which may check them or not: a tool gets none that its form does not allow.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Client features / Elicitation", "Requested Schema" and "Response Actions".
 */
import { isJsonObject } from "../json-type.ts";
import type { FormField, FormSchema } from "./form.ts";

/** What a user answered to one form. */
export type FormAnswer =
  | { readonly action: "accept"; readonly content: Readonly<Record<string, FormValue>> }
  | { readonly action: "decline" | "cancel" };

/** The answer of one field. */
export type FormValue = string | number | boolean | readonly string[];

/** Most code units of a text that a user answers. */
export const ANSWER_LIMIT = 16_384;

const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,255}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** What a format allows. Source: JSON Schema 2020-12, Validation §7.3, by RFC 5321, 3339 and 3986. */
const FORMATS = {
  email: (text: string) => EMAIL.test(text),
  uri: (text: string) => URL.canParse(text),
  date: (text: string) => DATE.test(text) && isDay(text),
  "date-time": (text: string) => DATE_TIME.test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text)),
} as const;

/**
 * Reads the answer to a form.
 *
 * @param given - From a client: anything.
 * @returns What the user answered, without members that the form does not have; undefined when it is no answer to this form.
 */
export function readAnswer(form: FormSchema, given: unknown): FormAnswer | undefined {
  if (!isJsonObject(given)) return undefined;
  const { action, content } = given;
  if (action === "decline" || action === "cancel") return { action };
  if (action !== "accept") return undefined;
  const values = isJsonObject(content) ? content : {};
  const answers: [string, FormValue][] = [];
  for (const [name, field] of Object.entries(form.properties)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined && form.required?.includes(name) !== true) continue;
    if (!isFormValue(value) || findAnswerFault(field, value) !== undefined) return undefined;
    answers.push([name, value]);
  }
  return { action, content: Object.fromEntries(answers) };
}

/**
 * Finds what is wrong with the answer of a field.
 *
 * @returns Words that read on from its name; undefined when nothing is.
 */
export function findAnswerFault(field: FormField, value: unknown): string | undefined {
  if (field.type === "array") return choicesFault(field, value);
  if (field.type === "string") return typeof value === "string" ? textFault(field, value) : "must be a text";
  if (field.type === "boolean") return typeof value === "boolean" ? undefined : "must be true or false";
  return numberFault(field, value);
}

/** `Date.parse` takes February 30 for March 2. */
function isDay(date: string): boolean {
  const ms = Date.parse(date);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

type FieldOf<T> = Extract<FormField, { readonly type: T }>;

function numberFault({ type, minimum, maximum }: FieldOf<"number" | "integer">, value: unknown): string | undefined {
  if (typeof value !== "number" || !Number.isFinite(value)) return "must be a number";
  if (type === "integer" && !Number.isSafeInteger(value)) return "must be an integer";
  if (minimum !== undefined && value < minimum) return `must be at least ${minimum}`;
  return maximum !== undefined && value > maximum ? `must be at most ${maximum}` : undefined;
}

function textFault(field: FieldOf<"string">, value: string): string | undefined {
  if ("enum" in field) return field.enum.includes(value) ? undefined : "must be one of the values";
  if ("oneOf" in field)
    return field.oneOf.some((each) => each.const === value) ? undefined : "must be one of the values";
  const { minLength = 0, maxLength = ANSWER_LIMIT, format } = field;
  const most = Math.min(maxLength, ANSWER_LIMIT);
  // Characters, as JSON Schema counts them; a text with more code units than the limit is not counted.
  const length = value.length > ANSWER_LIMIT ? value.length : Array.from(value).length;
  if (length < minLength) return `must have at least ${minLength} characters`;
  if (length > most) return `must have at most ${most} characters`;
  return format === undefined || FORMATS[format](value) ? undefined : `must be of the format ${format}`;
}

function choicesFault({ items, minItems = 0, maxItems }: FieldOf<"array">, value: unknown): string | undefined {
  const values = "enum" in items ? items.enum : items.anyOf.map((each) => each.const);
  if (!isTexts(value)) return "must be some of the values";
  // Before each is looked for: a client sends as many as it likes.
  if (new Set(value).size < value.length) return "must not have a value twice";
  if (!value.every((each) => values.includes(each))) return "must be some of the values";
  if (value.length < minItems) return `must have at least ${minItems} values`;
  return maxItems !== undefined && value.length > maxItems ? `must have at most ${maxItems} values` : undefined;
}

function isFormValue(value: unknown): value is FormValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || isTexts(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
