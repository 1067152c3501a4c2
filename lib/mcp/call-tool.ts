/**
 * `tools/call`: what stands between a client's request and the runtime.
 *
 * Source: MCP 2026-07-28, "Server features / Tools / Calling Tools".
 */
import {
  type CallToolRequest,
  type CallToolResult,
  type InputRequiredResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { clean, quote } from "../errors.ts";
import { adviseOn } from "../policy/advice.ts";
import type { InstalledTool } from "../registry/registry.ts";
import { seekConsent } from "./consent.ts";
import { guestLines } from "./guest-log.ts";
import { withProgress } from "./progress.ts";
import { linkLarge } from "./resources.ts";
import { explain, toToolResult } from "./result.ts";
import type { Connection } from "./server.ts";

/** A request for a call. */
export interface ToolCall {
  readonly params: CallToolRequest["params"];
  readonly signal: AbortSignal;
  readonly context: ServerContext;
}

/**
 * Answers a call: finds the tool, asks its user where that is needed, runs it, and tells the log what there is to tell.
 *
 * @throws {ProtocolError} -32602 for a tool that there is not, and for arguments that cannot be written.
 */
export async function callTool(
  connection: Connection,
  mcp: McpServer,
  call: ToolCall,
): Promise<CallToolResult | InputRequiredResult> {
  const { name } = call.params;
  const { client, catalog } = connection;
  const named = catalog.find(name);
  // Source: MCP 2024-11-05 to 2026-07-28, "Tools / Error Handling": an unknown tool is a protocol error, -32602.
  if (named === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${quote(name)}`);
  const { id, manifest } = named.tool;
  const input = writeInput(call.params.arguments);
  const { approvals, log } = connection;
  const missingOf = (tool: InstalledTool) => connection.host.registry.grants.weigh(tool).missing;
  const consent = seekConsent({ mcp, approvals, log, missingOf }, { named, input, client, context: call.context });
  if (!consent.mayRun) return consent.answer;
  const { grants } = consent;
  const result = await withProgress(call.context, connection.host.limitsOf(named.tool), (onProgress) =>
    connection.host.call(id, input, {
      function: named.function?.name,
      signal: call.signal,
      client,
      grants,
      onProgress,
    }),
  );
  for (const line of guestLines(id, result.captured)) connection.log(line);
  for (const denial of result.denials ?? [])
    connection.log(`${id}: ${adviseOn({ id, request: manifest.security }, denial)}`);
  if (!result.ok) connection.log(`${id}: ${result.failure.code}: ${clean(explain(result.failure), 1000)}`);
  return linkLarge(connection, named.tool, { answer: toToolResult(result), result });
}

function writeInput(input: unknown = {}): string {
  try {
    return JSON.stringify(input);
  } catch {
    // What came as JSON can be written as JSON, unless it nests deeper than the stack reaches.
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The arguments are nested too deeply");
  }
}
