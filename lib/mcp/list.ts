/**
 * The list of tools, page by page. Its order is that of ids, and a cursor says behind which tool a page begins: so that none is missed or told twice
 * when others come and go between two pages.
 *
 * Source: MCP 2026-07-28, "Utilities / Pagination" and "Server features / Tools / Listing Tools".
 */
import { type ListToolsResult, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { quote } from "../errors.ts";
import type { CatalogView, NamedTool } from "./catalog.ts";
import { describeTool } from "./entry.ts";
import type { ToolHost } from "./server.ts";

/** Tools of one page. */
export const PAGE_SIZE = 200;

/** In front of every cursor, so that one of another kind of list is known for what it is. */
const MARK = "tools.";

/** Most code units of a cursor: an id and a function's name. */
const CURSOR_LIMIT = 2000;

/**
 * Lists a page of tools.
 *
 * @param host - Knows what each may use and touch.
 * @param catalog - The tools that there are for the client.
 * @param cursor - From the page before; undefined for the first one.
 * @throws {ProtocolError} -32602 for a cursor that is none.
 */
export function listTools(host: ToolHost, catalog: CatalogView, cursor: string | undefined): ListToolsResult {
  const all = catalog.enabled().toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const start = after === undefined ? 0 : all.findIndex((named) => keyOf(named) > after);
  const page = start === -1 ? [] : all.slice(start, start + PAGE_SIZE);
  const last = page.at(-1);
  const hasMore = last !== undefined && last !== all.at(-1);
  return {
    tools: page.map((named) => describeTool(named, host.limitsOf(named.tool), host.registry.grants.weigh(named.tool))),
    ...(hasMore && { nextCursor: writeCursor(keyOf(last)) }),
  };
}

/** By which tools are ordered. `#` is in no id, and before every character that is. */
function keyOf({ tool, function: found }: NamedTool): string {
  return found === undefined ? tool.id : `${tool.id}#${found.name}`;
}

function writeCursor(key: string): string {
  return MARK + Buffer.from(key).toString("base64url");
}

function readCursor(cursor: string): string {
  const isMarked = cursor.length <= CURSOR_LIMIT && cursor.startsWith(MARK);
  const key = isMarked ? Buffer.from(cursor.slice(MARK.length), "base64url").toString() : "";
  if (key !== "" && writeCursor(key) === cursor) return key;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown cursor: ${quote(cursor)}`);
}
