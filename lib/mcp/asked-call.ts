/**
 * A call whose user may be asked something, by KAMI or by the tool: which call that is, and whether its client can ask.
 *
 * Source: MCP 2026-07-28, "Client features / Elicitation" and "Patterns / Multi Round-Trip Requests"; MCP 2025-11-25, "Elicitation".
 */
import { CLIENT_CAPABILITIES_META_KEY, type McpServer, type ServerContext } from "@modelcontextprotocol/server";
import { digestOf } from "../digest.ts";
import type { NamedTool } from "./catalog.ts";
import type { Wanted } from "./questions.ts";

/** A call that may need its user's word. */
export interface AskedCall {
  readonly named: NamedTool;
  /** JSON text. */
  readonly input: string;
  readonly client: string | undefined;
  readonly context: ServerContext;
  /** The URI whose reading is the call. */
  readonly uri?: string | undefined;
}

/** Says which call it is. */
export function wantedOf({ named: { tool, function: found }, input, client, uri }: AskedCall): Wanted {
  return {
    client,
    toolId: tool.id,
    packageDigest: tool.packageDigest,
    function: found?.name,
    inputDigest: digestOf(input),
    uri,
  };
}

/** Whether the client can show a form. Source: MCP 2025-11-25, "Elicitation / Capabilities": without a mode, forms. */
export function canShowForms(mcp: McpServer, context: ServerContext): boolean {
  // A request that says it for itself is believed alone.
  const told = saysItself(context)
    ? envelopeOf(context)[CLIENT_CAPABILITIES_META_KEY]
    : mcp.server.getClientCapabilities();
  const elicitation = typeof told === "object" && told !== null && "elicitation" in told ? told.elicitation : undefined;
  if (typeof elicitation !== "object" || elicitation === null) return false;
  return "form" in elicitation || !("url" in elicitation);
}

/** Whether a request says what its client can, as all of 2026-07-28 do. */
export function saysItself(context: ServerContext): boolean {
  return Object.hasOwn(envelopeOf(context), CLIENT_CAPABILITIES_META_KEY);
}

function envelopeOf({ mcpReq }: ServerContext): Readonly<Record<string, unknown>> {
  return { ...mcpReq.envelope };
}
