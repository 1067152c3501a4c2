/**
 * The single resources that a client of the eras before 2026-07-28 wants to hear of. Later ones ask by `subscriptions/listen`, which the SDK keeps.
 *
 * Source: MCP 2025-11-25, "Server features / Resources / Subscriptions".
 */
import { type McpServer, ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from "@modelcontextprotocol/server";
import { clean } from "../errors.ts";
import type { CatalogView } from "./catalog.ts";
import { stampsOf } from "./package-resources.ts";
import type { Guarded } from "./server.ts";

/** Most resources of one connection. */
const SUBSCRIPTIONS_LIMIT = 1024;

/** Serves `resources/subscribe` and `resources/unsubscribe`, which fill and empty the set. */
export function serveSubscriptions(
  mcp: McpServer,
  { catalog, subscribed }: { readonly catalog: CatalogView; readonly subscribed: Set<string> },
  guarded: Guarded,
): void {
  mcp.server.setRequestHandler("resources/subscribe", ({ params: { uri } }) =>
    guarded(() => {
      if (!stampsOf(catalog).has(uri))
        throw new ResourceNotFoundError(clean(uri, 300), `Unknown resource: ${clean(uri, 300)}`);
      if (subscribed.size >= SUBSCRIPTIONS_LIMIT && !subscribed.has(uri)) {
        const text = `One connection subscribes to at most ${SUBSCRIPTIONS_LIMIT} resources`;
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, text);
      }
      subscribed.add(uri);
      return {};
    }),
  );
  mcp.server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) =>
    guarded(() => {
      subscribed.delete(uri);
      return {};
    }),
  );
}
