/**
 * What a server has beside tools: prompts, resources, subscriptions to these, completion. What is announced of them is what the installed packages need.
 */
import type { McpServer, ServerCapabilities } from "@modelcontextprotocol/server";
import type { CatalogView } from "./catalog.ts";
import { hasCompletions, serveCompletion } from "./completion.ts";
import { packagesOf } from "./package-resources.ts";
import { servePrompts } from "./prompts.ts";
import { serveResources } from "./resources.ts";
import type { Connection, Guarded } from "./server.ts";
import { serveSubscriptions } from "./subscriptions.ts";

/** Capabilities of a server. Lists are announced always: packages come while it serves. */
export function capabilitiesBeside(catalog: CatalogView): ServerCapabilities {
  return {
    prompts: { listChanged: true },
    resources: { listChanged: true, ...(hasResources(catalog) && { subscribe: true }) },
    ...(hasCompletions(catalog) && { completions: {} }),
  };
}

/**
 * Serves what {@link capabilitiesBeside} announces.
 *
 * @param subscribed - Filled with what the client wants to hear of.
 */
export function serveBeside(
  mcp: McpServer,
  connection: Connection,
  on: { subscribed: Set<string>; guarded: Guarded },
): void {
  const { catalog } = connection;
  servePrompts(mcp, catalog, on.guarded);
  serveResources(mcp, connection, on.guarded);
  if (connection.isLasting && hasResources(catalog))
    serveSubscriptions(mcp, { catalog, subscribed: on.subscribed }, on.guarded);
  if (hasCompletions(catalog)) serveCompletion(mcp, catalog, on.guarded);
}

function hasResources(catalog: CatalogView): boolean {
  return packagesOf(catalog).some(
    ({ readmeDigest, manifest }) => readmeDigest !== undefined || (manifest.mcp.resources ?? []).length > 0,
  );
}
