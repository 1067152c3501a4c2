/**
 * The list of tools, page by page, in the order of their ids.
 *
 * Source: MCP 2026-07-28, "Server features / Tools / Listing Tools".
 */
import type { ListToolsResult } from "@modelcontextprotocol/server";
import type { CatalogView, NamedTool } from "./catalog.ts";
import { describeTool } from "./entry.ts";
import { takePage } from "./page.ts";
import type { ToolHost } from "./server.ts";

/**
 * Lists a page of tools.
 *
 * @param host - Knows what each may use and touch.
 * @param catalog - The tools that there are for the client.
 * @param cursor - From the page before; undefined for the first one.
 * @throws {ProtocolError} -32602 for a cursor that is none.
 */
export function listTools(host: ToolHost, catalog: CatalogView, cursor: string | undefined): ListToolsResult {
  const { entries, nextCursor } = takePage({ entries: catalog.enabled(), keyOf, mark: "tools" }, cursor);
  return {
    tools: entries.map((named) =>
      describeTool(named, host.limitsOf(named.tool), host.registry.grants.weigh(named.tool)),
    ),
    ...(nextCursor !== undefined && { nextCursor }),
  };
}

/** `#` is in no id, and before every character that is. */
function keyOf({ tool, function: found }: NamedTool): string {
  return found === undefined ? tool.id : `${tool.id}#${found.name}`;
}
