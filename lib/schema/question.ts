/**
 * Questions: what a tool returns in place of its result when it needs to know something of its user, in MCP's own shape:
 * `{"resultType": "input_required", "inputRequests": {"name": {"method": "elicitation/create", …}}, "requestState": "…"}`.
 *
 * Source: MCP 2026-07-28, "Patterns / Multi Round-Trip Requests".
 */
import * as v from "valibot";
import { clean } from "../errors.ts";
import { isJsonObject } from "../json-type.ts";
import { cleanWords, type FormReading, type FormSchema, readAs, readForm } from "./form.ts";
import { type FormAnswer, readAnswer } from "./form-answer.ts";
import { findDepth } from "./json.ts";

/** One form of a question. */
export interface AskedForm {
  /** The guest's words, on one line. */
  readonly message: string;
  readonly schema: FormSchema;
}

/** What a tool asks its user. */
export interface Question {
  /** By names that the guest gives: letters, digits, `_` and `-`. */
  readonly forms: ReadonlyMap<string, AskedForm>;
  /** What the guest wants back with the answers. Opaque; not cleaned. */
  readonly state: string | undefined;
  /** All of it, as the guest wrote it: what is kept of one that is open. Read, it takes up to ten times as much. */
  readonly text: string;
}

/** Whose question it is. */
interface Asking {
  readonly id: string;
  readonly version: string;
}

/** What a tool gets in its next round, as `_meta` of its input. */
export interface Answers {
  readonly inputResponses: Readonly<Record<string, FormAnswer>>;
  readonly requestState?: string;
}

/** Most UTF-16 code units of a question, state and all. */
export const QUESTION_LIMIT = 32_768;

/** Most UTF-16 code units of a tool's state. */
export const STATE_LIMIT = 8192;

/** Most forms of one question. */
export const FORMS_LIMIT = 8;

/** How often one call may ask its user. */
export const ROUNDS_LIMIT = 8;

/** Most UTF-16 code units of all answers to one question, as JSON text. */
const ANSWERS_LIMIT = 262_144;

/** Most UTF-16 code units of a form's message. */
const MESSAGE_LIMIT = 1000;

/** Most levels that a question nests: its forms need nine. */
const DEPTH_LIMIT = 16;

const FORM_NAME = /^(?!__proto__$)[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/;

const Shell = v.strictObject({
  resultType: v.literal("input_required"),
  inputRequests: v.custom<Readonly<Record<string, unknown>>>(
    (value) => isJsonObject(value) && Object.keys(value).length > 0,
    "must be an object that asks something",
  ),
  requestState: v.exactOptional(
    v.pipe(v.string(), v.maxLength(STATE_LIMIT, `must have at most ${STATE_LIMIT} characters`)),
  ),
  // As in any result of MCP; nothing in it steers a question.
  _meta: v.exactOptional(v.unknown()),
});

const Request = v.strictObject({
  method: v.literal("elicitation/create", 'must be "elicitation/create": nothing else can be asked for'),
  params: v.strictObject({
    mode: v.exactOptional(v.literal("form", 'must be "form": no tool sends its user to a web page')),
    message: v.pipe(
      v.string(),
      v.transform((text) => cleanWords(text, MESSAGE_LIMIT)),
      v.nonEmpty("must not be empty"),
    ),
    requestedSchema: v.unknown(),
  }),
});

/**
 * Whether an output is a question, in order or not.
 *
 * @param output - What a guest returned: any text.
 */
export function isQuestion(output: string): boolean {
  // Most outputs are none, and are not parsed.
  if (!output.includes('"input_required"') || findDepth(output, DEPTH_LIMIT + 1) !== -1) return false;
  const value = parse(output);
  return typeof value === "object" && value !== null && "resultType" in value && value.resultType === "input_required";
}

/**
 * Reads a question.
 *
 * @param output - One that {@link isQuestion}.
 */
export function readQuestion(output: string): FormReading<Question> {
  if (output.length > QUESTION_LIMIT)
    return { ok: false, field: "the question", problem: `has more than ${QUESTION_LIMIT} characters` };
  const shell = readAs(Shell, parse(output), "");
  if (!shell.ok) return shell;
  const { inputRequests, requestState } = shell.value;
  const names = Object.keys(inputRequests);
  if (names.length > FORMS_LIMIT)
    return { ok: false, field: "inputRequests", problem: `has more than ${FORMS_LIMIT} questions` };
  const forms = new Map<string, AskedForm>();
  for (const name of names) {
    const at = `inputRequests.${clean(name, 64)}`;
    if (!FORM_NAME.test(name)) return { ok: false, field: at, problem: 'must be of letters, digits, "_" and "-"' };
    const form = readAskedForm(inputRequests[name], at);
    if (!form.ok) return form;
    forms.set(name, form.value);
  }
  return { ok: true, value: { forms, state: requestState, text: output } };
}

/**
 * Reads the answers to a question.
 *
 * @param responses - From a client: anything.
 * @returns What the tool gets; undefined when a form has no answer, or none that it allows. Answers to what was not asked are left out.
 */
export function readAnswers({ forms, state }: Question, responses: unknown): Answers | undefined {
  if (typeof responses !== "object" || responses === null) return undefined;
  const given = new Map<string, unknown>(Object.entries(responses));
  const answers: [string, FormAnswer][] = [];
  for (const [name, { schema }] of forms) {
    const answer = readAnswer(schema, given.get(name));
    if (answer === undefined) return undefined;
    answers.push([name, answer]);
  }
  const inputResponses = Object.fromEntries(answers);
  if (JSON.stringify(inputResponses).length > ANSWERS_LIMIT) return undefined;
  return { inputResponses, ...(state !== undefined && { requestState: state }) };
}

/** The first thing that a question says. */
export function messageOf({ forms }: Question): string {
  const [first] = forms.values();
  return first?.message ?? "";
}

/** Writes what a user reads: first of all whose words these are, so that they cannot pass for KAMI's or for another tool's. */
export function inWordsOf({ id, version }: Asking, message: string): string {
  return `The tool ${id} ${clean(version, 64)} asks you, in words of its own. Give it no password and no key.\n\n${message}`;
}

/** Whether the user declined, or closed, any of the forms. */
export function isDeclined({ inputResponses }: Answers): boolean {
  return Object.values(inputResponses).some(({ action }) => action !== "accept");
}

function readAskedForm(given: unknown, at: string): FormReading<AskedForm> {
  const request = readAs(Request, given, at);
  if (!request.ok) return request;
  const { message, requestedSchema } = request.value.params;
  const schema = readForm(requestedSchema);
  if (!schema.ok) return { ...schema, field: `${at}.params.requestedSchema.${schema.field}` };
  return { ok: true, value: { message, schema: schema.value } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
