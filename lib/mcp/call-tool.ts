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
import { adviseOn, type DeniedTool } from "../policy/advice.ts";
import type { InstalledTool } from "../registry/registry.ts";
import type { CallResult } from "../runtime.ts";
import { type AskedCall, saysItself } from "./asked-call.ts";
import { type Consent, seekConsent } from "./consent.ts";
import { guestLines } from "./guest-log.ts";
import { withProgress } from "./progress.ts";
import type { Approval, Round } from "./questions.ts";
import type { NamedTool } from "./catalog.ts";
import { linkLarge } from "./large-results.ts";
import { explain, toToolResult } from "./result.ts";
import { findAsked, type Rounds, runLeg } from "./rounds.ts";
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
 * @throws {ProtocolError} -32602 for a tool that there is not, for arguments that cannot be written, and for answers to no open question; -32021 for a
 *   client that cannot show its user what the tool asks.
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
  const { client } = connection;
  const asking: AskedCall = { named, input, client, context: call.context, uri: call.uri };
  const asked = findAsked(connection.questions, asking);
  const consent = consentTo(connection, { mcp, asking, asked });
  if (!consent.mayRun) return { answer: consent.answer };
  const run: Rounds["run"] = async (grants, answers) => {
    const limits = connection.host.limitsOf(named.tool);
    const result = await withProgress(call.context, limits, (progress) => {
      // A request's progress only grows: of its rounds, the first is told of.
      const onProgress = answers === undefined || isOwnRequest(call.context, asked) ? progress : undefined;
      const options = { function: named.function?.name, signal: call.signal, client, grants, answers, onProgress };
      return connection.host.call(id, input, options);
    });
    logEnd(connection, { id, request: manifest.security }, result);
    return result;
  };
  const rounds: Rounds = { mcp, questions: connection.questions, run };
  const leg = await runLeg(rounds, asking, { grants: consent.grants, asked });
  if (leg.asks) {
    connection.log(`${id}: asks its user: ${leg.names.join(", ")}`);
    return { answer: leg.result };
  }
  if (!leg.result.ok) connection.log(`${id}: ${leg.result.failure.code}: ${clean(explain(leg.result.failure), 1000)}`);
  return { answer: toToolResult(leg.result), result: leg.result };
}

/** Whether a round has a request of its own, as in 2026-07-28: before that, all are parts of one. */
function isOwnRequest(context: ServerContext, asked: Approval | Round | undefined): boolean {
  return asked?.kind === "round" && saysItself(context);
}

interface Deciding {
  readonly mcp: McpServer;
  readonly asking: AskedCall;
  readonly asked: Approval | Round | undefined;
}

/** Whoever answers a tool's question has consented to the call that asked it. */
function consentTo({ questions, log, host }: Connection, { mcp, asking, asked }: Deciding): Consent {
  if (asked?.kind === "round") return { mayRun: true, grants: [] };
  const { grants } = host.registry;
  const missingOf = (tool: InstalledTool) => grants.weigh(tool).missing;
  const grantedOf = (tool: InstalledTool) => grants.weigh(tool).granted;
  return seekConsent({ mcp, questions, log, missingOf, grantedOf }, asking, asked);
}

/** Logs what there is to tell of one round. */
function logEnd({ log }: Connection, tool: DeniedTool, { captured, denials = [] }: CallResult): void {
  for (const line of guestLines(tool.id, captured)) log(line);
  for (const denial of denials) log(`${tool.id}: ${adviseOn(tool, denial)}`);
}

function writeInput(input: unknown = {}): string {
  try {
    return JSON.stringify(input);
  } catch {
    // What came as JSON can be written as JSON, unless it nests deeper than the stack reaches.
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The arguments are nested too deeply");
  }
}
