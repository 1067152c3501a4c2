/**
 * The MCP server of one connection: answers `tools/list` and `tools/call` from the runtime. It handles both requests itself, not through
 * the SDK's tool table: tools come and go while it serves, and their arguments are checked by the runtime, whose verdict an
 * agent gets as a tool error.
 */
import { McpServer, type ProtocolEra, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { clean, Failure } from "../errors.ts";
import type { Grants } from "../registry/grants.ts";
import type { Registry } from "../registry/registry.ts";
import type { Runtime } from "../runtime.ts";
import { ROUNDS_LIMIT } from "../schema/question.ts";
import type { Questions } from "./questions.ts";
import { capabilitiesBeside, serveBeside } from "./beside-tools.ts";
import { callTool } from "./call-tool.ts";
import type { CallsInFlight } from "./calls.ts";
import type { CatalogView } from "./catalog.ts";
import { writeInstructions } from "./entry.ts";
import { listTools } from "./list.ts";
import type { KeptResults } from "./kept-results.ts";
import { explain, explainToAgent } from "./result.ts";
import { announceChanges } from "./watch.ts";

/** Lists change when the user says so, and those who listen are told: others ask again soon. They are for one client's eyes. */
const LIST_HINT = { ttlMs: 30_000, cacheScope: "private" } as const;

/** What a server needs of the runtime. */
export interface ToolHost {
  readonly registry: Pick<Registry, "list" | "revision"> & { readonly grants: Pick<Grants, "weigh"> };
  readonly call: Runtime["call"];
  readonly limitsOf: Runtime["limitsOf"];
}

/** Runs a handler: see `guarded` below. */
export type Guarded = <T>(handle: () => T | Promise<T>) => Promise<T>;

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
  readonly questions: Questions;
  /** Large results; of all servers of a connection. */
  readonly kept: KeptResults;
  /** The tools that there are for the client. */
  readonly catalog: CatalogView;
  /** Whose turn in the queue its calls take; undefined: each tool's own. */
  readonly client: string | undefined;
  /** Whether the server stays and tells of changes itself, which one for a single request cannot. */
  readonly isLasting: boolean;
}

/**
 * Makes a server for a connection. The SDK asks for one or two: for a probe, and for what follows it.
 *
 * @param era - `modern`: 2026-07-28 and later.
 * @throws {Failure} what the registry throws when it cannot be read.
 */
export function createServer(connection: Connection, era: ProtocolEra = "legacy"): McpServer {
  const { catalog } = connection;
  const mcp = new McpServer(
    { name: "kami", title: "KAMI", version: connection.version },
    {
      capabilities: {
        tools: { listChanged: true },
        ...capabilitiesBeside(catalog),
      },
      // One more than a tool may ask: there may be a question of KAMI's before.
      inputRequired: { maxRounds: ROUNDS_LIMIT + 1 },
      instructions: writeInstructions(catalog.enabled()),
      cacheHints: { "tools/list": LIST_HINT, "server/discover": LIST_HINT, "prompts/list": LIST_HINT },
    },
  );
  const subscribed = new Set<string>();
  const changes = connection.isLasting ? announceChanges(mcp, { catalog, subscribed, era }, connection) : undefined;
  // Whoever has asked for anything wants to hear when it has changed.
  const guard: Guarded = (handle) =>
    guarded(connection, () => {
      changes?.asked();
      return handle();
    });
  mcp.server.setRequestHandler("tools/list", ({ params }) =>
    guard(() => {
      changes?.listed();
      return listTools(connection.host, catalog, params?.cursor);
    }),
  );
  serveBeside(mcp, connection, { subscribed, guarded: guard });
  mcp.server.setRequestHandler("tools/call", (request, context) =>
    guarded(connection, () =>
      connection.calls.start([context.mcpReq.signal, context.http?.req?.signal], (signal) =>
        callTool(connection, mcp, { params: request.params, signal, context }),
      ),
    ),
  );
  return mcp;
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
