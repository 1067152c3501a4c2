/**
 * The arguments of a prompt that its client did not send: its user is asked for them, where the client can. The form is KAMI's, made of the package's names and
 * descriptions. There is no state to keep: what is answered are arguments, which the client could have sent.
 *
 * Source: MCP 2026-07-28, "Patterns / Multi Round-Trip Requests", which prompts/get may begin; MCP 2025-11-25, "Elicitation".
 */
import {
  inputRequired,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { ManifestPrompt } from "../manifest/manifest.ts";
import type { FormSchema } from "../schema/form.ts";
import { type FormAnswer, readAnswer } from "../schema/form-answer.ts";
import { canShowForms } from "./asked-call.ts";

/** A prompt that somebody wants. */
export interface WantedPrompt {
  readonly prompt: ManifestPrompt;
  /** Id of its tool. */
  readonly toolId: string;
  /** The arguments that came. */
  readonly values: Readonly<Record<string, string>>;
}

/** Who wants it. */
export interface PromptClient {
  readonly mcp: McpServer;
  readonly context: ServerContext;
}

/** The one form. */
const FORM = "arguments";

/**
 * Completes the arguments of a prompt.
 *
 * @returns The arguments, still without what nobody could be asked for or would answer; or the question.
 */
export function completeArguments(
  { mcp, context }: PromptClient,
  { prompt, toolId, values }: WantedPrompt,
): { readonly values: Readonly<Record<string, string>> } | { readonly question: InputRequiredResult } {
  const missing = prompt.arguments.filter(({ name, required }) => required && !Object.hasOwn(values, name));
  // Nobody is asked for a prompt that is refused whatever they say.
  const isStray = Object.keys(values).some((key) => !prompt.arguments.some(({ name }) => name === key));
  if (missing.length === 0 || isStray || !canShowForms(mcp, context)) return { values };
  const schema = formOf(missing);
  const answer = readAnswer(schema, context.mcpReq.inputResponses?.[FORM]);
  if (answer !== undefined) return { values: { ...values, ...textsOf(answer) } };
  const message = `The prompt ${clean(prompt.name, 100)} of the tool ${toolId} needs to know more.`;
  const params = { mode: "form", message, requestedSchema: { ...schema } } as const;
  return { question: inputRequired({ inputRequests: { [FORM]: inputRequired.elicit(params) } }) };
}

function formOf(missing: ManifestPrompt["arguments"]): FormSchema {
  const fields = missing.map(
    ({ name, description }) => [name, { type: "string", description: clean(description, 500) }] as const,
  );
  return { type: "object", properties: Object.fromEntries(fields), required: missing.map(({ name }) => name) };
}

function textsOf(answer: FormAnswer): Readonly<Record<string, string>> {
  if (answer.action !== "accept") return {};
  return Object.fromEntries(
    Object.entries(answer.content).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as const] : [],
    ),
  );
}
