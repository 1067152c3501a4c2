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
import type { ManifestPrompt } from "../manifest/manifest.ts";
import { PLACEHOLDER } from "../manifest/prompts.ts";
import type { CatalogView, NamedTool } from "./catalog.ts";
import { takePage } from "./page.ts";
import { completeArguments } from "./prompt-arguments.ts";

/** Most code units of one argument. */
const VALUE_LIMIT = 16_384;

/** Most code units of a text with its arguments filled in: a value may be used many times. */
export const PROMPT_LIMIT = 131_072;

/** A prompt and the name that it is served under. */
interface NamedPrompt {
  readonly name: string;
  readonly prompt: ManifestPrompt;
  readonly tool: NamedTool["tool"];
}

/** Serves the prompts of the tools that there are for a client. */
export function servePrompts(mcp: McpServer, catalog: CatalogView, guarded: <T>(handle: () => T) => Promise<T>): void {
  mcp.server.setRequestHandler("prompts/list", ({ params }) => guarded(() => listPrompts(catalog, params?.cursor)));
  mcp.server.setRequestHandler("prompts/get", ({ params }, context) =>
    guarded(() => {
      const found = promptsOf(catalog).find((each) => each.name === params.name);
      if (found === undefined) throw invalid(`Unknown prompt: ${quote(params.name)}`);
      const wanted = { prompt: found.prompt, toolId: found.tool.id, values: params.arguments ?? {} };
      const completed = completeArguments({ mcp, context }, wanted);
      return "question" in completed ? completed.question : getPrompt(found, completed.values);
    }),
  );
}

function listPrompts(catalog: CatalogView, cursor: string | undefined): ListPromptsResult {
  const { entries, nextCursor } = takePage({ entries: promptsOf(catalog), keyOf: nameOf, mark: "prompts" }, cursor);
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

function getPrompt({ prompt, tool }: NamedPrompt, values: Readonly<Record<string, string>>): GetPromptResult {
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
    messages: [{ role: "user", content: { type: "text", text: fill(prompt.text, given) } }],
  };
}

/** In one pass: what stands in a value is text, also when it looks like a placeholder. */
function fill(text: string, values: ReadonlyMap<string, string>): string {
  let left = PROMPT_LIMIT - text.length;
  return text.replace(PLACEHOLDER, (_, name: string) => {
    const value = values.get(name) ?? "";
    left -= value.length;
    if (left < 0) throw invalid(`The prompt has more than ${PROMPT_LIMIT} characters with these arguments`);
    return value;
  });
}

/** Neither a tool's alias nor a prompt's own name ends or begins with `_`, and no prompt's has one. */
function promptsOf(catalog: CatalogView): readonly NamedPrompt[] {
  const seen = new Set<string>();
  return catalog.enabled().flatMap(({ name, tool }) => {
    // A component of several functions is one package.
    if (seen.has(tool.id)) return [];
    seen.add(tool.id);
    return (tool.manifest.mcp.prompts ?? []).map((prompt) => ({ name: `${name}__${prompt.name}`, prompt, tool }));
  });
}

function nameOf({ name }: NamedPrompt): string {
  return name;
}

function invalid(text: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, text);
}
