/**
 * Forms on a terminal: a tool that is called from the command line asks its user there. What a person reads of it has been cleaned.
 */
import type { FormField } from "../schema/form.ts";
import { findAnswerFault, type FormAnswer, type FormValue } from "../schema/form-answer.ts";
import type { Session } from "./session.ts";
import type { TerminalLines } from "./terminal-lines.ts";
import type { AskedForm } from "../schema/question.ts";

/** Answers to one field that do not fit, until the form counts as closed. */
const TRIES = 3;

/** How an answer of a format is written. */
const FORMAT_HINTS = {
  email: "an email address",
  uri: "a URI",
  date: "YYYY-MM-DD",
  "date-time": "YYYY-MM-DDThh:mm:ssZ",
} as const;

const YES: ReadonlySet<string> = new Set(["y", "yes", "true"]);
const NO: ReadonlySet<string> = new Set(["n", "no", "false"]);

/** What a field was answered: a value, nothing where it may be left out, or the end of the answering. */
type FieldAnswer = { readonly value?: FormValue } | "closed";

/**
 * Asks for a form, field by field.
 *
 * @returns Declined when the user does not want to answer it; cancelled when standard input ends, or answers do not fit.
 */
export async function askForm(session: Session, lines: TerminalLines, form: AskedForm): Promise<FormAnswer> {
  const { stderr } = session.host;
  await stderr.write("Answer it? [y/N] ");
  const wants = await lines.next();
  if (wants === undefined) {
    await stderr.write("\n");
    return { action: "cancel" };
  }
  if (!YES.has(wants.trim().toLowerCase())) return { action: "decline" };
  const answers: [string, FormValue][] = [];
  for (const [name, field] of Object.entries(form.schema.properties)) {
    const isRequired = form.schema.required?.includes(name) === true;
    const answer = await askField(session, lines, { name, field, isRequired });
    if (answer === "closed") return { action: "cancel" };
    if (answer.value !== undefined) answers.push([name, answer.value]);
  }
  return { action: "accept", content: Object.fromEntries(answers) };
}

interface AskedField {
  readonly name: string;
  readonly field: FormField;
  readonly isRequired: boolean;
}

async function askField(session: Session, lines: TerminalLines, asked: AskedField): Promise<FieldAnswer> {
  const { stderr } = session.host;
  const { field, isRequired } = asked;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await stderr.write(promptFor(asked));
    const line = await lines.next();
    if (line === undefined) return "closed";
    const text = line.trim();
    if (text === "" && field.default !== undefined) return { value: field.default };
    if (text === "" && !isRequired) return {};
    const value = readValue(field, text);
    const fault = findAnswerFault(field, value);
    if (fault === undefined) return { value };
    await stderr.write(`It ${fault}.\n`);
  }
  return "closed";
}

function promptFor({ name, field, isRequired }: AskedField): string {
  const about = field.description === undefined ? [] : [`  ${field.description}`];
  const choices = optionsOf(field).map(({ value, title }) =>
    title === value ? `    ${value}` : `    ${value}: ${title}`,
  );
  const hint = field.default === undefined ? (isRequired ? "" : " [none]") : ` [${wordFor(field.default)}]`;
  return [...about, ...choices, `  ${field.title ?? name}${howToWrite(field)}${hint}: `].join("\n");
}

/** As it would be typed. */
function wordFor(value: FormValue): string {
  return typeof value === "boolean" ? (value ? "y" : "n") : String(value);
}

function howToWrite(field: FormField): string {
  if (field.type === "boolean") return " (y/n)";
  if (field.type === "array") return " (some, separated by commas)";
  const format = "format" in field ? field.format : undefined;
  return format === undefined ? "" : ` (${FORMAT_HINTS[format]})`;
}

/** Reads what was typed as a value of the field's type; one that is none is found out by the field's rules. */
function readValue(field: FormField, text: string): FormValue {
  switch (field.type) {
    case "boolean":
      return YES.has(text.toLowerCase()) || (NO.has(text.toLowerCase()) ? false : text);
    case "number":
    case "integer":
      return text === "" ? text : Number(text);
    case "array":
      return text === "" ? [] : text.split(",").map((each) => each.trim());
    case "string":
      return text;
  }
  throw new Error("BUG: a field has no type");
}

function optionsOf(field: FormField): readonly { readonly value: string; readonly title: string }[] {
  const from = field.type === "array" ? field.items : field;
  if ("oneOf" in from) return from.oneOf.map(({ const: value, title }) => ({ value, title }));
  if ("anyOf" in from) return from.anyOf.map(({ const: value, title }) => ({ value, title }));
  if (!("enum" in from)) return [];
  const titles = field.type === "string" && "enum" in field ? (field.enumNames ?? []) : [];
  return from.enum.map((value, at) => ({ value, title: titles[at] ?? value }));
}
