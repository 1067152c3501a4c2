/**
 * Reads a resource that a tool makes: a call like any other, with the URI's variables as arguments, in the same sandbox, within the same budget, and
 * with its user asked where a call would ask.
 */
import {
  type CallToolResult,
  type InputRequiredResult,
  isInputRequiredResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
} from "@modelcontextprotocol/server";
import { runTool, type ToolCall } from "./call-tool.ts";
import type { TemplateMatch } from "./package-resources.ts";
import type { Connection } from "./server.ts";

type Content = ReadResourceResult["contents"][number];

/**
 * Reads one.
 *
 * @param match - What the URI is of.
 * @throws {ProtocolError} -32602 when the tool does not take the variables, -32603 when the call fails, with what a call's result would say.
 */
export async function readTemplate(
  connection: Connection,
  mcp: McpServer,
  { uri, match, ...call }: Omit<ToolCall, "params"> & { readonly uri: string; readonly match: TemplateMatch },
): Promise<ReadResourceResult | InputRequiredResult> {
  const values = Object.fromEntries(match.values);
  const { answer } = await runTool(connection, mcp, { ...call, uri, named: match.named, values });
  if (isInputRequiredResult(answer)) return answer;
  if (answer.isError === true) throw failure(answer);
  const structured = answer.structuredContent === undefined ? "text/plain" : "application/json";
  const mimeType = match.template.mimeType ?? structured;
  return { contents: answer.content.flatMap((block) => toContent(block, { uri, mimeType })) };
}

function toContent(
  block: CallToolResult["content"][number],
  at: { uri: string; mimeType: string },
): readonly Content[] {
  if (block.type === "text") return [{ ...at, text: block.text }];
  if (block.type === "image" || block.type === "audio")
    return [{ uri: at.uri, mimeType: block.mimeType, blob: block.data }];
  // Under the URI that was read: what a client keeps of another one is not the tool's to say.
  return block.type === "resource" ? [{ ...block.resource, uri: at.uri }] : [];
}

function failure({ content, _meta: meta }: CallToolResult): ProtocolError {
  const text = content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
  const isInput = meta?.["dev.kami/failure"] === "INPUT_INVALID";
  return new ProtocolError(isInput ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError, text, meta);
}
