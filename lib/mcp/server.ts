/**
 * The MCP server of one connection: answers `tools/list` and `tools/call` from the runtime. It handles both requests itself, not through
 * the SDK's tool table: tools come and go while it serves, and their arguments are checked by the runtime, whose verdict an
 * agent gets as a tool error.
 */
import type { CallToolRequest, CallToolResult, InputRequiredResult, ServerContext } from "@modelcontextprotocol/server";
import { McpServer, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { clean, Failure, quote } from "../errors.ts";
import { adviseOn } from "../policy/advice.ts";
import type { Grants } from "../registry/grants.ts";
import type { InstalledTool, Registry } from "../registry/registry.ts";
import type { Runtime } from "../runtime.ts";
import type { Approvals } from "./approvals.ts";
import type { CallsInFlight } from "./calls.ts";
import type { CatalogView } from "./catalog.ts";
import { seekConsent } from "./consent.ts";
import { writeInstructions } from "./entry.ts";
import { guestLines } from "./guest-log.ts";
import { listTools } from "./list.ts";
import { withProgress } from "./progress.ts";
import { explain, explainToAgent, toToolResult } from "./result.ts";
import { announceChanges } from "./watch.ts";

/** Lists change when the user says so, and those who listen are told: others ask again soon. They are for one client's eyes. */
const LIST_HINT = { ttlMs: 30_000, cacheScope: "private" } as const;

/** What a server needs of the runtime. */
export interface ToolHost {
  readonly registry: Pick<Registry, "list" | "revision"> & { readonly grants: Pick<Grants, "weigh"> };
  readonly call: Runtime["call"];
  readonly limitsOf: Runtime["limitsOf"];
}

/** What the servers of a connection share. */
export interface Connection {
  readonly host: ToolHost;
  /** KAMI's version. */
  readonly version: string;
  /** Takes one clean line. */
  readonly log: (line: string) => void;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
  readonly calls: CallsInFlight;
  /** What users were asked; of all servers of a connection. */
  readonly approvals: Approvals;
  /** The tools that there are for the client. */
  readonly catalog: CatalogView;
  /** Whose turn in the queue its calls take; undefined: each tool's own. */
  readonly client?: string | undefined;
  /** Whether the server stays and tells of changes itself, which one for a single request cannot. */
  readonly isLasting: boolean;
}

/**
 * Makes a server for a connection. The SDK asks for one or two: for a probe, and for what follows it.
 *
 * @throws {Failure} what the registry throws when it cannot be read.
 */
export function createServer(connection: Connection): McpServer {
  const { catalog } = connection;
  const mcp = new McpServer(
    { name: "kami", title: "KAMI", version: connection.version },
    {
      capabilities: { tools: { listChanged: true } },
      instructions: writeInstructions(catalog.enabled()),
      cacheHints: { "tools/list": LIST_HINT, "server/discover": LIST_HINT },
    },
  );
  const changes = connection.isLasting ? announceChanges(mcp, catalog, connection) : undefined;
  mcp.server.setRequestHandler("tools/list", (request) =>
    guarded(connection, () => {
      changes?.listed();
      return listTools(connection.host, catalog, request.params?.cursor);
    }),
  );
  mcp.server.setRequestHandler("tools/call", (request, context) =>
    guarded(connection, () =>
      connection.calls.start([context.mcpReq.signal, context.http?.req?.signal], (signal) =>
        callTool(connection, mcp, { params: request.params, signal, context }),
      ),
    ),
  );
  return mcp;
}

interface ToolCall {
  readonly params: CallToolRequest["params"];
  readonly signal: AbortSignal;
  readonly context: ServerContext;
}

async function callTool(
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
  return toToolResult(result);
}

function writeInput(input: unknown = {}): string {
  try {
    return JSON.stringify(input);
  } catch {
    // What came as JSON can be written as JSON, unless it nests deeper than the stack reaches.
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "The arguments are nested too deeply");
  }
}

/** Runs a handler so that nothing but a protocol error leaves it: another error's text may name files of the host. */
async function guarded<T>(connection: Connection, handle: () => T | Promise<T>): Promise<T> {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    connection.log(clean(error instanceof Failure ? explain(error) : `BUG: ${String(error)}`, 1000));
    const text =
      error instanceof Failure && error.agentMayRead
        ? explainToAgent(error)
        : "KAMI could not answer; its log says why";
    throw new ProtocolError(ProtocolErrorCode.InternalError, text);
  }
}
