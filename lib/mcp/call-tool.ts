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
import type { CallResult } from "../runtime.ts";
import type { NamedTool } from "./catalog.ts";
import { seekConsent } from "./consent.ts";
import { guestLines } from "./guest-log.ts";
import { withProgress } from "./progress.ts";
import { linkLarge } from "./large-results.ts";
import { explain, toToolResult } from "./result.ts";
import type { Connection } from "./server.ts";

/** A request for a call. */
export interface ToolCall {
  readonly params: CallToolRequest["params"];
  readonly signal: AbortSignal;
  readonly context: ServerContext;
}

/**
 * Answers a call: finds the tool, runs it, and keeps a large result apart.
 *
 * @throws {ProtocolError} -32602 for a tool that there is not, and for arguments that cannot be written.
 */
export async function callTool(
  connection: Connection,
  mcp: McpServer,
  call: ToolCall,
): Promise<CallToolResult | InputRequiredResult> {
  const { name, arguments: values } = call.params;
  const named = connection.catalog.find(name);
  // Source: MCP 2024-11-05 to 2026-07-28, "Tools / Error Handling": an unknown tool is a protocol error, -32602.
  if (named === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${quote(name)}`);
  const ran = await runTool(connection, mcp, { ...call, named, values });
  return ran.result === undefined ? ran.answer : linkLarge(connection, named.tool, ran);
}

/** What came of a call: its result, and how that is told; or the question whether it may run, or the refusal. */
export type Ran =
  | { readonly answer: CallToolResult; readonly result: CallResult }
  | { readonly answer: CallToolResult | InputRequiredResult; readonly result?: undefined };

/** Asks the user where that is needed, runs a tool, and tells the log what there is to tell. */
export async function runTool(
  connection: Connection,
  mcp: McpServer,
  call: Omit<ToolCall, "params"> & {
    readonly named: NamedTool;
    readonly values: unknown;
    /** The URI whose reading is the call. */
    readonly uri?: string;
  },
): Promise<Ran> {
  const { named } = call;
  const { id, manifest } = named.tool;
  const input = writeInput(call.values);
  const { approvals, client, log } = connection;
  const { grants: weigher } = connection.host.registry;
  const missingOf = (tool: InstalledTool) => weigher.weigh(tool).missing;
  const grantedOf = (tool: InstalledTool) => weigher.weigh(tool).granted;
  const { context, uri } = call;
  const consent = seekConsent({ mcp, approvals, log, missingOf, grantedOf }, { named, input, client, context, uri });
  if (!consent.mayRun) return { answer: consent.answer };
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
  return { answer: toToolResult(result), result };
}

function writeInput(input: unknown = {}): string {
  try {
    return JSON.stringify(input);
  } catch {
    // What came as JSON can be written as JSON, unless it nests deeper than the stack reaches.
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The arguments are nested too deeply");
  }
}
