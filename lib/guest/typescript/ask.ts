/**
 * Questions to the user. A call that asks ends, and `run` begins anew when the answers are there: `ask` then returns where it threw before. What `run` does
 * before it has all its answers is done in every round.
 *
 * Source: MCP 2026-07-28, "Patterns / Multi Round-Trip Requests".
 */
import type { FromSchema, JsonSchema } from "./json-schema.ts";

/** What the user answered. Only an accepted form has content, and that is what its schema allows. */
export type FormAnswer<S> =
  { readonly action: "accept"; readonly content: FromSchema<S> } | { readonly action: "decline" | "cancel" };

/** Where KAMI puts the answers, beside the arguments. No caller can put any there. */
const MEMBER = "_meta";

/** Of all rounds so far, by the names that they were asked under. A call has an instance of its own. */
let answers: Readonly<Record<string, unknown>> = {};

/** Ends a round. */
class Unanswered extends Error {
  readonly request: object;

  constructor(name: string, params: object) {
    super("a question that has no answer yet");
    this.request = { [name]: { method: "elicitation/create", params } };
  }
}

/**
 * Asks the user to fill in a form. `tool.toml` has `elicitation = "form"`, and the user lets the tool ask.
 *
 * @param name - Of the question, another one for each: letters, digits, `_` and `-`.
 * @param message - For the user.
 * @param requestedSchema - An object of flat fields: texts, numbers, booleans and choices.
 * @throws what ends the round, when there is no answer yet: let it pass.
 */
export function ask<const S extends JsonSchema>(name: string, message: string, requestedSchema: S): FormAnswer<S> {
  // What KAMI establishes before it gives an answer, for a type that only the author's schema knows.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (Object.hasOwn(answers, name)) return answers[name] as FormAnswer<S>;
  throw new Unanswered(name, { message, requestedSchema });
}

/** Takes the answers off an input; gives back its arguments. */
export function takeAnswers(input: unknown): unknown {
  answers = {};
  if (!isObject(input) || !isObject(input[MEMBER])) return input;
  const { [MEMBER]: meta, ...values } = input;
  const { inputResponses, requestState } = meta;
  const earlier: unknown = typeof requestState === "string" ? JSON.parse(requestState) : {};
  answers = { ...(isObject(earlier) && earlier), ...(isObject(inputResponses) && inputResponses) };
  return values;
}

/** Writes the question that an error stands for; undefined when it is another error. */
export function questionOf(error: unknown): string | undefined {
  if (!(error instanceof Unanswered)) return undefined;
  const isFirst = Object.keys(answers).length === 0;
  const state = isFirst ? {} : { requestState: JSON.stringify(answers) };
  return JSON.stringify({ resultType: "input_required", inputRequests: error.request, ...state });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
