/**
 * The prompts that tool packages bring: texts that a user may send to the model, with arguments filled in. They are their authors' words, and what
 * a user reads says whose.
 *
 * Source: MCP 2026-07-28 and 2025-11-25, "Server features / Prompts".
 */
import {
  type GetPromptResult,
  type ListPromptsResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import { clean, quote } from "../errors.ts";
import { PLACEHOLDER } from "../manifest/prompts.ts";
import type { CatalogView } from "./catalog.ts";
import { type ResourceContent, readResourceOf } from "./package-resources.ts";
import { takePage } from "./page.ts";
import type { NamedPrompt } from "./prompt-names.ts";
import { completeArguments } from "./prompt-arguments.ts";
import type { Guarded } from "./server.ts";

/** Most code units of one argument. */
const VALUE_LIMIT = 16_384;

/** Most code units of all texts with their arguments filled in: a value may be used many times. */
export const PROMPT_LIMIT = 131_072;

/** Most bytes of what is embedded, as it is sent. */
const EMBEDDED_LIMIT_BYTES = 6 * 1_048_576;

/** Serves the prompts of the tools that there are for a client. */
export function servePrompts(mcp: McpServer, catalog: CatalogView, guarded: Guarded): void {
  mcp.server.setRequestHandler("prompts/list", ({ params }) => guarded(() => listPrompts(catalog, params?.cursor)));
  mcp.server.setRequestHandler("prompts/get", ({ params }, context) =>
    guarded(() => {
      const found = catalog.findPrompt(params.name);
      if (found === undefined) throw invalid(`Unknown prompt: ${quote(params.name)}`);
      const wanted = { prompt: found.prompt, toolId: found.tool.id, values: params.arguments ?? {} };
      const completed = completeArguments({ mcp, context }, wanted);
      return "question" in completed ? completed.question : getPrompt(found, completed.values);
    }),
  );
}

function listPrompts(catalog: CatalogView, cursor: string | undefined): ListPromptsResult {
  const { entries, nextCursor } = takePage({ entries: catalog.prompts(), keyOf: nameOf, mark: "prompts" }, cursor);
  return {
    prompts: entries.map(({ name, prompt, tool }) => ({
      name,
      title: `${prompt.name} (${tool.id})`,
      description: clean(prompt.description, 1000),
      arguments: prompt.arguments.map((argument) => ({
        name: argument.name,
        description: clean(argument.description, 1000),
        required: argument.required,
      })),
    })),
    ...(nextCursor !== undefined && { nextCursor }),
  };
}

function getPrompt(found: NamedPrompt, values: Readonly<Record<string, string>>): GetPromptResult {
  const { prompt, tool } = found;
  const given = new Map(Object.entries(values));
  const unknown = [...given.keys()].find((key) => !prompt.arguments.some((argument) => argument.name === key));
  if (unknown !== undefined) throw invalid(`Unknown argument: ${quote(unknown)}`);
  for (const argument of prompt.arguments) {
    const value = given.get(argument.name);
    if (value === undefined && argument.required) throw invalid(`Missing argument: ${quote(argument.name)}`);
    if (value !== undefined && value.length > VALUE_LIMIT)
      throw invalid(`The argument ${quote(argument.name)} has more than ${VALUE_LIMIT} characters`);
  }
  return {
    description: `${clean(prompt.description, 1000)} (a prompt of the tool ${tool.id})`,
    messages: fillMessages(found, given),
  };
}

/** Bounded together: a text may use a value often, and messages may embed one resource often. */
function fillMessages({ prompt, tool }: NamedPrompt, given: ReadonlyMap<string, string>): GetPromptResult["messages"] {
  let left = PROMPT_LIMIT;
  let leftBytes = EMBEDDED_LIMIT_BYTES;
  const fillNext = (text: string): string => {
    const filled = fill(text, given, left);
    left -= filled.length;
    return filled;
  };
  const embed = (uri: string): ResourceContent => {
    const resource = tool.manifest.mcp.resources?.find((each) => each.uri === uri);
    if (resource === undefined) throw invalid(`Unknown resource: ${quote(uri)}`);
    const content = readResourceOf(tool, resource);
    leftBytes -= "text" in content ? Buffer.byteLength(content.text) : content.blob.length;
    if (leftBytes < 0) throw invalid(`The prompt embeds more than ${EMBEDDED_LIMIT_BYTES} bytes`);
    return content;
  };
  return prompt.messages.map((message) => {
    const { role } = message;
    if ("text" in message) return { role, content: { type: "text", text: fillNext(message.text) } };
    if ("resource" in message)
      return { role, content: { type: "resource", resource: embed(fillNext(message.resource)) } };
    const { mimeType, ...content } = embed(message.image);
    if (!("blob" in content)) throw new Error("BUG: a prompt's image is a text");
    return { role, content: { type: "image", data: content.blob, mimeType } };
  });
}

/** In one pass: what stands in a value is text, also when it looks like a placeholder. */
function fill(text: string, values: ReadonlyMap<string, string>, limit: number): string {
  let left = limit;
  const take = (length: number): void => {
    left -= length;
    if (left < 0) throw invalid(`The prompt has more than ${PROMPT_LIMIT} characters with these arguments`);
  };
  take(text.length);
  return text.replace(PLACEHOLDER, (_, name: string) => {
    const value = values.get(name) ?? "";
    take(value.length);
    return value;
  });
}

function nameOf({ name }: NamedPrompt): string {
  return name;
}

function invalid(text: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, text);
}
